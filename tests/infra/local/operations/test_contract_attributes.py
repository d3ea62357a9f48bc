"""A user's attributes: who may change which, and how a new address is verified, as in Cognito."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.support.contract import PASSWORD, Contract, other_than, refused
from tests.support.contract_google import domain, error_of, google_tokens

READ_ONLY = "A client attempted to write unauthorized attribute"
SHOE = {"Name": "shoe", "AttributeDataType": "String", "Mutable": True}
FIXED = {"Name": "fixed", "AttributeDataType": "String", "Mutable": False}
SCHEMA = {"Schema": [SHOE, FIXED]}
# A new address counts at once. In the template, it counts once it is verified.
AT_ONCE = {"UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": []}}


def given(**attributes: str) -> list[dict[str, str]]:
    """Return attributes in the API's format; `custom_x` stands for custom:x."""
    return [
        {"Name": name.replace("custom_", "custom:"), "Value": value}
        for name, value in attributes.items()
    ]


def update(contract: Contract, token: str, **attributes: str) -> Any:
    """Call UpdateUserAttributes."""
    return contract.users.update_user_attributes(
        AccessToken=token, UserAttributes=given(**attributes)
    )["CodeDeliveryDetailsList"]


def signed_in(contract: Contract) -> tuple[str, str]:
    """Return the address of a new user, and an access token."""
    email = contract.member()
    return email, contract.tokens(email)["AccessToken"]


# Who may write what: the attribute, the error for its user, and that for an administrator.
WRITERS = [
    ("name", None, None),
    ("sub", "NotAuthorized", "InvalidParameter"),
    ("email_verified", "NotAuthorized", None),
    ("phone_number_verified", "NotAuthorized", None),
    ("identities", "InvalidParameter", "InvalidParameter"),
    ("nothing", "InvalidParameter", "InvalidParameter"),
    ("custom_shoe", "NotAuthorized", None),
    ("custom_fixed", "NotAuthorized", "InvalidParameter"),
]


@pytest.mark.parametrize(("name", "for_user", "for_admin"), WRITERS)
def test_who_may_write_what(
    contract: Contract, name: str, for_user: str | None, for_admin: str | None
) -> None:
    """A refused update changes nothing, even of the attributes that could be changed."""
    contract = contract.with_settings(pool=SCHEMA)
    email, token = signed_in(contract)
    before = contract.user(email)["UserAttributes"]
    both = {"given_name": "Ada", name: "true"}
    calls = [
        (for_user, lambda: update(contract, token, **both)),
        (
            for_admin,
            lambda: contract.administer(
                "admin_update_user_attributes", email, UserAttributes=given(**both)
            ),
        ),
    ]
    for error, call in calls:
        if error:
            with refused(error):
                call()
            assert contract.user(email)["UserAttributes"] == before
        else:
            call()
            user = contract.user(email)
            assert user["given_name"] == "Ada"
            assert user[name.replace("custom_", "custom:")] == "true"
        before = contract.user(email)["UserAttributes"]


def test_a_client_that_may_write_only_some(contract: Contract) -> None:
    """It can't write others, neither at sign-up nor later."""
    writes = {"WriteAttributes": ["email", "custom:shoe"]}
    contract = contract.with_settings(pool=SCHEMA, client=writes)
    with refused("NotAuthorized", READ_ONLY):
        contract.sign_up(contract.address(), UserAttributes=given(name="Ada"))
    email = contract.address()
    contract.sign_up(email, UserAttributes=given(custom_shoe="39"))
    contract.confirm(email, contract.code(email))
    token = contract.tokens(email)["AccessToken"]
    with refused("NotAuthorized", READ_ONLY):
        update(contract, token, name="Ada")
    update(contract, token, custom_shoe="40")
    assert contract.user(email)["custom:shoe"] == "40"


def test_an_attribute_that_never_changes(contract: Contract) -> None:
    """A client that may write it can do so at sign-up, and nobody can later."""
    writes = {"WriteAttributes": ["email", "custom:fixed"]}
    contract = contract.with_settings(pool=SCHEMA, client=writes)
    email = contract.address()
    contract.sign_up(email, UserAttributes=given(custom_fixed="1"))
    contract.confirm(email, contract.code(email))
    token = contract.tokens(email)["AccessToken"]
    with refused("InvalidParameter", "user.custom:fixed: Attribute cannot be updated.\n"):
        update(contract, token, custom_fixed="2")


def test_a_new_address(contract: Contract) -> None:
    """It counts at once, but is unverified until the e-mailed code is entered."""
    contract = contract.with_settings(pool=AT_ONCE)
    email, token = signed_in(contract)
    new = contract.address()
    (details,) = update(contract, token, email=new)
    assert details["AttributeName"] == "email"
    assert details["Destination"].startswith(f"{new[0]}***@")
    assert contract.user(new)["email_verified"] == "false"
    contract.sign_in(new)
    with refused("NotAuthorized"):
        contract.sign_in(email)
    code = contract.code(new)
    with refused("CodeMismatch"):
        verify(contract, token, other_than(code))
    verify(contract, token, code)
    assert contract.user(new)["email_verified"] == "true"
    with refused("ExpiredCode"):
        verify(contract, token, code)


def verify(contract: Contract, token: str, code: str) -> None:
    """Call VerifyUserAttribute for the address."""
    contract.users.verify_user_attribute(AccessToken=token, AttributeName="email", Code=code)


def test_a_new_address_that_counts_once_verified(contract: Contract) -> None:
    """Until then, the old one does, for signing in and for everything else."""
    contract = contract.with_settings()
    email, token = signed_in(contract)
    new = contract.address()
    update(contract, token, email=new, name="Ada")
    user = contract.user(email)
    assert (user["email"], user["email_verified"], user["name"]) == (email, "true", "Ada")
    with refused("NotAuthorized"):
        contract.sign_in(new)
    contract.users.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")
    verify(contract, token, contract.code(new))
    assert contract.user(new)["email_verified"] == "true"
    contract.sign_in(new)
    with refused("NotAuthorized"):
        contract.sign_in(email)


def test_a_pending_address_that_somebody_takes(contract: Contract) -> None:
    """Two users never have one address, whoever is first to verify it."""
    contract = contract.with_settings()
    email, token = signed_in(contract)
    new = contract.address()
    update(contract, token, email=new)
    code = contract.code(new)
    contract.sign_up_and_confirm(new, PASSWORD)
    with refused("AliasExists", "An account with the given email already exists."):
        verify(contract, token, code)
    assert contract.user(email)["email"] == email


def test_a_code_for_another_address(contract: Contract) -> None:
    """A code verifies only the address that it was e-mailed to."""
    contract = contract.with_settings(pool=AT_ONCE)
    email, token = signed_in(contract)
    first, second = contract.address(), contract.address()
    update(contract, token, email=first)
    code = contract.code(first)
    update(contract, token, email=second)
    with refused("CodeMismatch"):
        verify(contract, token, code)
    contract.users.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")
    stale = contract.code(second)
    without_codes = {"Name": "email", "Value": email}
    contract.administer(
        "admin_update_user_attributes",
        second,
        UserAttributes=[without_codes, {"Name": "email_verified", "Value": "true"}],
    )
    with refused("ExpiredCode"):
        verify(contract, token, stale)


def test_a_taken_address(contract: Contract) -> None:
    """Nobody can take an address with which another user signs in, in any case."""
    email, token = signed_in(contract)
    other = contract.member().upper()
    with refused("AliasExists"):
        update(contract, token, email=other)
    with refused("AliasExists"):
        contract.administer(
            "admin_update_user_attributes", email, UserAttributes=given(email=other)
        )
    with refused("InvalidParameter", "Invalid email address format."):
        update(contract, token, email="nonsense")
    assert contract.user(email)["email"] == email


def test_a_pool_that_verifies_nothing(contract: Contract) -> None:
    """No code is sent, but the new address is unverified all the same."""
    contract = contract.with_settings(pool={"AutoVerifiedAttributes": []})
    email = contract.address()
    contract.sign_up(email)
    contract.administer("admin_confirm_sign_up", email)
    new = contract.address()
    assert update(contract, contract.tokens(email)["AccessToken"], email=new) == []
    assert contract.user(new)["email_verified"] == "false"
    with pytest.raises(LookupError):
        contract.code(new)


def test_an_administrator_changes_an_address(contract: Contract) -> None:
    """It is unverified and gets a code, unless the administrator says that it is verified."""
    contract = contract.with_settings(pool=AT_ONCE)
    email, _ = signed_in(contract)
    first, second = contract.address(), contract.address()
    contract.administer("admin_update_user_attributes", email, UserAttributes=given(email=first))
    assert contract.user(first)["email_verified"] == "false"
    assert contract.code(first)
    contract.administer(
        "admin_update_user_attributes",
        first,
        UserAttributes=given(email=second, email_verified="true"),
    )
    assert contract.user(second)["email_verified"] == "true"
    with pytest.raises(LookupError):
        contract.code(second)


def test_asking_for_the_code_too_often(contract: Contract) -> None:
    """There are five an hour, and 15 tries."""
    email, token = signed_in(contract)
    ask = contract.users.get_user_attribute_verification_code
    for _ in range(5):
        ask(AccessToken=token, AttributeName="email")
    with refused("LimitExceeded"):
        ask(AccessToken=token, AttributeName="email")
    for _ in range(15):
        with refused("CodeMismatch"):
            verify(contract, token, other_than(contract.code(email)))
    with refused("LimitExceeded"):
        verify(contract, token, contract.code(email))
    contract.local.clock.advance(timedelta(hours=1))
    verify(contract, token, contract.code(email))


def test_attributes_that_cannot_be_verified(contract: Contract) -> None:
    """Only e-mail can, as no SMS is sent here."""
    _, token = signed_in(contract)
    with refused("InvalidParameter"):
        contract.users.get_user_attribute_verification_code(
            AccessToken=token, AttributeName="phone_number"
        )
    with refused("InvalidParameter"):
        contract.users.verify_user_attribute(
            AccessToken=token, AttributeName="phone_number", Code="123456"
        )


def delete(contract: Contract, username: str, *names: str) -> None:
    """Call AdminDeleteUserAttributes."""
    named = [name.replace("custom_", "custom:") for name in names]
    contract.administer("admin_delete_user_attributes", username, UserAttributeNames=named)


def delete_own(contract: Contract, token: str, *names: str) -> None:
    """Call DeleteUserAttributes."""
    named = [name.replace("custom_", "custom:") for name in names]
    contract.users.delete_user_attributes(AccessToken=token, UserAttributeNames=named)


# The address is the user's name in this pool.
DELETERS = [*WRITERS, ("email", "InvalidParameter", "InvalidParameter")]


@pytest.mark.parametrize(("name", "for_user", "for_admin"), DELETERS)
def test_who_may_delete_what(
    contract: Contract, name: str, for_user: str | None, for_admin: str | None
) -> None:
    """It takes the same rights as to write. A refusal deletes nothing."""
    contract = contract.with_settings(pool=SCHEMA)
    email, token = signed_in(contract)
    calls = [
        (for_user, lambda: delete_own(contract, token, "given_name", name)),
        (for_admin, lambda: delete(contract, email, "given_name", name)),
    ]
    for error, call in calls:
        changed = given(given_name="Ada", **({name: "true"} if error is None else {}))
        contract.administer("admin_update_user_attributes", email, UserAttributes=changed)
        before = contract.user(email)["UserAttributes"]
        if error:
            with refused(error):
                call()
            assert contract.user(email)["UserAttributes"] == before
        else:
            call()
            left = {"given_name", name.replace("custom_", "custom:")} & set(contract.user(email))
            assert left == set()


def test_a_client_that_was_deleted(contract: Contract) -> None:
    """Its users' tokens change nothing more: nobody knows what they may write."""
    _, token = signed_in(contract)
    google = google_tokens(contract, contract.address())
    contract.admin.delete_user_pool_client(
        UserPoolId=contract.pool.user_pool_id, ClientId=contract.pool.client_id
    )
    with refused("NotAuthorized", "Invalid Access Token"):
        update(contract, token, name="Ada")
    with refused("NotAuthorized", "Invalid Access Token"):
        contract.users.delete_user_attributes(AccessToken=token, UserAttributeNames=["name"])
    bearer = {"Authorization": f"Bearer {google['access_token']}"}
    answer = httpx.get(f"{domain(contract)}/oauth2/userInfo", headers=bearer)
    assert error_of(answer) == "invalid_token"


def test_a_client_that_may_delete_only_some(contract: Contract) -> None:
    """A user can delete what the app client may write."""
    writes = {"WriteAttributes": ["email", "custom:shoe"]}
    contract = contract.with_settings(pool=SCHEMA, client=writes)
    email, token = signed_in(contract)
    changed = given(custom_shoe="39", name="Ada")
    contract.administer("admin_update_user_attributes", email, UserAttributes=changed)
    with refused("NotAuthorized", READ_ONLY):
        delete_own(contract, token, "name")
    delete_own(contract, token, "custom_shoe")
    assert {"name", "custom:shoe"} & set(contract.user(email)) == {"name"}


def test_attributes_of_a_google_user(contract: Contract) -> None:
    """The address may be that of a user with a password; who the user is at Google is fixed."""
    member = contract.member()
    tokens = google_tokens(contract, contract.address())
    token = tokens["access_token"]
    username = contract.users.get_user(AccessToken=token)["Username"]
    with refused("InvalidParameter"):
        update(contract, token, identities="[]")
    with refused("InvalidParameter"):
        delete(contract, username, "identities")
    update(contract, token, email=member)
    contract.sign_in(member)
