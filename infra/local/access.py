"""Who may call the local Cognito: programs, and pages of this machine or of an allowed origin.

A page of any site that the developer visits can send requests to this machine. It can't choose the
headers Host and Origin, and it can't send X-Amz-Target without a preflight.
https://fetch.spec.whatwg.org/#cors-preflight-fetch
"""

import json
import sys
from collections.abc import Collection

from werkzeug.wrappers import Request, Response

from infra.local.loopback import is_loopback_origin

TARGET = "AWSCognitoIdentityProviderService."
"""How X-Amz-Target begins for every operation of Cognito."""
# A browser may keep the answer to a preflight for so many seconds. Chromium's maximum.
MAX_AGE = "7200"
LOGGED = 300  # characters of an origin; the longest name of a host has 253
EXPOSED = "x-amzn-ErrorType, x-amzn-ErrorMessage, x-amzn-RequestId, Date"


class Access:
    """Answers to preflights and to callers that may not call, and the CORS headers of the others.

    Pages of this machine may call, and those of `allowed_origins`.
    """

    def __init__(self, allowed_origins: Collection[str] = ()) -> None:
        self._allowed = frozenset(allowed_origins)

    def preflight(self, request: Request) -> Response:
        """Answer a browser that asks whether a page may send a request."""
        response = Response(status=204)
        origin = request.headers.get("Origin", "")
        if not self.permits(origin):
            tell_of_refusal(origin)
        else:
            asked = request.headers.get("Access-Control-Request-Headers", "")
            response.headers["Access-Control-Allow-Headers"] = asked
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Max-Age"] = MAX_AGE
        return self.with_cors(request, response)

    def refusal(self, request: Request) -> Response | None:
        """Return the answer to a call of the API that isn't made, or None if it may be."""
        if refused := self.refused_page(request):
            return refused
        if not request.headers.get("X-Amz-Target", "").startswith(TARGET):
            message = f"X-Amz-Target must be {TARGET}... Here are only Cognito, DynamoDB and S3."
            return refuse(400, "UnknownOperationException", message)
        return None

    def refused_page(self, request: Request) -> Response | None:
        """Return the answer to a page that may not call, or None for all other callers."""
        origin = request.headers.get("Origin")
        if origin is None or self.permits(origin):
            return None
        tell_of_refusal(origin)
        message = "This page may not call the local Cognito: add its origin to ALLOWED_ORIGINS."
        return refuse(403, "ForbiddenException", message)

    def with_cors(self, request: Request, response: Response) -> Response:
        """Let the page that sent a request read the response, if it may call."""
        origin = request.headers.get("Origin", "")
        response.vary.add("Origin")
        if self.permits(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        return response

    def permits(self, origin: str) -> bool:
        """Return whether the pages of an origin may call."""
        return is_loopback_origin(origin) or origin in self._allowed


def tell_of_refusal(origin: str) -> None:
    """Name a refused page on the terminal. The browser reports only that its call failed."""
    # An origin is a stranger's text.
    shown = "".join(char for char in origin[:LOGGED] if char.isascii() and char.isprintable())
    line = f"The local Cognito refused a page. If it is yours, add it to ALLOWED_ORIGINS: {shown}"
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - for the person


def refuse(status: int, kind: str, message: str) -> Response:
    """Return an error in AWS's format, so that SDKs raise it."""
    body = json.dumps({"__type": kind, "message": message})
    headers = {"X-Amzn-ErrorType": kind}
    return Response(body, status, headers, content_type="application/x-amz-json-1.1")
