"""Wrong settings of the pool's domain: most on the local Cognito, others as fake AWS answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from app.oauth import SCOPES
from app.settings import Settings
from infra.local.server import LocalCognito, LocalPool
from tests.infra.doctor.conftest import Served
from tests.support import doctor
from tests.support.doctor import PAGE, examine
from tests.support.people import admin, settings_for

# Resolvers reject a name of more than 253 characters without a query.
NO_SUCH_NAME = "https://" + f"{'a' * 60}." * 5 + "example"
ADMIN = "aws.cognito.signin.user.admin"
NOT_ON_THIS_CLIENT = (
    "This app client doesn't offer Google: Cognito shows its own sign-in page. Set "
    "SupportedIdentityProviders to [COGNITO, Google], as in the template's "
    "UserPoolClient"
)
CODE_FLOW_OFF = (
    "unauthorized_client: the code flow is off. Set AllowedOAuthFlows to [code], as in the "
    "template's UserPoolClient"
)
REDIRECT_MISMATCH = (
    "redirect_mismatch: the app client has no such callback URL. Add exactly "
    f"{PAGE} to the template's parameter RedirectUris, and deploy"
)
OAUTH_OFF = (
    'Cognito says "Client is not enabled for OAuth2.0 flows": OAuth is off, or the app client is '
    "older than the domain. Set AllowedOAuthFlowsUserPoolClient to true, as in the template's "
    "UserPoolClient; if it is, update the app client once more, and compare its "
    f"CallbackURLs with {PAGE} character by character"
)

Change = Callable[..., None]


@pytest.fixture
def change(cognito: LocalCognito, pool: LocalPool) -> Change:
    """Return a function that changes settings of the app client."""

    def change(**settings: Any) -> None:
        admin(cognito, pool).update_user_pool_client(
            UserPoolId=pool.user_pool_id, ClientId=pool.client_id, **settings
        )

    return change


def test_a_domain_that_does_not_resolve(served: Served, settings: Settings) -> None:
    """The doctor reports it once, and skips the token endpoint."""
    url = served(replace(settings, domain_url=NO_SUCH_NAME))
    report = examine(url, "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == (
        f"{NO_SUCH_NAME} doesn't resolve. If it is new, wait a minute; otherwise check its prefix, "
        "the template's parameter SignInDomain"
    )


def test_a_domain_that_does_not_answer(served: Served, settings: Settings) -> None:
    """It is not a failure: this machine's network may be the cause."""
    url = served(replace(settings, domain_url="http://127.0.0.1:9"))
    report = examine(url, "--redirect-uri", PAGE)
    assert report.status == 0
    assert report.unknown.startswith("no answer from http://127.0.0.1:9 (")
    assert report.lines[-1] == "No check failed, but 1 of 2 could not be made (?)."


@pytest.mark.parametrize(
    ("settings_of_the_client", "told"),
    [
        ({"CallbackURLs": ["https://app.example.com"]}, REDIRECT_MISMATCH),
        ({"AllowedOAuthFlowsUserPoolClient": False}, OAUTH_OFF),
        ({"SupportedIdentityProviders": ["COGNITO"]}, NOT_ON_THIS_CLIENT),
        (
            {"AllowedOAuthFlows": ["implicit"]},
            f"{CODE_FLOW_OFF}\nToken endpoint: {CODE_FLOW_OFF}",
        ),
    ],
)
def test_a_setting_of_the_app_client(
    url: str, change: Change, settings_of_the_client: dict[str, Any], told: str
) -> None:
    """The doctor names the setting, and its resource or parameter in the template."""
    change(**settings_of_the_client)
    report = examine(url, "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == told


@pytest.mark.parametrize(
    ("allowed", "missing"),
    [
        (["email", ADMIN], "openid"),
        (["openid", ADMIN], "email"),
        (["openid", "email"], ADMIN),
        (["openid"], f"email and {ADMIN}"),
        (["email"], f"openid and {ADMIN}"),
    ],
)
def test_missing_scopes(url: str, change: Change, allowed: list[str], missing: str) -> None:
    """The doctor names the missing scopes."""
    change(AllowedOAuthScopes=allowed)
    report = examine(url, "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == (
        f"invalid_scope: the app client lacks {missing}. AllowedOAuthScopes must contain openid, "
        f"email, {ADMIN}, as in the template's UserPoolClient"
    )


def test_a_scope_that_needs_openid(served: Served, settings: Settings) -> None:
    """A refusal of email without openid doesn't make it a missing scope."""

    def authorize(request: Request) -> Response:
        asked = set(request.query_params["scope"].split())
        refused = ADMIN in asked or asked == {"email"}
        return back_with("error=invalid_scope")(request) if refused else doctor.to_google(request)

    domain = served(doctor.domain(authorize=authorize))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.wrong.startswith(f"invalid_scope: the app client lacks {ADMIN}. AllowedOAuth")


def test_an_app_client_with_a_secret(served: Served, cognito: LocalCognito) -> None:
    """The redirect to Google works, but the token endpoint refuses the client."""
    pool = cognito.create_pool(client={"GenerateSecret": True})
    report = examine(served(settings_for(cognito, pool)), "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == (
        "Token endpoint: invalid_client: the app client has a secret, or a wrong id. Replace it "
        "with one that has GenerateSecret: false, as in the template's UserPoolClient. If it has "
        f"no secret, this domain has no app client {pool.client_id}: the API's COGNITO_CLIENT_ID "
        "and COGNITO_DOMAIN_URL belong to different stacks"
    )


def test_an_app_client_of_another_stack(served: Served, settings: Settings) -> None:
    """Both the authorization and the token endpoint refuse it."""
    report = examine(served(replace(settings, client_id="another")), "--redirect-uri", PAGE)
    assert report.status == 1
    first, second = report.wrong.splitlines()
    assert first == (
        "invalid_client: this domain has no app client another: the API's COGNITO_CLIENT_ID and "
        "COGNITO_DOMAIN_URL belong to different stacks"
    )
    assert second.startswith("Token endpoint: invalid_client: the app client has a secret, or a")


# Answers that the local Cognito never gives


def back_with(query: str) -> doctor.Answer:
    """Redirect to the redirect URI with this query."""
    return lambda _: RedirectResponse(f"{PAGE}?{query}", 302)


def to(path: str) -> doctor.Answer:
    """Redirect to another path of the domain."""
    return lambda request: RedirectResponse(str(request.base_url).rstrip("/") + path, 302)


def page(text: str, status: int) -> doctor.Answer:
    """Answer with a page."""
    return lambda _: HTMLResponse(f"<p>{text}</p>", status)


SCOPES_LACK_ONE = (
    "invalid_scope: the app client lacks openid and aws.cognito.signin.user.admin. "
    f"AllowedOAuthScopes must contain {', '.join(SCOPES.split())}, as in the template's "
    "UserPoolClient"
)


@pytest.mark.parametrize(
    ("authorize", "told"),
    [
        # Users reported this form instead of `error=invalid_scope`
        (back_with("error_description=invalid_scope&error=invalid_request"), SCOPES_LACK_ONE),
        (to("/error?error=invalid_scope&client_id=1"), SCOPES_LACK_ONE),
        (page("Client is not enabled for OAuth2.0 flows.", 400), OAUTH_OFF),
        (to("/error?error=Client+is+not+enabled+for+OAuth2.0+flows."), OAUTH_OFF),
        (page("Login option is not available. Please try another one", 400), NOT_ON_THIS_CLIENT),
        (to("/error?error=Login+option+is+not+available.+Please..."), NOT_ON_THIS_CLIENT),
        (to("/login?client_id=1&redirect_uri=x"), NOT_ON_THIS_CLIENT),
        (
            back_with("error=invalid_request&error_description=Some+%1B%5B31mwords"),
            "Cognito refuses the request with the message: invalid_request Some ?[31mwords",
        ),
        (
            to("/error?error=new_words&client_id=1&redirect_uri=x"),
            "Cognito refuses the request with the message: new_words",
        ),
        (to("/error"), "Cognito refuses the request with the message: none"),
    ],
)
def test_messages_of_cognito(
    served: Served, settings: Settings, authorize: doctor.Answer, told: str
) -> None:
    """The doctor finds known messages anywhere in the answer, and repeats unknown ones."""
    domain = served(doctor.domain(authorize=authorize))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == told


@pytest.mark.parametrize(
    ("authorize", "told"),
    [
        (page("Slow down", 429), "Cognito answers 429. Run the doctor again"),
        (page("Oops", 500), "Cognito answers 500. Run the doctor again"),
        (page("What now?", 403), "Cognito answers 403 and doesn't redirect to Google. Try"),
        (
            page("unauthorized_client is a word of this script", 200),
            "Cognito answers 200 and doesn't redirect",
        ),
        (
            lambda _: RedirectResponse("https://example.com/", 302),
            "Cognito answers 302 and doesn't redirect",
        ),
    ],
)
def test_inconclusive_answer_of_the_domain(
    served: Served, settings: Settings, authorize: doctor.Answer, told: str
) -> None:
    """The answer counts as neither right nor wrong."""
    domain = served(doctor.domain(authorize=authorize))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.status == 0
    assert report.unknown.startswith(told)
    assert "redirects to Google" not in "\n".join(report.lines)


def test_inconclusive_answer_of_the_token_endpoint(served: Served, settings: Settings) -> None:
    """It counts as neither right nor wrong, and the doctor skips the API's `finish`."""

    def token(_: Request) -> Response:
        return JSONResponse({"error": "something_new"}, 400)

    domain = served(doctor.domain(token=token))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert "the token endpoint answers 400 something_new" in report.unknown
    assert "token endpoint" not in report.lines[-2]
    assert "The API reaches" not in "\n".join(report.lines)
