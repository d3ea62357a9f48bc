"""`python -m infra.local`, as a person runs it: a real process, real signals, real ports."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pexpect
import pytest

from infra.local.__main__ import DEMO_PORT
from infra.local.admin_client import boto3_client
from infra.local.pool.user_pool import REGION
from infra.local.server import LocalPool
from tests.support.contract import PASSWORD
from tests.support.google import consents
from tests.support.ports import free_ports

ROOT = Path(__file__).parents[3]
EMAIL = "ada@example.com"


def free_port() -> int:
    """Return a free port."""
    return free_ports(1)[0]


@dataclass
class Machine:
    """Two ports, a file for users, and the output of the process."""

    store: Path
    port: int = field(default_factory=free_port)
    cognito_port: int = field(default_factory=free_port)
    environ: dict[str, str] = field(default_factory=dict)
    project: Path = ROOT
    printed: str = ""

    @property
    def api(self) -> str:
        """The API's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def cognito(self) -> str:
        """The local Cognito's address."""
        return f"http://127.0.0.1:{self.cognito_port}"

    def popen(self, *options: str) -> subprocess.Popen[str]:
        """Start the command; its stdout ends when its last process ends."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        ports = ["--port", str(self.port), "--cognito-port", str(self.cognito_port)]
        return subprocess.Popen(
            [sys.executable, "-m", "infra.local", *ports, "--store", str(self.store), *options],
            cwd=self.project,
            env=clean | self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def fails(self, *options: str) -> str:
        """Run the command, which must end by itself with an error; return what it printed."""
        with self.popen(*options) as process:
            printed, _ = process.communicate(timeout=60)
        assert process.returncode not in {0, None}, printed
        assert "Traceback" not in printed
        return printed

    @contextmanager
    def runs(
        self, *options: str, until: str, end: int = signal.SIGTERM, tracebacks: int = 0
    ) -> Iterator[None]:
        """Run the command until it prints `until`, yield, and end it by a signal."""
        with self.popen(*options) as process:
            assert process.stdout
            try:
                self.printed = ""
                for line in process.stdout:
                    self.printed += line
                    if until in line:
                        break
                yield
            finally:
                process.send_signal(end)
                # Returns when the last child has closed its stdout.
                self.printed += process.stdout.read()
        if end != signal.SIGKILL:
            assert process.returncode == 0, self.printed
        assert self.printed.count("Traceback") == tracebacks
        for port in (self.port, self.cognito_port):
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", port)), f"port {port} is still in use"

    def sign_up(self) -> None:
        """Create and confirm a user through the API."""
        self.post("sign-up", email=EMAIL, password=PASSWORD)
        code = httpx.get(f"{self.cognito}/outbox").json()[-1]["code"]
        self.post("confirm", email=EMAIL, code=code)

    def post(self, route: str, **body: str) -> httpx.Response:
        """Call the API, expecting success."""
        answer = httpx.post(f"{self.api}/auth/{route}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which nothing runs yet."""
    return Machine(tmp_path / "users.db")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_local_cognito_alone(machine: Machine, end: int) -> None:
    """Without the API it prints what a client needs, and ends cleanly on any usual signal."""
    if end == signal.SIGHUP and signal.getsignal(end) is signal.SIG_IGN:
        pytest.skip("These tests run under nohup, which the command respects")
    with machine.runs("--no-api", until="App client", end=end):
        assert httpx.get(f"{machine.cognito}/outbox").json() == []
    assert f"http://localhost:{machine.cognito_port}/" in machine.printed
    assert re.search(r"User pool +us-east-1_\w+", machine.printed)


def test_ids_are_stable(machine: Machine) -> None:
    """The pool and the client have the same ids after a restart."""
    ids = []
    for _ in range(2):
        with machine.runs("--no-api", until="App client"):
            pass
        ids.append(re.findall(r"(?:User pool|App client) +(\S+)", machine.printed))
    assert ids[0] == ids[1]
    assert LocalPool(*ids[0]).user_pool_id.startswith("us-east-1_")


def test_callers_wait_while_it_starts_again(machine: Machine) -> None:
    """The first answer of the new process is right: nobody is told that a session has ended."""
    with machine.runs("--no-api", until="App client"):
        client_id = machine.printed.split()[-1]
        cognito = boto3_client(machine.cognito, REGION)
        cognito.sign_up(ClientId=client_id, Username=EMAIL, Password=PASSWORD)
        pool_id = re.findall(r"User pool +(\S+)", machine.printed)[0]
        cognito.admin_confirm_sign_up(UserPoolId=pool_id, Username=EMAIL)
        tokens = cognito.initiate_auth(
            ClientId=client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": EMAIL, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
    call = {"ClientId": client_id, "RefreshToken": tokens["RefreshToken"]}
    headers = {"X-Amz-Target": "AWSCognitoIdentityProviderService.GetTokensFromRefreshToken"}
    with machine.popen("--no-api") as process:
        try:
            answer = first_answer(machine.cognito, json.dumps(call), headers)
        finally:
            process.terminate()
    assert answer.status_code == 200, answer.text


def first_answer(url: str, content: str, headers: dict[str, str]) -> httpx.Response:
    """Call again and again until somebody listens, and return what is answered then."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.post(url, content=content, headers=headers, timeout=30)
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_everything(machine: Machine) -> None:
    """One command starts the API and prints codes on the terminal; a restart signs nobody out."""
    with machine.runs(until="curl", end=signal.SIGINT):
        assert httpx.get(f"{machine.api}/health").json() == {"statusCode": 200}
        machine.sign_up()
        code = httpx.get(f"{machine.cognito}/outbox").json()[-1]["code"]
        tokens = machine.post("sign-in", email=EMAIL, password=PASSWORD).json()["body"]
    for address in (
        f"http://localhost:{machine.port}/docs",
        f"http://localhost:{machine.cognito_port}/",
        f"http://localhost:{machine.port}\n",
    ):
        assert address in machine.printed
    assert f"E-mail to {EMAIL}: the code is {code}" in machine.printed
    logged = [json.loads(line) for line in machine.printed.splitlines() if line.startswith("{")]
    # Into a pipe it is JSON. The start-up's own requests aren't in it.
    routes = ["/health", "/auth/sign-up", "/auth/confirm", "/auth/sign-in"]
    assert [line["route"] for line in logged] == routes
    assert PASSWORD not in machine.printed.replace("Correct-Horse-1", "", 1)  # in the curl line
    bearer = {"Authorization": f"Bearer {tokens['AccessToken']}"}
    with machine.runs(until="curl"):
        machine.post("sign-in", email=EMAIL, password=PASSWORD)
        assert httpx.get(f"{machine.api}/auth/me", headers=bearer, timeout=30).status_code == 200
        machine.post("refresh", refreshToken=tokens["RefreshToken"])
    with machine.runs("--fresh", until="curl"):
        assert httpx.get(f"{machine.api}/auth/me", headers=bearer, timeout=30).status_code == 401
        machine.post("sign-up", email=EMAIL, password=PASSWORD)


def test_the_developers_aws_set_up_does_not_matter(machine: Machine, tmp_path: Path) -> None:
    """The environment's profiles, endpoints, regions, broken files and proxies are ignored."""
    broken = tmp_path / "config"
    broken.write_text("[profile\nnonsense")
    machine.environ = {
        "AWS_PROFILE": "nobody",
        "AWS_CONFIG_FILE": str(broken),
        "AWS_SHARED_CREDENTIALS_FILE": str(broken),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://127.0.0.1:9",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "nonsense",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    with machine.runs(until="curl"):
        machine.sign_up()


def may_call(machine: Machine, origin: str) -> bool:
    """Return whether a page of this origin may call the API; its preflight must say the same."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    allowed = httpx.options(f"{machine.api}/auth/sign-in", headers=asked)
    answer = httpx.post(f"{machine.api}/auth/sign-in", json={}, headers={"Origin": origin})
    assert (answer.status_code == 403) != ("access-control-allow-origin" in allowed.headers)
    return answer.status_code == 400  # the fields are missing


def test_allowed_origins(machine: Machine) -> None:
    """Every page of this machine may call, and no other; the caller's own setting wins."""
    hosts = ("localhost", "127.0.0.1", "[::1]")
    here = [f"http://{host}:{port}" for host in hosts for port in (3000, 4173, 4200, 5174, 65535)]
    others = ["https://localhost", "http://localhost", "http://127.1.2.3", "http://App.Localhost:1"]
    elsewhere = ["https://app.example", "http://localhost.example:3000", "http://127.0.0.1.example"]
    with machine.runs(until="curl"):
        for origin in (*here, *others):
            assert may_call(machine, origin), origin
        for origin in (*elsewhere, "null", "http://10.0.0.1:3000", "http://localhost:3000/"):
            assert not may_call(machine, origin), origin
        # A page's own domain that points to this machine (DNS rebinding): its requests have the
        # same Origin as Host, or no Origin.
        for host in ("evil.example", f"evil.example:{machine.port}", "evil.example@localhost"):
            for headers in ({"Host": host}, {"Host": host, "Origin": f"http://{host}"}):
                for route in ("/auth/sign-in", "/health", "/.ready"):
                    answer = httpx.post(f"{machine.api}{route}", json={}, headers=headers)
                    assert answer.status_code == 403, (host, route)
                    assert "http://localhost" in answer.text
        assert httpx.get(f"{machine.api}/health", headers={"Host": "LOCALHOST"}).is_success
    machine.environ = {"ALLOWED_ORIGINS": "https://app.example"}
    with machine.runs(until="curl"):
        assert may_call(machine, "https://app.example")
        assert not may_call(machine, "http://localhost:5173")


def test_the_log_in_a_terminal(machine: Machine) -> None:
    """It is for people: a line for a request, and what to fix if there is something."""
    command = ["-m", "infra.local", "--port", str(machine.port), "--store", str(machine.store)]
    command += ["--cognito-port", str(machine.cognito_port)]
    terminal = pexpect.spawn(sys.executable, command, cwd=ROOT, encoding="utf-8", timeout=60)
    terminal.expect_exact("Ctrl-C ends it all")
    started = str(terminal.before)
    machine.sign_up()
    terminal.expect(r"\d\d:\d\d:\d\d POST /auth/confirm 200 \d+ ms\r\n")
    foreign = {"Origin": "https://evil.example"}
    assert httpx.get(f"{machine.api}/auth/me", headers=foreign).status_code == 403
    terminal.expect_exact("  remedy: If the page is yours, add this origin to ALLOWED_ORIGINS.")
    terminal.expect_exact("  origin: https://evil.example")
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert "GET" not in started
    assert '{"' not in started


def comes_back_to(machine: Machine, uri: str) -> bool:
    """Return whether both the API and the local Cognito let a browser come back to a page."""
    started = httpx.post(f"{machine.api}/auth/google/start", json={"redirectUri": uri}, timeout=30)
    if started.status_code == 400:
        return False
    url = started.json()["body"]["url"]
    assert url.startswith(f"{machine.cognito}/oauth2/authorize?")
    return "code" in consents(url, EMAIL)


def test_google(machine: Machine) -> None:
    """People sign in with it at once, from where front ends are usually served."""
    with machine.runs(until="curl"):
        for host in ("localhost", "127.0.0.1"):
            assert comes_back_to(machine, f"http://{host}:5173/")
        assert not comes_back_to(machine, "http://localhost:5174/")
    machine.environ = {
        "REDIRECT_URIS": "https://app.example/back, https://app.example/",
        "COGNITO_DOMAIN_URL": "https://elsewhere.example",
    }
    port = free_port()
    with machine.runs("--demo-port", str(port), until="curl"):
        assert comes_back_to(machine, "https://app.example/back")
        for host in ("localhost", "127.0.0.1"):
            assert comes_back_to(machine, f"http://{host}:{port}/")
        assert not comes_back_to(machine, "http://localhost:5173/")


def test_no_orphan(machine: Machine) -> None:
    """Even if the command is killed, the API ends too, and the ports are free."""
    with machine.runs(until="curl", end=signal.SIGKILL):
        assert httpx.get(f"{machine.api}/health").status_code == 200


@pytest.mark.parametrize("variable", ["PORT", "COGNITO_PORT"])
@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_port_in_use(
    machine: Machine, variable: str, family: socket.AddressFamily, host: str
) -> None:
    """One line names the port and how to choose another; nothing is started or written."""
    with socket.socket(family) as other:
        try:
            other.bind((host, 0))
        except OSError:
            pytest.skip(f"no {host} on this machine")
        other.listen()
        port = other.getsockname()[1]
        setattr(machine, variable.lower(), port)
        printed = machine.fails()
    assert printed.count("\n") == 1
    assert f"port {port} is in use" in printed
    assert f"make run {variable}=" in printed
    assert not machine.store.exists()


def test_the_demo(machine: Machine) -> None:
    """The demo page is at the printed address, and the API always allows its origin."""
    port = free_port()
    machine.environ = {"ALLOWED_ORIGINS": "https://app.example"}
    with machine.runs("--demo-port", str(port), until="curl"):
        assert f"Demo page   http://localhost:{port}/\n" in machine.printed
        config = httpx.get(f"http://127.0.0.1:{port}/config.js").text
        assert f'"http://localhost:{machine.port}"' in config
        for origin in (f"http://localhost:{port}", f"http://127.0.0.1:{port}"):
            preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = httpx.options(f"{machine.api}/auth/sign-in", headers=preflight)
            assert answer.headers["access-control-allow-origin"] == origin


def occupied(port: int) -> socket.socket:
    """Take a port, and wait for it if another test process has it for some seconds."""
    for _ in range(600):
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
        time.sleep(0.1)
    pytest.fail(f"port {port} stays in use")


def test_the_demos_port_in_use(machine: Machine) -> None:
    """If the port was chosen, nothing starts; if it is the default, all but the demo starts."""
    with socket.create_server(("127.0.0.1", free_port())) as other:
        taken = other.getsockname()[1]
        printed = machine.fails("--demo-port", str(taken))
    assert f"port {taken} is in use. Choose another: make run DEMO_PORT=" in printed
    assert printed.count("\n") == 1
    assert not machine.store.exists()
    with occupied(DEMO_PORT):
        with machine.runs(until="curl"):
            assert httpx.get(f"{machine.api}/health").status_code == 200
        assert f"Demo page   not served: port {DEMO_PORT} is in use." in machine.printed
        assert "make run DEMO_PORT=" in machine.printed


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8000.0"])
def test_bad_port(machine: Machine, port: str) -> None:
    """The error names the invalid port and the valid range."""
    assert f"'{port}' is not a port number from 1 to 65535" in machine.fails(f"--port={port}")


def test_the_same_port_twice(machine: Machine) -> None:
    """Two servers can't have the same port."""
    machine.cognito_port = machine.port
    assert "must differ" in machine.fails()
    machine.cognito_port = free_port()
    assert "must differ" in machine.fails("--demo-port", str(machine.cognito_port))


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_a_folder_for_the_users(machine: Machine, place: str) -> None:
    """The error says that a file is needed; the folder isn't touched, even by a fresh start."""
    machine.store = Path(place)
    assert f"'{place}' is a folder: name a file in it" in machine.fails("--fresh")


def test_second_instance(machine: Machine) -> None:
    """A second instance on other ports is refused: it would overwrite the first one's users."""
    with machine.runs("--no-api", until="App client"):
        second = Machine(machine.store).fails("--no-api")
    assert second.count("\n") == 1
    assert "is in use" in second


def test_damaged_store(machine: Machine) -> None:
    """A damaged file stops the start with one line, and is kept, even by a fresh start."""
    machine.store.write_text("{")
    printed = machine.fails()
    assert printed.count("\n") == 1
    assert "make run FRESH=1" in printed
    assert machine.store.read_text() == "{"
    with machine.runs("--fresh", "--no-api", until="App client"):
        pass
    aside = Path(f"{machine.store}.1")
    assert f"What was at {machine.store} is now at {aside}\n" in machine.printed
    assert aside.read_text() == "{"


def test_a_file_of_the_version_before(machine: Machine) -> None:
    """One line says once that its users are not taken over, and it is kept."""
    older = machine.store.with_suffix(".json")
    older.write_text('{"format": 2}')
    for told in (True, False):
        with machine.runs("--no-api", until="App client"):
            pass
        assert (f"{older} is of an older version" in machine.printed) == told
        assert older.read_text() == '{"format": 2}'


def test_a_broken_edit(machine: Machine, tmp_path: Path) -> None:
    """After an edit that breaks the app, every answer says where. The next edit fixes it."""
    machine.project = tmp_path / "project"
    for folder in ("app", "infra"):
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(ROOT / folder, machine.project / folder, ignore=ignored)
    edited = machine.project / "app/health.py"
    right = edited.read_text()
    edits = {
        "def broken(:\n": "SyntaxError: invalid syntax",
        "import nothing_of_this_name\n": "ModuleNotFoundError: No module named",
    }
    with machine.runs(until="curl", tracebacks=len(edits)):
        for edit, told in edits.items():
            edited.write_text(right + edit)
            answer = await_status(machine, 503)
            line = len(right.splitlines()) + 1
            message = answer.json()["message"]
            assert message.startswith(f"app/health.py, line {line}: {told}")
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert httpx.options(f"{machine.api}/auth/sign-in").status_code == 204
            edited.write_text(right)
            await_status(machine, 200)
    assert "SyntaxError" in machine.printed


def await_status(machine: Machine, status: int) -> httpx.Response:
    """Ask until the reloaded API answers with this status."""
    deadline = time.monotonic() + 60
    while True:
        with suppress(httpx.TransportError):
            answer = httpx.get(f"{machine.api}/health", timeout=30)
            if answer.status_code == status:
                return answer
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_broken_api(machine: Machine) -> None:
    """If the API can't start, it prints the reason, and the command ends."""
    machine.environ = {"ALLOWED_ORIGINS": "nonsense"}
    printed = machine.fails()
    assert "'nonsense' in ALLOWED_ORIGINS" in printed
    assert "the API could not start (exit code 1)" in printed


def test_help() -> None:
    """--help names every option."""
    printed = subprocess.run(
        [sys.executable, "-m", "infra.local", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ports = {"--port", "--cognito-port", "--demo-port"}
    others = {"--help", "--fresh", "--no-api", "--store", "--template"}
    assert set(re.findall(r"(?m)^  (?:-h, )?(--[a-z-]+)", printed)) == ports | others
