"""Make the Lambda bundle: `python -m infra.bundle FOLDER`."""

import argparse
from pathlib import Path

from infra.bundle.install import TAGS
from infra.bundle.make import make_bundle
from infra.bundle.pack import write_zip


def main() -> None:
    """Read the command line and make the bundle, one line per step on stdout.

    Raises SystemExit with one clear line when the folder isn't empty or a step fails.
    """
    parser = argparse.ArgumentParser(
        prog="python -m infra.bundle",
        description="Make the Lambda bundle: the app, what it depends on, and their bytecode. "
        "Beside FOLDER it puts a bill of materials, FOLDER.cdx.json.",
        epilog="The folder is made where it doesn't exist; one that isn't empty is refused. It "
        "must run on the minor version of Python that the function will run on.",
    )
    parser.add_argument("folder", type=Path, help="where to put the bundle, e.g. dist/bundle")
    parser.add_argument("--zip", type=Path, metavar="FILE", help="pack it into this file, too")
    parser.add_argument(
        "--arch",
        choices=sorted(TAGS),
        help="for this processor instead of this machine's, which then can't try what it made",
    )
    given = parser.parse_args()
    folder: Path = given.folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SystemExit(f"{folder} is not an empty folder: remove it or name another.")
    make_bundle(folder, given.arch, _say)
    if given.zip:
        _say(f"Packing {given.zip}")
        write_zip(folder, given.zip)
        _say(f"Packed {given.zip}: {given.zip.stat().st_size / 1e6:.1f} MB")


def _say(line: str) -> None:
    # Flushed: a builder's output is a pipe, and its reader wants to see where it stands.
    print(line, flush=True)  # noqa: T201 (it is a command's output)


if __name__ == "__main__":
    main()
