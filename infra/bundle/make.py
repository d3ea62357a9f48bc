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

# The import check's settings: start-up wants them set, and makes no call with them.
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
    write_sbom(folder, wheels, folder.with_name(f"{folder.name}.cdx.json"))
    say("Cutting what never runs")
    cut(folder)
    say("Copying app/")
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    say("Compiling")
    compile_bytecode(folder, keep_sources_of="app")
    make_uniform(folder)
    if arch:
        say(f"Not imported: this machine may be no {arch}")
    else:
        say("Importing app.handler from the bundle alone")
        check_import(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    say(f"Made {folder}: {size / 1e6:.1f} MB in {time.monotonic() - started:.0f} s")
    major, minor, *_ = sys.version_info
    say(f"It runs on Python {major}.{minor} alone, as bytecode is a version's own")


def check_import(folder: Path) -> None:
    """Import the handler as Lambda will, so that a broken bundle never leaves the builder.

    The interpreter sees the standard library and the bundle, nothing else that is installed here
    (-I, -S): Lambda's base image brings a boto3 of its own, which would hide that ours is missing.
    """
    program = "import sys; sys.path.insert(0, sys.argv[1]); from app.handler import handler"
    command = [sys.executable, "-I", "-S", "-B", "-c", program, str(folder)]
    environment = {**PLACEHOLDERS, "PATH": os.defpath}
    if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603 (ours)
        raise SystemExit("app.handler can't be imported from the bundle; its error is above.")
