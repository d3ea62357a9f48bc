"""Routes under /auth: signing up, signing in, staying signed in, signing out."""

import json
from typing import Annotated

from fastapi import Body, Request
from fastapi.exceptions import RequestValidationError

from app.challenges import CHALLENGES
from app.dependencies import AccessToken, get_cognito
from app.exceptions import NoSessionError
from app.routing import fails_with, missing_field, routes_under
from app.schemas import (
    Address,
    Challenge,
    CodeSent,
    Confirm,
    Confirmed,
    Credentials,
    Done,
    Refresh,
    Session,
    SignedIn,
    SignedUp,
    SignUp,
)
from app.sessions import deliver, forget, refresh_token

router = routes_under("/auth")

RefreshBody = Annotated[Refresh, Body(default_factory=Refresh)]
"""A body that may be empty, for the token may be in a cookie."""


@router.post(
    "/sign-up",
    responses=fails_with("email_taken", "invalid_password", "invalid_email", "email_not_sent"),
)
def sign_up(body: SignUp, request: Request) -> SignedUp:
    """Create an account. Cognito e-mails a confirmation code, which is valid for 24 hours."""
    session = get_cognito(request).sign_up(body.email, body.password)
    return SignedUp(body=Session(session=session) if session else None)


@router.post("/resend-code", responses=fails_with("invalid_email", "email_not_sent"))
def resend_code(body: Address, request: Request) -> Done:
    """E-mail a new confirmation code; the old one stops working. Any address gets this answer."""
    get_cognito(request).resend_code(body.email)
    return Done()


@router.post(
    "/confirm",
    responses=fails_with("code_mismatch", "code_expired", "already_confirmed"),
)
def confirm(body: Confirm, request: Request) -> Confirmed:
    """Confirm the account with the code from the e-mail.

    With the `session` from sign-up, this signs in as well.
    """
    tokens = get_cognito(request).confirm(body.email, body.code, body.session)
    return Confirmed(body=deliver(request, tokens) if tokens else None)


@router.post(
    "/sign-in",
    responses=fails_with(
        "invalid_credentials",
        "invalid_password",
        "user_not_confirmed",
        "password_reset_required",
        "challenge_required",
    ),
)
def sign_in(body: Credentials, request: Request) -> SignedIn:
    """Get tokens for an e-mail address and a password."""
    tokens = get_cognito(request).sign_in(body.email, body.password)
    return SignedIn(body=deliver(request, tokens))


@router.post("/email-code", responses=fails_with("invalid_email", "email_not_sent"))
def email_code(body: Address, request: Request) -> CodeSent:
    """E-mail a code to sign in with, in place of the password. Any address gets this answer.

    Go on with /auth/challenge: `EMAIL_OTP`, the `session`, and the `code`. The person may sign in
    so only without a second factor.
    """
    session = get_cognito(request).begin_email_code(body.email)
    return CodeSent(body=Session(session=session))


@router.post(
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
        "mfa_not_set_up",
        "passkey_rejected",
    ),
)
def challenge(body: Challenge, request: Request) -> SignedIn:
    """Answer the challenge that `challenge_required` named, with its session.

    A sign-in with a passkey or an e-mailed code ends here, too.
    """
    cognito = get_cognito(request)
    response = _challenge_response(body)
    tokens = cognito.answer_challenge(body.email, body.challenge, body.session, response)
    return SignedIn(body=deliver(request, tokens))


@router.post(
    "/refresh",
    responses=fails_with("invalid_refresh_token", "refresh_token_reused"),
)
def refresh(body: RefreshBody, request: Request) -> SignedIn:
    """Get new tokens. If a new refresh token is among them, the old one expires shortly.

    The reuse of an old one ends the session.
    """
    token = refresh_token(request, body)
    if not token:
        raise NoSessionError
    return SignedIn(body=deliver(request, get_cognito(request).refresh(token)))


@router.post("/sign-out", responses=fails_with("invalid_refresh_token"))
def sign_out(body: RefreshBody, request: Request) -> Done:
    """End the session on this device. A session that has already ended is not an error."""
    token = refresh_token(request, body)
    forget(request)
    if token:
        get_cognito(request).sign_out(token)
    return Done()


@router.post("/sign-out-everywhere", responses=fails_with("invalid_token"))
def sign_out_everywhere(access_token: AccessToken, request: Request) -> Done:
    """End every session on every device, including this one."""
    get_cognito(request).sign_out_everywhere(access_token)
    forget(request)
    return Done()


def _challenge_response(body: Challenge) -> str:
    """Return the value of the field that the challenge asks for.

    Raise RequestValidationError if that field is missing.
    """
    asked = CHALLENGES.get(body.challenge)
    if asked is None:
        return ""  # Cognito.answer_challenge refuses this challenge
    credential = None if body.credential is None else json.dumps(body.credential)
    given = {"code": body.code, "newPassword": body.new_password, "credential": credential}
    response = given[asked.field]
    if response is None:
        raise RequestValidationError([missing_field(asked.field)])
    return response
