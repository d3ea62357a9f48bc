"""What routes have in common: how a request is read, and what any of them may answer."""

import re
from email.message import Message
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.answers import documented
from app.schemas import Failed

# What any route may answer that asks Cognito.
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


# What Cognito takes for one; it wouldn't say of others that it is the token that is wrong.
_TOKEN = re.compile(r"[A-Za-z0-9_=.-]+")


class NoTokenError(Exception):
    """A request without an access token to a route that needs one."""


def routes_under(prefix: str) -> APIRouter:
    """Make a router that takes JSON and documents the one shape of every failure."""
    return APIRouter(
        prefix=prefix,
        tags=[prefix.strip("/")],
        dependencies=[Depends(_declares_json)],
        responses={"default": {"model": Failed, "description": "Any other failure."}},
    )


def fails_with(*codes: str) -> dict[int | str, dict[str, Any]]:
    """What a route's docs say of its failures: these, and those that any may answer."""
    return documented(*codes, *COMMON)


async def _declares_json(
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


_bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    scheme_name="AccessToken",
    description="The `AccessToken` that sign-in answered.",
)


async def _access_token(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    if not credentials or not _TOKEN.fullmatch(credentials.credentials):
        raise NoTokenError
    return credentials.credentials


AccessToken = Annotated[str, Depends(_access_token)]
"""The token of `Authorization: Bearer …`, as it came; whether it is good is another matter."""
