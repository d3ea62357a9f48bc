"""Routes under /auth/passkeys: a person's passkeys, and signing in with one."""

from fastapi import Request

from app.dependencies import AccessToken, RecentToken, get_cognito
from app.routing import fails_with, routes_under
from app.schemas import (
    Address,
    Done,
    PasskeyChallenge,
    PasskeyCredential,
    PasskeyList,
    PasskeyOptions,
    Passkeys,
    PasskeySignIn,
)

router = routes_under("/auth/passkeys")


@router.post(
    "/start",
    responses=fails_with(
        "invalid_token",
        "reauthentication_required",
        "passkeys_not_set_up",
        "too_many_passkeys",
        "signs_in_with_google",
        "password_reset_required",
    ),
)
def start_passkey(access_token: RecentToken, request: Request) -> PasskeyOptions:
    """Get what the browser needs to make a passkey. Send what it makes to /auth/passkeys."""
    return PasskeyOptions(body=get_cognito(request).begin_passkey(access_token))


@router.post(
    "",
    responses=fails_with(
        "invalid_token",
        "passkey_rejected",
        "passkey_not_supported",
        "passkeys_not_set_up",
        "too_many_passkeys",
        "password_reset_required",
    ),
)
def add_passkey(body: PasskeyCredential, access_token: AccessToken, request: Request) -> Done:
    """Keep the passkey that the browser has made. From now on, it signs in."""
    get_cognito(request).add_passkey(access_token, body.credential)
    return Done()


@router.get("", responses=fails_with("invalid_token", "password_reset_required"))
def list_passkeys(access_token: AccessToken, request: Request) -> Passkeys:
    """List the passkeys of the person who is signed in."""
    return Passkeys(body=PasskeyList(passkeys=get_cognito(request).list_passkeys(access_token)))


@router.post("/sign-in", responses=fails_with("passkey_not_found", "passkeys_not_set_up"))
def begin_passkey_sign_in(body: Address, request: Request) -> PasskeySignIn:
    """Get what the browser needs to sign in with a passkey. Go on with /auth/challenge."""
    session, options = get_cognito(request).begin_passkey_sign_in(body.email)
    return PasskeySignIn(body=PasskeyChallenge(session=session, options=options))


@router.delete(
    "/{passkey}",
    responses=fails_with(
        "invalid_token",
        "reauthentication_required",
        "passkey_not_found",
        "password_reset_required",
    ),
)
def delete_passkey(passkey: str, access_token: RecentToken, request: Request) -> Done:
    """Remove a passkey: it no longer signs in. The device may go on offering it."""
    get_cognito(request).delete_passkey(access_token, passkey)
    return Done()
