"""The steps that make the bundle, in order."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
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
STRINGS = Path(__file__).with_name("strings.py")

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
    foreign = arch is not None and not _runs_here(arch)
    wheels = _make_modules(folder, arch, say)
    write_sbom(folder, wheels, folder.with_name(f"{folder.name}.cdx.json"))
    if foreign:
        say("The same for this machine, to compile what the modules compile from strings")
        with tempfile.TemporaryDirectory() as own:
            _make_modules(Path(own), None, say)
            record_strings(Path(own), folder)
    else:
        say("Compiling what the modules compile from strings")
        record_strings(folder, folder)
    make_uniform(folder)
    if foreign:
        say(f"Not checked: this machine can't run code for {arch}")
    else:
        say("Checking the bundle: importing app.handler, verifying a token")
        check_bundle(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    say(f"Made {folder}: {size / 1e6:.1f} MB in {time.monotonic() - started:.0f} s")
    major, minor, *_ = sys.version_info
    say(f"It runs only on Python {major}.{minor}, which compiled its bytecode")


def _make_modules(folder: Path, arch: str | None, say: Callable[[str], None]) -> dict[str, str]:
    """Put the libraries and the app there, compiled, and return the wheels' hashes."""
    say("Installing requirements.txt")
    wheels = install_requirements(ROOT / "requirements.txt", folder, arch, say)
    say("Removing what never runs")
    cut(folder, aws_services())
    say("Copying app/")
    ignore = shutil.ignore_patterns("__pycache__", "README.md")
    shutil.copytree(ROOT / "app", folder / "app", ignore=ignore)
    say("Compiling")
    compile_bytecode(folder, keep_sources_of="app")
    return wheels


def aws_services() -> list[str]:
    """Return the AWS services that pyproject.toml lists, in addition to Cognito."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    services: list[str] = project["tool"]["accounts"]["aws-services"]
    return services


def _runs_here(arch: str) -> bool:
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return sys.platform == "linux" and platform.libc_ver()[0] == "glibc" and machine == arch


def record_strings(modules: Path, folder: Path) -> None:
    """Write strings.bin to `folder`, from what the handler in `modules` compiles.

    Raise SystemExit if the handler can't be imported.
    """
    command = [sys.executable, "-I", "-S", "-B", str(STRINGS), str(modules), str(folder)]
    # A set's order, and so a code object's bytes, would depend on a random seed.
    environment = {**PLACEHOLDERS, "PATH": os.defpath, "PYTHONHASHSEED": "0"}
    if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603 (ours)
        raise SystemExit("The bundle's handler can't be imported: see the error above.")


def check_bundle(folder: Path) -> None:
    """Run check.py on the bundle, so that a broken one fails the build.

    Raises SystemExit if the handler can't be imported or refuses a valid token.
    """
    command = [sys.executable, "-I", "-S", "-B", str(CHECK), str(folder)]
    environment = {**PLACEHOLDERS, "PATH": os.defpath}
    if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603 (ours)
        raise SystemExit("The bundle doesn't work on its own: see the error above.")
