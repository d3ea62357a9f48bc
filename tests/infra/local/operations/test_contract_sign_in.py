"""InitiateAuth with a password, and the tokens that it returns, as in Cognito."""

import base64
import hmac
from datetime import timedelta
from functools import partial

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.support.contract import NO_ROTATION, PASSWORD, Contract, claims, refused
from tests.support.contract_mfa import app_code, set_up
from tests.support.contract_srp import EVERY_FLOW

WRONG = "Incorrect username or password."
LOCKED = "Password attempts exceeded"


def test_sign_in(contract: Contract) -> None:
    """The right password returns three tokens; the access token is valid for three hours."""
    result = contract.sign_in(contract.member())["AuthenticationResult"]
    assert {*result} == {"AccessToken", "ExpiresIn", "TokenType", "RefreshToken", "IdToken"}
    assert result["ExpiresIn"] == 10800
    assert result["TokenType"] == "Bearer"


def test_sign_in_in_another_case(contract: Contract) -> None:
    """Upper and lower case matter in the password, but not in the address."""
    email = contract.member()
    contract.sign_in(email.upper())
    with refused("NotAuthorized", WRONG):
        contract.sign_in(email, PASSWORD.upper())


def test_access_token(contract: Contract) -> None:
    """An access token names the client and the user, and expires when ExpiresIn says."""
    email = contract.member()
    now = contract.local.clock.now()
    token = claims(contract, contract.sign_in(email)["AuthenticationResult"]["AccessToken"])
    sub = contract.user(email)["sub"]
    assert token["iss"].endswith(f"/{contract.pool.user_pool_id}")
    assert (token["token_use"], token["client_id"]) == ("access", contract.pool.client_id)
    assert token["sub"] == token["username"] == sub
    assert token["scope"] == "aws.cognito.signin.user.admin"
    assert token["exp"] - token["iat"] == 10800
    assert abs(token["iat"] - now) < 30
    assert "aud" not in token
    assert "email" not in token


def test_id_token(contract: Contract) -> None:
    """An ID token is for the client, and has the address as stored, marked as verified."""
    email = contract.member()
    token = claims(contract, contract.sign_in(email.upper())["AuthenticationResult"]["IdToken"])
    assert (token["token_use"], token["aud"]) == ("id", contract.pool.client_id)
    assert token["sub"] == token["cognito:username"] == contract.user(email)["sub"]
    assert (token["email"], token["email_verified"]) == (email, True)
    assert token["exp"] - token["iat"] == 10800
    assert "client_id" not in token


def test_the_client_sets_token_lifetimes(contract: Contract) -> None:
    """Each token is valid for as long as the client says, in the client's units."""
    units = {"AccessToken": "minutes", "IdToken": "hours", "RefreshToken": "days"}
    contract = contract.with_settings(
        client={"AccessTokenValidity": 5, "IdTokenValidity": 2, "TokenValidityUnits": units}
    )
    result = contract.sign_in(contract.member())["AuthenticationResult"]
    assert result["ExpiresIn"] == 300
    access, id_ = (claims(contract, result[name]) for name in ("AccessToken", "IdToken"))
    assert (access["exp"] - access["iat"], id_["exp"] - id_["iat"]) == (300, 7200)


def test_the_key_is_our_own(contract: Contract) -> None:
    """Tokens aren't signed with moto's key, which is public."""
    url = f"{contract.local.url}/{contract.pool.user_pool_id}/.well-known"
    (key,) = httpx.get(f"{url}/jwks.json").json()["keys"]
    assert key["kid"] != "dummy"
    assert {*key} == {"kty", "use", "alg", "kid", "n", "e"}
    assert httpx.get(f"{url}/openid-configuration").json()["jwks_uri"] == f"{url}/jwks.json"


def test_sign_in_unconfirmed(contract: Contract) -> None:
    """An unconfirmed user gets the same error whatever the password."""
    email = contract.address()
    contract.sign_up(email)
    for password in (PASSWORD, "Wrong-Horse-1"):
        with refused("UserNotConfirmed", "User is not confirmed."):
            contract.sign_in(email, password)


def test_sign_in_unknown(contract: Contract) -> None:
    """An unknown address is answered like a wrong password."""
    with refused("NotAuthorized", WRONG):
        contract.sign_in(contract.address())


def test_sign_in_with_a_wrong_password(contract: Contract) -> None:
    """A wrong password is refused, even if only a final space is wrong."""
    email = contract.member()
    for password in ("Wrong-Horse-1", f"{PASSWORD} "):
        with refused("NotAuthorized", WRONG):
            contract.sign_in(email, password)


@pytest.mark.parametrize("name", ["USERNAME", "PASSWORD"])
def test_sign_in_without_a_parameter(contract: Contract, name: str) -> None:
    """The error names the missing parameter."""
    parameters = {"USERNAME": contract.address(), "PASSWORD": PASSWORD}
    del parameters[name]
    with refused("InvalidParameter", f"Missing required parameter {name}"):
        contract.initiate("USER_PASSWORD_AUTH", **parameters)


def test_flow_not_enabled(contract: Contract) -> None:
    """A flow that the client doesn't list is refused."""
    contract = contract.with_settings(client={"ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"]})
    with refused("InvalidParameter", "USER_PASSWORD_AUTH flow not enabled for this client"):
        contract.sign_in(contract.address())


def test_lockout(contract: Contract) -> None:
    """From the 5th wrong password on, the n-th locks for 2^(n-5) seconds."""
    email, clock = contract.member(), contract.local.clock
    for wait in (0, 0, 0, 0, 0, 1, 2, 4):
        clock.advance(wait)
        with refused("NotAuthorized", WRONG):
            contract.sign_in(email, "Wrong-Horse-1")
    with refused("NotAuthorized", LOCKED):
        contract.sign_in(email)
    clock.advance(8)
    contract.sign_in(email)
    with refused("NotAuthorized", WRONG):
        contract.sign_in(email, "Wrong-Horse-1")
    contract.sign_in(email)


def test_lockout_is_15_minutes_at_most(contract: Contract) -> None:
    """After any number of wrong passwords, the right one works 15 minutes later."""
    email, clock = contract.member(), contract.local.clock
    for _ in range(20):
        with refused("NotAuthorized", WRONG):
            contract.sign_in(email, "Wrong-Horse-1")
        # Waits until each lock ends, but not for the 15 quiet minutes that reset the count.
        clock.advance(seconds_locked(contract, email))
    with refused("NotAuthorized", WRONG):
        contract.sign_in(email, "Wrong-Horse-1")
    with refused("NotAuthorized", LOCKED):
        contract.sign_in(email)
    clock.advance(timedelta(minutes=15))
    contract.sign_in(email)


def seconds_locked(contract: Contract, email: str) -> float:
    """Return the number of seconds for which a user is still locked."""
    account = contract.local.account(contract.user(email)["sub"])
    return max(0.0, account.locked_until - contract.local.clock.now())


def test_quiet_minutes_reset_the_count(contract: Contract) -> None:
    """After 15 minutes without a try, the count of wrong passwords starts again."""
    email, clock = contract.member(), contract.local.clock
    for _ in range(5):
        with refused("NotAuthorized", WRONG):
            contract.sign_in(email, "Wrong-Horse-1")
    clock.advance(timedelta(minutes=16))
    for _ in range(4):
        with refused("NotAuthorized", WRONG):
            contract.sign_in(email, "Wrong-Horse-1")
    contract.sign_in(email)


def test_disabled_user(contract: Contract) -> None:
    """Only the right password reveals that a user is disabled; enabled again, they can sign in."""
    email, pool_id = contract.member(), contract.pool.user_pool_id
    token = contract.sign_in(email)["AuthenticationResult"]["RefreshToken"]
    contract.admin.admin_disable_user(UserPoolId=pool_id, Username=email)
    with refused("NotAuthorized", "User is disabled."):
        contract.sign_in(email)
    with refused("NotAuthorized", WRONG):
        contract.sign_in(email, "Wrong-Horse-1")
    with refused("NotAuthorized", "User is disabled."):
        contract.refresh(token)
    contract.admin.admin_enable_user(UserPoolId=pool_id, Username=email)
    with refused("NotAuthorized", "Refresh Token has been revoked"):
        contract.refresh(token)
    contract.sign_in(email)


def test_password_reset_required(contract: Contract) -> None:
    """After an administrator's reset, no password works."""
    email = contract.member()
    contract.admin.admin_reset_user_password(UserPoolId=contract.pool.user_pool_id, Username=email)
    with refused("PasswordResetRequired", "Password reset required for the user"):
        contract.sign_in(email)


def test_password_set_by_an_administrator(contract: Contract) -> None:
    """The user can sign in with that password, by InitiateAuth and by AdminInitiateAuth."""
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    contract = contract.with_settings(client={"ExplicitAuthFlows": flows})
    email, pool = contract.member(), contract.pool
    contract.admin.admin_set_user_password(
        UserPoolId=pool.user_pool_id, Username=email, Password="Another-Horse-2", Permanent=True
    )
    contract.sign_in(email, "Another-Horse-2")
    answer = contract.admin.admin_initiate_auth(
        UserPoolId=pool.user_pool_id,
        ClientId=pool.client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": "Another-Horse-2"},
    )
    assert answer["AuthenticationResult"]["ExpiresIn"] == 10800
    with refused("NotAuthorized"):
        contract.admin.admin_initiate_auth(
            UserPoolId=pool.user_pool_id,
            ClientId=pool.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
        )


def test_secret_hash(contract: Contract) -> None:
    """A client must prove its secret in every call; a refresh hashes the user's sub."""
    contract = contract.with_settings(client={"GenerateSecret": True, **NO_ROTATION})
    pool, client_id = contract.pool, contract.pool.client_id
    described = contract.admin.describe_user_pool_client(
        UserPoolId=pool.user_pool_id, ClientId=client_id
    )
    secret = described["UserPoolClient"]["ClientSecret"]

    def proof(username: str) -> str:
        digest = hmac.digest(secret.encode(), f"{username}{client_id}".encode(), "sha256")
        return base64.b64encode(digest).decode()

    email = contract.address()
    missing = f"Client {client_id} is configured with secret but SECRET_HASH was not received"
    wrong = f"Unable to verify secret hash for client {client_id}"
    for call in (contract.sign_up, contract.resend):
        with refused("NotAuthorized", missing):
            call(email)
        with refused("NotAuthorized", wrong):
            call(email, SecretHash=proof("mallory"))
    contract.sign_up(email, SecretHash=proof(email))
    with refused("NotAuthorized", missing):
        contract.confirm(email, contract.code(email))
    contract.confirm(email, contract.code(email), SecretHash=proof(email))
    with refused("NotAuthorized", missing):
        contract.sign_in(email)
    with refused("NotAuthorized", wrong):
        contract.sign_in(email, SECRET_HASH=proof("mallory"))
    result = contract.sign_in(email, SECRET_HASH=proof(email))["AuthenticationResult"]
    token, sub = result["RefreshToken"], contract.user(email)["sub"]
    with refused("NotAuthorized", wrong):
        contract.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token, SECRET_HASH=proof(email))
    contract.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token, SECRET_HASH=proof(sub))
    for more in ({}, {"ClientSecret": "x" * 24}):
        with refused("NotAuthorized"):
            contract.refresh(token, **more)
    contract.refresh(token, ClientSecret=secret)
    with refused("Unauthorized"):
        contract.revoke(token)
    contract.revoke(token, ClientSecret=secret)
    with refused("NotAuthorized", missing):
        contract.forgot(email)
    with refused("NotAuthorized", missing):
        contract.reset(email, "000000", "Another-Horse-2")


@pytest.mark.parametrize("text", ["é", "\ud800"])
def test_text_beyond_ascii(contract: Contract, text: str) -> None:
    """It is as wrong as other text, wherever it stands: SDKs would repeat an internal error."""
    contract = contract.with_settings(client=EVERY_FLOW)
    email, secret, _ = set_up(contract)
    calls = [
        partial(contract.sign_in, text),
        partial(contract.sign_in, email, text),
        partial(contract.initiate, "USER_SRP_AUTH", USERNAME=email, SRP_A=text),
        partial(contract.initiate, "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=text),
    ]
    challenge = contract.sign_in(email)
    for wrong in ("USERNAME", "SOFTWARE_TOKEN_MFA_CODE"):
        answers = {"USERNAME": email, "SOFTWARE_TOKEN_MFA_CODE": app_code(contract, secret)}
        calls.append(partial(contract.respond, challenge, **answers | {wrong: text}))
    with_secret = contract.with_settings(client={**EVERY_FLOW, "GenerateSecret": True})
    calls.append(partial(with_secret.sign_in, email, SECRET_HASH=text))
    for call in calls:
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400, call
