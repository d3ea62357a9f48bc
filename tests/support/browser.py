"""A real Chromium for tests: windows that reach this machine's servers and nothing else.

    window = browse("http://127.0.0.1:8000")
    window.page.goto("http://127.0.0.1:8000/docs")

Playwright is the library alone: the browser is the system's own (Debian's package `chromium`), so
nothing is downloaded. Where there is none, tests are skipped, but fail in CI.
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

# Milliseconds. Nothing waits this long on an idle machine; a busy one must not fail a test.
expect.set_options(timeout=30_000)

ARTIFACTS = Path(__file__).parents[2] / ".artifacts"
"""Where screenshots go; CI may keep the folder, git ignores it."""

WIDE = {"width": 1200, "height": 900}
NARROW = {"width": 360, "height": 740}

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_MACOS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
_FLAGS = (
    "--no-sandbox",  # its sandbox refuses root, which containers and CI often are
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Every name and address but this machine's fails, whoever asks. Not Playwright's own way,
    # page.route(): with it Chromium caches nothing, and Playwright answers CORS preflights itself.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
# Chromium's own note on any answer from 400 up, which a test sees by other means.
_STATUS_NOTE = "Failed to load resource: the server responded with a status of"


@dataclass
class Window:
    """A page in a browser profile of its own, and what was noticed about it."""

    page: Page
    servers: tuple[str, ...]
    """The origins that may be visited, such as "http://127.0.0.1:8000"."""
    requests: list[Request] = field(default_factory=list)
    """Every request, oldest first; those that never left, too. Preflights are not among them."""
    errors: list[str] = field(default_factory=list)
    """What the console showed as an error, and exceptions nobody caught. A test that wants some
    empties the list; any that is left fails the test."""

    def strays(self) -> list[str]:
        """Return the addresses asked for that are not of the servers."""
        urls = [request.url for request in self.requests]
        here = tuple(f"{server}/" for server in self.servers)
        return [url for url in urls if not url.startswith((*here, "data:", "blob:"))]

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the whole page as .artifacts/<name>.png."""
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True, animations="disabled")
        return path


Browse = Callable[..., Window]


def executable() -> str | None:
    """Return where this machine has Chromium, or Chrome, if it has."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return found or next((str(path) for path in _MACOS if path.exists()), None)


# Not for the whole session: Playwright's event loop counts as running in this thread for as long as
# the browser is open, so that no test in it could run a loop of its own.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that are a browser's: `make test ARGS="-m 'not browser'"` is without them."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return a headless Chromium, which the tests of one module share."""
    path = executable()
    if not path:
        assert not os.environ.get("CI"), "CI must have Chromium: apt-get install chromium"
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Browse]:
    """Return what opens a window onto the given servers; options go to Playwright's new_context.

    Each window has a profile of its own, with no cookie and no cache. The test fails if it asks
    another server for anything, or shows an error in its console.
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

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_STATUS_NOTE):
            window.errors.append(message.text)

    # Playwright wants functions, and takes no method of a list.
    context.on("request", lambda request: window.requests.append(request))  # noqa: PLW0108
    context.on("console", hear)
    context.on("weberror", lambda thrown: window.errors.append(str(thrown.error)))
    try:
        yield window
    finally:
        context.close()
    assert window.strays() == [], "something was asked of a server that it must not know"
    assert window.errors == []
