"""The browser's session at the domain (cookie, `prompt`, /logout) behaves as Cognito's does.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
"""

from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tests.support.contract import Contract, claims
from tests.support.contract_google import (
    REDIRECT_URI,
    STATE,
    attributes,
    authorize,
    authorize_url,
    comes_back,
    domain,
    exchange,
)
from tests.support.google import parameters


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """Return a browser that keeps its cookies."""
    with httpx.Client() as browser:
        yield browser


def signs_in(contract: Contract, browser: httpx.Client) -> dict[str, str]:
    """Sign a new user in with Google; return GetUser's attributes and the tokens."""
    code = comes_back(contract, contract.address(), browser=browser)["code"]
    tokens = exchange(contract, code).json()
    return attributes(contract, tokens) | tokens


def comes_back_at_once(
    contract: Contract, browser: httpx.Client, **changed: str | None
) -> dict[str, str] | None:
    """Return the parameters of an immediate redirect to the app, or None for another response."""
    location = browser.get(authorize_url(contract, **changed)).headers["Location"]
    return parameters(location) if location.startswith(REDIRECT_URI) else None


def test_the_cookie(contract: Contract) -> None:
    """The cookie lasts an hour, and scripts can't read it."""
    with httpx.Client() as browser:
        answers: list[httpx.Response] = []
        browser.event_hooks = {"response": [answers.append]}
        comes_back(contract, contract.address(), browser=browser)
    (text,) = [a.headers["Set-Cookie"] for a in answers if "Set-Cookie" in a.headers]
    (cookie,) = SimpleCookie(text).values()
    assert cookie.key == "cognito"
    assert cookie["max-age"] == "3600"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize("provider", ["Google", None])
def test_a_session_signs_in_silently(
    contract: Contract, browser: httpx.Client, provider: str | None
) -> None:
    """For an hour, the browser gets a code without any page. `auth_time` stays the same."""
    first = signs_in(contract, browser)
    contract.local.clock.advance(timedelta(minutes=59))
    given = comes_back_at_once(contract, browser, identity_provider=provider)
    assert given
    assert given["state"] == STATE
    tokens = exchange(contract, given["code"]).json()
    assert attributes(contract, tokens)["sub"] == first["sub"]
    old, new = (claims(contract, t["access_token"])["auth_time"] for t in (first, tokens))
    assert new == old
    contract.local.clock.advance(timedelta(minutes=1))
    assert comes_back_at_once(contract, browser) is None


def test_silent_sign_in_adds_no_nonce(contract: Contract, browser: httpx.Client) -> None:
    """Cognito adds its own nonce only after a fresh sign-in."""
    signs_in(contract, browser)
    given = comes_back_at_once(contract, browser, nonce=None)
    assert given
    assert "nonce" not in claims(contract, exchange(contract, given["code"]).json()["id_token"])


def test_prompt_none(contract: Contract, browser: httpx.Client) -> None:
    """`prompt=none` fails at once without a session, and succeeds with one."""
    answer = authorize(contract, prompt="none")
    assert answer.headers["Location"].startswith(REDIRECT_URI)
    assert parameters(answer.headers["Location"]) == {"error": "login_required", "state": STATE}
    signs_in(contract, browser)
    given = comes_back_at_once(contract, browser, prompt="none")
    assert given
    assert "code" in given


@pytest.mark.parametrize("prompt", ["login", "select_account", "consent", "login consent"])
def test_other_prompts(contract: Contract, browser: httpx.Client, prompt: str) -> None:
    """Other prompts reach Google even if there is a session.

    AWS documents this for `login`; for the others, only that they are passed to the provider.
    """
    signs_in(contract, browser)
    answer = browser.get(authorize_url(contract, prompt=prompt))
    location = urlsplit(answer.headers["Location"])
    assert location.path.endswith("/o/oauth2/v2/auth")
    assert parameters(answer.headers["Location"])["prompt"] == prompt


def test_another_account_replaces_the_session(contract: Contract, browser: httpx.Client) -> None:
    """The session belongs to the user who signed in last."""
    signs_in(contract, browser)
    code = comes_back(contract, contract.address(), browser=browser, prompt="login")["code"]
    second = attributes(contract, exchange(contract, code).json())
    given = comes_back_at_once(contract, browser)
    assert given
    tokens = exchange(contract, given["code"]).json()
    assert attributes(contract, tokens)["sub"] == second["sub"]


def test_signing_out_everywhere_leaves_the_session(
    contract: Contract, browser: httpx.Client
) -> None:
    """GlobalSignOut ends the tokens, but not the browser's session at the domain.

    https://github.com/amazon-archives/amazon-cognito-auth-js/issues/68
    """
    first = signs_in(contract, browser)
    contract.users.global_sign_out(AccessToken=first["access_token"])
    assert comes_back_at_once(contract, browser)


def test_session_of_a_disabled_or_deleted_user(contract: Contract, browser: httpx.Client) -> None:
    """The session of a disabled or deleted user is not valid."""
    first = signs_in(contract, browser)
    contract.administer("admin_disable_user", first["Username"])
    assert comes_back_at_once(contract, browser) is None
    contract.administer("admin_enable_user", first["Username"])
    assert comes_back_at_once(contract, browser)
    contract.administer("admin_delete_user", first["Username"])
    assert comes_back_at_once(contract, browser) is None


def test_session_belongs_to_one_pool(contract: Contract, browser: httpx.Client) -> None:
    """A session is not valid in another pool of the same server."""
    signs_in(contract, browser)
    assert comes_back_at_once(contract.with_settings(), browser) is None


def log_out(contract: Contract, browser: httpx.Client, **query: str) -> httpx.Response:
    """Call /logout."""
    return browser.get(f"{domain(contract)}/logout?{urlencode(query)}")


def test_logout(contract: Contract, browser: httpx.Client) -> None:
    """/logout ends the session, and redirects to a registered URI."""
    signs_in(contract, browser)
    client_id = contract.pool.client_id
    answer = log_out(contract, browser, client_id=client_id, logout_uri=REDIRECT_URI)
    assert (answer.status_code, answer.headers["Location"]) == (302, REDIRECT_URI)
    assert comes_back_at_once(contract, browser) is None
    signs_in(contract, browser)
    query = {"redirect_uri": REDIRECT_URI, "response_type": "code", "state": STATE}
    answer = log_out(contract, browser, client_id=client_id, **query)
    assert urlsplit(answer.headers["Location"]).path == "/login"
    assert parameters(answer.headers["Location"])["state"] == STATE
    assert comes_back_at_once(contract, browser) is None


def test_logout_to_an_unregistered_uri(contract: Contract, browser: httpx.Client) -> None:
    """/logout doesn't redirect to an unregistered URI, or for an unknown client."""
    client_id, evil = contract.pool.client_id, "https://evil.example/"
    for query in (
        {"client_id": client_id, "logout_uri": evil},
        {"client_id": client_id, "redirect_uri": evil, "response_type": "code"},
        {"client_id": client_id},
        {"client_id": "1example23456789", "logout_uri": REDIRECT_URI},
        {"logout_uri": REDIRECT_URI},
    ):
        answer = log_out(contract, browser, **query)
        location = answer.headers.get("Location", "")
        assert not location.startswith((evil, REDIRECT_URI))
        assert answer.status_code in {302, 400}


def test_forgetting_everything_ends_sessions(contract: Contract, browser: httpx.Client) -> None:
    """Forgetting everything ends browser sessions and codes."""
    code = comes_back(contract, contract.address(), browser=browser)["code"]
    contract.local.forget()
    assert comes_back_at_once(contract, browser) is None
    assert exchange(contract, code).status_code == 400
