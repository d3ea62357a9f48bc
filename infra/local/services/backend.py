"""moto's DynamoDB and S3 as functions from a request to a response.

Importing them takes most of a second, so they are imported on first use: most projects have no
table and no bucket.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from infra.local.pool.user_pool import REGION

TARGET = "DynamoDB_20120810."
"""How X-Amz-Target begins for every operation of DynamoDB."""
Service = Literal["dynamodb", "s3"]
SCOPE = "AWS4-HMAC-SHA256 Credential=local/20261231/{}/{}/aws4_request"


@dataclass(frozen=True)
class Call:
    """A request to a service: what is left of it without the connection and the credentials."""

    method: str
    path: str = "/"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@cache
def _app(service: Service) -> Any:
    from moto.moto_server import werkzeug_app  # noqa: PLC0415 - see above

    return werkzeug_app.create_backend_app(service)


def send(service: Service, call: Call) -> Response:
    """Let moto answer a call. All tables are in one region, whatever the caller's is."""
    headers = {**call.headers, "Host": "localhost", "Authorization": SCOPE.format(REGION, service)}
    builder = EnvironBuilder(
        call.path,
        method=call.method,
        query_string=call.query,
        headers=[*headers.items()],
        data=call.body,
    )
    return Response.from_app(_app(service), builder.get_environ(), buffered=True)


def dynamodb(operation: str, **parameters: Any) -> dict[str, Any]:
    """Return the answer to a call of DynamoDB, as in its JSON. Raise RefusedError."""
    headers = {"X-Amz-Target": TARGET + operation, "Content-Type": "application/x-amz-json-1.0"}
    call = Call("POST", headers=headers, body=json.dumps(parameters).encode())
    answer = send("dynamodb", call)
    body: dict[str, Any] = json.loads(answer.get_data())
    if answer.status_code != 200:  # noqa: PLR2004
        raise RefusedError(body.get("message") or body.get("Message") or str(body))
    return body


class RefusedError(Exception):
    """A service refused a call; the message is its own."""
