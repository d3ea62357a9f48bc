"""Pinned tools that aren't in the environment of the tests: npm packages, and the AWS CLI.

Each is installed once, into .clients_cache/, by whichever process of the tests needs it first. It
is installed again only when its pins change. Without a way to install it, tests are skipped; in CI
they fail.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".clients_cache"
CLIENTS = ROOT / "tests/infra/local/clients"

# No package's script runs: esbuild's only makes its start faster.
NPM = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
NPM += ["--loglevel", "error"]
UV = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]


def npm_packages() -> Path:
    """Return the folder whose node_modules has what package-lock.json pins."""
    if not shutil.which("npm"):
        assert not os.environ.get("CI"), "CI must have npm: apt-get install npm"
        pytest.skip("npm is not installed")
    return _installed("npm", NPM, CLIENTS / "package-lock.json", CLIENTS / "package.json")


def aws_cli() -> Path:
    """Return the folder of the AWS CLI that requirements.txt pins.

    Version 1, as PyPI doesn't have version 2. The calls to Cognito are the same. It is in a folder
    of its own because its dependencies differ from ours.
    """
    pins = CLIENTS / "requirements.txt"
    command = [*UV, "--target", ".", "--require-hashes", "--requirement", pins.name]
    return _installed(f"aws-{sys.version_info.major}.{sys.version_info.minor}", command, pins)


def _installed(name: str, command: list[str], pins: Path, *others: Path) -> Path:
    """Return a folder in which a command has installed what the pins say."""
    CACHE.mkdir(exist_ok=True)
    folder, made_from = CACHE / name, CACHE / f"{name}.pins"
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made_from.exists() or made_from.read_bytes() != pins.read_bytes():
            made_from.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for path in (pins, *others):
                shutil.copy(path, folder)
            _run(command, folder)
            shutil.copy(pins, made_from)
    return folder


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"this machine can't install {folder.name}: {done.stderr[:200]}")
    assert done.returncode == 0, done.stderr
