"""The local Cognito as an HTTP server, and its protection from other hosts and origins."""

import json
import socket
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra.local.pool.clock import Clock
from infra.local.pool.outbox import CAPACITY, Mail, Outbox
from infra.local.pool.passwords import PasswordHash
from infra.local.server import LocalCognito
from tests.support.contract import PASSWORD, Contract


def test_clock() -> None:
    """The clock moves forward by seconds or by a timedelta, and never back."""
    clock = Clock()
    before = clock.now()
    clock.advance(60)
    clock.advance(timedelta(hours=1))
    assert 3660 <= clock.now() - before < 3670
    assert datetime.fromisoformat(clock.iso()) > datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_password_hash() -> None:
    """A hash verifies only its own password, can be stored as text, and reveals nothing of it."""
    kept = PasswordHash.hash(PASSWORD)
    assert kept.verify(PASSWORD)
    assert PasswordHash.parse(str(kept)) == kept
    assert not kept.verify(PASSWORD + " ")
    assert not kept.verify("\ud800")
    assert not kept.verify(str(kept))
    assert kept != PASSWORD
    assert kept != PasswordHash.hash(PASSWORD)
    assert PASSWORD not in str(kept)
    for text in ("neither salt nor digest", "more$than$three$parts"):
        with pytest.raises(ValueError, match="unpack"):
            PasswordHash.parse(text)


def test_outbox_is_bounded_and_echoes_safely() -> None:
    """The oldest e-mails are dropped; each e-mail gives a line without control characters."""
    lines: list[str] = []
    outbox = Outbox(lines.append)
    for number in range(CAPACITY + 1):
        outbox.send(Mail(f"{number}\x1b[2J@example.com", "s", "t", "123456", "now"))
    assert len(outbox.to_json()) == CAPACITY
    assert outbox.to_json()[0]["to"].startswith("1\x1b")
    assert len(lines) == CAPACITY + 1
    assert all(line.isprintable() and "123456" in line for line in lines)


def test_outbox(contract: Contract) -> None:
    """/outbox lists the e-mails, newest last, with exactly the documented fields."""
    first, second = contract.address(), contract.address()
    contract.sign_up(first)
    contract.sign_up(second)
    answer = httpx.get(f"{contract.local.url}/outbox")
    *_, older, newer = answer.json()
    assert [older["to"], newer["to"]] == [first, second]
    assert {*newer} == {"to", "subject", "text", "code", "sentAt"}
    assert datetime.fromisoformat(newer["sentAt"]).utcoffset() == timedelta(0)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/outbox", "/console/state"])
def test_other_origins_read_nothing(cognito: LocalCognito, path: str) -> None:
    """No CORS header lets a page of another origin read the codes."""
    answer = httpx.get(cognito.url + path, headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::1", ""]
)
@pytest.mark.parametrize("path", ["/", "/outbox", "/console/state", "/anything"])
def test_other_hosts_are_refused(cognito: LocalCognito, host: str, path: str) -> None:
    """A foreign name that points to this machine (DNS rebinding) is refused."""
    answer = httpx.get(cognito.url + path, headers={"Host": host})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host", ["localhost:1", "LOCALHOST", "127.0.0.1", "127.0.0.2:80", "[::1]:8001"]
)
def test_this_host_has_many_names(cognito: LocalCognito, host: str) -> None:
    """Every name for this machine is accepted, with any port."""
    assert httpx.get(f"{cognito.url}/outbox", headers={"Host": host}).status_code == 200


def test_only_this_machine_is_served(cognito: LocalCognito) -> None:
    """It listens on 127.0.0.1, so another address of this machine is refused."""
    port = httpx.URL(cognito.url).port
    assert port
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port), 2):
        pass


def test_unexpected_failures_look_like_awss(
    cognito: LocalCognito, capfd: pytest.CaptureFixture[str]
) -> None:
    """A request that isn't JSON gets an InternalErrorException, with a traceback on stderr."""
    headers = {
        "X-Amz-Target": "AWSCognitoIdentityProviderService.SignUp",
        "Content-Type": "application/x-amz-json-1.1",
    }
    answer = httpx.post(cognito.url, headers=headers, content=b"{")
    assert answer.status_code == 500
    assert answer.json()["__type"] == "InternalErrorException"
    assert "Traceback" in capfd.readouterr().err


def test_large_requests_are_refused(cognito: LocalCognito) -> None:
    """A body that is too large for a Cognito call isn't read into memory."""
    headers = {"X-Amz-Target": "AWSCognitoIdentityProviderService.SignUp"}
    answer = httpx.post(cognito.url, content=b"x" * (1024 * 1024 + 1), headers=headers)
    assert answer.status_code == 413


def test_requests_are_not_logged(contract: Contract, capfd: pytest.CaptureFixture[str]) -> None:
    """The terminal shows only the API's log and the codes."""
    contract.sign_up(contract.address())
    assert capfd.readouterr() == ("", "")


def test_no_plain_password_is_kept(contract: Contract) -> None:
    """Neither sign-up nor an administrator's call keeps a plain-text password in memory."""
    email = contract.member()
    contract.admin.admin_set_user_password(
        UserPoolId=contract.pool.user_pool_id, Username=email, Password="Another-Horse-2"
    )
    listed = json.dumps(
        contract.admin.list_users(UserPoolId=contract.pool.user_pool_id)["Users"], default=str
    )
    assert "Another-Horse-2" not in listed
    challenge = contract.sign_in(email, "Another-Horse-2")
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_the_clock_is_passed_in() -> None:
    """A caller can pass in a clock, and pools use it."""
    clock = Clock()
    with LocalCognito(clock=clock) as cognito:
        assert cognito.clock is clock
        contract = Contract(cognito.create_pool(), cognito)
        clock.advance(timedelta(days=365))
        contract.sign_up("ada@example.com")
        sent = datetime.fromisoformat(cognito.outbox.to_json()[0]["sentAt"])
    assert sent > datetime.now(UTC) + timedelta(days=364)
