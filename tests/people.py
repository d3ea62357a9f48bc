"""The people in the tests, and the doors they come in by.

    ada.signs_up(); ada.confirms(); ada.signs_in()

Each step answers with the httpx.Response. Everything secret about a person is kept, so that a test
can look for it where it must not be.
"""

import asyncio
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from app.gateway import lambda_handler
from app.main import create_app
from app.settings import Settings
from tests.gateway import WAYS, Gateway

DOORS = ("uvicorn", "rest", "http", "function-url")
"""The server a developer runs, and the events that reach the Lambda function."""

ORIGIN = "https://app.example.com"
"""The browser origin that the app allows in tests."""


@dataclass
class Person:
    """Somebody with an e-mail address, a password and a browser."""

    api: httpx.Client
    read_code: Callable[[str], str]
    email: str = field(default_factory=lambda: f"ada.{uuid.uuid4().hex[:12]}@example.com")
    password: str = field(default_factory=lambda: f"Canary-{uuid.uuid4().hex}")
    secrets: set[str] = field(default_factory=set, repr=False)

    @property
    def code(self) -> str:
        """The newest code in the person's mailbox. Raises LookupError when there is none."""
        code = self.read_code(self.email)
        self.secrets.add(code)
        return code

    def signs_up(self, **changed: object) -> httpx.Response:
        """POST /auth/sign-up."""
        return self._post("sign-up", {"email": self.email, "password": self.password} | changed)

    def confirms(self, **changed: object) -> httpx.Response:
        """POST /auth/confirm, with the code from the mailbox unless told another."""
        changed = changed or {"code": self.code}
        return self._post("confirm", {"email": self.email} | changed)

    def signs_in(self, **changed: object) -> httpx.Response:
        """POST /auth/sign-in."""
        answer = self._post("sign-in", {"email": self.email, "password": self.password} | changed)
        if answer.status_code == 200:
            tokens = answer.json()["body"]
            self.secrets |= {tokens["AccessToken"], tokens["IdToken"], tokens["RefreshToken"]}
        return answer

    def has_an_account(self) -> None:
        """Sign up and confirm."""
        assert self.signs_up().status_code == 200
        assert self.confirms().status_code == 200

    def _post(self, route: str, body: dict[str, object]) -> httpx.Response:
        self.secrets |= {str(body[name]) for name in ("password", "code") if body.get(name)}
        return self.api.post(f"/auth/{route}", json=body)


@contextmanager
def open_door(door: str, settings: Settings) -> Iterator[httpx.Client]:
    """Start the app behind one of DOORS (or another of gateway.WAYS), for as long as it lasts."""
    with open_app(create_app(settings), door) as client:
        yield client


@contextmanager
def open_app(app: FastAPI, door: str) -> Iterator[httpx.Client]:
    """The same for an app that is made already."""
    if door == "uvicorn":
        with serve(app) as url, httpx.Client(base_url=url) as client:
            yield client
        return
    way = WAYS[door]
    handler = lambda_handler(app)
    with httpx.Client(transport=Gateway(handler, way), base_url=way.base_url) as client:
        yield client
    asyncio.get_event_loop().close()  # the handler's own, which on Lambda lives for ever


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Run a real uvicorn on a free port of 127.0.0.1 and give its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # a client may connect at once, and waits until uvicorn is there
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
