"""The domain's token, revocation and user info endpoints behave as Cognito's do.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
"""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.local.server import LocalPool
from tests.support.contract import Contract, claims, refused
from tests.support.contract_google import (
    NONCE,
    SCOPES,
    VERIFIER,
    attributes,
    comes_back,
    domain,
    error_of,
    exchange,
    google_tokens,
)

GRACE = 30  # seconds; the template's


def new_code(contract: Contract, **changed: Any) -> str:
    """Return a code for a new user."""
    return comes_back(contract, contract.address(), **changed)["code"]


def test_tokens(contract: Contract) -> None:
    """A page of any origin can exchange a code for a session's three tokens."""
    answer = exchange(contract, new_code(contract))
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    tokens = answer.json()
    assert set(tokens) == {
        "id_token",
        "access_token",
        "refresh_token",
        "expires_in",
        "token_type",
    }
    assert (tokens["expires_in"], tokens["token_type"]) == (3 * 60 * 60, "Bearer")


def test_a_code_works_once(contract: Contract) -> None:
    """The second exchange of a code is rejected."""
    code = new_code(contract)
    assert exchange(contract, code).status_code == 200
    assert error_of(exchange(contract, code)) == "invalid_grant"


def test_a_code_lives_five_minutes(contract: Contract) -> None:
    """A code is valid for five minutes, and no longer."""
    young, old = new_code(contract), new_code(contract)
    contract.local.clock.advance(timedelta(minutes=5, seconds=-5))
    assert exchange(contract, young).status_code == 200
    contract.local.clock.advance(5)
    assert error_of(exchange(contract, old)) == "invalid_grant"


def test_a_made_up_code(contract: Contract) -> None:
    """The error for an unknown code can be read by pages of any origin."""
    answer = exchange(contract, "00000000-0000-0000-0000-000000000000")
    assert error_of(answer) == "invalid_grant"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("verifier", [None, "", VERIFIER[:-1], VERIFIER.upper(), "é"])
def test_a_wrong_verifier(contract: Contract, verifier: str | None) -> None:
    """Only the verifier that matches the challenge is accepted."""
    answer = exchange(contract, new_code(contract), code_verifier=verifier)
    assert error_of(answer) == "invalid_grant"


def test_without_a_challenge_any_verifier_is_accepted(contract: Contract) -> None:
    """Cognito doesn't require PKCE, so an app must detect a downgrade itself."""
    no_pkce = {"code_challenge": None, "code_challenge_method": None}
    assert exchange(contract, new_code(contract, **no_pkce)).status_code == 200


def test_another_redirect_uri(contract: Contract) -> None:
    """The redirect URI must be that of the request, even if another one is registered."""
    uris = ["https://app.example.com/", "https://app.example.com/other"]
    contract = contract.with_settings(redirect_uris=uris)
    answer = exchange(contract, new_code(contract), redirect_uri=uris[1])
    assert error_of(answer) == "unauthorized_client"
    assert answer.json()["error_description"] == "invalid_redirect"
    assert error_of(exchange(contract, new_code(contract), redirect_uri=None)) == (
        "unauthorized_client"
    )


def another_client(contract: Contract, **settings: Any) -> Any:
    """Create a second app client in the pool, and return Cognito's description of it."""
    pool_id, first = contract.pool.user_pool_id, contract.pool.client_id
    described = contract.admin.describe_user_pool_client(UserPoolId=pool_id, ClientId=first)
    copied = {
        name: value
        for name, value in described["UserPoolClient"].items()
        if name.startswith("Allowed") or name in {"CallbackURLs", "SupportedIdentityProviders"}
    }
    return contract.admin.create_user_pool_client(
        UserPoolId=pool_id, ClientName="another", **copied, **settings
    )["UserPoolClient"]


def test_another_clients_code(contract: Contract) -> None:
    """Only the client that requested a code can exchange it."""
    made = another_client(contract)
    code = new_code(contract)
    assert error_of(exchange(contract, code, client_id=made["ClientId"])) == "invalid_grant"
    assert exchange(contract, code).status_code == 200


def test_an_unknown_client(contract: Contract) -> None:
    """An unknown client gets another error than a wrong code."""
    assert error_of(exchange(contract, "x", client_id="1example23456789")) == "invalid_client"
    assert error_of(exchange(contract, "x", client_id=None)) in {
        "invalid_client",
        "invalid_request",
    }


def test_a_client_with_a_secret(contract: Contract) -> None:
    """The client must send its secret, by Basic authentication or in the form."""
    made = another_client(contract, GenerateSecret=True)
    client_id, secret = made["ClientId"], made["ClientSecret"]
    contract = Contract(LocalPool(contract.pool.user_pool_id, client_id), contract.local)
    code = new_code(contract)
    assert error_of(exchange(contract, code)) == "invalid_client"
    assert error_of(exchange(contract, code, client_secret="x")) == "invalid_client"
    assert exchange(contract, code, client_secret=secret).status_code == 200
    form = {
        "grant_type": "authorization_code",
        "code": new_code(contract),
        "redirect_uri": "https://app.example.com/",
        "code_verifier": VERIFIER,
    }
    url = f"{domain(contract)}/oauth2/token"
    assert error_of(httpx.post(url, data=form, auth=(client_id, "x"))) == "invalid_client"
    assert httpx.post(url, data=form, auth=(client_id, secret)).status_code == 200


def test_a_client_that_cannot_read_email_verified(contract: Contract) -> None:
    """The exchange fails, because the scope `email` includes `email_verified`."""
    contract = contract.with_settings(client={"ReadAttributes": ["email"]})
    assert error_of(exchange(contract, new_code(contract))) == "invalid_grant"
    contract = contract.with_settings(client={"ReadAttributes": ["email", "email_verified"]})
    assert exchange(contract, new_code(contract)).status_code == 200


def test_a_client_without_the_code_flow(contract: Contract) -> None:
    """The client is rejected before the code is checked."""
    contract = contract.with_settings(client={"AllowedOAuthFlows": ["implicit"]})
    assert error_of(exchange(contract, "x")) == "unauthorized_client"


def test_malformed_exchanges(contract: Contract) -> None:
    """An unknown grant type, none, JSON instead of a form, and GET are rejected."""
    assert error_of(exchange(contract, "x", grant_type="nonsense")) in {
        "unsupported_grant_type",
        "invalid_request",
    }
    assert error_of(exchange(contract, "x", grant_type=None)) == "invalid_request"
    url = f"{domain(contract)}/oauth2/token"
    answer = httpx.post(url, json={"grant_type": "authorization_code"})
    assert error_of(answer) in {"invalid_request", "invalid_client"}
    assert httpx.get(url).status_code in {404, 405}


def test_claims(contract: Contract) -> None:
    """The tokens contain the user and the provider."""
    email = contract.address()
    tokens = google_tokens(contract, email)
    id_claims = claims(contract, tokens["id_token"])
    access = claims(contract, tokens["access_token"])
    username = id_claims["cognito:username"]
    assert re.fullmatch(r"google_\d{21}", username)
    assert access["username"] == username
    assert id_claims["sub"] == access["sub"] != username
    groups = [f"{contract.pool.user_pool_id}_Google"]
    assert id_claims["cognito:groups"] == access["cognito:groups"] == groups
    assert (id_claims["email"], id_claims["email_verified"]) == (email, True)
    (identity,) = id_claims["identities"]
    assert {"providerName": "Google", "providerType": "Google", "primary": "true"}.items() <= (
        identity.items()
    )
    assert username == f"google_{identity['userId']}"
    assert identity["dateCreated"].isdecimal()
    assert (id_claims["aud"], access["client_id"]) == (contract.pool.client_id,) * 2
    assert (id_claims["token_use"], access["token_use"]) == ("id", "access")
    assert set(access["scope"].split()) == set(SCOPES.split())
    assert "identities" not in access


def test_nonce(contract: Contract) -> None:
    """The ID token contains the app's nonce."""
    tokens = google_tokens(contract, contract.address())
    assert claims(contract, tokens["id_token"])["nonce"] == NONCE


def test_refreshed_id_token_has_no_nonce(contract: Contract) -> None:
    """OpenID Connect allows no new nonce in a refreshed ID token; Cognito's has none."""
    tokens = google_tokens(contract, contract.address())
    again = contract.refresh(tokens["refresh_token"])
    assert "nonce" not in claims(contract, again["IdToken"])


def test_nonce_if_none_was_sent(contract: Contract) -> None:
    """After a fresh sign-in, Cognito may add its own nonce: apps can't rely on its absence.

    https://github.com/akuity/kargo/issues/6797
    """
    nonces = {
        claims(contract, google_tokens(contract, contract.address(), nonce=None)["id_token"])[
            "nonce"
        ]
        for _ in range(2)
    }
    assert len(nonces) == 2
    assert NONCE not in nonces


def test_without_the_admin_scope(contract: Contract) -> None:
    """Without this scope, an access token can't read its user's account."""
    tokens = google_tokens(contract, contract.address(), scope="openid email")
    with refused("NotAuthorized", "Access Token does not have required scopes"):
        contract.users.get_user(AccessToken=tokens["access_token"])


def test_default_scopes(contract: Contract) -> None:
    """Without `scope`, the token has all the client's scopes."""
    tokens = google_tokens(contract, contract.address(), scope=None)
    scope = claims(contract, tokens["access_token"])["scope"]
    assert set(scope.split()) == set(SCOPES.split())


def test_without_openid_there_is_no_id_token(contract: Contract) -> None:
    """Without the scope `openid`, the response has no ID token."""
    scope = "aws.cognito.signin.user.admin"
    assert "id_token" not in google_tokens(contract, contract.address(), scope=scope)


def test_scopes_limit_the_id_tokens_claims(contract: Contract) -> None:
    """`openid` alone gives all attributes; with `profile`, all except the address."""
    scopes = ["openid", "profile", "email"]
    contract = contract.with_settings(client={"AllowedOAuthScopes": scopes})
    email = contract.address()
    for scope, expected in (("openid", True), ("openid profile", False), ("openid email", True)):
        token = google_tokens(contract, email, scope=scope)["id_token"]
        assert ("email" in claims(contract, token)) == expected, scope


def test_refresh(contract: Contract) -> None:
    """GetTokensFromRefreshToken accepts the code flow's tokens; scopes and identity stay."""
    first = google_tokens(contract, contract.address())
    contract.local.clock.advance(timedelta(hours=2))
    again = contract.refresh(first["refresh_token"])
    assert again["RefreshToken"] != first["refresh_token"]
    old = claims(contract, first["access_token"])
    new = claims(contract, again["AccessToken"])
    for claim in ("sub", "scope", "username", "cognito:groups", "auth_time", "origin_jti"):
        assert new[claim] == old[claim]
    assert new["iat"] >= old["iat"] + 7200
    assert claims(contract, again["IdToken"])["identities"]
    contract.users.get_user(AccessToken=again["AccessToken"])


def test_grace_and_reuse(contract: Contract) -> None:
    """An exchanged refresh token stays valid for the grace period, and no longer."""
    old = google_tokens(contract, contract.address())["refresh_token"]
    new = contract.refresh(old)["RefreshToken"]
    contract.local.clock.advance(GRACE - 5)
    contract.refresh(old)
    contract.local.clock.advance(5)
    with refused("RefreshTokenReuse"):
        contract.refresh(old)
    contract.refresh(new)


@pytest.mark.parametrize("by", ["the API", "the domain", "signing out everywhere"])
def test_revocation(contract: Contract, by: str) -> None:
    """Each way of revoking ends the session and all its tokens."""
    tokens = google_tokens(contract, contract.address())
    if by == "the API":
        contract.revoke(tokens["refresh_token"])
    elif by == "the domain":
        assert revoke(contract, token=tokens["refresh_token"]).status_code == 200
    else:
        contract.users.global_sign_out(AccessToken=tokens["access_token"])
    with refused("NotAuthorized", "Refresh Token has been revoked"):
        contract.refresh(tokens["refresh_token"])
    with refused("NotAuthorized", "Access Token has been revoked"):
        contract.users.get_user(AccessToken=tokens["access_token"])
    assert user_info(contract, tokens["access_token"]).status_code == 401


def revoke(contract: Contract, **form: str) -> httpx.Response:
    """Call the revocation endpoint."""
    url = f"{domain(contract)}/oauth2/revoke"
    return httpx.post(url, data={"client_id": contract.pool.client_id} | form)


def user_info(contract: Contract, token: str) -> httpx.Response:
    """Call the user info endpoint."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{domain(contract)}/oauth2/userInfo", headers=headers)


def test_revocation_of_other_tokens(contract: Contract) -> None:
    """Revoking an unknown token succeeds (RFC 7009); revoking another kind of token fails."""
    assert revoke(contract, token="nonsense").status_code == 200
    assert error_of(revoke(contract)) == "invalid_request"
    assert error_of(revoke(contract, token="x", client_id="1example23456789")) == "invalid_client"
    tokens = google_tokens(contract, contract.address())
    for name in ("access_token", "id_token"):
        assert error_of(revoke(contract, token=tokens[name])) == "unsupported_token_type"
    made = another_client(contract)
    answer = revoke(contract, token=tokens["refresh_token"], client_id=made["ClientId"])
    assert error_of(answer) == "unauthorized_client"
    contract.refresh(tokens["refresh_token"])


def test_revocation_turned_off(contract: Contract) -> None:
    """The endpoint rejects a client without token revocation."""
    contract = contract.with_settings(client={"EnableTokenRevocation": False})
    assert error_of(revoke(contract, token="x")) == "invalid_request"


def test_user_info(contract: Contract) -> None:
    """User info contains the attributes that the scopes allow, as strings."""
    email = contract.address()
    tokens = google_tokens(contract, email)
    info = user_info(contract, tokens["access_token"]).json()
    access = claims(contract, tokens["access_token"])
    assert info == {
        "sub": access["sub"],
        "email": email,
        "email_verified": "true",
        "username": access["username"],
    }


def test_user_info_refuses_other_tokens(contract: Contract) -> None:
    """An ID token, an expired token, and a password sign-in's token (no `openid`) are rejected."""
    assert user_info(contract, "nonsense").status_code == 401
    headers = {"Authorization": "Basic eDp5"}
    for given in ({}, headers):
        answer = httpx.get(f"{domain(contract)}/oauth2/userInfo", headers=given)
        assert answer.status_code in {400, 401}
    tokens = google_tokens(contract, contract.address())
    assert user_info(contract, tokens["id_token"]).status_code == 401
    native = contract.tokens(contract.member())["AccessToken"]
    assert user_info(contract, native).status_code == 401
    contract.local.clock.advance(timedelta(hours=3))
    assert user_info(contract, tokens["access_token"]).status_code == 401


def test_user_info_of_a_deleted_user(contract: Contract) -> None:
    """A deleted user's token is rejected."""
    tokens = google_tokens(contract, contract.address())
    assert attributes(contract, tokens)["email"]
    contract.users.delete_user(AccessToken=tokens["access_token"])
    assert user_info(contract, tokens["access_token"]).status_code == 401


def test_code_of_a_deleted_or_disabled_user(contract: Contract) -> None:
    """A code is rejected if its user was deleted or disabled after it was issued."""
    for operation in ("admin_delete_user", "admin_disable_user"):
        email = contract.address()
        name = attributes(contract, google_tokens(contract, email))["Username"]
        code = comes_back(contract, email)["code"]
        contract.administer(operation, name)
        assert error_of(exchange(contract, code)) == "invalid_grant"


def test_discovery(contract: Contract) -> None:
    """The discovery document lists the domain's endpoints only if there is a domain."""
    here = contract.local.url
    for pool, named in ((contract, True), (contract.with_settings(google=False), False)):
        pool_id = pool.pool.user_pool_id
        document = httpx.get(f"{here}/{pool_id}/.well-known/openid-configuration").json()
        issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool_id}"
        assert document["issuer"] == issuer
        assert httpx.get(document["jwks_uri"]).json()["keys"]
        assert ("token_endpoint" in document) == named
    assert httpx.get(f"{here}/x/.well-known/openid-configuration").status_code == 404
