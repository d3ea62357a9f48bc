"""Checks of the API's own routes: the start and the finish of sign-in with Google."""

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx

from infra.deployed import NotThisServiceError, envelope
from infra.doctor.findings import Findings

START, FINISH = "/auth/google/start", "/auth/google/finish"
# The pages of `make run` and of the usual development servers. Every check except that of the
# redirect URIs gives the same result with any of them.
USUAL_PAGES = tuple(f"http://localhost:{port}/" for port in (8002, 5173, 3000, 8080))


class Attempt(NamedTuple):
    """A sign-in that the doctor starts and never completes."""

    url: httpx.URL
    """The authorization URL, on the pool's domain."""
    redirect_uri: str

    @property
    def domain(self) -> str:
        """The domain's URL."""
        return str(self.url.copy_with(raw_path=b"/")).rstrip("/")

    @property
    def client_id(self) -> str:
        """The app client's id."""
        return str(self.url.params.get("client_id", ""))


def start(
    http: httpx.Client, findings: Findings, api: str, redirect_uris: Sequence[str]
) -> Attempt | None:
    """Start a sign-in with the first redirect URI that the API allows.

    If the API allows none, report the reason and return None.
    """
    answer: dict[str, Any] = {}
    for redirect_uri in redirect_uris:
        found = _post(http, findings, api + START, {"redirectUri": redirect_uri})
        if found is None:
            return None
        if found["statusCode"] == httpx.codes.OK:
            return _attempt(findings, found, redirect_uri)
        answer = found
        if answer.get("code") != "redirect_not_allowed":
            break
    match answer.get("code"):
        case "google_not_set_up":
            findings.wrong(
                "google_not_set_up: deploy with the template's parameters GoogleClientId, "
                "GoogleSecretArn, GoogleSecretVersion, SignInDomain and RedirectUris"
            )
        case "redirect_not_allowed" if len(redirect_uris) == 1:
            findings.wrong(
                f"redirect_not_allowed: add exactly {redirect_uris[0]} to the template's parameter "
                "RedirectUris, and deploy"
            )
        case "redirect_not_allowed":
            findings.wrong(
                "redirect_not_allowed: the template's parameter RedirectUris has none of the usual "
                "local addresses. Pass an address that it should have: --redirect-uri"
            )
        case "not_found":
            findings.wrong(f"not_found: the API has no {START} yet. Deploy this version")
        case code:
            findings.unknown(_unexpected(START, answer, code))
    return None


def finish(http: httpx.Client, findings: Findings, api: str, attempt: Attempt) -> None:
    """Send the API a made-up code, so that it has to call the token endpoint."""
    answer = _post(http, findings, api + FINISH, made_up_grant(attempt.redirect_uri))
    if answer is None:
        return
    request = f"request {answer.get('requestId', '?')}"
    match answer.get("code"):
        case "invalid_session":
            findings.right("The API reaches the token endpoint")
        case "misconfigured":
            findings.wrong(f"misconfigured: see the API's log for what to fix ({request})")
        case "unavailable":
            findings.wrong(
                "unavailable: the API can't reach the token endpoint, though this machine can. A "
                "custom domain needs a certificate from Amazon's authorities. If the domain is "
                f"new, wait a minute; otherwise see the API's log ({request})"
            )
        case code:
            findings.unknown(_unexpected(FINISH, answer, code))


def made_up_grant(redirect_uri: str) -> dict[str, str]:
    """Return a made-up code with its verifier and redirect URI, as a body for the API."""
    return {
        "code": secrets.token_urlsafe(32),
        "codeVerifier": secrets.token_urlsafe(32),
        "redirectUri": redirect_uri,
    }


def _attempt(findings: Findings, answer: dict[str, Any], redirect_uri: str) -> Attempt | None:
    """Return the attempt in the API's answer, or None if it has no authorization URL."""
    try:
        url = httpx.URL(answer["body"]["url"])
    except (KeyError, TypeError, httpx.InvalidURL):
        findings.unknown(_unexpected(START, answer, "but no authorization URL"))
        return None
    findings.right(f"The API has a domain and allows the redirect URI {redirect_uri}")
    return Attempt(url, redirect_uri)


def _unexpected(path: str, answer: dict[str, Any], code: object) -> str:
    request = answer.get("requestId", "?")
    return f"the API answers {path} with {answer['statusCode']} {code} (request {request})"


def _post(
    http: httpx.Client, findings: Findings, url: str, body: dict[str, str]
) -> dict[str, Any] | None:
    try:
        return envelope(http.post(url, json=body))
    except httpx.HTTPError as error:
        findings.wrong(f"No answer from the API at {url} ({error})")
    except NotThisServiceError as error:
        findings.wrong(str(error))
    return None
