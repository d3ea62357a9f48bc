"""From files to what is shipped: bytecode, the same for everyone, and a zip if one is asked for."""

import compileall
import os
import py_compile
import zipfile
from pathlib import Path

TASK_ROOT = "/var/task"
"""Where Lambda puts the bundle; tracebacks name their files by it, wherever it was built."""

_LONG_AGO = 315_532_800
"""1980-01-01, in seconds: the first day that a zip can hold."""


def compile_bytecode(folder: Path, *, keep_sources_of: str) -> None:
    """Compile every module, so that no cold start has to: on Lambda the bundle is read-only.

    Of one package, ours, the sources stay: a stack in the log then quotes them. All others go, a
    third of the bundle; what they leave in a stack is the file's name, the line and the function.
    Only a source that was compiled is removed: an extension module beside it has no other form.

    The bytecode is never compared with its source (unchecked): the two can't part ways in an
    image, and times of change, which Python compares otherwise, don't survive every packaging.
    https://docs.python.org/3/library/py_compile.html#py_compile.PycInvalidationMode
    """
    for source in sorted(folder.rglob("*.py")):
        ours = source.relative_to(folder).parts[0] == keep_sources_of
        compiled = compileall.compile_file(
            source,
            quiet=1,  # errors only
            legacy=not ours,  # beside the source instead of in __pycache__: found without it
            stripdir=str(folder),
            prependdir=TASK_ROOT,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        if not compiled:
            raise SystemExit("A module doesn't compile; its error is above.")
        if not ours:
            source.unlink()


def make_uniform(folder: Path) -> None:
    """Give every file the same rights and time, whoever made it, with whatever umask, whenever.

    Everyone may read: Lambda's user isn't the one that made it.
    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
    """
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_LONG_AGO, _LONG_AGO))


def write_zip(folder: Path, file: Path) -> None:
    """Pack the folder as Lambda takes it. The same files give the same bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
