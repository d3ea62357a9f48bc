"""Sign-up and sign-in with Google: each row of the contract, and whole flows over real HTTP."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import jwt
import pytest

from app.settings import Settings
from infra.local.server import LocalCognito, LocalPool
from infra.local.stack import REDIRECT_URIS
from tests.conftest import Connect
from tests.support.failures import EMAIL_TAKEN, failure
from tests.support.faulty import FaultyCognito, json_answer
from tests.support.google import consents
from tests.support.people import Person, admin, came_back, settings_for
from tests.support.transports import through_every_transport
from tests.support.watch import Watch

URI = REDIRECT_URIS[0]
# The example of https://datatracker.ietf.org/doc/html/rfc7636#appendix-B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CODE_FORM = {"code": "a-made-up-code", "codeVerifier": VERIFIER, "redirectUri": URI}

NOT_SET_UP = (409, "google_not_set_up", "This service has no sign-in with Google.")
NOT_ALLOWED = (400, "redirect_not_allowed", "The redirect URI is not one of REDIRECT_URIS.")
CANCELLED = (400, "sign_in_cancelled", "The sign-in with Google was cancelled.")
NOT_VERIFIED = (403, "email_not_verified", "Google has not verified this e-mail address.")
FAILED = (502, "google_failed", "The sign-in with Google failed. Please try again.")
HAS_NO_PASSWORD = (
    409,
    "signs_in_with_google",
    "This account signs in with Google. It has no password, passkey or second factor here.",
)


def started(person: Person) -> dict[str, str]:
    """Start a sign-in, and return the state, code verifier and URL."""
    body: dict[str, str] = person.starts_with_google().json()["body"]
    return body


def line(watch: Watch) -> dict[str, Any]:
    """Return the last line of the log."""
    fields: dict[str, Any] = json.loads(watch.lines[-1])
    return fields


# Starting


@through_every_transport
def test_start(ada: Person, cognito: LocalCognito, pool: LocalPool) -> None:
    """The URL has exactly the parameters that the authorization endpoint needs."""
    attempt = started(ada)
    url = urlsplit(attempt["url"])
    assert f"{url.scheme}://{url.netloc}" == cognito.url
    assert url.path == "/oauth2/authorize"
    assert "+" not in url.query  # some query parsers read + as a space
    query = dict(parse_qsl(url.query, strict_parsing=True))
    challenge = query["code_challenge"]
    assert query == {
        "response_type": "code",
        "client_id": pool.client_id,
        "redirect_uri": URI,
        "scope": "openid email aws.cognito.signin.user.admin",
        "state": attempt["state"],
        "nonce": challenge,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "identity_provider": "Google",
        "prompt": "select_account",
    }
    digest = hashlib.sha256(attempt["codeVerifier"].encode()).digest()
    assert base64.urlsafe_b64decode(challenge + "=") == digest
    # Cognito returns a state with +, / or = altered, so the state has none of them.
    assert re.fullmatch(r"accounts-[A-Za-z0-9_-]{43}", attempt["state"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", attempt["codeVerifier"])


def test_attempts_are_unique(ada: Person) -> None:
    """Every attempt has a new state and a new verifier, and the two differ."""
    attempts = [started(ada) for _ in range(20)]
    secrets = {attempt[name] for attempt in attempts for name in ("state", "codeVerifier")}
    assert len(secrets) == 40


OTHERS = {
    "no slash": "https://app.example.com",
    "two slashes": "https://app.example.com//",
    "case of the path": "https://app.example.com/Back",
    "case of the host": "https://App.example.com/",
    "port": "https://app.example.com:8443/",
    "the default port": "https://app.example.com:443/",
    "scheme": "http://app.example.com/",
    "query": "https://app.example.com/?",
    "fragment": "https://app.example.com/#",
    "blank": "https://app.example.com/ ",
    "another host": "https://app.example.com.evil.example/",
    "user": "https://app.example.com@evil.example/",
    "an app's": "myapp://callback",
    "a script": "javascript:alert(1)//https://app.example.com/",
    "two": "https://app.example.com/,https://app.example.com/",
}


@through_every_transport
@pytest.mark.parametrize("uri", OTHERS.values(), ids=OTHERS)
def test_another_redirect_uri(ada: Person, uri: str) -> None:
    """Start and finish require an exact match with one of REDIRECT_URIS."""
    assert failure(ada.starts_with_google(redirectUri=uri)) == NOT_ALLOWED
    assert failure(ada.finishes_with_google(**(CODE_FORM | {"redirectUri": uri}))) == NOT_ALLOWED


@through_every_transport
def test_without_a_domain(settings: Settings, connect: Connect) -> None:
    """Both routes report that Google is not set up; sign-up with a password still works."""
    with connect(replace(settings, domain_url=None)) as api:
        ada = Person(api, str)
        assert failure(ada.starts_with_google()) == NOT_SET_UP
        assert failure(ada.finishes_with_google(**CODE_FORM)) == NOT_SET_UP
        assert failure(ada.finishes_with_google(error="access_denied")) == NOT_SET_UP
        assert ada.signs_up().status_code == 200


@through_every_transport
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["code", "codeVerifier", "redirectUri"]),
        ({"code": "x"}, ["codeVerifier", "redirectUri"]),
        ({"code": None, "codeVerifier": VERIFIER, "redirectUri": URI}, ["code"]),
        ({"errorDescription": "x"}, ["code", "codeVerifier", "redirectUri", "errorDescription"]),
        (CODE_FORM | {"error": "access_denied"}, ["code", "codeVerifier", "redirectUri"]),
        ({"error": "access_denied", "redirectUri": URI}, ["redirectUri"]),
        (CODE_FORM | {"errorDescription": ""}, ["errorDescription"]),
        (CODE_FORM | {"code": ""}, ["code"]),
        (CODE_FORM | {"code": "x" * 2049}, ["code"]),
        (CODE_FORM | {"code": 1}, ["code"]),
        (CODE_FORM | {"codeVerifier": "x" * 42}, ["codeVerifier"]),
        (CODE_FORM | {"codeVerifier": "x" * 129}, ["codeVerifier"]),
        (CODE_FORM | {"codeVerifier": "ä" * 43}, ["codeVerifier"]),
        (CODE_FORM | {"codeVerifier": "x" * 43 + "\n"}, ["codeVerifier"]),
        (CODE_FORM | {"redirectUri": ""}, ["redirectUri"]),
        (CODE_FORM | {"redirectUri": f"{URI}{'x' * 1024}"}, ["redirectUri"]),
        ({"error": ""}, ["error"]),
        ({"error": "x" * 257}, ["error"]),
        ({"error": "x", "errorDescription": "x" * 8193}, ["errorDescription"]),
        ({"error": ["access_denied"]}, ["error"]),
    ],
)
def test_finish_with_invalid_fields(ada: Person, body: dict[str, Any], fields: list[str]) -> None:
    """Finish takes a code or an error. The answer names each invalid field and quotes no value."""
    answer = ada.api.post("/auth/google/finish", json=body)
    assert failure(answer)[:2] == (400, "invalid_request")
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert VERIFIER not in answer.text


@pytest.mark.parametrize("uri", [None, "", 1, "x" * 1025])
def test_start_with_an_invalid_redirect_uri(ada: Person, uri: object) -> None:
    """The answer names the field."""
    answer = ada.starts_with_google(redirectUri=uri)
    assert failure(answer)[:2] == (400, "invalid_request")
    assert [error["field"] for error in answer.json()["errors"]] == ["redirectUri"]


# The redirect with an error. Cognito's exact text around a trigger's message is unconfirmed.

TRIGGER = "PreSignUp failed with error {}. "
ERRORS = {
    "cancelled": ("access_denied", None, CANCELLED),
    "cancelled, by Google": ("access_denied", "Google Error - access_denied", CANCELLED),
    "taken": ("invalid_request", TRIGGER.format("email_taken"), EMAIL_TAKEN),
    "taken, worded otherwise": ("server_error", "(email_taken)", EMAIL_TAKEN),
    "taken, and denied": ("access_denied", "email_taken", EMAIL_TAKEN),
    "not verified": ("invalid_request", TRIGGER.format("email_not_verified"), NOT_VERIFIED),
    "a trigger's message": (
        "invalid_request",
        TRIGGER.format("Please write to us first"),
        (400, "rejected", "Please write to us first"),
    ),
    "a longer word that contains email_taken": (
        "invalid_request",
        TRIGGER.format("my_email_taken_7"),
        (400, "rejected", "my_email_taken_7"),
    ),
    "a trigger without a message": ("invalid_request", "PreSignUp failed with error ", FAILED),
    "Google": ("invalid_request", "Google Error - 401 invalid_client Unauthorized", FAILED),
    "too slow": ("invalid_request", "Timeout occurred in calling IdP token endpoint", FAILED),
    "nothing": ("server_error", None, FAILED),
    "an empty description": ("server_error", "", FAILED),
    "the code flow is off": ("unauthorized_client", None, FAILED),
    "a scope is missing": ("invalid_scope", "invalid_scope", FAILED),
    "made up": ("misconfigured", "invalid_client", FAILED),
}


@pytest.mark.parametrize(("error", "description", "told"), ERRORS.values(), ids=ERRORS)
def test_finish_with_an_error(
    error: str, description: str | None, told: tuple[int, str, str], ada: Person, watch: Watch
) -> None:
    """Our markers or the form of a trigger's message decide the answer; no remedy is logged."""
    answer = ada.finishes_with_google(error=error, errorDescription=description)
    assert failure(answer) == told
    known = "unknown" if error == "misconfigured" else error
    fields = line(watch)
    assert (fields["code"], fields["error"]) == (told[1], known)
    assert fields["route"] == "/auth/google/finish"
    assert "remedy" not in fields


def test_a_description_is_not_logged(ada: Person, watch: Watch) -> None:
    """Any caller can send any error and description."""
    for error in ("Canary-error", "invalid_request"):
        for form in ("{}", TRIGGER):
            ada.finishes_with_google(error=error, errorDescription=form.format("Canary-words"))
    assert "Canary" not in "".join(watch.lines)


def test_a_description_may_be_long(ada: Person) -> None:
    """A trigger's message of 8000 characters reaches the caller."""
    words = "x" * 8000
    answer = ada.finishes_with_google(error="x", errorDescription=TRIGGER.format(words))
    assert failure(answer) == (400, "rejected", words)


# The redirect with a code


@pytest.fixture
def domain() -> Iterator[FaultyCognito]:
    """Return a fake domain whose behaviour the test sets."""
    with FaultyCognito() as server:
        yield server


@pytest.fixture
def at_domain(
    settings: Settings, connect: Connect, domain: FaultyCognito
) -> Iterator[httpx.Client]:
    """Return an HTTP client for the app, whose pool has the fake domain."""
    with connect(replace(settings, domain_url=domain.url)) as client:
        yield client


def answer_with(id_token: str) -> dict[str, object]:
    """Return the token endpoint's answer with this ID token."""
    tokens = {"access_token": "a-token", "refresh_token": "another"}
    return {**tokens, "id_token": id_token, "expires_in": 10800, "token_type": "Bearer"}


def id_token(claims: object) -> str:
    """Return an ID token. The app doesn't check its signature: the issuer sent it over TLS."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJSUzI1NiJ9.{payload}.c2lnbmF0dXJl"


ID_TOKENS = {
    "the verifier's own": (id_token({"nonce": CHALLENGE}), 200, None),
    "another attempt's": (id_token({"nonce": f"{CHALLENGE[:-1]}x"}), 401, "invalid_session"),
    "the verifier itself": (id_token({"nonce": VERIFIER}), 401, "invalid_session"),
    "none": (id_token({"sub": "x"}), 401, "invalid_session"),
    "null": (id_token({"nonce": None}), 401, "invalid_session"),
    "a list": (id_token({"nonce": [CHALLENGE]}), 401, "invalid_session"),
    "claims that are a list": (id_token([CHALLENGE]), 503, "unavailable"),
    "no token": ("an-id-token", 503, "unavailable"),
    "not base64": ("a.!.c", 503, "unavailable"),
    "not JSON": ("a.YQ.c", 503, "unavailable"),
    "not text": ("a._w.c", 503, "unavailable"),
    "not ASCII": ("a.ä.c", 503, "unavailable"),
    "nested deeply": (
        f"a.{base64.urlsafe_b64encode(b'[' * 30_000).decode()}.c",
        503,
        "unavailable",
    ),
}


@pytest.mark.parametrize(("token", "status", "code"), ID_TOKENS.values(), ids=ID_TOKENS)
def test_the_nonce(
    token: str, status: int, code: str | None, at_domain: httpx.Client, domain: FaultyCognito
) -> None:
    """The app withholds tokens whose nonce doesn't match this browser's verifier."""
    domain.behave(json_answer(200, answer_with(token)))
    answer = at_domain.post("/auth/google/finish", json=CODE_FORM)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert ("a-token" in answer.text) == (status == 200)
    assert domain.calls == ["/oauth2/token"]


def test_the_request_to_the_token_endpoint(
    settings: Settings, at_domain: httpx.Client, domain: FaultyCognito
) -> None:
    """The form has the code, verifier, redirect URI and client ID, and no client secret."""
    token = id_token({"nonce": CHALLENGE})
    domain.behave(json_answer(200, answer_with(token)))
    assert at_domain.post("/auth/google/finish", json=CODE_FORM).json()["body"] == {
        "AccessToken": "a-token",
        "ExpiresIn": 10800,
        "TokenType": "Bearer",
        "RefreshToken": "another",
        "IdToken": token,
    }
    assert parse_qs(domain.bodies[0].decode(), strict_parsing=True) == {
        "grant_type": ["authorization_code"],
        "client_id": [settings.client_id],
        "code": [CODE_FORM["code"]],
        "code_verifier": [VERIFIER],
        "redirect_uri": [URI],
    }


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("invalid_client", "has a secret"),
        (
            "unauthorized_client",
            # not the callback URLs: an unregistered one fails before there is a code
            "and AllowedOAuthFlows to code in the app client.",
        ),
    ],
)
def test_a_misconfigured_app_client(
    error: str, remedy: str, at_domain: httpx.Client, domain: FaultyCognito, watch: Watch
) -> None:
    """The caller gets a 500; the log names the fix."""
    domain.behave(json_answer(400, {"error": error}))
    answer = at_domain.post("/auth/google/finish", json=CODE_FORM)
    assert failure(answer)[:2] == (500, "misconfigured")
    assert remedy in line(watch)["remedy"]
    assert remedy not in answer.text


def test_an_unavailable_domain(at_domain: httpx.Client, domain: FaultyCognito) -> None:
    """The answer has a Retry-After header."""
    domain.behave(json_answer(503, {}))
    answer = at_domain.post("/auth/google/finish", json=CODE_FORM)
    assert failure(answer)[:2] == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert domain.calls == ["/oauth2/token"]


# Whole flows through the local Cognito and its fake Google


@through_every_transport
def test_sign_up_and_in(ada: Person) -> None:
    """The first sign-in creates an account, the second reuses it; tokens come as from sign-in."""
    answer = ada.continues_with_google()
    assert answer.status_code == 200
    assert answer.json()["statusCode"] == 200
    tokens = answer.json()["body"]
    assert set(tokens) == {"AccessToken", "ExpiresIn", "TokenType", "RefreshToken", "IdToken"}
    assert (tokens["ExpiresIn"], tokens["TokenType"]) == (10800, "Bearer")
    first = ada.looks_in_the_mirror().json()["body"]
    claims = jwt.decode(tokens["IdToken"], options={"verify_signature": False})
    assert first == {
        "sub": claims["sub"],
        "email": ada.email,
        "emailVerified": True,
        "name": None,
        "signsInWith": ["google"],
        "groups": [],
        "mfa": False,
    }
    assert ada.continues_with_google().status_code == 200
    assert ada.looks_in_the_mirror().json()["body"] == first


@through_every_transport
@pytest.mark.parametrize(
    ("choice", "told"), [("deny", CANCELLED), ("error", FAILED), ("timeout", FAILED)]
)
def test_google_returns_an_error(ada: Person, choice: str, told: tuple[int, str, str]) -> None:
    """The answer names the failure, and the next attempt works."""
    assert failure(ada.continues_with_google(choice)) == told
    assert ada.continues_with_google().status_code == 200


@through_every_transport
def test_an_unverified_address(ada: Person) -> None:
    """An address that Google has not verified is rejected; once verified, it is accepted."""
    assert failure(ada.continues_with_google(verified=False)) == NOT_VERIFIED
    assert ada.continues_with_google().status_code == 200


@through_every_transport
def test_an_address_with_a_password(ada: Person) -> None:
    """The two are not linked: the password still works, and Google sign-in is refused."""
    ada.has_an_account()
    assert failure(ada.continues_with_google()) == EMAIL_TAKEN
    assert ada.signs_in().status_code == 200
    assert ada.looks_in_the_mirror().json()["body"]["signsInWith"] == ["password"]


@through_every_transport
def test_an_address_with_an_unconfirmed_account(ada: Person) -> None:
    """An unconfirmed account doesn't block Google sign-in, and stays a separate account."""
    ada.signs_up()
    assert ada.continues_with_google().status_code == 200
    google = ada.looks_in_the_mirror().json()["body"]["sub"]
    assert ada.confirms().status_code == 200
    assert ada.signs_in().status_code == 200
    assert ada.looks_in_the_mirror().json()["body"]["sub"] != google


@through_every_transport
def test_sign_up_with_the_address_of_a_google_user(ada: Person) -> None:
    """Sign-up reports that the address is taken."""
    ada.continues_with_google()
    assert failure(ada.signs_up()) == EMAIL_TAKEN


def test_sign_up_that_hides_google_users(
    settings: Settings, cognito: LocalCognito, connect: Connect, watch: Watch
) -> None:
    """Sign-up and confirm answer exactly as for a new address, and no e-mail is sent."""
    with connect(replace(settings, hide_existing_accounts=True)) as api:
        ada, bob = (watch.over(Person(api, cognito.outbox.code_for)) for _ in range(2))
        ada.continues_with_google()
        taken, new = ada.signs_up(), bob.signs_up()
        assert taken.text == new.text == '{"statusCode":200}'
        assert taken.headers["Content-Length"] == new.headers["Content-Length"]
        assert failure(ada.confirms(code="000000")) == failure(bob.confirms(code="000000"))
        with pytest.raises(LookupError):
            assert ada.code  # no e-mail


@through_every_transport
def test_a_code_works_once(ada: Person) -> None:
    """A replayed code is refused, and the first session stays valid."""
    attempt = started(ada)
    sent = came_back(consents(attempt["url"], ada.email), attempt)
    assert ada.finishes_with_google(**sent).status_code == 200
    assert failure(ada.finishes_with_google(**sent))[:2] == (401, "invalid_session")
    assert ada.looks_in_the_mirror().status_code == 200


def test_an_expired_code(ada: Person, cognito: LocalCognito) -> None:
    """A code expires after 5 minutes."""
    attempt = started(ada)
    sent = came_back(consents(attempt["url"], ada.email), attempt)
    cognito.clock.advance(timedelta(minutes=6))
    assert failure(ada.finishes_with_google(**sent))[:2] == (401, "invalid_session")


def test_an_unknown_code(ada: Person) -> None:
    """A code that Cognito never issued is refused."""
    assert failure(ada.finishes_with_google(**CODE_FORM))[:2] == (401, "invalid_session")


def test_another_verifier(ada: Person) -> None:
    """Cognito checks the verifier against the challenge."""
    attempt = started(ada)
    sent = came_back(consents(attempt["url"], ada.email), attempt)
    answer = ada.finishes_with_google(**(sent | {"codeVerifier": VERIFIER}))
    assert failure(answer)[:2] == (401, "invalid_session")


def without(url: str, *names: str) -> str:
    """Return a URL without some of its parameters."""
    start, _, query = url.partition("?")
    return f"{start}?{urlencode([pair for pair in parse_qsl(query) if pair[0] not in names])}"


@pytest.mark.parametrize("nonce", [(), ("nonce",)])
def test_a_code_of_an_attempt_without_a_challenge(
    person: Callable[[], Person], nonce: tuple[str, ...]
) -> None:
    """Cognito accepts any verifier for such a code, but the nonce check refuses an injected one.

    https://datatracker.ietf.org/doc/html/rfc9700#section-4.8
    """
    mallory, ada = person(), person()
    url = without(started(mallory)["url"], "code_challenge", "code_challenge_method", *nonce)
    injected = consents(url, mallory.email)
    sent = came_back(injected, started(ada))
    assert failure(ada.finishes_with_google(**sent))[:2] == (401, "invalid_session")
    assert ada.tokens == {}


def test_another_redirect_uri_than_at_the_start(
    cognito: LocalCognito, connect: Connect, watch: Watch
) -> None:
    """Cognito refuses another allowed URI, and the app reports the caller's error, not ours."""
    uris = ("https://app.example.com/", "https://b.example.com/")
    pool = cognito.create_pool("two-uris", redirect_uris=uris)
    settings = replace(settings_for(cognito, pool), redirect_uris=uris)
    with connect(settings) as api:
        ada = watch.over(Person(api, cognito.outbox.code_for))
        attempt = started(ada)
        sent = came_back(consents(attempt["url"], ada.email), attempt)
        answer = ada.finishes_with_google(**(sent | {"redirectUri": uris[1]}))
    assert failure(answer)[:2] == (401, "invalid_session")


def test_an_app_client_with_a_secret(cognito: LocalCognito, connect: Connect, watch: Watch) -> None:
    """The local Cognito's answer, too, makes the log name the fix."""
    pool = cognito.create_pool("secret", client={"GenerateSecret": True})
    with connect(settings_for(cognito, pool)) as api:
        ada = watch.over(Person(api, cognito.outbox.code_for))
        assert failure(ada.continues_with_google())[:2] == (500, "misconfigured")
    assert "GenerateSecret false" in line(watch)["remedy"]


# Sessions after a sign-in with Google


@through_every_transport
def test_a_session_goes_on_and_ends(ada: Person) -> None:
    """Refresh, sign-out and sign-out everywhere work as after a password sign-in."""
    ada.continues_with_google()
    before = dict(ada.tokens)
    assert ada.refreshes().status_code == 200
    assert ada.tokens["RefreshToken"] != before["RefreshToken"]
    assert ada.looks_in_the_mirror().status_code == 200
    assert ada.signs_out().status_code == 200
    assert failure(ada.refreshes())[:2] == (401, "invalid_refresh_token")
    assert failure(ada.looks_in_the_mirror())[:2] == (401, "invalid_token")
    ada.continues_with_google()
    first = dict(ada.tokens)
    ada.continues_with_google()
    assert ada.signs_out_everywhere().status_code == 200
    for tokens in (first, ada.tokens):
        answer = ada.refreshes(refreshToken=tokens["RefreshToken"])
        assert failure(answer)[:2] == (401, "invalid_refresh_token")
    assert failure(ada.looks_in_the_mirror())[:2] == (401, "invalid_token")


def test_a_stolen_refresh_token(ada: Person, cognito: LocalCognito) -> None:
    """Reuse detection works as after a password sign-in, and ends the session."""
    ada.continues_with_google()
    old = ada.tokens["RefreshToken"]
    ada.refreshes()
    cognito.clock.advance(timedelta(minutes=2))
    answer = ada.refreshes(refreshToken=old)
    assert failure(answer)[:2] == (401, "refresh_token_reused")
    assert failure(ada.refreshes())[:2] == (401, "invalid_refresh_token")


@through_every_transport
def test_the_account_is_deleted(ada: Person) -> None:
    """Deletion frees the address, and the next sign-in creates a new account."""
    ada.continues_with_google()
    old = ada.looks_in_the_mirror().json()["body"]["sub"]
    assert ada.deletes_the_account().status_code == 200
    assert failure(ada.looks_in_the_mirror())[:2] == (401, "invalid_token")
    ada.continues_with_google()
    assert ada.looks_in_the_mirror().json()["body"]["sub"] != old
    ada.deletes_the_account()
    assert ada.signs_up().status_code == 200


@through_every_transport
def test_your_own_routes(connect: Connect, cognito: LocalCognito) -> None:
    """`CurrentUser` is the Google user, read from the access token."""
    pool = cognito.create_pool()
    with connect(settings_for(cognito, pool), team=True) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.continues_with_google()
        headers = {"Authorization": f"Bearer {ada.tokens['AccessToken']}"}
        answer = api.get("/team/whoami", headers=headers)
        assert answer.json() == {
            "sub": ada.looks_in_the_mirror().json()["body"]["sub"],
            "groups": [],
        }


# Routes that need a password


@through_every_transport
def test_an_account_without_a_password(ada: Person) -> None:
    """The password and MFA routes explain that the account signs in with Google."""
    ada.continues_with_google()
    for answer in (
        ada.changes_the_password(),
        ada.sets_up_mfa(),
        ada.verifies_mfa("123456"),
        ada.removes_mfa(),
    ):
        assert failure(answer) == HAS_NO_PASSWORD
    ada.signs_out_everywhere()
    for answer in (
        ada.changes_the_password(),
        ada.sets_up_mfa(),
        ada.verifies_mfa("123456"),
        ada.removes_mfa(),
    ):
        assert failure(answer)[:2] == (401, "invalid_token")


@through_every_transport
def test_other_routes_do_not_reveal_google_users(person: Callable[[], Person]) -> None:
    """Except at sign-up, a Google user's address gets the same answers as an unknown one."""
    ada, unknown = person(), person()
    ada.continues_with_google()
    for step in (
        Person.signs_in,
        Person.forgets_the_password,
        Person.asks_for_the_code_again,
        lambda who: who.confirms(code="123456"),
        lambda who: who.resets_the_password(code="123456"),
    ):
        answers = [step(ada), step(unknown)]
        texts = {re.sub(r'"requestId":"[^"]+"', "", answer.text) for answer in answers}
        assert len(texts) == 1
        assert len({answer.status_code for answer in answers}) == 1


def test_a_google_user_without_an_address(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """If an administrator removed the address, /me still returns the account."""
    ada.continues_with_google()
    username = jwt.decode(ada.tokens["IdToken"], options={"verify_signature": False})
    admin(cognito, pool).admin_delete_user_attributes(
        UserPoolId=pool.user_pool_id,
        Username=username["cognito:username"],
        UserAttributeNames=["email", "email_verified"],
    )
    answer = ada.looks_in_the_mirror()
    assert answer.status_code == 200
    body = answer.json()["body"]
    assert (body["email"], body["emailVerified"]) == (None, False)
