"""GetUser, ChangePassword, DeleteUser and their access token, as in Cognito."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.pool.api_model import declares_error
from infra.local.pool.user_pool import all_pools
from tests.support.contract import PASSWORD, Contract, refused

NEW = "Another-Horse-2"
WRONG = "Incorrect username or password."
INVALID = "Invalid Access Token"


def calls(contract: Contract) -> list[Callable[[str], Any]]:
    """Return every operation that takes an access token, as a function of it."""
    users = contract.users
    name = [{"Name": "given_name", "Value": "Ada"}]
    return [
        lambda token: users.get_user(AccessToken=token),
        lambda token: change(contract, token, PASSWORD, NEW),
        lambda token: users.delete_user(AccessToken=token),
        lambda token: users.global_sign_out(AccessToken=token),
        lambda token: users.associate_software_token(AccessToken=token),
        lambda token: users.verify_software_token(AccessToken=token, UserCode="000000"),
        lambda token: users.set_user_mfa_preference(AccessToken=token),
        lambda token: users.update_user_attributes(AccessToken=token, UserAttributes=name),
    ]


def test_get_user(contract: Contract) -> None:
    """A user can read their own attributes."""
    email = contract.member()
    seen = contract.users.get_user(AccessToken=contract.tokens(email)["AccessToken"])
    attributes = {a["Name"]: a["Value"] for a in seen["UserAttributes"]}
    assert attributes == {
        "sub": contract.user(email)["sub"],
        "email": email,
        "email_verified": "true",
    }
    assert seen["Username"] == attributes["sub"]
    assert "UserMFASettingList" not in seen


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "=" * 4000])
def test_invalid_access_token(contract: Contract, token: str) -> None:
    """Every operation refuses a string that isn't a token, with the same error."""
    for call in calls(contract):
        with refused("NotAuthorized", INVALID):
            call(token)


def test_impossible_access_token(contract: Contract) -> None:
    """A string that can't be a token is an invalid parameter."""
    with refused("InvalidParameter"):
        contract.users.get_user(AccessToken="a b")


def test_other_tokens(contract: Contract) -> None:
    """Neither an ID token nor a refresh token is an access token."""
    tokens = contract.tokens(contract.member())
    for name in ("IdToken", "RefreshToken"):
        for call in calls(contract):
            with refused("NotAuthorized", INVALID):
                call(tokens[name])


def test_tampered_access_token(contract: Contract) -> None:
    """A token with another token's signature is refused."""
    first, second = (contract.tokens(contract.member())["AccessToken"] for _ in range(2))
    head, _, signature = first.rpartition(".")
    assert signature
    with refused("NotAuthorized", INVALID):
        contract.users.get_user(AccessToken=f"{head}.{second.rpartition('.')[2]}")


def test_expired_access_token(contract: Contract) -> None:
    """An access token stops working at its expiry."""
    token = contract.tokens(contract.member())["AccessToken"]
    contract.local.clock.advance(timedelta(hours=3))
    for call in calls(contract):
        with refused("NotAuthorized", "Access Token has expired"):
            call(token)


def test_access_token_without_the_scope(contract: Contract) -> None:
    """A token without the scope for the user's own account is refused."""
    email, pool_id = contract.member(), contract.pool.user_pool_id
    (pool,) = (pool for pool in all_pools() if pool.id == pool_id)
    scope = {"scope": "openid email"}
    token, _ = pool.create_jwt(contract.pool.client_id, email, "access", extra_data=scope)
    for call in calls(contract):
        with refused("NotAuthorized", "Access Token does not have required scopes"):
            call(token)


def test_access_token_of_a_disabled_user(contract: Contract) -> None:
    """Disabling a user ends their sessions at once and for good."""
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    contract.administer("admin_disable_user", email)
    for call in calls(contract):
        with refused("NotAuthorized", "User is disabled."):
            call(token)
    contract.administer("admin_enable_user", email)
    with refused("NotAuthorized", "Access Token has been revoked"):
        contract.users.get_user(AccessToken=token)


@pytest.mark.parametrize("by", ["the user", "an administrator"])
def test_deleted_user(contract: Contract, by: str) -> None:
    """The user's sessions end, and the address can sign up again."""
    email = contract.member()
    tokens = contract.tokens(email)
    if by == "the user":
        contract.users.delete_user(AccessToken=tokens["AccessToken"])
    else:
        contract.administer("admin_delete_user", email)
    for call in calls(contract):
        with pytest.raises(ClientError) as caught:
            call(tokens["AccessToken"])
        # Two operations don't list UserNotFoundException.
        listed = declares_error(caught.value.operation_name, "UserNotFound")
        expected = "UserNotFoundException" if listed else "NotAuthorizedException"
        assert caught.value.response["Error"]["Code"] == expected
    with refused("NotAuthorized"):
        contract.refresh(tokens["RefreshToken"])
    with refused("NotAuthorized", WRONG):
        contract.sign_in(email)
    contract.sign_up_and_confirm(email, PASSWORD)
    contract.sign_in(email)
    with refused("UserNotFound"):
        contract.users.get_user(AccessToken=tokens["AccessToken"])


def change(contract: Contract, token: str, previous: str, proposed: str) -> None:
    """Call ChangePassword."""
    contract.users.change_password(
        AccessToken=token, PreviousPassword=previous, ProposedPassword=proposed
    )


def test_change_password(contract: Contract) -> None:
    """The current password is needed to set a new one."""
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    with refused("NotAuthorized", WRONG):
        change(contract, token, "Wrong-Horse-1", NEW)
    contract.sign_in(email)
    change(contract, token, PASSWORD, NEW)
    contract.sign_in(email, NEW)
    with refused("NotAuthorized", WRONG):
        contract.sign_in(email)


def test_change_to_a_weak_password(contract: Contract) -> None:
    """The error names the broken rule; an impossible password is an invalid parameter."""
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    with refused(
        "InvalidPassword",
        "Password did not conform with policy: Password must have symbol characters",
    ):
        change(contract, token, PASSWORD, "CorrectHorse1")
    with refused("InvalidParameter"):
        change(contract, token, PASSWORD, "Aa1!")
    with refused("InvalidParameter", "Missing required parameter PreviousPassword"):
        contract.users.change_password(AccessToken=token, ProposedPassword=NEW)
    contract.sign_in(email)


def test_change_too_often(contract: Contract) -> None:
    """A user can change the password five times an hour."""
    email, clock = contract.member(), contract.local.clock
    token = contract.tokens(email)["AccessToken"]
    for _ in range(5):
        change(contract, token, PASSWORD, PASSWORD)
    with refused("LimitExceeded", "Attempt limit exceeded, please try after some time."):
        change(contract, token, PASSWORD, NEW)
    clock.advance(timedelta(hours=1))
    change(contract, token, PASSWORD, NEW)


def test_wrong_current_passwords_lock_the_account(contract: Contract) -> None:
    """Guesses with a stolen token count like guesses at sign-in."""
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    for _ in range(5):
        with refused("NotAuthorized", WRONG):
            change(contract, token, "Wrong-Horse-1", NEW)
    with refused("NotAuthorized", "Password attempts exceeded"):
        contract.sign_in(email)
