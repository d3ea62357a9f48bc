"""`make package`, without making the bundle, which tests/infra/bundle/ does."""

import re
import subprocess
import sys
from difflib import unified_diff
from pathlib import Path

import pytest

from infra.package import RUNTIME, check_python, zip_template

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "infra/template.yaml").read_text()


def test_the_zip_is_made_for_the_python_of_the_image() -> None:
    """Both run the same bytecode."""
    (version,) = set(re.findall(r"lambda/python:(\S+)", (ROOT / "Dockerfile").read_text()))
    assert f"python{version}" == RUNTIME


def test_another_python_is_refused() -> None:
    """The message names the command to type."""
    check_python((3, 13))
    for version in ((3, 11), (3, 14)):
        with pytest.raises(SystemExit) as refused:
            check_python(version)
        assert str(refused.value) == (
            f"The function runs on python3.13, and this is python{version[0]}.{version[1]}, whose "
            "bytecode it can't read. Use: make package PYTHON=python3.13 VENV=.venv-3.13"
        )


@pytest.mark.skipif(sys.version_info[:2] == (3, 13), reason="it would make the bundle")
def test_nothing_is_made_with_another_python() -> None:
    """The command ends before it writes a zip that would not run."""
    command = [sys.executable, "-m", "infra.package", "--arch", "x86_64"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The function runs on python3.13, and this is python3.")


def test_the_template_differs_in_these_lines_only() -> None:
    """There is one template to keep by hand."""
    after = zip_template(TEMPLATE, "x86_64")
    lines = unified_diff(TEMPLATE.splitlines(), after.splitlines(), n=0)
    added = [line[1:].strip() for line in lines if line.startswith("+ ")]
    beside = ("Properties:", "Type: String")  # next to changed lines
    assert [line for line in added if line not in beside] == [
        "Default: x86_64",
        "AllowedValues: [x86_64]",
        "Description: Whether the function starts from a snapshot",
        "Default: 'true'",
        "PackageType: Zip",
        "Runtime: python3.13",
        "Handler: app.handler.handler",
        "CodeUri: bundle.zip",
    ]


def test_the_template_must_have_the_lines() -> None:
    """A renamed or doubled line would be left as it is, unnoticed."""
    for broken in (TEMPLATE.replace("PackageType: Image", ""), TEMPLATE + TEMPLATE):
        with pytest.raises(SystemExit, match=r"^For the zip, infra/template.yaml must have"):
            zip_template(broken, "arm64")
