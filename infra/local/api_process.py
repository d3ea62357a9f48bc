"""The API's process: started with the local Cognito, and ended with everything it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local import readiness
from infra.local.ports import StartupError
from infra.local.threaded_server import HOST

ROOT = Path(__file__).parents[2]

# Importing boto3 from a cold disk takes most of it.
START_TIMEOUT = 60  # seconds
STOP_TIMEOUT = 8  # seconds


@contextmanager
def api_process(number: int, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the API for the length of a `with` block."""
    api = subprocess.Popen(  # noqa: S603 - this very Python, and a number
        [sys.executable, "-m", "infra.local.api", str(number)],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.PIPE,
        # Keep the terminal's Ctrl-C from reaching the child, which would be stopped twice.
        start_new_session=True,
    )
    try:
        yield api
    finally:
        api.terminate()
        try:
            api.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            pass
        finally:
            kill_group(api.pid)
            api.wait()
            if api.stdin:
                api.stdin.close()


def kill_group(leader: int) -> None:
    """Kill the rest of a process group, such as a uvicorn worker that outlived its parent."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # every process has ended, as it should


def wait_until_ready(api: subprocess.Popen[bytes], number: int) -> None:
    """Return once the API answers. Raises StartupError if it ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if api.poll() is not None:
            raise StartupError(f"the API could not start (exit code {api.returncode}); see above")
        if readiness.is_ready(f"http://{HOST}:{number}"):
            return
        time.sleep(0.1)
    raise StartupError(f"the API did not answer on port {number} within {START_TIMEOUT} s")
