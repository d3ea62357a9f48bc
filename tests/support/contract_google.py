"""An app that signs users in with Google, using only the domain's endpoints.

Set CONTRACT_DOMAIN_URL and CONTRACT_REDIRECT_URI, in addition to the variables of contract.py, to
test the domain of a real pool. Tests that need a person at Google are skipped there.
"""

import base64
import hashlib
import os
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from infra.local.stack import REDIRECT_URIS
from tests.support.contract import Contract
from tests.support.google import consents

REDIRECT_URI = os.environ.get("CONTRACT_REDIRECT_URI", REDIRECT_URIS[0])
SCOPES = "openid email aws.cognito.signin.user.admin"
STATE = "A-state_of.43~characters-as-an-app-makes-one"
NONCE = "a-nonce"
VERIFIER = "a-verifier-that-is-as-long-as-a-verifier-must-be"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)


def domain(contract: Contract) -> str:
    """Return the domain's URL, or skip the test."""
    if contract.cognito:
        return contract.cognito.url
    url = os.environ.get("CONTRACT_DOMAIN_URL")
    if not url:
        pytest.skip("needs CONTRACT_DOMAIN_URL and CONTRACT_REDIRECT_URI")
    return url.rstrip("/")


def authorize_url(contract: Contract, **changed: str | None) -> str:
    """Return the URL that an app sends a browser to. Parameters that are None are left out."""
    query: dict[str, str | None] = {
        "response_type": "code",
        "client_id": contract.pool.client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPES,
        "state": STATE,
        "nonce": NONCE,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "identity_provider": "Google",
    }
    given = {name: value for name, value in (query | changed).items() if value is not None}
    return f"{domain(contract)}/oauth2/authorize?{urlencode(given)}"


def authorize(contract: Contract, **changed: str | None) -> httpx.Response:
    """Call /oauth2/authorize without following redirects."""
    return httpx.get(authorize_url(contract, **changed))


def comes_back(
    contract: Contract,
    email: str,
    *,
    verified: bool = True,
    choice: str = "allow",
    browser: httpx.Client | None = None,
    **changed: str | None,
) -> dict[str, str]:
    """Choose an account at Google, and return the redirect's parameters. May skip the test."""
    if contract.cognito is None:
        pytest.skip("needs a person at Google")
    url = authorize_url(contract, **changed)
    return consents(url, email, verified=verified, choice=choice, browser=browser)


def exchange(contract: Contract, code: str, **changed: str | None) -> httpx.Response:
    """Call the token endpoint. Fields that are None are left out."""
    form: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": contract.pool.client_id,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    given = {name: value for name, value in (form | changed).items() if value is not None}
    return httpx.post(f"{domain(contract)}/oauth2/token", data=given)


def google_tokens(contract: Contract, email: str, **changed: Any) -> dict[str, Any]:
    """Sign in with Google, and return the token endpoint's response. May skip the test."""
    answer = exchange(contract, comes_back(contract, email, **changed)["code"])
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def error_of(answer: httpx.Response) -> str:
    """Check that a JSON error was returned, and return its code."""
    assert answer.status_code in {400, 401}
    assert answer.headers["Content-Type"].startswith("application/json")
    error: str = answer.json()["error"]
    return error


def attributes(contract: Contract, tokens: dict[str, Any]) -> dict[str, str]:
    """Return GetUser's attributes and the user name as a dict."""
    user = contract.users.get_user(AccessToken=tokens["access_token"])
    return {a["Name"]: a["Value"] for a in user["UserAttributes"]} | {"Username": user["Username"]}
