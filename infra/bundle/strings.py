"""Write what app/strings.py reads: `python -I -S -B infra/bundle/strings.py MODULES FOLDER`.

This is a separate program, as check.py is, so that it sees the modules of MODULES and no others. It
imports the handler, and records what is compiled from strings meanwhile.
"""

import marshal
import sys
from importlib import import_module
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any


class Recorder(ModuleType):
    """Stands for the module `_sre`, and records what it compiles."""

    def __init__(self, real: Any) -> None:
        super().__init__("_sre")
        self._real = real
        self.compiled: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def compile(self, *parts: Any) -> Any:
        """Compile a regular expression from its parts."""
        text, flags, code, *groups = parts
        # Both hold named constants, which are a kind of int that marshal doesn't know.
        self.compiled = [text, int(flags), list(map(int, code)), *groups]
        return self._real.compile(*parts)


def main(modules: str, folder: str) -> None:
    """Import the handler from `modules`, and write strings.bin to `folder`. Raise any failure."""
    sys.path.insert(0, modules)
    (Path(modules) / "strings.bin").unlink(missing_ok=True)  # what it has would not be recorded
    strings: Any = import_module("app.strings")
    compiler: Any = import_module("re._compiler")
    compile_pattern = compiler.compile
    recorder = Recorder(import_module("_sre"))
    vars(compiler)["_sre"] = recorder
    patterns: dict[Any, list[Any]] = {}
    sources: dict[Any, CodeType] = {}

    def pattern(text: Any, flags: int = 0) -> Any:
        compiled = compile_pattern(text, flags)
        if isinstance(text, (str, bytes)):
            patterns[text, int(flags)] = recorder.compiled
        return compiled

    def source(text: str, mode: str) -> CodeType:
        code: CodeType = strings.compile_source(text, mode)
        sources[text, mode] = code
        return code

    with strings.replaced_compilers(pattern, source):
        import_module("app.handler")
    content = strings.HEADER + marshal.dumps((patterns, sources))
    (Path(folder) / "strings.bin").write_bytes(content)


if __name__ == "__main__":
    main(*sys.argv[1:])
