"""`make doctor`: its options, and its output if all checks pass."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from app.settings import Settings
from infra.local.server import LocalCognito
from tests.conftest import Publish
from tests.support.doctor import PAGE, examine

ROOT = Path(__file__).parents[3]


def test_all_checks_pass(publish: Publish, settings: Settings, cognito: LocalCognito) -> None:
    """Each check prints a line. The output explains the rest and contains no secrets."""
    with publish(settings) as url:
        report = examine(f"{url}/", "--redirect-uri", PAGE)
    assert report.lines[:7] == [
        f"✓ The API has a domain and allows the redirect URI {PAGE}",
        "✓ Cognito redirects to Google (127.0.0.1)",
        f"✓ Cognito sends Google the client id {cognito.google.client_id}",
        f"✓ Cognito sends Google the redirect URI {cognito.url}/oauth2/idpresponse",
        "✓ Google accepts the client and its redirect URI, and shows its sign-in page",
        "✓ The token endpoint accepts the app client without a secret",
        "✓ The API reaches the token endpoint",
    ]
    assert (report.status, report.lines[-1]) == (0, "All checks passed.")
    text = "\n".join(report.lines)
    assert "Only a real sign-in checks the rest" in text
    assert "Google answers 403 access_denied" in text
    assert "Google's client secret is wrong" in text
    assert not re.search(r"accounts-|code_challenge|eyJ|state=", text)


def test_the_command(url: str) -> None:
    """`python -m infra.doctor` prints the same. Its status is 1 if a check fails."""
    for page, status in ((PAGE, 0), ("https://other.example/", 1)):
        command = [sys.executable, "-m", "infra.doctor", url, "--redirect-uri", page]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (status, "")
        assert page in done.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "the following arguments are required: URL"),
        (["v1"], "argument URL: it must be the stack's output ApiUrl"),
        (["https://….execute-api/v1"], "argument URL: it must be the stack's output ApiUrl"),
        (["https://a.example", "--stack", "s"], "need --aws"),
        (["https://a.example", "--redirect-uri", "https://b.example:x"], "Invalid port: 'x'"),
        (
            ["https://a.example", "--redirect-uri", "https://b.example/oauth2/idpresponse"],
            "it must be a page of your front end",
        ),
    ],
)
def test_a_wrong_option(arguments: list[str], told: str) -> None:
    """A wrong option is a usage error."""
    report = examine(*arguments)
    assert report.status == 2
    assert told in report.lines[-1]


def test_help() -> None:
    """The help explains the exit statuses."""
    report = examine("--help")
    assert report.status == 0
    text = " ".join(" ".join(report.lines).split())
    assert "0 if no check failed, even if some could not be made (?)" in text


def test_ctrl_c() -> None:
    """It exits without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = ["-m", "infra.doctor", url]
        terminal = pexpect.spawn(sys.executable, command, cwd=ROOT, encoding="utf-8", timeout=60)
        with listener.accept()[0]:  # it has asked, and gets no answer
            terminal.sendintr()
            terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 1
    assert "Interrupted." in str(terminal.before)
    assert "Traceback" not in str(terminal.before)
