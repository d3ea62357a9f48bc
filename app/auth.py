"""The routes under /auth."""

from email.message import Message
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException
from fastapi.routing import APIRoute

from app.cognito import Cognito
from app.errors import documented
from app.schemas import Confirm, Done, Failed, SignedIn, SignIn, SignUp

# What any route that takes a body may answer.
COMMON = (
    "invalid_request",
    "body_too_large",
    "unsupported_media_type",
    "too_many_requests",
    "rejected",
    "misconfigured",
    "internal_error",
    "unavailable",
)


async def declares_json(
    content_type: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> None:
    """Refuse a body that is declared as anything but JSON; one that isn't declared is JSON."""
    if content_type:
        declared = Message()
        declared["Content-Type"] = content_type
        kind = declared.get_content_type()
        if kind != "application/json" and not (
            kind.startswith("application/") and kind.endswith("+json")
        ):
            raise HTTPException(415)


def routes(cognito: Cognito, route_class: type[APIRoute] = APIRoute) -> APIRouter:
    """The routes, on one app client of Cognito's."""
    auth = APIRouter(
        prefix="/auth",
        route_class=route_class,
        tags=["auth"],
        dependencies=[Depends(declares_json)],
        responses={"default": {"model": Failed, "description": "Any other failure."}},
    )

    @auth.post(
        "/sign-up",
        responses=documented(
            "email_taken", "invalid_password", "invalid_email", "email_not_sent", *COMMON
        ),
    )
    def sign_up(body: SignUp) -> Done:
        """Make an account. Cognito e-mails a confirmation code, which lives for 24 hours."""
        cognito.sign_up(body.email, body.password)
        return Done()

    @auth.post(
        "/confirm",
        responses=documented("code_mismatch", "code_expired", "already_confirmed", *COMMON),
    )
    def confirm(body: Confirm) -> Done:
        """Confirm the account with the code that was e-mailed."""
        cognito.confirm(body.email, body.code)
        return Done()

    @auth.post(
        "/sign-in",
        responses=documented(
            "invalid_credentials",
            "user_not_confirmed",
            "password_reset_required",
            "challenge_required",
            *COMMON,
        ),
    )
    def sign_in(body: SignIn) -> SignedIn:
        """Get tokens for an e-mail address and a password."""
        return SignedIn(body=cognito.sign_in(body.email, body.password))

    return auth
