"""Turn exceptions into answers, and add their causes to the request's log line."""

import traceback
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Literal

from botocore.exceptions import ClientError
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.errors import DONE, INTERNAL_ERROR, TABLE, Key
from app.exceptions import ChallengeRequiredError
from app.failure import Failure
from app.schemas import Done, FieldError


async def exception_handler(request: Request, exc: Exception) -> Response:
    """Answer a failed request as the table says, and add the cause to its log line."""
    if isinstance(exc, HTTPException) and isinstance(exc.__cause__, (ValueError, RecursionError)):
        # FastAPI raises this for a body that isn't text, or is nested too deeply to be parsed.
        exc = RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": ""}])
    failure = find_failure(exc)
    request.state.log |= _log_fields(exc, failure)
    if failure is DONE:
        return JSONResponse(Done().model_dump(by_alias=True))
    message = _cognito_error(exc, "Message") if isinstance(exc, ClientError) else str(exc)
    detail = failure.detail and failure.detail(message)
    body = failure.body(request.state.request_id, detail)
    if isinstance(exc, RequestValidationError):
        body.errors = [_field_error(error) for error in exc.errors()]
    if isinstance(exc, ChallengeRequiredError):
        body.challenge, body.session, body.needs = exc.challenge, exc.session, exc.needs
    headers = dict(getattr(exc, "headers", None) or {})
    if failure.retry_after:
        headers["Retry-After"] = str(failure.retry_after)
    if failure.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    if failure.status == HTTPStatus.UNAUTHORIZED:
        # https://datatracker.ietf.org/doc/html/rfc6750#section-3
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body.to_wire(), failure.status, headers, media_type="application/json")


def find_failure(exc: Exception) -> Failure:
    """Return the table's row for an exception."""
    if isinstance(exc, HTTPException):
        return _http_failure(exc)
    return next(TABLE[key] for key in _keys(exc) if key in TABLE)


def _keys(exc: Exception) -> Iterator[Key]:
    """Yield the keys that the table may have for an exception, most specific first."""
    operation = getattr(exc, "operation_name", "")
    if isinstance(exc, ClientError):
        code = _cognito_error(exc, "Code")
        metadata = exc.response["ResponseMetadata"]
        status = metadata["HTTPStatusCode"]
        if "Service" in metadata:  # not Cognito: see aws.py
            yield from (f"AWS {code}", f"AWS {status}", f"AWS {status // 100}xx")
        else:
            yield from (f"{operation}.{code}", code)
            yield from (f"Cognito {status}", f"Cognito {status // 100}xx")
    for class_ in type(exc).__mro__:
        yield from ((operation, class_), class_)


def _http_failure(exc: HTTPException) -> Failure:
    """Return the row for a status. A route may raise any status, and with a message of its own."""
    known = {status.value: status for status in HTTPStatus}.get(exc.status_code)
    code, phrase = (known.name.lower(), known.phrase) if known else ("error", "Error")
    failure = TABLE.get(exc.status_code) or Failure(exc.status_code, code, phrase)
    return failure if exc.detail in ("", phrase) else replace(failure, message=str(exc.detail))


def _cognito_error(exc: ClientError, part: Literal["Code", "Message"]) -> str:
    return exc.response.get("Error", {}).get(part, "")


def _allowed_methods(request: Request) -> list[str]:
    """Return every method of this path; the router knows only those of the first route."""
    routes = request.app.routes
    methods = ("DELETE", "GET", "PATCH", "POST", "PUT")
    scopes = {method: {**request.scope, "method": method} for method in methods}
    found = [m for m in methods if any(r.matches(scopes[m])[0] is Match.FULL for r in routes)]
    return sorted([*found, "HEAD"]) if "GET" in found else found


def _field_error(error: dict[str, Any]) -> FieldError:
    """Return one of pydantic's errors without `input` and `ctx`, which quote the request."""
    field = next((str(part) for part in error["loc"][1:2] if isinstance(part, str)), "body")
    message = {
        "json_invalid": "Not valid JSON.",
        "model_attributes_type": "Must be a JSON object.",
    }.get(error["type"], error["msg"])
    return FieldError(field=field, message=message)


def _log_fields(exc: Exception, failure: Failure) -> dict[str, Any]:
    """Return what the log says about a failure: names, no messages, which may quote secrets."""
    cause = " from ".join(_name(each) for each in (exc, exc.__cause__) if each)
    fields = {"code": failure.code, "cause": cause}
    if failure.remedy:
        fields["remedy"] = failure.remedy
    if failure is INTERNAL_ERROR:
        fields["stack"] = "".join(format_stack(exc))
    return fields


def _name(exc: BaseException) -> str:
    name = _cognito_error(exc, "Code") if isinstance(exc, ClientError) else type(exc).__name__
    operation = getattr(exc, "operation_name", None)
    return f"{operation}.{name}" if operation else name


def format_stack(exc: BaseException) -> Iterator[str]:
    """Yield the lines of a traceback, causes first, with the exceptions' names but no messages."""
    if earlier := exc.__cause__ or exc.__context__:
        yield from format_stack(earlier)
    yield from traceback.format_tb(exc.__traceback__)
    yield f"{type(exc).__qualname__}\n"
