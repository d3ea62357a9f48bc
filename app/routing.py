"""What all JSON routes share: the check of the content type, threads, documented failures."""

import json
from collections.abc import Callable, Coroutine, Iterable
from email.message import Message
from functools import partial, update_wrapper
from inspect import iscoroutinefunction
from typing import Any, ClassVar, ParamSpec, TypeVar

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from app.who import who

P = ParamSpec("P")
T = TypeVar("T")

# The codes that every route can answer.
COMMON_CODES = (
    "invalid_request",
    "origin_not_allowed",
    "body_too_large",
    "unsupported_media_type",
    "too_many_requests",
    "rejected",
    "misconfigured",
    "internal_error",
    "unavailable",
)

# An OpenAPI extension that holds a route's codes until docs.py replaces it with responses.
FAILS_WITH = "x-fails-with"


class Route(APIRoute):
    """A route that takes JSON. Its function may be `def`, which blocks, or `async def`."""

    uses_threads: ClassVar[bool] = True
    """Whether blocking functions run in worker threads; if not, they block the event loop.

    Lambda sends one request at a time, so handler.py turns threads off: with them a call costs 14 %
    more instructions.
    """

    waits: ClassVar[bool] = False
    """Whether a route is made when it is first needed, instead of at once.

    FastAPI analyses its function and its models: for all of them, a start takes 8 % longer. A
    process on Lambda may need only a few. Elsewhere, a mistake in a route must show at once.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.path, self._begins_with = path, path.partition("{")[0]
        options |= {
            "generate_unique_id_function": lambda route: route.name,
            "strict_content_type": False,  # read a body without Content-Type as JSON
        }
        self._waiting: Callable[[], None] | None = partial(
            super().__init__, path, _Endpoint(endpoint), **options
        )
        if not self.waits:
            self.make()

    def make(self) -> None:
        """Make the route now, if it still waits."""
        if make := self._waiting:
            self._waiting = None
            make()

    def __getattr__(self, name: str) -> Any:
        """Make the route, because it lacks what only a finished one has."""
        if not self.__dict__.get("_waiting"):
            raise AttributeError(name)
        self.make()
        return getattr(self, name)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the route matches, and what the request's scope gets then.

        FastAPI asks each route in turn, with a regular expression. For most, the path's text will
        do.
        """
        path, begins_with = scope["path"], self._begins_with
        has_parameters = begins_with != self.path
        if not (begins_with in path if has_parameters else path.endswith(self.path)):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's function that answers a request, between a check and a log entry."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            # Not a dependency: FastAPI would analyse it again for each route at each start.
            declared = request.headers.get("content-type", "")
            if request.method != "GET" and not _is_json(declared):
                request = await _read_as_json(request, declared)
            key = request.app.state.log_key
            if not key:
                return await handler(request)
            # Read first: a body that is too large is refused before anything happens.
            body, response = await request.body(), None
            try:
                response = await handler(request)
            finally:
                request.state.log |= who(request, body, response, key)
            return response

        return handle


def make_all(routes: Iterable[BaseRoute]) -> None:
    """Make every route that still waits."""
    for route in routes:
        if isinstance(route, Route):
            route.make()


async def run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that blocks, in a worker thread if `Route.uses_threads`."""
    if Route.uses_threads:
        return await run_in_threadpool(function, *args, **kwargs)
    return function(*args, **kwargs)


class _Endpoint:
    """A route's function, made awaitable.

    For the texts of its errors, FastAPI searches the source of a plain function when it is first
    called, which makes a start 1.5 % longer. An object has no source.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function
        self._blocks = not iscoroutinefunction(function)

    async def __call__(self, *args: Any, **arguments: Any) -> Any:
        """Call the function, in a worker thread if it blocks and `Route.uses_threads`."""
        if self._blocks:
            return await run_blocking(self._function, *args, **arguments)
        return await self._function(*args, **arguments)


def routes_under(prefix: str) -> APIRouter:
    """Return a router for JSON routes whose documented failures have the common shape.

    The first part of the path is their tag: /auth and /auth/google stand together on the docs page.
    """
    tag = prefix.split("/")[1]
    return APIRouter(prefix=prefix, route_class=Route, tags=[tag], responses=fails_with())


def fails_with(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that can answer these codes and COMMON_CODES.

    They are names only: docs.py makes the responses when the document is first asked for.
    """
    return {"default": {"description": "Any other failure.", FAILS_WITH: [*codes, *COMMON_CODES]}}


def missing_field(name: str) -> dict[str, Any]:
    """Return what RequestValidationError takes for a member of the body that is missing."""
    return {"type": "missing", "loc": ("body", name), "msg": "Field required"}


async def _read_as_json(request: Request, declared: str) -> Request:
    """Return the request without its Content-Type, so that FastAPI reads its body as JSON.

    fetch and axios declare text/plain or a form for a string, and a type for no body at all. Raise
    HTTPException with 415 if there is a body that declares something else, and isn't JSON. If a
    cookie has the session, JSON must be declared: other pages can send that only after a preflight.
    """
    body = await request.body()
    if body and (request.app.state.session_cookie or (declared and not _is_json_text(body))):
        raise HTTPException(415)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    return Request({**request.scope, "headers": headers}, receive)


def _is_json_text(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _is_json(content_type: str) -> bool:
    if content_type == "application/json":
        return True
    declared = Message()
    declared["Content-Type"] = content_type
    kind = declared.get_content_type()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
