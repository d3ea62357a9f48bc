"""`make smoke`, against an API that is as it should be, and against some that aren't."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pexpect
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.main import create_app
from app.settings import Settings
from infra.local.server import LocalCognito
from tests.conftest import Publish
from tests.people import ORIGIN
from tests.transports import serve

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(publish: Publish, settings: Settings) -> Iterator[str]:
    """Put an API below a stage, as after a deployment."""
    with publish(settings) as url:
        yield url


@pytest.fixture
def email() -> str:
    """Return an address of which nobody has heard."""
    return f"ada.{uuid4().hex}@example.com"


def smoke(*arguments: str) -> "pexpect.spawn[str]":
    """Start it in a terminal."""
    command = ["-m", "infra.smoke", *arguments]
    return pexpect.spawn(sys.executable, command, cwd=ROOT, encoding="utf-8", timeout=60)


def ended(terminal: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """Wait for its end: the exit status, and what it said since it was last listened to."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, str(terminal.before)


def test_whole_life_of_an_account(url: str, email: str, cognito: LocalCognito) -> None:
    """With the code typed in; nothing is left behind, and nothing secret was shown."""
    terminal = smoke(url, "--origin", ORIGIN)
    terminal.expect_exact("An e-mail address of yours that has no account yet: ")
    terminal.sendline(email)
    terminal.expect_exact("The code from the e-mail: ")
    said = str(terminal.before)
    terminal.sendline(cognito.outbox.code_for(email))
    status, rest = ended(terminal)
    assert (status, rest.splitlines()[-1]) == (0, "All is well."), rest
    assert f"{ORIGIN} may call" in said
    assert "POST /auth/confirm: 409 already_confirmed" in rest
    assert "DELETE /auth/me: 200" in rest
    assert "Smoke-" not in said + rest
    assert "eyJ" not in said + rest


def test_without_a_code(url: str) -> None:
    """It does what can be done, and tells what it leaves."""
    status, said = ended(smoke(url, "--skip-confirm"))
    assert status == 0, said
    assert re.search(r"An unconfirmed account is left: success\+\w+@simulator", said)
    assert said.splitlines()[-1] == "All is well."


def test_hidden_accounts_are_as_well(
    publish: Publish, settings: Settings, email: str, cognito: LocalCognito
) -> None:
    """HIDE_EXISTING_ACCOUNTS changes two answers."""
    hidden = replace(settings, hide_existing_accounts=True)
    with publish(hidden) as url:
        terminal = smoke(url, "--email", email)
        terminal.expect_exact("The code from the e-mail: ")
        terminal.sendline(cognito.outbox.code_for(email))
        status, said = ended(terminal)
    assert status == 0, said


def test_wrong_code_leaves_with_what_is_wrong(url: str, email: str) -> None:
    """The line names the step, what came, and the request to look for in the logs."""
    terminal = smoke(url, "--email", email)
    terminal.expect_exact("The code from the e-mail: ")
    terminal.sendline("nonsense")
    status, said = ended(terminal)
    assert status == 1
    assert re.search(
        r"FAIL  POST /auth/confirm: 400 code_mismatch instead of 200 \(request \S{36}\)", said
    )
    assert f"Take another address than {email} the next time." in said


def test_ctrl_c(url: str, email: str) -> None:
    """No traceback."""
    terminal = smoke(url, "--email", email)
    terminal.expect_exact("The code from the e-mail: ")
    terminal.sendintr()
    # One that comes between the prompt and the read waits until that is interrupted
    while terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=5):
        terminal.sendintr()
    terminal.close()
    assert terminal.exitstatus == 1
    assert "Traceback" not in str(terminal.before)


def test_front_end_that_may_not_call(url: str) -> None:
    """Says which parameter."""
    status, said = ended(smoke(url, "--skip-confirm", "--origin", "https://other.example"))
    assert status == 1
    assert "https://other.example may not call: add it to the parameter AllowedOrigins" in said


@pytest.mark.parametrize(
    ("options", "asked"), [([], "GET /health"), (["--origin", ORIGIN], "OPTIONS /auth/sign-in")]
)
def test_nothing_there(options: list[str], asked: str) -> None:
    """One line."""
    status, said = ended(smoke("http://127.0.0.1:9/v1", "--skip-confirm", *options))
    assert status == 1
    assert f"FAIL  {asked}: no answer came" in said
    assert "Traceback" not in said


def test_something_else_there() -> None:
    """As when the stage is missing in the address."""
    with serve(PlainTextResponse("Forbidden", 403)) as url:
        status, said = ended(smoke(url, "--skip-confirm"))
    assert status == 1
    assert "was answered 403 by something else than this service" in said
    assert "with the stage" in said


@pytest.mark.parametrize("url", ["v1", "ftp://example.com"])
def test_no_address(url: str) -> None:
    """Bad input is told as such."""
    status, said = ended(smoke(url, "--skip-confirm"))
    assert status == 2
    assert "URL is the stack's output ApiUrl" in said


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("cache-control", b"max-age=60"),
        ("access-control-allow-origin", b"*"),
        ("x-request-id", b"another"),
    ],
)
def test_one_wrong_header(settings: Settings, header: str, value: bytes) -> None:
    """Something between the service and the caller that changes answers is found."""
    with serve(meddler(create_app(settings), header, value)) as url:
        status, said = ended(smoke(url, "--skip-confirm", "--origin", ORIGIN))
    assert status == 1, said
    assert "FAIL" in said


def meddler(app: ASGIApp, header: str, value: bytes) -> ASGIApp:
    """Change one header of all answers but preflights."""

    async def meddling(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start" and scope["method"] != "OPTIONS":
                headers = httpx.Headers(message["headers"])
                headers[header] = value.decode()
                message["headers"] = headers.raw
            await send(message)

        await app(scope, receive, sending)

    return meddling
