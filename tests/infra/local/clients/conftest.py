"""The clients, ready to run in Node.js and in a page."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.support.pinned import npm_packages
from tests.support.transports import serve

Ask = Callable[[str, str], str]
"""Answers a question of a client: what it needs, such as "code", and for whom."""

BUNDLE = ["../node_modules/.bin/esbuild", "--bundle", "--format=esm", "--outdir=page"]
# amazon-cognito-identity-js uses Node's name for the global object. Every bundler needs this.
BUNDLE += ["--define:global=globalThis", "--log-level=error"]


@dataclass(frozen=True)
class Clients:
    """The modules beside this file, in a folder that has their packages."""

    folder: Path

    def run(
        self, module: str, function: str, settings: dict[str, str], ask: Ask | None = None
    ) -> Any:
        """Run a module's function in Node.js, and return its result."""
        command = ["node", "run.mjs", module, function, json.dumps(settings)]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=self.folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        ) as node:
            assert node.stdin
            assert node.stdout
            assert node.stderr
            for line in node.stdout:
                said = json.loads(line)
                if "result" in said:
                    return said["result"]
                assert ask
                node.stdin.write(json.dumps(ask(*said["question"])) + "\n")
                node.stdin.flush()
            raise AssertionError(node.stderr.read())

    def bundle(self, *modules: str) -> Path:
        """Bundle modules for a page, and return the folder with them."""
        files = [f"{module}.mjs" for module in modules]
        subprocess.run([*BUNDLE, *files], cwd=self.folder, check=True)
        return self.folder / "page"


@pytest.fixture(scope="session")
def clients() -> Iterator[Clients]:
    """Return copies of the modules. Node.js finds their packages in the folder above."""
    with TemporaryDirectory(dir=npm_packages()) as folder:
        for path in Path(__file__).parent.glob("*.mjs"):
            shutil.copy(path, folder)
        yield Clients(Path(folder))


@pytest.fixture(scope="module")
def site(clients: Clients) -> Iterator[str]:
    """Serve an empty page that can import the clients."""
    modules = StaticFiles(directory=clients.bundle("amazon-cognito-identity-js", "aws-amplify"))
    page = Route("/", lambda _: HTMLResponse("<!doctype html><link rel=icon href=data:>"))
    with serve(Starlette(routes=[page, Mount("/", modules)])) as url:
        yield url
