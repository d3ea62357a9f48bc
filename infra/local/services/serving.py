"""The services' requests: who may send them, and how their changes are kept."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from werkzeug.wrappers import Request, Response

from infra.local.access import Access, tell_of_refusal
from infra.local.pool.records import Journal
from infra.local.pool.store import Store
from infra.local.services.backend import TARGET, Call
from infra.local.services.dynamodb import DynamoDB, forget_key_names
from infra.local.services.errors import S3Error
from infra.local.services.resources import Resources
from infra.local.services.s3 import S3

MAX_OBJECT = 25 * 1024 * 1024
"""Bytes of a request to S3. A form has a little more than its file."""


class LocalServices:
    """DynamoDB and S3 of one server.

    `saving` holds the server's lock and saves what the block changes.
    """

    def __init__(
        self, journal: Journal, access: Access, saving: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._access = access
        self._saving = saving
        self._dynamodb = DynamoDB(journal)
        self._s3 = S3(journal)

    def create(
        self, resources: Resources, store: Store | None, echo: Callable[[str], None]
    ) -> dict[str, str]:
        """Create a template's tables and buckets, with what the store has of them.

        Return the function's environment variables that name them. `echo` is called with a line for
        a table whose items don't fit it any more. Raises TemplateError and StoreError.
        """
        resources.create()
        forget_key_names()
        self._dynamodb.tables |= resources.tables
        self._s3.rules |= resources.rules
        if store:
            for kept, places in (
                (self._dynamodb.kept, resources.tables),
                (self._s3.kept, resources.rules),
            ):
                for place in sorted(places):
                    if unfit := kept.restore(store, place):
                        echo(
                            f"{len(unfit)} items of {place} don't fit its key. They stay in "
                            f"{store.path}, and come back if the template has the old key again."
                        )
        return resources.variables()

    def clear(self) -> None:
        """Delete every item and object. The caller must hold the lock."""
        self._dynamodb.clear()
        self._s3.clear()

    def serves(self, request: Request) -> bool:
        """Return whether a request is for one of the services."""
        target = request.headers.get("X-Amz-Target", "")
        return target.startswith(TARGET) or self._s3.serves(request)

    def answer(self, request: Request) -> Response:
        """Answer a request."""
        target = request.headers.get("X-Amz-Target", "")
        if target.startswith(TARGET):
            return self._answer_dynamodb(request, target.removeprefix(TARGET))
        origin = request.headers.get("Origin")
        if origin is not None and not self._access.permits(origin):
            tell_of_refusal(origin)
            return S3Error(403, "AccessForbidden", "This page may not call S3 here.").response()
        request.max_content_length = MAX_OBJECT
        cors = self._s3.cors(request, origin) if origin else {}
        if request.method == "OPTIONS":
            if not cors:
                text = "CORSResponse: This CORS request is not allowed."
                return S3Error(403, "AccessForbidden", text).response()
            return Response(status=200, headers=cors)
        request.get_data(parse_form_data=True)  # before the lock: a slow caller delays only itself
        try:
            with self._saving():
                response = self._s3.answer(request)
        finally:
            request.close()  # and the files of its form
        response.vary.add("Origin")
        for name, value in cors.items():
            response.headers[name] = value
        return response

    def _answer_dynamodb(self, request: Request, operation: str) -> Response:
        if refused := self._access.refused_page(request):
            return refused
        headers = {name: value for name, value in request.headers if name != "Content-Length"}
        call = Call("POST", "/", "", headers, request.get_data())
        with self._saving():
            response = self._dynamodb.answer(operation, call)
        return self._access.with_cors(request, response)
