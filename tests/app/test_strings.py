"""Strings that are compiled beforehand: all others are compiled as ever."""

import json
import marshal
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.strings import HEADER
from infra.bundle.make import PLACEHOLDERS

ROOT = Path(__file__).parents[2]

# Compiles a string in each of the places, and prints what came of it.
COMPILES = """
import collections, dataclasses, re, typing
def compiles():
    @dataclasses.dataclass(frozen=True, order=True)
    class Point:
        x: int
        y: int = 2
    pair = collections.namedtuple("pair", "left right")
    class Annotated:
        hint: "typing.Optional[int]"
    hint = typing.get_type_hints(Annotated)["hint"]
    found = re.compile("(?P<word>a+)|b", re.IGNORECASE).fullmatch("AaA")
    return [repr(Point(1)), Point(1) < Point(2), pair(1, 2)._asdict(), str(hint), found["word"]]
def replaced():
    names = {dataclasses: "exec", collections: "eval", typing: "compile"}
    return [name for module, name in names.items() if name in vars(module)] + [
        "re"] * (re._compiler.compile.__module__ != "re._compiler")
"""


def run(program: str, *arguments: object) -> str:
    """Run a program in a new process, and return what it prints."""
    command = [sys.executable, "-W", "error", "-c", COMPILES + program, *map(str, arguments)]
    environment = PLACEHOLDERS | {"PYTHONPATH": str(ROOT), "PATH": os.defpath}
    return subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def write(file: Path, header: bytes = HEADER, patterns: object = None) -> Path:
    """Write a file of compiled strings, which knows none unless it is given patterns."""
    file.write_bytes(header + marshal.dumps((patterns or {}, {})))
    return file


def test_unknown_strings_are_compiled_as_ever(tmp_path: Path) -> None:
    """A string that isn't in the file becomes what it becomes without it."""
    usual = run("print(compiles())")
    quick = """
import sys
from app.strings import compiled_strings
with compiled_strings(sys.argv[1]):
    assert len(replaced()) == 4, replaced()
    print(compiles())
"""
    assert run(quick, write(tmp_path / "strings.bin")) == usual
    assert "'AaA'" in usual


def test_known_strings_are_taken_from_the_file(tmp_path: Path) -> None:
    """The file is believed: this one says that "a" is compiled from "b"."""
    import _sre  # noqa: PLC0415 - Python's own, private
    from re import _compiler, _parser  # noqa: PLC0415

    parsed = _parser.parse("b", 0)
    code = list(map(int, _compiler._code(parsed, 0)))  # noqa: SLF001
    assert _sre.compile("b", 32, code, 0, {}, (None,)).fullmatch("b")
    file = write(tmp_path / "strings.bin", patterns={("a", 0): ["b", 32, code, 0, {}, (None,)]})
    program = """
import sys
from app.strings import compiled_strings
with compiled_strings(sys.argv[1]):
    print(re.compile("a").pattern, re.compile(b"a").pattern)
"""
    assert run(program, file) == "b b'a'\n"


def test_nothing_stays_replaced(tmp_path: Path) -> None:
    """After the block, also if it fails, all is Python's own again."""
    program = """
import sys
from app.strings import compiled_strings
try:
    with compiled_strings(sys.argv[1]):
        raise KeyError
except KeyError:
    print(replaced())
from app.start import fast_import
with fast_import():
    pass
print(replaced())
"""
    assert run(program, write(tmp_path / "strings.bin")) == "[]\n[]\n"


@pytest.mark.parametrize("header", [b"", b"b'' 20221023 4 little\n", HEADER[:-1] + b"-endian\n"])
def test_a_file_of_another_python(tmp_path: Path, header: bytes) -> None:
    """It is ignored with one line in the log, and all is compiled as ever."""
    program = """
import sys
from app.strings import compiled_strings
with compiled_strings(sys.argv[1]):
    assert replaced() == []
    compiles()
"""
    (line,) = run(program, write(tmp_path / "strings.bin", header)).splitlines()
    told = json.loads(line)
    assert told["level"] == "WARNING"
    assert told["message"].startswith("strings.bin is of another Python, and was ignored")


def test_without_a_file(tmp_path: Path) -> None:
    """Nothing is replaced, and nothing is logged."""
    program = """
import sys
from app.strings import compiled_strings
with compiled_strings(sys.argv[1]):
    assert replaced() == []
"""
    assert run(program, tmp_path / "strings.bin") == ""
