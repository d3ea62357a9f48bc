"""What a route needs from its request: Cognito, its domain, the access token, the current user."""

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.cognito import Cognito
from app.exceptions import ForbiddenError, MissingTokenError
from app.oauth import OAuthClient
from app.routing import run_blocking
from app.tokens import TokenUser, Verifier

# What Cognito accepts as a token. Its error for any other string doesn't name the token.
_TOKEN = re.compile(r"[A-Za-z0-9_=.-]+")

_bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    scheme_name="AccessToken",
    description="The `AccessToken` that sign-in answered.",
)


def get_cognito(request: Request) -> Cognito:
    """Return the app's Cognito client.

    It is not a dependency: FastAPI would resolve it again on each call, for 2 % more instructions.
    """
    cognito: Cognito = request.app.state.cognito
    return cognito


def get_oauth(request: Request) -> OAuthClient:
    """Return the app's OAuth client for the user pool's domain."""
    oauth: OAuthClient = request.app.state.oauth
    return oauth


async def _access_token(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    if not credentials or not _TOKEN.fullmatch(credentials.credentials):
        raise MissingTokenError
    request.state.token = credentials.credentials  # for the log: see who.py
    return credentials.credentials


AccessToken = Annotated[str, Depends(_access_token)]
"""The token of `Authorization: Bearer …`, not yet checked: pass it to Cognito."""


async def _current_user(request: Request, access_token: AccessToken) -> TokenUser:
    verifier: Verifier = request.app.state.verifier
    user = await run_blocking(verifier.verify, access_token)
    request.state.user = user.sub  # for the log: see who.py
    return user


CurrentUser = Annotated[TokenUser, Depends(_current_user)]
"""The person who is signed in. Without a valid access token: 401 `invalid_token`."""


async def _active_user(user: CurrentUser, access_token: AccessToken, request: Request) -> TokenUser:
    await run_blocking(get_cognito(request).get_user, access_token)
    return user


ActiveUser = Annotated[TokenUser, Depends(_active_user)]
"""The person who is signed in, confirmed by a call to Cognito. Otherwise: 401 `invalid_token`.

The session isn't revoked, and the account is neither disabled nor deleted. A CurrentUser may be: an
access token is valid until it expires.
"""


def requires_group(group: str, /) -> Callable[[TokenUser], Coroutine[Any, Any, TokenUser]]:
    """Return a dependency that gives the person who is signed in, and is in a group.

    `Depends(requires_group("editors"))` guards a route, or a router with all its routes. Without a
    valid access token: 401 `invalid_token`. Without the group: 403 `forbidden`. FastAPI verifies
    the token once per request, however many of these dependencies and CurrentUser a route has.
    """
    # Positional, so that `Depends(requires_group)` without a group fails: FastAPI would take the
    # group from the query, and let everybody pass.

    async def member(user: CurrentUser) -> TokenUser:
        if group not in user.groups:
            raise ForbiddenError
        return user

    return member


async def _recent_user(request: Request, user: CurrentUser) -> TokenUser:
    verifier: Verifier = request.app.state.verifier
    verifier.require_recent(user)
    return user


RecentUser = Annotated[TokenUser, Depends(_recent_user)]
"""The person who signed in within the last 5 minutes, or 403 `reauthentication_required`.

It is for what a token that leaked must not be enough for.
"""


async def _recent_token(_user: RecentUser, access_token: AccessToken) -> str:
    return access_token


RecentToken = Annotated[str, Depends(_recent_token)]
"""The token of a RecentUser: pass it to Cognito."""
