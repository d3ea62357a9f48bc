"""/oauth2/authorize and /oauth2/idpresponse behave as Cognito's do.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
"""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.support.contract import Contract
from tests.support.contract_google import (
    REDIRECT_URI,
    STATE,
    authorize,
    authorize_url,
    comes_back,
    domain,
)
from tests.support.google import Form, parameters

PLACE = urlsplit(REDIRECT_URI)
OTHER_URIS = {
    "slash": REDIRECT_URI.rstrip("/") if REDIRECT_URI.endswith("/") else f"{REDIRECT_URI}/",
    "case": REDIRECT_URI.replace(PLACE.netloc, PLACE.netloc.upper()),
    "port": REDIRECT_URI.replace(PLACE.netloc, f"{PLACE.hostname}:8443"),
    "scheme": REDIRECT_URI.replace(
        f"{PLACE.scheme}:", "http:" if PLACE.scheme == "https" else "x:"
    ),
    "path": f"{REDIRECT_URI}x",
    "query": f"{REDIRECT_URI}?x=1",
    "host": REDIRECT_URI.replace(PLACE.netloc, f"{PLACE.netloc}.evil.example"),
}


def sent_to(answer: httpx.Response, place: str) -> dict[str, str]:
    """Check that the response redirects to a URI, and return the redirect's parameters."""
    assert answer.status_code == 302, answer.text
    location = answer.headers["Location"]
    path, _, _ = location.partition("?")
    assert path in {place, urlsplit(place).path}, location
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def told(answer: httpx.Response) -> dict[str, str]:
    """Return the parameters of a redirect to the app."""
    return sent_to(answer, REDIRECT_URI)


def test_unknown_client(contract: Contract) -> None:
    """For an unknown client, the browser gets an error page and is not redirected to the app."""
    answer = authorize(contract, client_id="1example23456789")
    assert not answer.headers.get("Location", "").startswith(REDIRECT_URI)
    if answer.status_code == 302:
        sent_to(answer, f"{domain(contract)}/error")
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize("difference", OTHER_URIS)
def test_redirect_uris_are_compared_exactly(contract: Contract, difference: str) -> None:
    """For any difference, the browser gets Cognito's error page, not a redirect to the app."""
    answer = authorize(contract, redirect_uri=OTHER_URIS[difference])
    given = sent_to(answer, f"{domain(contract)}/error")
    assert given["error"] == "redirect_mismatch"
    page = httpx.get(httpx.URL(domain(contract)).join(answer.headers["Location"]))
    assert page.status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"response_type": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
    ],
)
def test_malformed_requests(contract: Contract, changed: dict[str, str | None]) -> None:
    """The app gets the error and its state."""
    given = told(authorize(contract, **changed))
    assert (given["error"], given["state"]) == ("invalid_request", STATE)


def test_flow_not_allowed_for_the_client(contract: Contract) -> None:
    """The template's client allows only the code flow."""
    no_pkce = {"code_challenge": None, "code_challenge_method": None}
    given = told(authorize(contract, response_type="token", **no_pkce))
    assert (given["error"], given["state"]) == ("unauthorized_client", STATE)


@pytest.mark.parametrize("scope", ["openid email nonsense", "openid phone", "openid,email"])
def test_scope_not_allowed_for_the_client(contract: Contract, scope: str) -> None:
    """Unknown scopes and scopes that are separated by commas are rejected, too."""
    given = told(authorize(contract, scope=scope))
    assert (given["error"], given["state"]) == ("invalid_scope", STATE)


def test_redirect_to_google(contract: Contract) -> None:
    """With `identity_provider`, Cognito redirects to Google without showing its own page."""
    answer = authorize(contract, prompt="select_account", login_hint="ada@example.com")
    assert answer.status_code == 302
    location = urlsplit(answer.headers["Location"])
    assert location.path.endswith("/o/oauth2/v2/auth")
    asked = dict(parse_qsl(location.query))
    assert asked["redirect_uri"] == f"{domain(contract)}/oauth2/idpresponse"
    assert asked["response_type"] == "code"
    assert {"openid", "email"} <= set(asked["scope"].split())
    assert asked["state"] != STATE
    assert (asked["prompt"], asked["login_hint"]) == ("select_account", "ada@example.com")


@pytest.mark.parametrize("provider", [None, "COGNITO"])
def test_redirect_to_cognitos_own_page(contract: Contract, provider: str | None) -> None:
    """Without a provider, or with COGNITO, the request is redirected unchanged to /login."""
    answer = authorize(contract, identity_provider=provider)
    given = sent_to(answer, f"{domain(contract)}/login")
    assert (given["state"], given["redirect_uri"]) == (STATE, REDIRECT_URI)


def test_a_client_without_google(contract: Contract) -> None:
    """The browser gets Cognito's own page, which doesn't offer Google."""
    contract = contract.with_settings(client={"SupportedIdentityProviders": ["COGNITO"]})
    answer = authorize(contract)
    sent_to(answer, "/login")
    page = httpx.get(domain(contract) + answer.headers["Location"])
    assert page.status_code == 200
    assert "Google" not in page.text


def test_cognitos_own_page_offers_google(contract: Contract) -> None:
    """The local page in its place has a link to Google."""
    contract.local  # noqa: B018 - the real page is AWS's
    page = httpx.get(authorize_url(contract, identity_provider=None), follow_redirects=True)
    assert page.status_code == 200
    (link,) = [word for word in page.text.split('"') if word.startswith("/oauth2/authorize?")]
    answer = httpx.get(domain(contract) + link.replace("&amp;", "&"))
    assert urlsplit(answer.headers["Location"]).path.endswith("/o/oauth2/v2/auth")


def test_a_client_without_oauth(contract: Contract) -> None:
    """Cognito's error page gives the reason."""
    contract = contract.with_settings(client={"AllowedOAuthFlowsUserPoolClient": False})
    page = httpx.get(authorize_url(contract), follow_redirects=True)
    assert page.status_code == 400
    assert "not enabled for OAuth2.0 flows" in page.text


def test_a_pool_without_a_domain(contract: Contract) -> None:
    """Without Google, the template creates no domain, and the browser gets an error page."""
    contract = contract.with_settings(google=False)
    page = httpx.get(authorize_url(contract), follow_redirects=True)
    assert page.status_code == 400


@pytest.mark.parametrize("state", [STATE, "aB3_-" * 20, ""])
def test_the_state_comes_back_byte_for_byte(contract: Contract, state: str) -> None:
    """The state is returned unchanged, with a code and with an error."""
    email = contract.address()
    assert comes_back(contract, email, state=state)["state"] == state
    assert comes_back(contract, email, choice="deny", state=state)["state"] == state


def test_no_state(contract: Contract) -> None:
    """If the app sends no state, it gets none."""
    assert set(comes_back(contract, contract.address(), state=None)) == {"code"}


def test_cancel(contract: Contract) -> None:
    """If the user cancels at Google, the app gets `access_denied`."""
    given = comes_back(contract, contract.address(), choice="deny")
    assert given["error"] == "access_denied"
    assert "code" not in given


def test_wrong_secret(contract: Contract) -> None:
    """If Google rejects the client secret, the app gets Google's message."""
    email = contract.address()
    expected = {
        "error": "invalid_request",
        "error_description": "Google Error - 401 invalid_client Unauthorized",
        "state": STATE,
    }
    assert comes_back(contract, email, choice="error") == expected
    pool_id = contract.pool.user_pool_id
    provider = {"UserPoolId": pool_id, "ProviderName": "Google"}
    found = contract.admin.describe_identity_provider(**provider)["IdentityProvider"]
    details = found["ProviderDetails"] | {"client_secret": "another"}
    contract.admin.update_identity_provider(**provider, ProviderDetails=details)
    assert comes_back(contract, email) == expected


def test_google_does_not_answer(contract: Contract) -> None:
    """If Google times out, the app gets an error that says so."""
    given = comes_back(contract, contract.address(), choice="timeout")
    assert given["error"] == "invalid_request"
    assert "Timeout" in given["error_description"]


def test_response_to_no_request(contract: Contract) -> None:
    """A forged response from Google signs nobody in."""
    for query in ("", "?code=x", "?code=x&state=y", "?error=access_denied&state=y"):
        answer = httpx.get(f"{domain(contract)}/oauth2/idpresponse{query}")
        assert not answer.headers.get("Location", "").startswith(REDIRECT_URI)
        assert answer.status_code in {302, 400}


def googles_answer(contract: Contract) -> str:
    """Return the URL that Google redirects to, without following it."""
    contract.local  # noqa: B018 - needs a person at Google
    with httpx.Client(follow_redirects=True) as browser:
        form = Form(browser.get(authorize_url(contract)).text)
        fields = {"email": contract.address(), "email_verified": "true", "choice": "allow"}
        url = f"{domain(contract)}{form.action}"
        answer = browser.post(url, data=form.hidden | fields, follow_redirects=False)
    return str(answer.headers["Location"])


def test_googles_response_works_once(contract: Contract) -> None:
    """Going back in the browser's history doesn't sign in again."""
    location = googles_answer(contract)
    assert "code" in parameters(httpx.get(location).headers["Location"])
    again = httpx.get(location)
    assert again.headers["Location"].startswith("/error?")


def test_signing_in_at_google_has_a_time_limit(contract: Contract) -> None:
    """A response is accepted after 29 minutes and rejected after 30."""
    location = googles_answer(contract)
    contract.local.clock.advance(timedelta(minutes=29))
    assert "code" in parameters(httpx.get(location).headers["Location"])
    location = googles_answer(contract)
    contract.local.clock.advance(timedelta(minutes=30))
    assert httpx.get(location).headers["Location"].startswith("/error?")


def test_forged_google_code(contract: Contract) -> None:
    """Google rejects a code that it did not issue."""
    location = httpx.URL(googles_answer(contract)).copy_set_param("code", "forged")
    given = parameters(httpx.get(location).headers["Location"])
    assert given["error"] == "invalid_request"
    assert "Google Error - 400" in given["error_description"]


def test_google_may_respond_with_post(contract: Contract) -> None:
    """The endpoint accepts the same fields in a POST."""
    location = httpx.URL(googles_answer(contract))
    answer = httpx.post(location.copy_with(query=None), data=dict(location.params))
    assert "code" in parameters(answer.headers["Location"])
