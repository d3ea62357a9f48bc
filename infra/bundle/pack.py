"""Turn files into the bundle: compile them, make them reproducible, and zip them if asked."""

import compileall
import os
import py_compile
import zipfile
from pathlib import Path

TASK_ROOT = "/var/task"
"""Where Lambda puts the bundle. Tracebacks show this path, wherever the bundle was built."""

_LONG_AGO = 315_532_800
"""1980-01-01, in seconds since the epoch: the earliest date that a zip can store."""


def compile_bytecode(folder: Path, *, keep_sources_of: str) -> None:
    """Compile every module, because Lambda's read-only folder keeps no bytecode between starts.

    Keep the sources of one package, ours: stacks in the log then quote them. Remove all others, a
    third of the bundle: stacks still show the file's name, the line and the function. Extension
    modules stay, because they have no bytecode.

    The bytecode is "unchecked": Python doesn't compare it with the source. The two can't differ in
    an image, and the modification times that Python compares by default don't survive every way of
    packaging.
    https://docs.python.org/3/library/py_compile.html#py_compile.PycInvalidationMode
    """
    for source in sorted(folder.rglob("*.py")):
        ours = source.relative_to(folder).parts[0] == keep_sources_of
        compiled = compileall.compile_file(
            source,
            quiet=1,  # errors only
            legacy=not ours,  # next to the source: Python ignores a lone __pycache__
            stripdir=str(folder),
            prependdir=TASK_ROOT,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        if not compiled:
            raise SystemExit("A module doesn't compile: see the error above.")
        if not ours:
            source.unlink()


def make_uniform(folder: Path) -> None:
    """Give every file the same permissions and time, so that every build is identical.

    Everyone may read the files, because Lambda's user is not the one who built them.
    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
    """
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_LONG_AGO, _LONG_AGO))


def write_zip(folder: Path, file: Path) -> None:
    """Zip the folder for Lambda. The same files give the same bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
