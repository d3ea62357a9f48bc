"""Routes under /auth for an existing account: its password, profile and second factor."""

from urllib.parse import quote, urlencode

from fastapi import Request

from app.deletion import delete_account
from app.dependencies import AccessToken, RecentToken, RecentUser, get_cognito
from app.routing import fails_with, routes_under
from app.schemas import (
    Address,
    ChallengeIsSetUp,
    ChallengeSecret,
    ChallengeSetup,
    Change,
    Done,
    EmailCode,
    HasReset,
    Me,
    MfaCode,
    MfaSecret,
    MfaSetUp,
    Profile,
    Reset,
    SessionsAlive,
)
from app.sessions import forget

router = routes_under("/auth")


@router.post("/forgot-password", responses=fails_with("invalid_email", "email_not_sent"))
def forgot_password(body: Address, request: Request) -> Done:
    """E-mail a code for a new password. Any address gets the same answer."""
    get_cognito(request).forgot_password(body.email)
    return Done()


@router.post(
    "/reset-password",
    responses=fails_with("code_mismatch", "invalid_password"),
)
def reset_password(body: Reset, request: Request) -> HasReset:
    """Set a new password with the code from the e-mail, and end every session."""
    ended = get_cognito(request).reset_password(body.email, body.code, body.password)
    return HasReset(body=None if ended else SessionsAlive())


@router.post(
    "/change-password",
    responses=fails_with(
        "invalid_token", "invalid_credentials", "invalid_password", "signs_in_with_google"
    ),
)
def change_password(body: Change, access_token: AccessToken, request: Request) -> Done:
    """Replace the password with another."""
    get_cognito(request).change_password(access_token, body.current_password, body.new_password)
    return Done()


@router.get("/me", responses=fails_with("invalid_token"))
def me(access_token: AccessToken, request: Request) -> Me:
    """Get the person who is signed in."""
    return Me(body=get_cognito(request).get_profile(access_token))


@router.patch("/me", responses=fails_with("invalid_token"))
def update_me(body: Profile, access_token: AccessToken, request: Request) -> Me:
    """Set the name of the person who is signed in."""
    return Me(body=get_cognito(request).set_name(access_token, body.name or ""))


@router.post(
    "/change-email",
    responses=fails_with(
        "invalid_token",
        "reauthentication_required",
        "invalid_email",
        "email_taken",
        "email_not_sent",
        "signs_in_with_google",
    ),
)
def change_email(body: Address, access_token: RecentToken, request: Request) -> Done:
    """E-mail a code to a new address. The old one counts until the code is verified."""
    get_cognito(request).change_email(access_token, body.email)
    return Done()


@router.post(
    "/verify-email",
    responses=fails_with("invalid_token", "code_mismatch", "code_expired", "email_taken"),
)
def verify_email(body: EmailCode, access_token: AccessToken, request: Request) -> Done:
    """Let the new address replace the old one, with the code from the e-mail."""
    get_cognito(request).verify_email(access_token, body.code)
    return Done()


@router.delete("/me", responses=fails_with("invalid_token", "reauthentication_required"))
def delete_me(user: RecentUser, access_token: AccessToken, request: Request) -> Done:
    """Delete the account and end all its sessions, at once."""
    delete_account(request.app.state, user.sub, access_token)
    forget(request)
    return Done()


@router.post(
    "/mfa/setup",
    responses=fails_with("invalid_token", "reauthentication_required", "signs_in_with_google"),
)
def set_up_mfa(request: Request, access_token: RecentToken) -> MfaSetUp:
    """Get a secret for an authenticator app. Sign-in ignores it until a code is verified."""
    secret, user = get_cognito(request).set_up_mfa(access_token)
    uri = _otpauth(secret, user.email or user.sub, request)
    return MfaSetUp(body=MfaSecret(secret=secret, uri=uri))


@router.post("/challenge/setup", responses=fails_with("invalid_session"))
def set_up_challenge(body: ChallengeSetup, request: Request) -> ChallengeIsSetUp:
    """Get a secret for an authenticator app, if sign-in answered the challenge MFA_SETUP."""
    secret, session = get_cognito(request).set_up_mfa_at_sign_in(body.session)
    uri = _otpauth(secret, body.email, request)
    return ChallengeIsSetUp(body=ChallengeSecret(secret=secret, uri=uri, session=session))


@router.post(
    "/mfa/verify",
    responses=fails_with(
        "invalid_token", "code_mismatch", "mfa_not_set_up", "signs_in_with_google"
    ),
)
def verify_mfa(body: MfaCode, access_token: AccessToken, request: Request) -> Done:
    """Turn the second factor on with a first code from the authenticator app."""
    get_cognito(request).verify_mfa(access_token, body.code)
    return Done()


@router.delete(
    "/mfa",
    responses=fails_with("invalid_token", "reauthentication_required", "signs_in_with_google"),
)
def remove_mfa(access_token: RecentToken, request: Request) -> Done:
    """Turn the second factor off."""
    get_cognito(request).remove_mfa(access_token)
    return Done()


def _otpauth(secret: str, account: str, request: Request) -> str:
    """Return the URI that authenticator apps read from a QR code.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    issuer = request.app.state.app_name
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"
