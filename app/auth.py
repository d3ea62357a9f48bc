"""The routes under /auth by which people get in, stay in and leave."""

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError

from app.cognito import CHALLENGES, Cognito
from app.requests import AccessToken, Route, fails_with, routes_under
from app.schemas import Address, Challenge, Confirm, Credentials, Done, Refresh, SignedIn


def routes(cognito: Cognito, route_class: type[Route]) -> APIRouter:
    """The routes, on one app client of Cognito's."""
    auth = routes_under("/auth", route_class)

    @auth.post(
        "/sign-up",
        responses=fails_with("email_taken", "invalid_password", "invalid_email", "email_not_sent"),
    )
    def sign_up(body: Credentials) -> Done:
        """Make an account. Cognito e-mails a confirmation code, which lives for 24 hours."""
        cognito.sign_up(body.email, body.password)
        return Done()

    @auth.post("/resend-code", responses=fails_with("invalid_email", "email_not_sent"))
    def resend_code(body: Address) -> Done:
        """E-mail a new confirmation code; the old one dies. Any address gets the same answer."""
        cognito.resend_code(body.email)
        return Done()

    @auth.post(
        "/confirm", responses=fails_with("code_mismatch", "code_expired", "already_confirmed")
    )
    def confirm(body: Confirm) -> Done:
        """Confirm the account with the code that was e-mailed."""
        cognito.confirm(body.email, body.code)
        return Done()

    @auth.post(
        "/sign-in",
        responses=fails_with(
            "invalid_credentials",
            "user_not_confirmed",
            "password_reset_required",
            "challenge_required",
        ),
    )
    def sign_in(body: Credentials) -> SignedIn:
        """Get tokens for an e-mail address and a password."""
        return SignedIn(body=cognito.sign_in(body.email, body.password))

    @auth.post(
        "/challenge",
        responses=fails_with(
            "unsupported_challenge",
            "invalid_session",
            "code_mismatch",
            "code_expired",
            "invalid_password",
            "challenge_required",
            "user_not_confirmed",
            "password_reset_required",
        ),
    )
    def challenge(body: Challenge) -> SignedIn:
        """Take the step that `challenge_required` named, with the session it gave."""
        given = _given(body)
        return SignedIn(
            body=cognito.answer_challenge(body.email, body.challenge, body.session, given)
        )

    @auth.post(
        "/refresh",
        response_model_exclude_none=True,
        responses=fails_with("invalid_refresh_token", "refresh_token_reused"),
    )
    def refresh(body: Refresh) -> SignedIn:
        """Get new tokens. Where a new refresh token comes with them, the old one dies soon."""
        return SignedIn(body=cognito.refresh(body.refresh_token))

    @auth.post("/sign-out", responses=fails_with("invalid_refresh_token"))
    def sign_out(body: Refresh) -> Done:
        """End the session on this device. A session that is over already is fine, too."""
        cognito.sign_out(body.refresh_token)
        return Done()

    @auth.post("/sign-out-everywhere", responses=fails_with("invalid_token"))
    def sign_out_everywhere(access_token: AccessToken) -> Done:
        """End every session, on all devices, this one included."""
        cognito.sign_out_everywhere(access_token)
        return Done()

    return auth


def _given(body: Challenge) -> str:
    """What the challenge asks for. Raises RequestValidationError if it is missing."""
    member = CHALLENGES.get(body.challenge, ("", ""))[0]
    given = {"code": body.code, "newPassword": body.new_password, "": ""}[member]
    if given is None:
        raise RequestValidationError(
            [{"type": "missing", "loc": ("body", member), "msg": "Field required"}]
        )
    return given
