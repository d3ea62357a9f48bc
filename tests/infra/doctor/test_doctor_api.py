"""The doctor's checks of the API: its settings, and its calls to the token endpoint."""

from dataclasses import replace

import pytest
from starlette.responses import PlainTextResponse

from app.settings import Settings
from infra.local.server import LocalCognito
from tests.infra.doctor.conftest import Served
from tests.support import doctor
from tests.support.doctor import PAGE, examine
from tests.support.people import settings_for


def test_default_redirect_uri(served: Served, cognito: LocalCognito) -> None:
    """Without --redirect-uri, the doctor uses a local page that the API allows."""
    page = "http://localhost:5173/"
    pool = cognito.create_pool(redirect_uris=[page])
    url = served(replace(settings_for(cognito, pool), redirect_uris=(page,)))
    report = examine(url)
    assert report.status == 0
    assert report.lines[0] == f"✓ The API has a domain and allows the redirect URI {page}"


def test_no_default_redirect_uri_allowed(url: str) -> None:
    """The doctor asks for --redirect-uri. It doesn't yet suggest a real sign-in."""
    report = examine(url)
    assert report.status == 1
    assert report.wrong == (
        "redirect_not_allowed: the template's parameter RedirectUris has none of the usual local "
        "addresses. Pass an address that it should have: --redirect-uri"
    )
    assert report.lines[1:] == ["1 of 1 checks failed."]


def test_redirect_not_allowed(url: str) -> None:
    """A URI without the final slash is a different URI."""
    report = examine(url, "--redirect-uri", PAGE.removesuffix("/"))
    assert report.status == 1
    assert report.wrong == (
        f"redirect_not_allowed: add exactly {PAGE.removesuffix('/')} to the template's parameter "
        "RedirectUris, and deploy"
    )


def test_google_not_set_up(served: Served, settings: Settings) -> None:
    """The doctor names the template's five parameters."""
    report = examine(served(replace(settings, domain_url=None)))
    assert report.status == 1
    assert report.wrong == (
        "google_not_set_up: deploy with the template's parameters GoogleClientId, "
        "GoogleSecretArn, GoogleSecretVersion, SignInDomain and RedirectUris"
    )


def test_an_older_api(served: Served) -> None:
    """An older API doesn't have the route."""
    report = examine(served(doctor.api(start={"statusCode": 404, "code": "not_found"})))
    assert report.status == 1
    assert report.wrong == "not_found: the API has no /auth/google/start yet. Deploy this version"


def test_rate_limited_api(served: Served) -> None:
    """A 429 counts as neither right nor wrong."""
    report = examine(served(doctor.api(start={"statusCode": 429, "code": "too_many_requests"})))
    assert report.status == 0
    assert report.unknown == (
        "the API answers /auth/google/start with 429 too_many_requests (request r-1)"
    )
    assert report.lines[-1] == "No check failed, but 1 of 1 could not be made (?)."


@pytest.mark.parametrize(
    "body", [None, "url", {}, {"url": None}, {"url": "https://a.example:port/"}]
)
def test_a_start_without_an_authorization_url(served: Served, body: object) -> None:
    """Another service answers 200, or a later version in another form."""
    report = examine(served(doctor.api(start={"statusCode": 200, "body": body})))
    assert report.status == 0
    assert report.unknown == (
        "the API answers /auth/google/start with 200 but no authorization URL (request r-1)"
    )


def test_url_of_another_service(served: Served) -> None:
    """The stage is missing from the URL, so API Gateway answers 403."""
    report = examine(served(PlainTextResponse("Forbidden", 403)))
    assert report.status == 1
    assert "got 403 from something other than this service" in report.wrong


def test_api_that_does_not_answer() -> None:
    """The doctor prints one line and no traceback."""
    report = examine("http://127.0.0.1:9/v1")
    assert report.status == 1
    assert report.wrong.startswith(
        "No answer from the API at http://127.0.0.1:9/v1/auth/google/start ("
    )


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (500, "misconfigured", "misconfigured: see the API's log for what to fix (request r-1)"),
        (503, "unavailable", "unavailable: the API can't reach the token endpoint, though this"),
    ],
)
def test_api_fails_at_the_token_endpoint(served: Served, status: int, code: str, told: str) -> None:
    """The doctor reaches the token endpoint, but the API can't or is refused."""
    start = doctor.started(served(doctor.domain()))
    api = doctor.api(start=start, finish={"statusCode": status, "code": code})
    report = examine(served(api), "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong.startswith(told)


def test_inconclusive_answer_to_finish(served: Served) -> None:
    """A 429 counts as neither right nor wrong."""
    start = doctor.started(served(doctor.domain()))
    api = doctor.api(start=start, finish={"statusCode": 429, "code": "too_many_requests"})
    report = examine(served(api), "--redirect-uri", PAGE)
    assert "/auth/google/finish with 429 too_many_requests (request r-1)" in report.unknown
    assert "The API reaches" not in "\n".join(report.lines)
