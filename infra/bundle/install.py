"""Install the dependencies that requirements.txt pins, and verify the hash of each file."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

# The wheels that run on each of Lambda's processors. Its images have glibc 2.34.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_GLIBCS = ("manylinux2014", "manylinux_2_28", "manylinux_2_34")
TAGS = {
    "arm64": [f"{glibc}_aarch64" for glibc in _GLIBCS],
    "x86_64": [f"{glibc}_x86_64" for glibc in _GLIBCS],
}


def install_requirements(
    requirements: Path, folder: Path, arch: str | None, say: Callable[[str], None]
) -> dict[str, str]:
    """Install what the file pins into `folder`. Return each wheel's SHA-256 by distribution name.

    `say` is called with a line for each distribution. Only wheels are installed: a source
    distribution would run its own code here, and may need a compiler. Raises SystemExit with pip's
    output.
    """
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [sys.executable, "-m", "pip", "install", "--require-hashes"]
        command += ["--only-binary=:all:", "--no-compile", "--disable-pip-version-check"]
        command += ["--progress-bar=off", "--report", report.name, "--target", str(folder)]
        for tag in TAGS.get(arch or "", []):
            command += ["--platform", tag]
        command += ["--requirement", str(requirements)]
        with subprocess.Popen(  # noqa: S603 (the command is ours)
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as pip:
            lines = []
            for line in pip.stdout or ():
                lines.append(line)
                if line.startswith("Collecting "):
                    say(f"  {line.split()[1]}")
        if pip.returncode:
            raise SystemExit(f"{''.join(lines)}\npip could not install {requirements.name}.")
        # https://pip.pypa.io/en/stable/reference/installation-report/
        return {
            canonical(one["metadata"]["name"]): one["download_info"]["archive_info"]["hashes"][
                "sha256"
            ]
            for one in json.load(report)["install"]
        }


def canonical(name: str) -> str:
    """Return the normalised form of a distribution's name.

    https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    return re.sub(r"[-_.]+", "-", name).lower()
