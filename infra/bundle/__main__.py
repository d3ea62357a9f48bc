"""Make the Lambda bundle: `python -m infra.bundle FOLDER`."""

import argparse
from pathlib import Path

from infra.bundle.install import TAGS
from infra.bundle.make import make_bundle
from infra.bundle.pack import write_zip


def main() -> None:
    """Parse the command line and make the bundle. Print one line per step.

    Raises SystemExit with a clear message if the folder isn't empty or a step fails.
    """
    parser = argparse.ArgumentParser(
        prog="python -m infra.bundle",
        description="Make the Lambda bundle: the app, its dependencies, and their bytecode. "
        "A bill of materials is written next to it, as FOLDER.cdx.json.",
        epilog="FOLDER must be empty or not exist yet. Run this on the minor version of Python "
        "that the function uses.",
    )
    parser.add_argument("folder", type=Path, help="where to put the bundle, e.g. dist/bundle")
    parser.add_argument("--zip", type=Path, metavar="FILE", help="also pack it into this zip file")
    parser.add_argument(
        "--arch",
        choices=sorted(TAGS),
        help="build for this processor instead of this machine's",
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
    # Flushed, because an image builder reads a pipe, and should show each step as it happens.
    print(line, flush=True)  # noqa: T201 (it is a command's output)


if __name__ == "__main__":
    main()
