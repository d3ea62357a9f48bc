"""The routes under /auth about one's account: its password, itself, its second factor."""

from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request

from app.cognito import Cognito
from app.requests import AccessToken, Route, fails_with, routes_under
from app.schemas import (
    Address,
    Change,
    Done,
    HasReset,
    Me,
    MfaCode,
    MfaSecret,
    MfaSetUp,
    Reset,
    SessionsAlive,
)


def routes(cognito: Cognito, route_class: type[Route]) -> APIRouter:
    """The routes, on one app client of Cognito's."""
    account = routes_under("/auth", route_class)

    @account.post("/forgot-password", responses=fails_with("invalid_email", "email_not_sent"))
    def forgot_password(body: Address) -> Done:
        """E-mail a code for a new password. Any address gets the same answer."""
        cognito.forgot_password(body.email)
        return Done()

    @account.post(
        "/reset-password",
        response_model_exclude_none=True,
        responses=fails_with("code_mismatch", "invalid_password"),
    )
    def reset_password(body: Reset) -> HasReset:
        """Set a new password with the code that was e-mailed, and end every session."""
        ended = cognito.reset_password(body.email, body.code, body.password)
        return HasReset(body=None if ended else SessionsAlive())

    @account.post(
        "/change-password",
        responses=fails_with("invalid_token", "invalid_credentials", "invalid_password"),
    )
    def change_password(body: Change, access_token: AccessToken) -> Done:
        """Replace the password by another."""
        cognito.change_password(access_token, body.current_password, body.new_password)
        return Done()

    @account.get("/me", responses=fails_with("invalid_token"))
    def me(access_token: AccessToken) -> Me:
        """Who is signed in."""
        return Me(body=cognito.get_user(access_token))

    @account.delete("/me", responses=fails_with("invalid_token"))
    def delete_me(access_token: AccessToken) -> Done:
        """Delete the account. It is gone at once, with all its sessions."""
        cognito.delete_user(access_token)
        return Done()

    @account.post("/mfa/setup", responses=fails_with("invalid_token"))
    def set_up_mfa(request: Request, access_token: AccessToken) -> MfaSetUp:
        """Get a secret for an authenticator app. It counts once a code of it was verified."""
        secret = cognito.set_up_mfa(access_token)
        email = cognito.get_user(access_token).email
        issuer = request.url.hostname or "accounts"  # what the authenticator app shows
        return MfaSetUp(body=MfaSecret(secret=secret, uri=_otpauth(secret, email, issuer)))

    @account.post(
        "/mfa/verify", responses=fails_with("invalid_token", "code_mismatch", "mfa_not_set_up")
    )
    def verify_mfa(body: MfaCode, access_token: AccessToken) -> Done:
        """Turn the second factor on, with a first code of the authenticator app."""
        cognito.verify_mfa(access_token, body.code)
        return Done()

    @account.delete("/mfa", responses=fails_with("invalid_token"))
    def remove_mfa(access_token: AccessToken) -> Done:
        """Turn the second factor off."""
        cognito.remove_mfa(access_token)
        return Done()

    return account


def _otpauth(secret: str, email: str, issuer: str) -> str:
    """The address that authenticator apps read from a QR code.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    query = urlencode({"secret": secret, "issuer": issuer})
    return f"otpauth://totp/{quote(issuer)}:{quote(email)}?{query}"
