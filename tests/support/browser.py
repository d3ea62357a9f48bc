"""A real Chromium for tests, whose windows can reach only servers on this machine.

    window = browse("http://127.0.0.1:8000")
    window.page.goto("http://127.0.0.1:8000/docs")

Playwright drives the system's own browser, so nothing is downloaded: Debian's `chromium`, or
`chromium-headless-shell`, which is the same without windows, and takes less time.
Without a browser, these tests are skipped; in CI they fail.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

# Milliseconds. This is far more than an idle machine needs, so that a busy one fails no test.
expect.set_options(timeout=30_000)

ARTIFACTS = Path(__file__).parents[2] / ".artifacts"
"""The folder for screenshots. Git ignores it; CI may keep it."""

WIDE = {"width": 1200, "height": 900}
NARROW = {"width": 360, "height": 740}

FOREIGN = "foreign.test"
"""A host that the browser finds on this machine, and that counts as a site elsewhere."""

SITE = "site.test"
"""A site whose hosts, such as app.site.test, the browser finds on this machine."""

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_MACOS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
_FOUND = f"MAP {FOREIGN} 127.0.0.1, MAP *.{SITE} 127.0.0.1"
_FLAGS = (
    "--no-sandbox",  # the sandbox refuses to run as root, as containers and CI often do
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a microphone,
    "--use-fake-ui-for-media-stream",  # and a permission that the headless shell can't ask for
    # Block every host but this machine. Playwright's page.route() won't do: it turns off Chromium's
    # cache, and Playwright then answers CORS preflights itself.
    f"--host-resolver-rules={_FOUND}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
# Chromium logs this for every answer from 400 up. Tests check statuses in other ways.
_STATUS_NOTE = "Failed to load resource: the server responded with a status of"


@dataclass
class Window:
    """A page with its own browser profile, its requests and its errors."""

    page: Page
    servers: tuple[str, ...]
    """The origins that the page may call, such as "http://127.0.0.1:8000"."""
    requests: list[Request] = field(default_factory=list)
    """Every request except preflights, oldest first, including those that were blocked."""
    errors: list[str] = field(default_factory=list)
    """Console errors and uncaught exceptions. Any that are left fail the test, so a test that
    expects errors clears the list."""

    def strays(self) -> list[str]:
        """Return the requested URLs that don't belong to `servers`."""
        urls = [request.url for request in self.requests]
        here = tuple(f"{server}/" for server in self.servers)
        return [url for url in urls if not url.startswith((*here, "data:", "blob:"))]

    def screenshot(self, name: str) -> Path:
        """Save a screenshot of the whole page as .artifacts/<name>.png."""
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True, animations="disabled")
        return path


Browse = Callable[..., Window]


def executable() -> str | None:
    """Return the path of Chromium or Chrome, or None if neither is installed."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return found or next((str(path) for path in _MACOS if path.exists()), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark browser tests, so that `make test ARGS="-m 'not browser'"` leaves them out."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


# Not for the whole session: while the browser is open, Playwright's event loop counts as running in
# this thread, so no test in the thread could run its own loop.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return a headless Chromium, shared by the tests of one module."""
    path = executable()
    if not path:
        assert not os.environ.get("CI"), "CI must have Chromium: see .ci/run"
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Browse]:
    """Return a function that opens a window for the given servers.

    Options go to Playwright's new_context. Each window has its own profile, without cookies or
    cache. The test fails if a window calls another server or shows an error in its console.
    """
    with ExitStack() as stack:

        def open_window(*servers: str, **options: Any) -> Window:
            return stack.enter_context(_window(chromium, servers, options))

        yield open_window


@contextmanager
def _window(
    chromium: Browser, servers: tuple[str, ...], options: dict[str, Any]
) -> Iterator[Window]:
    options = {"viewport": WIDE, "locale": "en-GB", "reduced_motion": "reduce"} | options
    context = chromium.new_context(**options)
    window = Window(context.new_page(), servers)

    def note_error(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_STATUS_NOTE):
            window.errors.append(message.text)

    # Playwright needs a function and doesn't accept a list's method.
    context.on("request", lambda request: window.requests.append(request))  # noqa: PLW0108
    context.on("console", note_error)
    context.on("weberror", lambda thrown: window.errors.append(str(thrown.error)))
    try:
        yield window
    finally:
        context.close()
    assert window.strays() == [], "the page called servers that it may not call"
    assert window.errors == []
