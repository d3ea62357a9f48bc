"""What routes have in common: how a request is read, and what any of them may answer."""

import re
from collections.abc import Callable, Coroutine
from email.message import Message
from functools import wraps
from inspect import iscoroutinefunction
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

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

# An extension of the OpenAPI document's own, between here and docs.py.
FAILS_WITH = "x-fails-with"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


# What Cognito takes for one; it wouldn't say of others that it is the token that is wrong.
_TOKEN = re.compile(r"[A-Za-z0-9_=.-]+")


class NoTokenError(Exception):
    """A request without an access token to a route that needs one."""


class Route(APIRoute):
    """A route that takes JSON, and blocks: it has a thread of its own.

    A body declared as anything else is refused; one that isn't declared is JSON.
    """

    def get_route_handler(self) -> Handler:
        """What answers a request."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            # Not a dependency, which FastAPI would analyse anew for each route, at each start.
            if not _is_json(request.headers.get("content-type") or "application/json"):
                raise HTTPException(415)
            return await handler(request)

        return handle


class DirectRoute(Route):
    """The same without a thread, for Lambda, where nobody else is waiting.

    It serves one request at a time. A thread would make a call 19 % dearer.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **rest: Any) -> None:
        @wraps(endpoint)
        async def direct(*args: Any, **kwargs: Any) -> Any:
            return endpoint(*args, **kwargs)

        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else direct, **rest)


def routes_under(prefix: str, route_class: type[Route] = Route) -> APIRouter:
    """Make a router that takes JSON and documents the one shape of every failure."""
    return APIRouter(
        prefix=prefix,
        route_class=route_class,
        tags=[prefix.strip("/")],
        responses=fails_with(),
    )


def fails_with(*codes: str) -> dict[int | str, dict[str, Any]]:
    """What a route's docs say of its failures: these, and those that any may answer.

    As names, of which docs.py makes responses when the document is asked for.
    """
    return {"default": {"description": "Any other failure.", FAILS_WITH: [*codes, *COMMON]}}


def _is_json(content_type: str) -> bool:
    if content_type == "application/json":
        return True
    declared = Message()
    declared["Content-Type"] = content_type
    kind = declared.get_content_type()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


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
