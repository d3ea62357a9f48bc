"""A failure on its way out: what the caller reads, and what the log keeps."""

import traceback
from collections.abc import Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError

from app.errors import INTERNAL_ERROR, Failure, cognito_says, find
from app.schemas import FieldError


async def answer(request: Request, exc: Exception) -> Response:
    """Turn a failure into the answer to it, and add to the request's log line what it was."""
    failure = find(exc)
    request.state.log |= _note(exc, failure)
    text = cognito_says(exc, "Error", "Message") or str(exc)
    body = failure.body(request.state.request_id, failure.wording and failure.wording(text))
    if isinstance(exc, RequestValidationError):
        body.errors = [_field_error(error) for error in exc.errors()]
    for name, value in getattr(exc, "members", {}).items():
        setattr(body, name, value)
    headers = dict(getattr(exc, "headers", None) or {})
    if failure.retry_after:
        headers["Retry-After"] = str(failure.retry_after)
    return Response(body.to_wire(), failure.status, headers, media_type="application/json")


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
        note["stack"] = "".join(_stack(exc))
    return note


def _stack(exc: BaseException) -> Iterator[str]:
    if earlier := exc.__cause__ or exc.__context__:
        yield from _stack(earlier)
    yield from traceback.format_tb(exc.__traceback__)
    yield f"{type(exc).__qualname__}\n"
