"""The local Cognito as an HTTP server: moto serves the API, `oauth` the domain."""

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from infra.local.access import Access
from infra.local.admin_client import boto3_client, client_in_process
from infra.local.console.routes import Console
from infra.local.failures import answered
from infra.local.loopback import REFUSAL, is_loopback
from infra.local.moto_app import KEYS, create_moto_app
from infra.local.oauth import routes
from infra.local.oauth.domain import Domain
from infra.local.oauth.google import Google
from infra.local.operations.request import STATE_KEY
from infra.local.pool.accounts import Account
from infra.local.pool.clock import Clock
from infra.local.pool.functions import Function, served_by
from infra.local.pool.ids import ids_of
from infra.local.pool.outbox import Outbox
from infra.local.pool.records import Journal
from infra.local.pool.state import State, restored_signing_key
from infra.local.pool.store import Store
from infra.local.pool.template import TEMPLATE
from infra.local.pool.turns import Turns, has_left
from infra.local.pool.user_pool import REGION, Pool, all_pools
from infra.local.services.resources import Resources
from infra.local.services.serving import LocalServices
from infra.local.stack import REDIRECT_URIS, LocalPool, Stack
from infra.local.threaded_server import HOST, QuietHandler, ThreadedServer

if TYPE_CHECKING:
    from socket import socket

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# A sign-up is under 1 KiB; Cognito itself refuses far less than this.
MAX_REQUEST_BYTES = 1024 * 1024


class LocalCognito(ThreadedServer):
    """A Cognito on 127.0.0.1, answering from `with` to the end of the block.

    `port` 0 takes a free one. With a store, users and sessions of the pools that `create_pool`
    makes are restored by the pool's name, and what a call changes is saved before its answer.
    `echo` is called with a line for each e-mail.
    `api` is the address of the API, if the console should show it. Pages of `allowed_origins` may
    call the API, and those of this machine.
    moto keeps its pools per process: several of these at a time see each other's, each with its
    own clock and outbox. Raises OSError if the port is taken.
    """

    def __init__(  # noqa: PLR0913 - independent options, all with defaults
        self,
        port: int = 0,
        store: Store | None = None,
        *,
        clock: Clock | None = None,
        echo: Callable[[str], None] | None = None,
        api: str | None = None,
        allowed_origins: Collection[str] = (),
    ) -> None:
        self.clock = clock or Clock()
        self._journal = Journal()
        self.outbox = Outbox(self._journal, echo)
        self._state = State(self.clock, self.outbox, self._journal, self._call)
        self._domain = Domain(self._state)
        self._access = Access(allowed_origins)
        # moto checks, then acts, without locking: handle one request at a time.
        self._turns = Turns()
        self._store = store
        self._kept_ahead = 0.0
        if store:
            self._restore(store)
        self._moto = create_moto_app()
        self._services = LocalServices(self._journal, self._access, self._saving)
        self._echo = echo or (lambda _: None)
        self._server = make_server(
            HOST, port, self._serve, threaded=True, request_handler=QuietHandler
        )
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._console = Console(
            self._state, self._saving, self.forget, lambda: boto3_client(self.url, REGION), api
        )

    def create_pool(  # noqa: PLR0913 - settings that tests override
        self,
        name: str | None = None,
        pool: dict[str, Any] | None = None,
        client: dict[str, Any] | None = None,
        mfa: dict[str, Any] | None = None,
        *,
        redirect_uris: Sequence[str] = REDIRECT_URIS,
        google: bool = True,
        template: Path = TEMPLATE,
    ) -> LocalPool:
        """Create the template's user pool and app client through the API, in this process.

        Other callers wait until it is there with its users, also before the `with` block.

        `pool`, `client` and `mfa` override what the template says, under the names that
        CreateUserPool, CreateUserPoolClient and SetUserPoolMfaConfig use. `name` stands for the
        stack's name; with a store, the ids follow from it. `redirect_uris` are the URIs that Google
        sign-in may return to. If `google` is False, the pool has no sign-in with Google. Raises
        TemplateError if `template` can't be used here, and boto3's exceptions if Cognito refuses
        what it says.
        """
        name = name or "local"
        cognito = client_in_process(REGION)
        stack = Stack(cognito, name, redirect_uris, self.google if google else None, template)
        if function := stack.function():
            self.functions[stack.function_arn] = function
        with self._saving(), served_by(self._call), ids_of(name if self._store else None):
            made = stack.create(pool or {}, client or {}, mfa or {})
            if self._store:
                (new,) = (pool for pool in self._pools() if pool.id == made.user_pool_id)
                new.keep(name, self._store)
            resources = Resources(name, stack.references, template)
            variables = self._services.create(resources, self._store, self._echo)
        return replace(made, variables=variables)

    @property
    def google(self) -> Google:
        """The fake Google."""
        return self._domain.google

    @property
    def functions(self) -> dict[str, Function]:
        """The Lambda functions that pools may use as triggers, by ARN."""
        return self._state.functions

    def account(self, sub: str) -> Account:
        """Return a user's codes, attempts and lock. Raises KeyError for an unknown user."""
        for pool in self._pools():
            if user := pool.user_by_sub(sub):
                return self._state.account(user)
        raise KeyError(sub)

    def forget(self) -> None:
        """Forget users, groups, sessions, e-mails, items and objects, and reset the clock.

        Pools, tables and buckets stay.
        """
        with self._saving():
            for pool in self._pools():
                pool.clear_users()
            self._state.challenges.clear()
            self.outbox.clear()
            self.clock.reset()
            self._services.clear()

    def _pools(self) -> list[Pool]:
        return [pool for pool in all_pools() if getattr(pool, "state", None) is self._state]

    def _restore(self, store: Store) -> None:
        """Restore what all pools share. A new store gets this process's key."""
        key = self._state.key
        for _, kept in store.load("signing key", restored_signing_key):
            self._state.key = kept
        if self._state.key is key:
            store.save([("signing key", "", key.as_dict(private=True))])
        for _, self._kept_ahead in store.load("clock", float):
            self.clock.advance(self._kept_ahead)
        self.outbox.keep(store)

    def _save(self) -> None:
        """Save what the present call has changed. Raises StoreError."""
        changes = self._journal.changes()
        if self.clock.ahead != self._kept_ahead:
            changes.append(("clock", "", self.clock.ahead))
        if self._store and changes:
            self._store.save(changes)
        self._kept_ahead = self.clock.ahead
        self._journal.commit()

    def _serve(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request = Request(environ)
        return answered(self._route, request)(environ, start_response)

    def _route(self, request: Request) -> Response:
        if not is_loopback(request.environ.get("HTTP_HOST", "")):
            return Response(REFUSAL, 403)
        request.max_content_length = MAX_REQUEST_BYTES
        if self._services.serves(request):
            return answered(self._services.answer, request)
        if response := self._console.answer(request):
            return response
        if request.method == "OPTIONS":
            return self._access.preflight(request)
        return self._access.with_cors(request, answered(self._answer, request))

    def _answer(self, request: Request) -> Response:
        """Answer a request for the domain, the keys or the API."""
        # Read before taking the lock, so that a slow caller delays only itself.
        if routes.serves(request.path):
            request.form  # noqa: B018 - reads the body and caches it
            with self._saving():
                return routes.answer(self._domain, request)
        if request.method == "POST" and request.path == "/":
            if refused := self._access.refusal(request):
                return refused
        elif not request.path.endswith(KEYS):
            return Response("There is nothing at this address.\n", 404)
        # moto would take an operation from the query and from a form, too.
        environ = {
            **request.environ,
            "QUERY_STRING": "",
            "CONTENT_TYPE": "application/x-amz-json-1.1",
            "wsgi.input": io.BytesIO(request.get_data()),
        }
        connection: socket = request.environ["werkzeug.socket"]
        with self._saving():
            return Response(status=408) if has_left(connection) else self._call(environ)

    def _call(self, environ: "WSGIEnvironment") -> Response:
        """Handle a call of the API. The caller must hold the lock."""
        environ = {**environ, STATE_KEY: self._state}
        return Response.from_app(self._moto, environ, buffered=True)

    @contextmanager
    def _saving(self) -> Iterator[None]:
        """Hold the lock for a call, and save its changes. If either fails, nothing has changed."""
        with self._turns:
            ahead = self.clock.ahead
            try:
                yield
                self._save()
            except BaseException:
                self._journal.undo()
                self.clock.ahead = ahead
                raise
            self.outbox.announce()
