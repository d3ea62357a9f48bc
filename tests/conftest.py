"""The local Cognito that every test talks to over real HTTP, and a user pool of each test's own."""

import fcntl
import os
import shutil
import tempfile
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
    """Starts the app on the test's transport, for as long as a `with` block lasts."""

    def __call__(self, settings: Settings, *, team: bool = False) -> AbstractContextManager[T_co]:
        """Start it with these settings, and with the routes of support/team if asked."""


Connect = Start[httpx.Client]
Publish = Start[str]


SHARED = "TESTS_SHARED_FOLDER"
"""The variable by which the processes of one test run find what they share."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all processes of this run share.

    Not below pytest's own, where only this user may look: see `bundle_function`.
    """
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="tests-")
        Path(os.environ[SHARED]).chmod(0o755)
        config.add_cleanup(remove_shared)


def remove_shared() -> None:
    """Remove that folder, read-only parts included."""
    folder = Path(os.environ.pop(SHARED))
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def pytest_xdist_auto_num_workers() -> int:
    """How many processes run the tests: half of their time they wait for a server or a browser."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session")
def cognito() -> Iterator[LocalCognito]:
    """Return the local Cognito of this test process, on a free port."""
    with LocalCognito() as cognito:
        yield cognito


@pytest.fixture
def cognito_on_time() -> Iterator[LocalCognito]:
    """Return a local Cognito whose clock no test has moved.

    `CurrentUser` uses this machine's clock, so it refuses the tokens of a moved one.
    """
    with LocalCognito() as cognito:
        yield cognito


@pytest.fixture(scope="session")
def shipped() -> Path:
    """Make what ships, once per test run, however many processes run it: see `ship`."""
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

    A function of the bundle reads its pool from the environment when it starts, and serves many
    tests: it has one pool for all of them.
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
    """Name the transport of a test that isn't parametrized by `pytest_generate_tests`."""
    return "rest"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that connects to the app through its transports, and through the bundle.

    `@pytest.mark.transports("uvicorn", "rest")` names them; without it "rest" alone is meant.
    """
    marker = metafunc.definition.get_closest_marker("transports")
    if not marker and not {"connect", "publish"} & set(metafunc.fixturenames):
        return
    names: list[Any] = [*marker.args] if marker else ["rest"]
    if not metafunc.definition.nodeid.startswith(tuple(NOT_IN_THE_BUNDLE)):
        names.append(pytest.param(BUNDLE, marks=pytest.mark.bundle))
    metafunc.parametrize("transport", names)


@pytest.fixture
def connect(request: pytest.FixtureRequest, transport: str, watch: Watch) -> Connect:
    """Return what opens an HTTP client of the app; each answer is held against the document."""
    functions = request.getfixturevalue("functions") if transport == BUNDLE else None

    @contextmanager
    def connect(settings: Settings, *, team: bool = False) -> Iterator[httpx.Client]:
        hooks: list[Callable[[httpx.Response], object]] = [watch.see]
        if functions:
            function = functions.get(settings, team=team)
            hooks.append(lambda _: watch.lines.extend(function.new_lines()))
            function.new_lines()  # an earlier test's
            client = invoking(function.invoker)
        else:
            client = serving(make_app(settings, team=team), transport)
        with client as api:
            prefix = api.base_url.path.rstrip("/")
            if not team:
                hooks.append(lambda answer: document.check(answer, prefix))
            api.event_hooks = {"response": hooks}
            yield api

    return connect


@pytest.fixture
def publish(request: pytest.FixtureRequest, transport: str) -> Publish:
    """Return what serves the app over real HTTP, for browsers; it gives the address."""

    def publish(settings: Settings, *, team: bool = False) -> AbstractContextManager[str]:
        if transport == BUNDLE:
            functions: Functions = request.getfixturevalue("functions")
            invoker = functions.get(settings, team=team).invoker
            return serve_gateway(lambda: nullcontext(invoker), WAYS["rest"])
        app = make_app(settings, team=team)
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
