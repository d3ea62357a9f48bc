"""Routes under /auth/google: sign up and in with Google. Cognito creates the account."""

from typing import Annotated, Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from app.dependencies import get_oauth
from app.oauth import GoogleAttempt, known_error
from app.routing import fails_with, missing_field, routes_under
from app.schemas import Done, SignedIn, wire
from app.sessions import deliver

router = routes_under("/auth/google")

# Cognito's maximum for one of an app client's CallbackURLs.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
RedirectUri = Annotated[str, Field(min_length=1, max_length=1024)]
_CODE_FORM = ("code", "codeVerifier", "redirectUri")
_ERROR_FORM = ("error", "errorDescription")


class GoogleStart(BaseModel):
    """Where the browser comes back to: one of `REDIRECT_URIS`."""

    model_config = wire(redirectUri="https://app.example.com/")

    redirect_uri: RedirectUri


class GoogleStarted(Done):
    """The way to Google."""

    model_config = wire(
        statusCode=200,
        body={
            "url": "https://example.auth.eu-west-1.amazoncognito.com/oauth2/authorize?...",
            "state": "zWuT5OoZ...",
            "codeVerifier": "K3m1Vx0b...",
        },
    )

    body: GoogleAttempt


class GoogleFinish(BaseModel):
    """The parameters that the browser came back with: a code, or an error."""

    model_config = wire(
        code="7a0b1c2d-...",
        codeVerifier="K3m1Vx0bY2pW4qT6rS8uL0nJ5hG7fD9aC1eB3iM-_zQ",
        redirectUri="https://app.example.com/",
    )

    code: str | None = Field(default=None, min_length=1, max_length=2048, repr=False)
    # https://datatracker.ietf.org/doc/html/rfc7636#section-4.1
    code_verifier: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9._~-]+$", min_length=43, max_length=128, repr=False
    )
    redirect_uri: RedirectUri | None = None
    error: str | None = Field(default=None, min_length=1, max_length=256, repr=False)
    error_description: str | None = Field(default=None, max_length=8192, repr=False)


@router.post("/start", responses=fails_with("google_not_set_up", "redirect_not_allowed"))
def start_google(body: GoogleStart, request: Request) -> GoogleStarted:
    """Begin to sign up or in with Google: get the URL to open in the browser."""
    return GoogleStarted(body=get_oauth(request).start(body.redirect_uri))


@router.post(
    "/finish",
    responses=fails_with(
        "google_not_set_up",
        "redirect_not_allowed",
        "sign_in_cancelled",
        "email_taken",
        "email_not_verified",
        "invalid_session",
        "google_failed",
    ),
)
def finish_google(body: GoogleFinish, request: Request) -> SignedIn:
    """Exchange the code that the browser came back with for tokens, or explain its error."""
    oauth = get_oauth(request)
    match body:
        case GoogleFinish(
            code=str(code),
            code_verifier=str(code_verifier),
            redirect_uri=str(redirect_uri),
            error=None,
            error_description=None,
        ):
            tokens = oauth.finish(code, code_verifier, redirect_uri)
            return SignedIn(body=deliver(request, tokens))
        case GoogleFinish(code=None, code_verifier=None, redirect_uri=None, error=str(error)):
            request.state.log["error"] = known_error(error)
            raise oauth.failure(error, body.error_description or "")
        case _:
            raise RequestValidationError(_faults(body))


def _faults(body: GoogleFinish) -> list[dict[str, Any]]:
    """Return an error for each field that is missing, or that belongs to the other form."""
    form = _CODE_FORM if body.error is None else _ERROR_FORM
    given = body.model_dump(by_alias=True, exclude_none=True)
    missing = [field for field in form if field not in given and form is _CODE_FORM]
    mixed = [field for field in given if field not in form]
    return [
        *map(missing_field, missing),
        *(
            {"type": "mixed", "loc": ("body", field), "msg": "Send a code or an error"}
            for field in mixed
        ),
    ]
