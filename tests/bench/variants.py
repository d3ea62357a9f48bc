"""The variants to measure: this service, and the peers that people usually write instead.

A peer's source is a folder of tests/bench/peers/; its packages come from the registry. All variants
use the versions of boto3 and pydantic in requirements.txt.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.bundle.make import make_bundle

ROOT = Path(__file__).parents[2]
ROUTES = ("sign-up", "confirm", "sign-in")
"""The calls of a person's first visit, in this order."""


@dataclass(frozen=True, eq=False)
class Peer:
    """A way to write the service."""

    folder: str
    name: str
    requirements: tuple[str, ...] = ("boto3",)
    handler: str = "main.handler"
    handlers: Mapping[str, str] = field(default_factory=dict)
    """The handlers of separate functions, by route. If empty, `handler` answers every route."""

    @property
    def functions(self) -> list[tuple[str, list[str]]]:
        """Each function's handler, and the routes that it answers."""
        if self.handlers:
            return [(handler, [route]) for route, handler in self.handlers.items()]
        return [(self.handler, list(ROUTES))]


SEPARATE = {route: f"{route.replace('-', '_')}.handler" for route in ROUTES}
OURS = Peer("", "this service", handler="app.handler.handler")
FLOOR = Peer("floor", "nothing at all", requirements=())
PLAIN_CALL = Peer("plain_call", "three functions, client per call", handlers=SEPARATE)
PLAIN_MODULE = Peer("plain_module", "three functions, module client", handlers=SEPARATE)
POWERTOOLS = Peer("powertools", "Powertools", ("aws-lambda-powertools", "pydantic", "boto3"))
FASTAPI = Peer("fastapi_usual", "FastAPI + Mangum", ("fastapi", "mangum", "boto3"))
CHALICE = Peer("chalice", "Chalice", handler="main.app")
PEERS = (PLAIN_CALL, PLAIN_MODULE, POWERTOOLS, FASTAPI, CHALICE)


@dataclass(frozen=True, eq=False)
class Variant:
    """A peer built with bytecode, or without it, as most tools deploy."""

    peer: Peer
    bytecode: bool
    folder: Path

    def __str__(self) -> str:
        return self.peer.name + ("" if self.bytecode else ", no bytecode")


def build_all(folder: Path, say: Callable[[str], None]) -> Iterator[Variant]:
    """Empty the folder. Build this service in it, then each peer with and without bytecode."""
    shutil.rmtree(folder, ignore_errors=True)
    make_bundle(folder / "ours", say=say)
    yield Variant(OURS, bytecode=True, folder=folder / "ours")
    yield build(FLOOR, folder / "floor", bytecode=True)
    for peer in PEERS:
        yield build(peer, folder / peer.folder, bytecode=False)
        yield build(peer, folder / f"{peer.folder}-bytecode", bytecode=True)


def build(peer: Peer, folder: Path, *, bytecode: bool) -> Variant:
    """Build a peer as its users do, with its requirements installed beside its source."""
    shutil.copytree(ROOT / "tests/bench/peers" / peer.folder, folder)
    if peer.requirements:
        install(peer.requirements, folder)
    if peer is CHALICE:
        # `chalice package` bundles only these two files of Chalice, without its dependencies.
        # https://github.com/aws/chalice/blob/master/chalice/deploy/packager.py
        install(("chalice", "--no-deps"), folder / "whole")
        (folder / "chalice").mkdir()
        for file in ("__init__.py", "app.py"):
            shutil.copy(folder / "whole/chalice" / file, folder / "chalice")
        shutil.rmtree(folder / "whole")
    if bytecode:
        command = [sys.executable, "-m", "compileall", "-q", "-j", "0"]
        command += ["--invalidation-mode", "unchecked-hash", str(folder)]
        subprocess.run(command, check=True)
    return Variant(peer, bytecode, folder)


def install(requirements: tuple[str, ...], folder: Path) -> None:
    """Install packages from the registry, in the versions that the requirement files pin."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]
    command += ["--target", str(folder), "--constraint", str(ROOT / "requirements-bench.txt")]
    subprocess.run([*command, *requirements], check=True)
