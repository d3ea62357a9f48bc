"""Lambda's Runtime API for tests, and the real runtime client started against it.

    with lambda_function(folder, environment, output=log) as function:
        answer = function.invoke(event)

On Lambda each execution environment is one process of the runtime client (`awslambdaric` for
Python), which asks this HTTP API for the next event and posts the handler's answer back.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self

import pytest

from infra.bundle.make import make_bundle

HANDLER = "app.handler.handler"
_API = "/2018-06-01/runtime"
_FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:auth"


class FunctionFailedError(Exception):
    """A function that died, answered an error or timed out; the message has all of its output."""


@dataclass(frozen=True)
class _Invocation:
    """One event on its way to the runtime client."""

    body: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class RuntimeApi(ThreadingHTTPServer):
    """The Runtime API of one execution environment, on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.events: SimpleQueue[_Invocation | None] = SimpleQueue()
        """The events for GET …/next; None ends a waiting request at shutdown."""
        self.outcomes: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
        """The path that each answer was posted to (after /runtime), or "exit", and its body."""
        self.handed_out = 0.0
        """When the last event was sent."""
        self.took = 0.0
        """The seconds from then until its answer."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.events.put(None)
        self.shutdown()
        self.server_close()

    @property
    def address(self) -> str:
        """host:port, in the form of AWS_LAMBDA_RUNTIME_API."""
        return "{}:{}".format(*self.server_address)

    def handle_error(self, *_: object) -> None:
        """Print nothing when a runtime client is killed in the middle of a request, as all are."""


class _Requests(BaseHTTPRequestHandler):
    """A handler of the runtime client's requests."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes. With Nagle's algorithm, the body would wait 40 ms for an ACK.
    disable_nagle_algorithm = True
    server: RuntimeApi

    def do_GET(self) -> None:
        """Answer with the next event, however long it takes to arrive."""
        # Lambda gets this request once, before the snapshot, and answers it after the restore.
        if self.path == f"{_API}/restore/next":
            self._answer(200)
            return
        if self.path != f"{_API}/invocation/next":
            self._answer(404)
            return
        if (invocation := self.server.events.get()) is None:
            self.close_connection = True
            return
        self.server.handed_out = time.perf_counter()
        self._answer(
            200,
            invocation.body,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
                "Lambda-Runtime-Invoked-Function-Arn": _FUNCTION,
                "Lambda-Runtime-Trace-Id": "Root=1-6576e8f2-5154ea582e4ab0335f52fefe;Sampled=0",
            },
        )

    def do_POST(self) -> None:
        """Record an answer or an error: …/invocation/<id>/response, …/<id>/error, …/init/error."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.took = time.perf_counter() - self.server.handed_out
        self.server.outcomes.put((self.path.removeprefix(_API), body))
        self._answer(202, b'{"status":"OK"}')

    def _answer(
        self, status: int, body: bytes = b"{}", headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test run quiet."""


class LambdaFunction:
    """One running execution environment."""

    def __init__(self, api: RuntimeApi, process: subprocess.Popen[bytes], output: Path) -> None:
        self._api = api
        self._process = process
        self._output = output
        self._read = 0
        # As on Lambda, an execution environment serves one request at a time.
        self._in_line = threading.Lock()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def took(self) -> float:
        """The last invocation's duration in seconds, from sending its event to its answer."""
        return self._api.took

    @property
    def output(self) -> str:
        """The stdout and stderr of the function so far, as CloudWatch would have them.

        A request's lines are here once its answer has arrived.
        """
        return self._output.read_text(errors="replace")

    def new_lines(self) -> list[str]:
        """Return the lines written since the last call."""
        with self._output.open("rb") as output:
            output.seek(self._read)
            written = output.read()
        self._read += len(written)
        return written.decode(errors="replace").splitlines()

    def invoke(self, event: object, *, within: float = 30) -> dict[str, Any]:
        """Send an event and return the handler's answer.

        Raises FunctionFailedError if the process ends, answers an error, or doesn't answer in
        `within` seconds.
        """
        invocation = _Invocation(json.dumps(event).encode())
        with self._in_line:
            self._api.events.put(invocation)
            path, body = self._outcome(within)
        if path != f"/invocation/{invocation.id}/response":
            raise self._failed(f"{path}: {body.decode()}")
        answer: dict[str, Any] = json.loads(body)
        return answer

    def invoker(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        """Invoke the function as if it were the handler itself."""
        return self.invoke(event)

    def exit_status(self, *, within: float = 30) -> int:
        """Wait for the process to end by itself, and return its exit status.

        Raises FunctionFailedError if it still runs after `within` seconds.
        """
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise self._failed(f"still running after {within} s") from None

    def _outcome(self, within: float) -> tuple[str, bytes]:
        try:
            return self._api.outcomes.get(timeout=within)
        except Empty:
            raise self._failed(f"no answer after {within} s") from None

    def _failed(self, what: str) -> FunctionFailedError:
        return FunctionFailedError(f"{what}\nThe function wrote:\n{self.output or '(nothing)'}")


def require_runtime_client() -> None:
    """Skip the test if the runtime client isn't installed: it supports only Linux.

    If the variable CI is "true", fail instead, so that CI can't pass without these tests.
    """
    if importlib.util.find_spec("awslambdaric"):
        return
    missing = "awslambdaric, the Lambda runtime client, is not installed: it is for Linux only"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def runtime_client_alone(folder: Path) -> Path:
    """Copy the runtime client and its dependencies, which Lambda's image adds, into `folder`."""
    require_runtime_client()
    folder.mkdir(parents=True)
    needed = importlib.metadata.requires("awslambdaric") or []
    for name in ["awslambdaric", *(re.split(r"[^\w.-]", line)[0] for line in needed)]:
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            source = Path(str(distribution.locate_file(top)))
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, folder / top)
    (folder / "bootstrap.py").write_text(_BOOTSTRAP)
    return folder


def bundle_function(
    shipped: Path,
    environment: Mapping[str, str],
    *,
    output: Path,
    handler: str = HANDLER,
    within: Sequence[str] = (),
) -> AbstractContextManager["LambdaFunction"]:
    """Run a handler of the bundle as Lambda does, with nothing else to import.

    `shipped` is the folder that `ship` made. The interpreter ignores the environment, the working
    folder and every site-packages (-I, -S), and can't write to the bundle. `within` is a command
    that runs the interpreter, such as valgrind.
    """
    python = str(Path(sys.executable).resolve())  # not the virtual environment's
    return lambda_function(
        shipped / "bundle",
        environment,
        output=output,
        handler=handler,
        command=[
            *_unprivileged(),
            *within,
            python,
            "-I",
            "-S",
            "-B",
            f"{shipped}/runtime/bootstrap.py",
        ],
    )


def ship(folder: Path) -> None:
    """Make the bundle and, beside it, the runtime client and a team's routes."""
    runtime_client_alone(folder / "runtime")
    shutil.copytree(Path(__file__).parent / "team", folder / "runtime", dirs_exist_ok=True)
    make_bundle(folder / "bundle")
    if os.geteuid() != 0:  # for root, functions run as `nobody`, who can't write root's files
        for path in (folder / "bundle").rglob("*"):
            path.chmod(path.stat().st_mode & ~0o222)


_BOOTSTRAP = """\
import os, sys
sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], os.path.dirname(__file__)]
from awslambdaric.__main__ import main
main(sys.argv)
"""


def _unprivileged() -> list[str]:
    """Return the command that runs another one as `nobody`, if this process runs as root.

    On Lambda the bundle is read-only, but root could write to it. If only root can read the
    interpreter's folder, such as one below /root, CAP_DAC_READ_SEARCH lets `nobody` read it.
    """
    if os.geteuid() != 0:
        return []
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    interpreter = Path(sys.executable).resolve()
    if any(not folder.stat().st_mode & 0o001 for folder in interpreter.parents):
        command += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return command


@contextmanager
def lambda_function(
    folder: Path,
    environment: Mapping[str, str],
    *,
    output: Path,
    handler: str = HANDLER,
    command: Sequence[str] = (sys.executable, "-m", "awslambdaric"),
) -> Iterator[LambdaFunction]:
    """Run the handler of `folder` under the real runtime client, until the block ends.

    Its environment has Lambda's own variables and `environment`, but none of this process's. Its
    output goes to the file `output`. `command` starts the runtime client.
    Without the runtime client, skip or fail the test: see `require_runtime_client`.
    """
    require_runtime_client()
    with RuntimeApi() as api, output.open("wb") as log:
        variables = _lambda_variables(folder, handler, api.address)
        process = subprocess.Popen(
            [*command, handler],
            cwd=folder,
            env=variables | environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        watcher = threading.Thread(target=_report_exit, args=(process, api))
        watcher.start()
        try:
            yield LambdaFunction(api, process, output)
        finally:
            process.kill()
            watcher.join()


def _report_exit(process: subprocess.Popen[bytes], api: RuntimeApi) -> None:
    """Wait for the process to end, then report that to a caller that waits for an answer."""
    status = process.wait()
    api.outcomes.put(("exit", f"status {status}".encode()))


def _lambda_variables(folder: Path, handler: str, address: str) -> dict[str, str]:
    """Return the environment variables of Lambda's that code might read.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    return {
        "AWS_LAMBDA_RUNTIME_API": address,
        "_HANDLER": handler,
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_FUNCTION_NAME": "auth",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/auth",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2023/12/11/[$LATEST]0123456789abcdef0123456789abcdef",
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "the role's",
        "AWS_SESSION_TOKEN": "the role's",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        # The folder is read-only on Lambda.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
