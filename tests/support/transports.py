"""The transports, by which a test's requests reach the app; each gives an httpx client.

    with serving(make_app(settings), "rest") as client: ...

"uvicorn" is the server that a developer runs. The names in gateway.WAYS put API Gateway or a
function URL in front of the Lambda handler, in this process. "bundle" runs what ships: the bundle's
folder under the real Lambda runtime client.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from app.gateway import lambda_handler
from app.main import create_app
from app.settings import Settings
from tests.support.environment import environ_of
from tests.support.gateway import WAYS, Gateway, Handler
from tests.support.runtime_api import HANDLER, LambdaFunction, bundle_function
from tests.support.team.team_routes import erase_notebook, router

BUNDLE = "bundle"

through_every_transport = pytest.mark.transports("uvicorn", "rest")

# Tests that don't run through the bundle: the start of their id, and the reason.
NOT_IN_THE_BUNDLE = {
    "tests/infra/web/": "the pages call uvicorn, from a browser",
    "tests/app/test_docs.py::test_the_page_fits_its_window": "it looks the same",
    "tests/app/test_states.py": "thousands of calls, which test the pool's states",
    "tests/app/test_hidden_accounts.py": "likewise",
    "tests/app/test_middleware.py::test_a_body_far_too_large_is_told_so": "needs a real socket",
    "tests/app/test_origins.py::test_what_the_services_own_origin_is": "its hosts speak http",
    "tests/app/test_auth.py::test_two_sign_ups_at_once": "a function serves one request at a time",
    "tests/app/test_auth.py::test_two_refreshes_at_once": "likewise",
    "tests/app/test_account.py::test_two_resets_at_once": "likewise",
    "tests/app/test_account.py::test_a_sign_in_that_is_not_recent": "moves the app's clock",
    "tests/app/test_account.py::test_a_late_code_for_an_address": "likewise",
    "tests/app/test_deletion.py::test_a_sign_in_that_is_not_recent": "likewise",
    "tests/app/test_passkeys.py::test_a_sign_in_that_is_recent_again": "likewise",
}
# 59 MB each; no test uses more than a few at the same time.
FUNCTIONS_KEPT = 6


class Functions:
    """The bundle's running functions by settings, kept because a start takes half a second."""

    def __init__(self, bundle: Path, output: Path) -> None:
        self._bundle = bundle
        self._output = output
        self._running: dict[tuple[Settings, str], tuple[LambdaFunction, ExitStack]] = {}
        self._started = 0

    def get(self, settings: Settings, *, team: bool = False) -> LambdaFunction:
        """Return a function with these settings; reuse a running one if possible.

        `team` adds the routes of support/team.
        """
        handler = "team.handler" if team else HANDLER
        key = (settings, handler)
        if key not in self._running:
            if len(self._running) == FUNCTIONS_KEPT:
                _, oldest = self._running.pop(next(iter(self._running)))
                oldest.close()
            stack = ExitStack()
            self._started += 1
            function = bundle_function(
                self._bundle,
                environ_of(settings),
                handler=handler,
                output=self._output / f"function-{self._started}",
            )
            self._running[key] = stack.enter_context(function), stack
        return self._running[key][0]

    def close(self) -> None:
        """Stop all functions."""
        for _, stack in self._running.values():
            stack.close()


def make_app(
    settings: Settings, *, team: bool = False, clock: Callable[[], float] = time.time
) -> FastAPI:
    """Make the app; `team` adds the routes of support/team."""
    app = create_app(settings, wall_clock=clock)
    if team:
        app.include_router(router)
        app.state.on_account_deleted = (erase_notebook,)
    return app


@contextmanager
def serving(app: FastAPI, transport: str) -> Iterator[httpx.Client]:
    """Serve an app in this process by uvicorn or one of WAYS, and yield a client of it."""
    if transport == "uvicorn":
        with serve(app) as url, httpx.Client(base_url=url, timeout=60) as client:
            yield client
        return
    with handling(app) as handler, invoking(handler, transport) as client:
        yield client


@contextmanager
def handling(app: FastAPI) -> Iterator[Handler]:
    """Make the Lambda handler of an app in this process, and close its event loop at the end."""
    handler = lambda_handler(app)
    # Lambda never closes the loop. By the end, another handler may have set its own.
    with closing(asyncio.get_event_loop()):
        yield handler


@contextmanager
def invoking(handler: Handler, way: str = "rest") -> Iterator[httpx.Client]:
    """Put API Gateway in front of a Lambda handler or its invoker, and yield a client."""
    with httpx.Client(transport=Gateway(handler, WAYS[way]), base_url=WAYS[way].base_url) as client:
        yield client


@contextmanager
def serve(app: ASGIApp, certificate: Path | None = None) -> Iterator[str]:
    """Run a real uvicorn on a free port of 127.0.0.1 and yield its address.

    With a certificate, in one file with its key, it speaks TLS.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # a client can connect at once, and waits until uvicorn has started
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", ssl_certfile=certificate
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            scheme = "https" if certificate else "http"
            yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
