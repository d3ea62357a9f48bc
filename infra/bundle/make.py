"""The steps that make the bundle, in their order."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from infra.bundle.cut import cut
from infra.bundle.install import install_requirements
from infra.bundle.pack import compile_bytecode, make_uniform
from infra.bundle.sbom import write_sbom

ROOT = Path(__file__).resolve().parents[2]

CHECK = Path(__file__).with_name("check.py")

# The check's settings: start-up wants them set, and makes no call with them.
PLACEHOLDERS = {
    "COGNITO_CLIENT_ID": "placeholder",
    "COGNITO_USER_POOL_ID": "eu-west-1_placeholder",
    "AWS_REGION": "eu-west-1",
}


def make_bundle(folder: Path, arch: str | None = None, say: Callable[[str], None] = print) -> None:
    """Make the bundle in `folder`, which must be empty or not exist yet; about 15 seconds.

    On one version of Python the same sources give the same bytes, whenever and wherever it is made.
    `say` is told of each step. Raises SystemExit when one fails.
    """
    started = time.monotonic()
    say("Installing requirements.txt")
    wheels = install_requirements(ROOT / "requirements.txt", folder, arch, say)
    say("Cutting what never runs")
    cut(folder)
    write_sbom(folder, wheels, folder.with_name(f"{folder.name}.cdx.json"))
    say("Copying app/")
    ignore = shutil.ignore_patterns("__pycache__", "README.md")
    shutil.copytree(ROOT / "app", folder / "app", ignore=ignore)
    say("Compiling")
    compile_bytecode(folder, keep_sources_of="app")
    make_uniform(folder)
    if arch:
        say(f"Not tried: this machine may not run code for {arch}")
    else:
        say("Trying the bundle alone: importing app.handler, checking a token")
        check_bundle(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    say(f"Made {folder}: {size / 1e6:.1f} MB in {time.monotonic() - started:.0f} s")
    major, minor, *_ = sys.version_info
    say(f"It runs on Python {major}.{minor} alone, as bytecode is a version's own")


def check_bundle(folder: Path) -> None:
    """Run check.py on the bundle, so that a broken one never leaves the builder.

    Raises SystemExit if the handler can't be imported or a good token isn't accepted.
    """
    command = [sys.executable, "-I", "-S", "-B", str(CHECK), str(folder)]
    environment = {**PLACEHOLDERS, "PATH": os.defpath}
    if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603 (ours)
        raise SystemExit("The bundle doesn't work on its own; its error is above.")
