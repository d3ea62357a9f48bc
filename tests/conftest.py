"""Fixtures: the local Cognito, a fresh user pool for each test, and the app on each transport."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import httpx
import pytest

from app.settings import Settings
from infra.local.server import LocalCognito, LocalPool
from tests.support import document
from tests.support.gateway import WAYS
from tests.support.gateway_server import serve_gateway
from tests.support.people import Person, settings_for
from tests.support.runtime_api import ship
from tests.support.transports import (
    BUNDLE,
    NOT_IN_THE_BUNDLE,
    Functions,
    handling,
    invoking,
    make_app,
    serve,
    serving,
)
from tests.support.watch import Watch

pytest_plugins = ["tests.support.browser"]


T_co = TypeVar("T_co", covariant=True)


class Start(Protocol[T_co]):
    """A function that runs the app on the test's transport for the length of a `with` block."""

    def __call__(self, settings: Settings, *, team: bool = False) -> AbstractContextManager[T_co]:
        """Start the app with these settings; `team` adds the routes of support/team."""


Connect = Start[httpx.Client]
Publish = Start[str]


SHARED = "TESTS_SHARED_FOLDER"
"""The environment variable with the folder that all processes of a test run share."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all processes of this run share.

    It isn't in pytest's own folder, which only this user can read: see `bundle_function`.
    """
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="tests-")
        Path(os.environ[SHARED]).chmod(0o755)
        config.add_cleanup(remove_shared)


def remove_shared() -> None:
    """Remove the shared folder, including its read-only parts."""
    folder = Path(os.environ.pop(SHARED))
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def pytest_xdist_auto_num_workers() -> int:
    """Run two processes per CPU: half of the time, tests wait for a server or a browser."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest tests first, or the others would be over long before them."""
    items.sort(key=lambda item: item.path.name != "test_recipes.py")


@pytest.fixture(scope="session")
def cognito() -> Iterator[LocalCognito]:
    """Return the local Cognito of this test process, on a free port."""
    with LocalCognito() as cognito:
        yield cognito


@pytest.fixture(autouse=True)
def on_time(request: pytest.FixtureRequest) -> None:
    """Let each test begin with the local Cognito's clock at the real time."""
    if "cognito" in request.fixturenames:
        request.getfixturevalue("cognito").clock.ahead = 0.0


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> Callable[[], float]:
    """Return the app's clock in this process: the local Cognito's, if the test has one.

    The bundle uses this machine's clock, so it rejects tokens from a clock that runs ahead.
    """
    if "cognito" in request.fixturenames:
        now: Callable[[], float] = request.getfixturevalue("cognito").clock.now
        return now
    return time.time


@pytest.fixture(scope="session")
def shipped() -> Path:
    """Make the bundle once per test run, for all of its processes: see `ship`."""
    shared = Path(os.environ[SHARED])
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "shipped").exists():
            shutil.rmtree(shared / "unfinished", ignore_errors=True)
            ship(shared / "unfinished")
            (shared / "unfinished").rename(shared / "shipped")
    return shared / "shipped"


@pytest.fixture(scope="session")
def bundle(shipped: Path) -> Path:
    """Return the bundle's folder."""
    return shipped / "bundle"


@pytest.fixture(scope="session")
def functions(shipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """Return the bundle's running functions, which the tests of this process share."""
    functions = Functions(shipped, tmp_path_factory.mktemp("functions"))
    yield functions
    functions.close()


@pytest.fixture(scope="session")
def shared_pool(cognito: LocalCognito) -> LocalPool:
    """Return the user pool of the functions that tests share."""
    return cognito.create_pool("shared")


@pytest.fixture
def pool(request: pytest.FixtureRequest, cognito: LocalCognito, transport: str) -> LocalPool:
    """Return a fresh user pool with an app client, as the template makes them.

    A bundle function reads its pool from the environment at start and serves many tests, so all
    tests on the bundle share one pool.
    """
    if transport == BUNDLE:
        shared: LocalPool = request.getfixturevalue("shared_pool")
        return shared
    return cognito.create_pool(f"test-{uuid4()}")


@pytest.fixture
def settings(cognito: LocalCognito, pool: LocalPool) -> Settings:
    """Return the app's settings for that pool, and for one browser origin."""
    return settings_for(cognito, pool)


@pytest.fixture
def transport() -> str:
    """Return the transport of tests that `pytest_generate_tests` doesn't parametrize."""
    return "rest"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that calls the app through its transports, and through the bundle.

    `@pytest.mark.transports("uvicorn", "rest")` names them; the default is "rest" alone.
    """
    marker = metafunc.definition.get_closest_marker("transports")
    if not marker and not {"connect", "publish"} & set(metafunc.fixturenames):
        return
    given = marker.args if marker else ["rest"]
    names: list[Any] = [*given[:1]]
    names += [pytest.param(name, marks=pytest.mark.second_transport) for name in given[1:]]
    if not metafunc.definition.nodeid.startswith(tuple(NOT_IN_THE_BUNDLE)):
        names.append(pytest.param(BUNDLE, marks=pytest.mark.bundle))
    metafunc.parametrize("transport", names)


@pytest.fixture
def connect(
    request: pytest.FixtureRequest, transport: str, clock: Callable[[], float], watch: Watch
) -> Connect:
    """Return a function that opens a client of the app and checks answers against the document."""
    functions = request.getfixturevalue("functions") if transport == BUNDLE else None

    @contextmanager
    def connect(settings: Settings, *, team: bool = False) -> Iterator[httpx.Client]:
        hooks: list[Callable[[httpx.Response], object]] = [watch.see]
        if functions:
            function = functions.get(settings, team=team)
            hooks.append(lambda _: watch.lines.extend(function.new_lines()))
            function.new_lines()  # drop the lines of an earlier test
            client = invoking(function.invoker)
        else:
            client = serving(make_app(settings, team=team, clock=clock), transport)
        with client as api:
            prefix = api.base_url.path.rstrip("/")
            if not team:
                hooks.append(lambda answer: document.check(answer, prefix))
            api.event_hooks = {"response": hooks}
            yield api

    return connect


@pytest.fixture
def publish(request: pytest.FixtureRequest, transport: str, clock: Callable[[], float]) -> Publish:
    """Return a function that serves the app over real HTTP for browsers and yields its address."""

    def publish(settings: Settings, *, team: bool = False) -> AbstractContextManager[str]:
        if transport == BUNDLE:
            functions: Functions = request.getfixturevalue("functions")
            invoker = functions.get(settings, team=team).invoker
            return serve_gateway(lambda: nullcontext(invoker), WAYS["rest"])
        app = make_app(settings, team=team, clock=clock)
        if transport == "uvicorn":
            return serve(app)
        return serve_gateway(lambda: handling(app), WAYS[transport])

    return publish


@pytest.fixture
def api(connect: Connect, settings: Settings) -> Iterator[httpx.Client]:
    """Return an HTTP client of the app."""
    with connect(settings) as client:
        yield client


@pytest.fixture
def person(api: httpx.Client, cognito: LocalCognito, watch: Watch) -> Callable[[], Person]:
    """Return a function that makes a new person, who has no account yet."""

    def new() -> Person:
        return watch.over(Person(api, cognito.outbox.code_for))

    return new


@pytest.fixture
def ada(person: Callable[[], Person]) -> Person:
    """Return a person who has no account yet."""
    return person()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fail the test if any of its answers or log lines contains a secret."""
    with Watch() as watch:
        yield watch
    assert watch.leaks() == []
