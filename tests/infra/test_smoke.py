"""`make smoke`, run against a healthy API and against several broken ones."""

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
from tests.support.people import ORIGIN
from tests.support.transports import serve

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(publish: Publish, settings: Settings) -> Iterator[str]:
    """Serve an API below a stage, as after a deployment."""
    with publish(settings) as url:
        yield url


@pytest.fixture
def email() -> str:
    """Return an unused e-mail address."""
    return f"ada.{uuid4().hex}@example.com"


def smoke(*arguments: str) -> "pexpect.spawn[str]":
    """Start `make smoke` in a terminal."""
    command = ["-m", "infra.smoke", *arguments]
    return pexpect.spawn(sys.executable, command, cwd=ROOT, encoding="utf-8", timeout=60)


def ended(terminal: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """Wait until it exits; return its status and what it printed since the last expect."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, str(terminal.before)


def test_whole_life_of_an_account(url: str, email: str, cognito: LocalCognito) -> None:
    """With the right code, the account is deleted at the end, and no secret is printed."""
    terminal = smoke(url, "--origin", ORIGIN)
    terminal.expect_exact("Your e-mail address (without an account yet): ")
    terminal.sendline(email)
    terminal.expect_exact("The code from the e-mail: ")
    said = str(terminal.before)
    terminal.sendline(cognito.outbox.code_for(email))
    status, rest = ended(terminal)
    assert (status, rest.splitlines()[-1]) == (0, "All checks passed."), rest
    assert f"{ORIGIN} is allowed" in said
    assert "POST /auth/confirm: 409 already_confirmed" in rest
    assert "DELETE /auth/me: 200" in rest
    assert "Smoke-" not in said + rest
    assert "eyJ" not in said + rest


def test_without_a_code(url: str) -> None:
    """It runs the steps that need no code, and names the account that remains."""
    status, said = ended(smoke(url, "--skip-confirm"))
    assert status == 0, said
    assert re.search(r"An unconfirmed account remains: success\+\w+@simulator", said)
    assert said.splitlines()[-1] == "All checks passed."


def test_hidden_accounts(
    publish: Publish, settings: Settings, email: str, cognito: LocalCognito
) -> None:
    """`make smoke` also passes with HIDE_EXISTING_ACCOUNTS, which changes three answers."""
    hidden = replace(settings, hide_existing_accounts=True)
    with publish(hidden) as url:
        terminal = smoke(url, "--email", email)
        terminal.expect_exact("The code from the e-mail: ")
        terminal.sendline(cognito.outbox.code_for(email))
        status, said = ended(terminal)
    assert status == 0, said


def test_a_session_in_a_cookie(
    publish: Publish, settings: Settings, email: str, cognito: LocalCognito
) -> None:
    """`make smoke` also passes with SESSION_COOKIE, as the API's own page would call."""
    with publish(replace(settings, session_cookie=True)) as url:
        terminal = smoke(url, "--email", email)
        terminal.expect_exact("The code from the e-mail: ")
        terminal.sendline(cognito.outbox.code_for(email))
        status, said = ended(terminal)
    assert status == 0, said
    assert "POST /auth/refresh: 401 invalid_refresh_token" in said


def test_wrong_code(url: str, email: str) -> None:
    """The line names the step, the answer, and the request to look up in the logs."""
    terminal = smoke(url, "--email", email)
    terminal.expect_exact("The code from the e-mail: ")
    terminal.sendline("nonsense")
    status, said = ended(terminal)
    assert status == 1
    assert re.search(
        r"FAIL  POST /auth/confirm: 400 code_mismatch, expected 200 \(request \S{36}\)", said
    )
    assert f"Use an address other than {email} next time." in said


def test_ctrl_c(url: str, email: str) -> None:
    """It exits without a traceback."""
    terminal = smoke(url, "--email", email)
    terminal.expect_exact("The code from the e-mail: ")
    terminal.sendintr()
    # A Ctrl-C between the prompt and the read takes effect only at the next one
    while terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=5):
        terminal.sendintr()
    terminal.close()
    assert terminal.exitstatus == 1
    assert "Traceback" not in str(terminal.before)


def test_origin_that_is_not_allowed(url: str) -> None:
    """The line names the parameter to set."""
    status, said = ended(smoke(url, "--skip-confirm", "--origin", "https://other.example"))
    assert status == 1
    assert "https://other.example is not allowed: add it to the parameter AllowedOrigins" in said


@pytest.mark.parametrize(
    ("options", "asked"), [([], "GET /health"), (["--origin", ORIGIN], "OPTIONS /auth/sign-in")]
)
def test_unreachable_api(options: list[str], asked: str) -> None:
    """An API that can't be reached is reported in one line, without a traceback."""
    status, said = ended(smoke("http://127.0.0.1:9/v1", "--skip-confirm", *options))
    assert status == 1
    assert f"FAIL  {asked}: no answer (" in said
    assert "Traceback" not in said


def test_answer_from_another_service() -> None:
    """Another service's 403 is reported with its usual cause: the URL lacks the stage."""
    with serve(PlainTextResponse("Forbidden", 403)) as url:
        status, said = ended(smoke(url, "--skip-confirm"))
    assert status == 1
    assert "got 403 from something other than this service" in said
    assert "includes the stage" in said


@pytest.mark.parametrize("url", ["v1", "ftp://example.com"])
def test_malformed_url(url: str) -> None:
    """A malformed URL is a usage error."""
    status, said = ended(smoke(url, "--skip-confirm"))
    assert status == 2
    assert "argument URL: it must be the stack's output ApiUrl" in said


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("cache-control", b"max-age=60"),
        ("access-control-allow-origin", b"*"),
        ("x-request-id", b"another"),
    ],
)
def test_one_wrong_header(settings: Settings, header: str, value: bytes) -> None:
    """A proxy that changes one header of an answer is noticed."""
    with serve(with_changed_header(create_app(settings), header, value)) as url:
        status, said = ended(smoke(url, "--skip-confirm", "--origin", ORIGIN))
    assert status == 1, said
    assert "FAIL" in said


def with_changed_header(app: ASGIApp, header: str, value: bytes) -> ASGIApp:
    """Wrap an app to change one header of every answer except preflights."""

    async def changing(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start" and scope["method"] != "OPTIONS":
                headers = httpx.Headers(message["headers"])
                headers[header] = value.decode()
                message["headers"] = headers.raw
            await send(message)

        await app(scope, receive, sending)

    return changing
