"""What a caller is answered when the local Cognito itself fails."""

import sys
import traceback
from collections.abc import Callable

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from infra.local.access import refuse
from infra.local.pool.store import StoreError


def answered(answer: Callable[[Request], Response], request: Request) -> Response:
    """Return the answer to a request, also if it fails."""
    try:
        return answer(request)
    except HTTPException as error:
        return Response.force_type(error.get_response(request.environ), request.environ)
    except StoreError as error:
        print(f"make run: {error}", file=sys.stderr, flush=True)  # noqa: T201 - for the person
        return internal_error(error)
    except Exception as error:  # noqa: BLE001 - every failure gets AWS's shape
        traceback.print_exc(file=sys.stderr)
        return internal_error(error)


def internal_error(error: Exception) -> Response:
    """Return the answer that AWS gives for an internal error, so that SDKs handle it."""
    return refuse(500, "InternalErrorException", f"{type(error).__name__}: {error}")
