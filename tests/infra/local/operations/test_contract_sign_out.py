"""GlobalSignOut and RevokeToken, as Cognito answers them."""

from infra.local.admin_client import boto3_client
from infra.local.server import LocalPool
from tests.support.contract import NO_ROTATION, Contract, refused

REVOKED = "Access Token has been revoked"


def test_global_sign_out(contract: Contract) -> None:
    """All of the user's sessions end, including this one, but not other users' or later ones."""
    email, other = contract.member(), contract.member()
    here, there, others = contract.tokens(email), contract.tokens(email), contract.tokens(other)
    contract.users.global_sign_out(AccessToken=here["AccessToken"])
    for tokens in (here, there):
        with refused("NotAuthorized", REVOKED):
            contract.users.get_user(AccessToken=tokens["AccessToken"])
        with refused("NotAuthorized", "Refresh Token has been revoked"):
            contract.refresh(tokens["RefreshToken"])
    contract.users.get_user(AccessToken=others["AccessToken"])
    contract.users.get_user(AccessToken=contract.tokens(email)["AccessToken"])


def test_global_sign_out_in_another_region(contract: Contract) -> None:
    """It works in the pool's region; moto itself looks in only one region."""
    admin = boto3_client(contract.local.url, "eu-west-1")
    pool_id = admin.create_user_pool(PoolName="far")["UserPool"]["Id"]
    made = admin.create_user_pool_client(
        UserPoolId=pool_id, ClientName="far", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )
    client_id = made["UserPoolClient"]["ClientId"]
    far = Contract(LocalPool(pool_id, client_id, "eu-west-1"), contract.local)
    far.sign_up("ada")
    far.administer("admin_confirm_sign_up", "ada")
    token = far.tokens("ada")["AccessToken"]
    far.users.global_sign_out(AccessToken=token)
    with refused("NotAuthorized", REVOKED):
        far.users.get_user(AccessToken=token)


def test_revoke_token(contract: Contract) -> None:
    """The refresh token's session ends with all of its tokens; other sessions continue."""
    email = contract.member()
    here, there = contract.tokens(email), contract.tokens(email)
    again = contract.refresh(here["RefreshToken"])
    contract.revoke(again["RefreshToken"])
    for tokens in (here, again):
        with refused("NotAuthorized", REVOKED):
            contract.users.get_user(AccessToken=tokens["AccessToken"])
        with refused("NotAuthorized", "Refresh Token has been revoked"):
            contract.refresh(tokens["RefreshToken"])
    contract.users.get_user(AccessToken=there["AccessToken"])
    contract.refresh(there["RefreshToken"])


def test_revoke_a_rotated_token(contract: Contract) -> None:
    """The session ends with the tokens that replaced it, too. AWS doesn't document this."""
    old = contract.tokens(contract.member())
    new = contract.refresh(old["RefreshToken"])
    contract.revoke(old["RefreshToken"])
    with refused("NotAuthorized", REVOKED):
        contract.users.get_user(AccessToken=new["AccessToken"])
    with refused("NotAuthorized", "Refresh Token has been revoked"):
        contract.refresh(new["RefreshToken"])


def test_revoke_token_twice(contract: Contract) -> None:
    """A revoked token can be revoked again."""
    token = contract.tokens(contract.member())["RefreshToken"]
    for _ in range(2):
        contract.revoke(token)


def test_revoke_nonsense(contract: Contract) -> None:
    """Revoking a string that isn't a token succeeds."""
    contract.revoke("nonsense")


def test_revoke_another_kind_of_token(contract: Contract) -> None:
    """Only refresh tokens can be revoked."""
    tokens = contract.tokens(contract.member())
    for name in ("AccessToken", "IdToken"):
        with refused("UnsupportedTokenType"):
            contract.revoke(tokens[name])
    contract.users.get_user(AccessToken=tokens["AccessToken"])


def test_revocation_not_enabled(contract: Contract) -> None:
    """A client can be created without token revocation."""
    contract = contract.with_settings(client={**NO_ROTATION, "EnableTokenRevocation": False})
    token = contract.tokens(contract.member())["RefreshToken"]
    with refused("UnsupportedOperation"):
        contract.revoke(token)
    contract.refresh(token)
