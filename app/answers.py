"""A failure on its way out: what the caller reads, and what the log keeps."""

import traceback
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.errors import DONE, INTERNAL_ERROR, cognito_says, find
from app.failure import Failure
from app.schemas import Done, FieldError


async def answer(request: Request, exc: Exception) -> Response:
    """Turn a failure into the answer to it, and add to the request's log line what it was."""
    if isinstance(exc, HTTPException) and isinstance(exc.__cause__, (ValueError, RecursionError)):
        # FastAPI says so of a body that is not even text, or nested too deeply to be read.
        exc = RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": ""}])
    failure = find(exc)
    request.state.log |= _note(exc, failure)
    if failure is DONE:
        return JSONResponse(Done().model_dump(by_alias=True))
    text = cognito_says(exc, "Error", "Message") or str(exc)
    body = failure.body(request.state.request_id, failure.wording and failure.wording(text))
    if isinstance(exc, RequestValidationError):
        body.errors = [_field_error(error) for error in exc.errors()]
    for name, value in getattr(exc, "members", {}).items():
        setattr(body, name, value)
    headers = dict(getattr(exc, "headers", None) or {})
    if failure.retry_after:
        headers["Retry-After"] = str(failure.retry_after)
    if failure.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed(request))
    if failure.status == HTTPStatus.UNAUTHORIZED:
        # https://datatracker.ietf.org/doc/html/rfc6750#section-3
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body.to_wire(), failure.status, headers, media_type="application/json")


def _allowed(request: Request) -> list[str]:
    """Every method that this address takes; the router names only those of its first route."""
    routes = request.app.routes
    methods = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
    scopes = {method: {**request.scope, "method": method} for method in methods}
    return [m for m in methods if any(r.matches(scopes[m])[0] is Match.FULL for r in routes)]


def _field_error(error: dict[str, Any]) -> FieldError:
    """One of pydantic's errors without its `input` and `ctx`, which quote what was sent."""
    field = next((str(part) for part in error["loc"][1:2] if isinstance(part, str)), "body")
    message = {
        "json_invalid": "Not valid JSON.",
        "model_attributes_type": "Must be a JSON object.",
    }.get(error["type"], error["msg"])
    return FieldError(field=field, message=message)


def _note(exc: Exception, failure: Failure) -> dict[str, Any]:
    """What the log says of a failure: names, never an exception's text, which may quote secrets."""
    operation = getattr(exc, "operation_name", None)
    cause = cognito_says(exc, "Error", "Code") or type(exc).__name__
    note = {"code": failure.code, "cause": f"{operation}.{cause}" if operation else cause}
    if failure.mend:
        note["mend"] = failure.mend
    if failure is INTERNAL_ERROR:
        note["stack"] = "".join(stack_of(exc))
    return note


def stack_of(exc: BaseException) -> Iterator[str]:
    """The lines of a stack, and of what led to it, with the names of exceptions alone."""
    if earlier := exc.__cause__ or exc.__context__:
        yield from stack_of(earlier)
    yield from traceback.format_tb(exc.__traceback__)
    yield f"{type(exc).__qualname__}\n"
