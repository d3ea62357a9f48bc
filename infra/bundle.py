"""Make the Lambda bundle: `python infra/bundle.py FOLDER`.

What ships is made here and nowhere else: the image's builder runs this file, and so do the tests,
which then drive the folder with the real Lambda runtime client. It needs Python's own library and
pip, no compiler and no git, and must run on the Python that the function will run on.
"""

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

TASK_ROOT = "/var/task"
"""Where Lambda puts the bundle; tracebacks name their files by it, wherever it was built."""

# The import check's settings: start-up wants them set, and makes no call with them.
PLACEHOLDERS = {
    "COGNITO_CLIENT_ID": "placeholder",
    "COGNITO_USER_POOL_ID": "eu-west-1_placeholder",
    "AWS_REGION": "eu-west-1",
}


def main() -> None:
    """Read the command line and make the bundle, one line per step on stdout.

    Raises SystemExit with one clear line when the folder isn't empty or a step fails.
    """
    parser = argparse.ArgumentParser(
        description="Make the Lambda bundle: the app, what it depends on, and their bytecode.",
        epilog="The folder is made where it doesn't exist; one that isn't empty is refused.",
    )
    parser.add_argument("folder", type=Path, help="where to put the bundle, e.g. dist/bundle")
    folder: Path = parser.parse_args().folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SystemExit(f"{folder} is not an empty folder: remove it or name another.")
    make_bundle(folder)


def make_bundle(folder: Path) -> None:
    """Make the bundle in `folder`, which must be empty or not exist yet; about 15 seconds."""
    started = time.monotonic()
    install_requirements(folder)
    _say("Copying app/")
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    drop_what_never_runs(folder)
    _say("Compiling")
    compile_bytecode(folder)
    let_everyone_read(folder)
    _say("Importing app.handler from the bundle alone")
    check_import(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    _say(f"Made {folder}: {size / 1e6:.1f} MB in {time.monotonic() - started:.0f} s")


def install_requirements(folder: Path) -> None:
    """Install what requirements.txt pins, each file checked against its hash.

    Wheels only: a source distribution would run its own code here, and may want a compiler.
    """
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--only-binary=:all:"]
    command += ["--no-compile", "--disable-pip-version-check", "--progress-bar=off"]
    command += ["--requirement", str(ROOT / "requirements.txt"), "--target", str(folder)]
    _say("Installing requirements.txt")
    with subprocess.Popen(  # noqa: S603 (the command is ours)
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        lines = []
        for line in pip.stdout or ():
            lines.append(line)
            if line.startswith("Collecting "):
                _say(f"  {line.split()[1]}")
    if pip.returncode:
        raise SystemExit(f"{''.join(lines)}\npip could not install requirements.txt.")


def drop_what_never_runs(folder: Path) -> None:
    """Remove the commands and test suites that packages bring along.

    The *.dist-info folders stay: opentelemetry, which FastAPI imports, finds its parts by the entry
    points in them, and they hold the licences, which go with every copy.
    """
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for package in folder.iterdir():
        shutil.rmtree(package / "tests", ignore_errors=True)


def compile_bytecode(folder: Path) -> None:
    """Compile every module, so that no cold start has to: on Lambda the bundle is read-only.

    The bytecode is never compared with its source (unchecked): the two can't part ways in an
    image, and times of change, which Python compares otherwise, don't survive every packaging.
    https://docs.python.org/3/library/py_compile.html#py_compile.PycInvalidationMode
    """
    compiled = compileall.compile_dir(
        folder,
        quiet=1,  # errors only
        workers=0,  # one for each processor
        stripdir=str(folder),
        prependdir=TASK_ROOT,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        raise SystemExit("A module doesn't compile; its error is above.")


def let_everyone_read(folder: Path) -> None:
    """Open every file to Lambda's user, who isn't the one that made it, whatever the umask was.

    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
    """
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def check_import(folder: Path) -> None:
    """Import the handler as Lambda will, so that a broken bundle never leaves the builder.

    The interpreter sees the standard library and the bundle, nothing else that is installed here
    (-I, -S): Lambda's base image brings a boto3 of its own, which would hide that ours is missing.
    """
    program = "import sys; sys.path.insert(0, sys.argv[1]); from app.handler import handler"
    command = [sys.executable, "-I", "-S", "-B", "-c", program, str(folder)]
    environment = {**PLACEHOLDERS, "PATH": os.defpath}
    if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603 (ours)
        raise SystemExit("app.handler can't be imported from the bundle; its error is above.")


def _say(line: str) -> None:
    # Flushed: a builder's output is a pipe, and its reader wants to see where it stands.
    print(line, flush=True)  # noqa: T201 (it is a command's output)


if __name__ == "__main__":
    main()
