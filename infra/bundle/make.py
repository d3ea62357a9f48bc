"""The steps that make the bundle, in order."""

import os
import platform
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from infra.bundle.cut import cut
from infra.bundle.install import install_requirements
from infra.bundle.pack import compile_bytecode, make_uniform
from infra.bundle.sbom import write_sbom

ROOT = Path(__file__).resolve().parents[2]

CHECK = Path(__file__).with_name("check.py")

# Settings for the check. Start-up requires them, but makes no call with them.
PLACEHOLDERS = {
    "COGNITO_CLIENT_ID": "placeholder",
    "COGNITO_USER_POOL_ID": "eu-west-1_placeholder",
    "AWS_REGION": "eu-west-1",
}


def make_bundle(folder: Path, arch: str | None = None, say: Callable[[str], None] = print) -> None:
    """Make the bundle in `folder`, which must be empty or not exist yet. Takes about 15 seconds.

    With the same version of Python, the same sources always give the same bytes, on any machine.
    `say` is called with a line for each step. Raises SystemExit if a step fails.
    """
    started = time.monotonic()
    say("Installing requirements.txt")
    wheels = install_requirements(ROOT / "requirements.txt", folder, arch, say)
    say("Removing what never runs")
    cut(folder, aws_services())
    write_sbom(folder, wheels, folder.with_name(f"{folder.name}.cdx.json"))
    say("Copying app/")
    ignore = shutil.ignore_patterns("__pycache__", "README.md")
    shutil.copytree(ROOT / "app", folder / "app", ignore=ignore)
    say("Compiling")
    compile_bytecode(folder, keep_sources_of="app")
    make_uniform(folder)
    if arch and not _runs_here(arch):
        say(f"Not checked: this machine can't run code for {arch}")
    else:
        say("Checking the bundle: importing app.handler, verifying a token")
        check_bundle(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    say(f"Made {folder}: {size / 1e6:.1f} MB in {time.monotonic() - started:.0f} s")
    major, minor, *_ = sys.version_info
    say(f"It runs only on Python {major}.{minor}, which compiled its bytecode")


def aws_services() -> list[str]:
    """Return the AWS services that pyproject.toml lists, in addition to Cognito."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    services: list[str] = project["tool"]["accounts"]["aws-services"]
    return services


def _runs_here(arch: str) -> bool:
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return sys.platform == "linux" and platform.libc_ver()[0] == "glibc" and machine == arch


def check_bundle(folder: Path) -> None:
    """Run check.py on the bundle, so that a broken one fails the build.

    Raises SystemExit if the handler can't be imported or refuses a valid token.
    """
    command = [sys.executable, "-I", "-S", "-B", str(CHECK), str(folder)]
    environment = {**PLACEHOLDERS, "PATH": os.defpath}
    if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603 (ours)
        raise SystemExit("The bundle doesn't work on its own: see the error above.")
