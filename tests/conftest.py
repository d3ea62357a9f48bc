"""The local Cognito that every test talks to over real HTTP, and a user pool of each test's own."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.settings import Settings
from infra.bundle.make import make_bundle
from infra.local.server import LocalCognito, LocalPool
from tests import document
from tests.people import Person, open_door, settings_for
from tests.watch import Watch

pytest_plugins = ["tests.browser"]


def pytest_xdist_auto_num_workers() -> int:
    """How many processes run the tests: half of their time they wait for a server or a browser."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session")
def cognito() -> Iterator[LocalCognito]:
    """Return the local Cognito of this test process, on a free port."""
    with LocalCognito() as cognito:
        yield cognito


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the bundle, once per test run, however many processes run it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / "bundle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "bundle").exists():
            shutil.rmtree(shared / "unfinished", ignore_errors=True)
            make_bundle(shared / "unfinished")
            (shared / "unfinished.cdx.json").rename(shared / "bundle.cdx.json")
            (shared / "unfinished").rename(shared / "bundle")
    return shared / "bundle"


@pytest.fixture
def pool(cognito: LocalCognito) -> LocalPool:
    """Return a fresh user pool with an app client, as the template makes them."""
    return cognito.create_pool(f"test-{uuid4()}")


@pytest.fixture
def settings(cognito: LocalCognito, pool: LocalPool) -> Settings:
    """Return the app's settings for that pool, and for one browser origin."""
    return settings_for(cognito, pool)


@pytest.fixture
def door() -> str:
    """Name the door the test comes in by; a test may ask for others by parametrizing it."""
    return "rest"


@pytest.fixture
def api(door: str, settings: Settings, watch: Watch) -> Iterator[httpx.Client]:
    """Return an HTTP client of the app, each of whose answers is held against the document."""
    with open_door(door, settings) as client:
        prefix = client.base_url.path.rstrip("/")
        hooks = [watch.see, lambda answer: document.check(answer, prefix)]
        client.event_hooks = {"response": hooks}
        yield client


@pytest.fixture
def person(api: httpx.Client, cognito: LocalCognito, watch: Watch) -> Callable[[], Person]:
    """Return what makes a new person, of whom nobody has heard."""

    def new() -> Person:
        return watch.over(Person(api, cognito.outbox.code_for))

    return new


@pytest.fixture
def ada(person: Callable[[], Person]) -> Person:
    """Return somebody who has no account yet."""
    return person()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fail the test if any of its answers or log lines holds something secret."""
    with Watch() as watch:
        yield watch
    assert watch.leaks() == []
