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
from infra.local.pool.user_pool import REGION
from infra.local.ports import StartupError
from infra.local.stack import LocalPool
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


def api_environment(pool: LocalPool, url: str, origins: list[str]) -> dict[str, str]:
    """Return the caller's environment, with every Cognito setting replaced by the local one.

    `origins` are added to the origins that the caller allows. Without such a list, the API allows
    every page of this machine: see api.py.
    """
    allowed = os.environ.get("ALLOWED_ORIGINS")
    return {
        **os.environ,
        **({} if allowed is None else {"ALLOWED_ORIGINS": ",".join([allowed, *origins])}),
        "COGNITO_CLIENT_ID": pool.client_id,
        "COGNITO_USER_POOL_ID": pool.user_pool_id,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url,
        "AWS_ENDPOINT_URL": url,
        # DynamoDB and S3 here accept any credentials.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        **pool.variables,
        "COGNITO_DOMAIN_URL": url if pool.google else "",
        "COGNITO_JWKS_URL": f"{url}/{pool.user_pool_id}/.well-known/jwks.json",
        # Ignore the developer's AWS profile and proxy.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": HOST,
        "no_proxy": HOST,
    }
