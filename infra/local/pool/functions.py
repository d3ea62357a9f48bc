"""The template's inline Lambda functions, run in this process.

A function's boto3 clients call the local Cognito in this process, not over HTTP: the server handles
one request at a time, so an HTTP call would wait for the request that makes it.
"""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Function = Callable[[dict[str, Any], object], Any]
"""A Lambda handler, which takes an event and a context."""

Api = Callable[["WSGIEnvironment"], Response]
"""A function that handles a call of Cognito's API."""

_api: ContextVar[Api] = ContextVar("api")


@contextmanager
def served_by(api: Api) -> Iterator[None]:
    """Have `api` handle the calls of boto3 clients in this process, in this block."""
    token = _api.set(api)
    try:
        yield
    finally:
        _api.reset(token)


def invoke(function: Function, event: dict[str, Any], api: Api) -> Any:
    """Call a function with an event, and return its result.

    Its boto3 calls go to `api`. Raises the function's own exceptions.
    """
    with served_by(api):
        return function(event, None)


def call_here(client: BaseClient) -> None:
    """Have `served_by` handle the calls of a client. Nothing is sent over HTTP."""
    # The type stubs allow only handlers without a result.
    client.meta.events.register("before-send", _send)  # type: ignore[arg-type]


@cache  # creating a client takes half a second
def load(source: str, handler: str, variables: frozenset[tuple[str, str]]) -> Function:
    """Execute an inline function's source, and return its handler, such as "index.handler".

    `variables` are in the environment only while the source is executed. They include Lambda's own.
    """
    module, _, name = handler.partition(".")
    namespace: dict[str, Any] = {"__name__": module}
    with _environment(dict(variables)):
        exec(compile(source, f"{module}.py", "exec"), namespace)  # noqa: S102 - our own template
    for value in namespace.values():
        if isinstance(value, BaseClient):
            call_here(value)
    function: Function = namespace[name]
    return function


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and a boto3 session that ignores this machine's configuration."""
    before, session = dict(os.environ), boto3.DEFAULT_SESSION
    os.environ.update(variables)
    nowhere = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    boto3.setup_default_session(
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106
        region_name=variables["AWS_REGION"],
        botocore_session=botocore.session.Session(
            session_vars={**nowhere, "profile": (None, None, None, None)}
        ),
    )
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = session
        for name in variables:
            os.environ.pop(name)
        os.environ.update(before)


def _send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
    """Return the response to a client's request, so that botocore sends nothing."""
    builder = EnvironBuilder(
        "/",
        method=request.method,
        headers=[(name, _text(value)) for name, value in request.headers.items()],
        data=_text(request.body),
    )
    answer = _api.get()(builder.get_environ())
    headers = HTTPHeaders.from_dict(dict(answer.headers))
    return AWSResponse(request.url, answer.status_code, headers, _Body(answer.get_data()))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Body(io.BytesIO):
    """A response body with the interface that botocore expects."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """Yield the whole body."""
        yield self.read()
