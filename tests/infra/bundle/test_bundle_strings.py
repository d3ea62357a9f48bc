"""The bundle's compiled strings are what this Python compiles, and a start needs few others."""

import _sre
import marshal
import re
import subprocess
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from app.strings import HEADER, compile_source
from infra.bundle.make import PLACEHOLDERS

# Prints who compiles a string while the handler is imported.
WATCH = """
import sys
found = []
def hook(event, arguments):
    if event == "compile" and arguments[0] is not None:
        found.append(sys._getframe(1).f_code.co_filename.rpartition("/")[2])
import re._compiler
code = re._compiler._code
re._compiler._code = lambda *parts: [found.append("re"), code(*parts)][1]
sys.addaudithook(hook)
import app.handler
print(*found)
"""


@pytest.fixture(scope="module")
def strings(bundle: Path) -> tuple[dict[Any, Any], dict[Any, CodeType]]:
    """Return the patterns and sources in the bundle's file."""
    content = (bundle / "strings.bin").read_bytes()
    assert content.startswith(HEADER)
    patterns, sources = marshal.loads(content[len(HEADER) :])  # noqa: S302 - our own file
    assert len(patterns) > 100
    assert len(sources) > 200  # since Python 3.13, one for each dataclass, not for each method
    return patterns, sources


def test_every_pattern_is_what_python_compiles(strings: tuple[dict[Any, Any], Any]) -> None:
    """Two patterns are equal if their code, flags and text are."""
    for (text, flags), parts in strings[0].items():
        fresh = re.compile(text, flags)
        compiled = _sre.compile(*parts)
        assert compiled == fresh, text
        assert (compiled.groups, compiled.groupindex) == (fresh.groups, fresh.groupindex)


def test_every_source_is_what_python_compiles(strings: tuple[Any, dict[Any, CodeType]]) -> None:
    """Two code objects are equal if their instructions, constants and names are."""
    for (text, mode), code in strings[1].items():
        assert code == compile_source(text, mode), text


def test_a_start_compiles_few_strings(bundle: Path) -> None:
    """None of dataclasses, annotations and regular expressions, but a few of other modules."""
    command = [sys.executable, "-I", "-S", "-B", "-c"]
    command += [f"import sys; sys.path.insert(0, {str(bundle)!r})\n{WATCH}"]
    printed = subprocess.run(
        command, env=PLACEHOLDERS, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()
    assert "dataclasses.py" not in printed
    assert "typing.py" not in printed
    assert printed.count("strings.py") + printed.count("re") < 20
