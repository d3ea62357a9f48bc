"""GetTokensFromRefreshToken with and without rotation, as Cognito answers it."""

from datetime import timedelta

import pytest

from infra.local.server import LocalPool
from tests.support.contract import NO_ROTATION, Contract, claims, refused

TOKENS = {"AccessToken", "ExpiresIn", "TokenType", "IdToken"}
INVALID = "Invalid Refresh Token"
REVOKED = "Refresh Token has been revoked"
GRACE = 30  # seconds, as in the template


@pytest.mark.parametrize("flow", ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", None])
def test_refresh_without_rotation(contract: Contract, flow: str | None) -> None:
    """A refresh returns new tokens of the same session, but no new refresh token."""
    contract = contract.with_settings(client=NO_ROTATION)
    first = contract.tokens(contract.member())
    contract.local.clock.advance(timedelta(hours=2))
    for _ in range(2):
        if flow:
            answer = contract.initiate(flow, REFRESH_TOKEN=first["RefreshToken"])
            again = answer["AuthenticationResult"]
        else:
            again = contract.refresh(first["RefreshToken"])
    assert {*again} == TOKENS
    for name in ("AccessToken", "IdToken"):
        old, new = claims(contract, first[name]), claims(contract, again[name])
        assert new["jti"] != old["jti"]
        assert new["iat"] >= old["iat"] + 7200
        for claim in ("auth_time", "origin_jti", "sub"):
            assert new[claim] == old[claim]


def test_refresh_with_rotation(contract: Contract) -> None:
    """Each refresh returns a new refresh token, and all of them belong to one session."""
    first = contract.tokens(contract.member())
    second = contract.refresh(first["RefreshToken"])
    assert {*second} == TOKENS | {"RefreshToken"}
    assert second["RefreshToken"] != first["RefreshToken"]
    third = contract.refresh(second["RefreshToken"])
    old, new = claims(contract, first["IdToken"]), claims(contract, third["IdToken"])
    assert (new["auth_time"], new["origin_jti"]) == (old["auth_time"], old["origin_jti"])


def test_a_rotated_token_works_during_the_grace_period(contract: Contract) -> None:
    """Until the grace period ends, an exchanged token works; its use doesn't extend the period."""
    clock = contract.local.clock
    old = contract.tokens(contract.member())["RefreshToken"]
    contract.refresh(old)
    clock.advance(GRACE - 5)
    new = contract.refresh(old)["RefreshToken"]
    clock.advance(5)
    with refused("RefreshTokenReuse"):
        contract.refresh(old)
    contract.refresh(new)


def test_rotation_without_grace(contract: Contract) -> None:
    """An exchanged token is refused at once, but its session continues."""
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    contract = contract.with_settings(client={"RefreshTokenRotation": rotation})
    old = contract.tokens(contract.member())["RefreshToken"]
    new = contract.refresh(old)
    with refused("RefreshTokenReuse"):
        contract.refresh(old)
    contract.users.get_user(AccessToken=new["AccessToken"])
    contract.refresh(new["RefreshToken"])


def test_initiate_auth_cannot_refresh_with_rotation(contract: Contract) -> None:
    """With rotation, InitiateAuth refuses to refresh, whether or not the flow is listed."""
    flows = NO_ROTATION["ExplicitAuthFlows"]
    for here in (contract, contract.with_settings(client={"ExplicitAuthFlows": flows})):
        token = here.tokens(here.member())["RefreshToken"]
        with refused("InvalidParameter", "REFRESH_TOKEN_AUTH flow not enabled for this client"):
            here.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)


def test_refresh_with_nonsense(contract: Contract) -> None:
    """A string that isn't a refresh token is refused."""
    with refused("NotAuthorized", INVALID, f"{INVALID}."):
        contract.refresh("nonsense")
    older = contract.with_settings(client=NO_ROTATION)
    with refused("NotAuthorized", INVALID):
        older.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN="nonsense")
    with refused("InvalidParameter", "Missing required parameter REFRESH_TOKEN"):
        older.initiate("REFRESH_TOKEN_AUTH")


def test_refresh_with_another_client(contract: Contract) -> None:
    """A refresh token works only with the client that it was made for."""
    token = contract.tokens(contract.member())["RefreshToken"]
    made = contract.admin.create_user_pool_client(
        UserPoolId=contract.pool.user_pool_id,
        ClientName="another",
        ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]
    another = Contract(LocalPool(contract.pool.user_pool_id, made["ClientId"]), contract.local)
    with refused("NotAuthorized", INVALID):
        another.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)
    with refused("NotAuthorized", INVALID):
        another.refresh(token)
    with refused("Unauthorized"):
        another.revoke(token)
    contract.refresh(token)


def test_refresh_token_expires(contract: Contract) -> None:
    """A session ends 30 days after the sign-in, however often its token is exchanged."""
    clock = contract.local.clock
    token = contract.tokens(contract.member())["RefreshToken"]
    clock.advance(timedelta(days=30, seconds=-60))
    token = contract.refresh(token)["RefreshToken"]
    clock.advance(60)
    with refused("NotAuthorized", "Refresh Token has expired"):
        contract.refresh(token)


def test_refresh_after_an_administrator_signed_out(contract: Contract) -> None:
    """AdminUserGlobalSignOut ends every session, whatever the case of the user name."""
    email = contract.member()
    tokens = contract.tokens(email)
    contract.administer("admin_user_global_sign_out", email.upper())
    with refused("NotAuthorized", REVOKED):
        contract.refresh(tokens["RefreshToken"])
    with refused("NotAuthorized", "Access Token has been revoked"):
        contract.users.get_user(AccessToken=tokens["AccessToken"])
