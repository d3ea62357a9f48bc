"""Fixtures that serve the APIs and domains that the doctor checks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from starlette.types import ASGIApp

from app.main import create_app
from app.settings import Settings
from tests.support.transports import serve

Served = Callable[[ASGIApp | Settings], str]


@pytest.fixture
def served() -> Iterator[Served]:
    """Return a function that serves an app, or the API with settings, until the test ends."""
    with ExitStack() as stack:

        def start(app: ASGIApp | Settings) -> str:
            served = create_app(app) if isinstance(app, Settings) else app
            return stack.enter_context(serve(served))

        yield start


@pytest.fixture
def url(served: Served, settings: Settings) -> str:
    """Serve the API for this test's own user pool."""
    return served(settings)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give boto3 credentials, and no configuration of this machine."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
