"""What Python compiles from strings when the app is imported, compiled beforehand.

Bytecode files spare a start the compilation of modules. But regular expressions, the methods of
dataclasses and named tuples, and annotations in quotes are compiled from text, which makes a start
31 % longer. infra/bundle/strings.py writes what they become to a file of the bundle, and Lambda
reads it here. Without the file, or with one of another version of Python, all is compiled as ever.
"""

import collections
import dataclasses
import marshal
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import MAGIC_NUMBER
from os.path import dirname, join
from types import CodeType
from typing import Any

FILE = join(dirname(dirname(__file__)), "strings.bin")  # noqa: PTH118, PTH120 - pathlib is slow

Pattern = Callable[[Any, int], Any]
"""Compiles a regular expression with flags."""
Source = Callable[[str, str], CodeType]
"""Compiles a source in a mode, "exec" or "eval"."""

_sre = import_module("_sre")
_re_compiler = import_module("re._compiler")

HEADER = f"{MAGIC_NUMBER!r} {_sre.MAGIC} {_sre.CODESIZE} {sys.byteorder}\n".encode()
"""How the file begins: all that the rest depends on. Python's patch releases have it in common."""


@contextmanager
def compiled_strings(file: str = FILE) -> Iterator[None]:
    """Take from the file what is in it, and compile the rest, in this block."""
    found = _read(file)
    if not found:
        yield
        return
    patterns, sources = found
    compile_pattern: Pattern = _re_compiler.compile

    def pattern(text: Any, flags: int = 0) -> Any:
        known = patterns.get((text, flags)) if isinstance(text, (str, bytes)) else None
        return _sre.compile(*known) if known else compile_pattern(text, flags)

    def source(text: str, mode: str) -> CodeType:
        return sources.get((text, mode)) or compile_source(text, mode)

    with replaced_compilers(pattern, source):
        yield


@contextmanager
def replaced_compilers(pattern: Pattern, source: Source) -> Iterator[None]:
    """Let these compile the strings of the standard library, in this block.

    A module's own name goes before Python's built-in function of the same name.
    """
    own: tuple[tuple[Any, str, Any], ...] = (
        (dataclasses, "exec", lambda text, *names: exec(source(text, "exec"), *names)),  # noqa: S102
        (collections, "eval", lambda text, *names: eval(source(text, "eval"), *names)),  # noqa: S307
        (typing, "compile", lambda text, _, mode: source(text, mode)),
    )
    compile_pattern = _re_compiler.compile
    vars(_re_compiler)["compile"] = pattern
    for module, name, function in own:
        vars(module)[name] = function
    try:
        yield
    finally:
        vars(_re_compiler)["compile"] = compile_pattern
        for module, name, _ in own:
            del vars(module)[name]


def compile_source(text: str, mode: str) -> CodeType:
    """Compile a source as Python's exec and eval do."""
    code: CodeType = compile(text, "<string>", mode, dont_inherit=True)
    return code


def _read(file: str) -> tuple[dict[Any, Any], dict[Any, CodeType]] | None:
    """Return what is in the file, or None if there is none for this Python."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - pathlib is slow
            content = opened.read()
    except FileNotFoundError:
        return None
    if content.startswith(HEADER):
        patterns, sources = marshal.loads(memoryview(content)[len(HEADER) :])  # noqa: S302 - ours
        return patterns, sources
    logs = import_module("app.logs")
    logs.configure()
    logs.logger.warning("strings.bin is of another Python, and was ignored: make the bundle anew")
    return None
