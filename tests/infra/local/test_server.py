"""The local Cognito as an HTTP server, and its protection from other hosts and origins."""

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from infra.local.admin_client import boto3_client
from infra.local.pool.clock import Clock
from infra.local.pool.outbox import CAPACITY, Mail, Outbox
from infra.local.pool.passwords import PasswordHash
from infra.local.pool.records import Journal
from infra.local.pool.turns import Turns
from infra.local.server import LocalCognito
from tests.support.contract import PASSWORD, Contract, refused
from tests.support.contract_google import google_tokens


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
    kept = PasswordHash.of(PASSWORD, "ada")
    assert kept.verify(PASSWORD)
    assert PasswordHash.parse(str(kept)) == kept
    assert not kept.verify(PASSWORD + " ")
    assert not kept.verify("\ud800")
    assert not kept.verify(str(kept))
    assert kept != PASSWORD
    assert kept != PasswordHash.of(PASSWORD, "ada")
    assert PASSWORD not in str(kept)
    for text in ("neither salt nor digest", "no$verifier", "more$than$three$parts"):
        with pytest.raises(ValueError, match="unpack"):
            PasswordHash.parse(text)


def test_outbox_is_bounded_and_echoes_safely() -> None:
    """The oldest e-mails are dropped; each e-mail gives a line without control characters."""
    lines: list[str] = []
    journal = Journal()
    outbox = Outbox(journal, lines.append)
    for number in range(CAPACITY + 1):
        outbox.send(Mail(f"{number}\x1b[2J@example.com", "s", "t", "123456", "now"))
        journal.commit()
        outbox.announce()
    assert len(outbox.to_json()) == CAPACITY
    assert outbox.to_json()[0]["to"].startswith("1\x1b")
    assert len(lines) == CAPACITY + 1
    assert all(line.isprintable() and "123456" in line for line in lines)
    outbox.send(Mail("ada@example.com", "s", "t", "654321", "now"))
    journal.undo()
    outbox.announce()
    assert "654321" not in json.dumps([lines, outbox.to_json()])


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
    "host",
    [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "evil.example@localhost",
        "localhost/evil",
        "localhost?x",
        "localhost:abc",
        "localhost:1,evil.example",
        "[::1",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/outbox", "/console/state", "/anything"])
def test_other_hosts_are_refused(cognito: LocalCognito, host: str, path: str) -> None:
    """A foreign name that points to this machine (DNS rebinding) is refused."""
    answer = httpx.get(cognito.url + path, headers={"Host": host})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host",
    ["localhost:1", "LOCALHOST", "app.localhost", "127.0.0.1", "127.0.0.2:80", "[::1]:8001"],
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


class BrokenClock(Clock):
    """A clock that fails."""

    def now(self) -> float:
        """Raise an error that nobody expects."""
        raise OSError("no time")


def test_unexpected_failures_look_like_awss(capfd: pytest.CaptureFixture[str]) -> None:
    """A failure that we didn't foresee gives an InternalErrorException, and stderr a traceback."""
    headers = {"X-Amz-Target": f"{TARGET}.SignUp"}
    with LocalCognito(clock=BrokenClock()) as cognito:
        body = {
            "ClientId": cognito.create_pool().client_id,
            "Username": "ada@example.com",
            "Password": PASSWORD,
        }
        answer = httpx.post(cognito.url, headers=headers, json=body)
    assert answer.status_code == 500
    assert answer.json()["__type"] == "InternalErrorException"
    assert "Traceback" in capfd.readouterr().err


TARGET = "AWSCognitoIdentityProviderService"
NO_OPERATIONS = {
    "none": None,
    "empty": "",
    "only the service": TARGET,
    "without an operation": f"{TARGET}.",
    "not built here": f"{TARGET}.ListDevices",
    "of no service": "SignUp",
    "of another service": "AmazonSQS.ListQueues",
    "in another spelling": f"{TARGET}.signUp",
    "in snake case": f"{TARGET}.sign_up",
    "twice": f"{TARGET}.{TARGET}.SignUp",
    "a helper of ours": f"{TARGET}.ResolveClient",
    "a helper of moto's": f"{TARGET}.Dispatch",
    "an attribute of every class": f"{TARGET}.__init__",
    "not ASCII": f"{TARGET}.SignÜp".encode(),
}


@pytest.mark.parametrize("target", NO_OPERATIONS.values(), ids=NO_OPERATIONS)
@pytest.mark.parametrize("path", ["/", "/?Action=ListUserPools"])
def test_an_operation_that_is_none(
    cognito: LocalCognito, target: str | bytes | None, path: str
) -> None:
    """It is refused with 400, like a wrong call: SDKs repeat a call that was answered with 500."""
    headers = {} if target is None else {"X-Amz-Target": target}
    answer = httpx.post(cognito.url + path, headers=headers, content=b"{}")
    assert (answer.status_code, answer.json()["__type"]) == (400, "UnknownOperationException")
    assert answer.headers["X-Amzn-ErrorType"] == "UnknownOperationException"


def test_an_operation_that_is_none_is_called_once(contract: Contract) -> None:
    """An SDK raises the error at once."""
    contract.local  # noqa: B018 - the real one has this operation
    with pytest.raises(ClientError) as caught:
        contract.admin.list_devices(AccessToken="x")
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object(cognito: LocalCognito, body: bytes) -> None:
    """It is refused with 400, too."""
    headers = {"X-Amz-Target": f"{TARGET}.SignUp"}
    answer = httpx.post(cognito.url, headers=headers, content=body)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "InvalidParameterException", "'clientId' failed"),
    ({"ClientId": None}, "InvalidParameterException", "'clientId' failed"),
    ({"ClientId": 5}, "SerializationException", "ClientId must be"),
    ({"ClientId": True}, "SerializationException", "ClientId must be"),
    ({"UserAttributes": [{}]}, "InvalidParameterException", "'userAttributes.name' failed"),
    ({"UserAttributes": [None]}, "SerializationException", "UserAttributes must be"),
    ({"ClientMetadata": {"x": 5}}, "SerializationException", "ClientMetadata.x must be"),
]


@pytest.mark.parametrize(("body", "kind", "message"), FAULTS)
def test_a_body_that_does_not_fit(
    cognito: LocalCognito, body: dict[str, Any], kind: str, message: str
) -> None:
    """The error is the API's, and names the field."""
    answer = httpx.post(cognito.url, headers={"X-Amz-Target": f"{TARGET}.SignUp"}, json=body)
    assert (answer.status_code, answer.json()["__type"]) == (400, kind)
    assert message in answer.json()["message"]


def test_what_the_api_does_not_know_is_ignored(contract: Contract) -> None:
    """So is a null: a newer SDK, or one of another language, may send either."""
    body = {"ClientId": contract.pool.client_id, "Username": contract.address()}
    body |= {"Password": PASSWORD, "Newer": {"x": 5}, "UserAttributes": None}
    headers = {"X-Amz-Target": f"{TARGET}.SignUp"}
    assert httpx.post(contract.local.url, headers=headers, json=body).status_code == 200


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain", "multipart/form-data"])
def test_any_content_type(contract: Contract, kind: str | None) -> None:
    """The API speaks JSON, whatever a request declares; an error is typed as usual."""
    headers = {"X-Amz-Target": f"{TARGET}.SignUp"} | ({"Content-Type": kind} if kind else {})
    body = {"ClientId": contract.pool.client_id, "Username": "ada", "Password": PASSWORD}
    answer = httpx.post(contract.local.url, headers=headers, content=json.dumps(body))
    assert (answer.status_code, answer.json()["__type"]) == (400, "InvalidParameterException")
    body["Username"] = contract.address()
    answer = httpx.post(contract.local.url, headers=headers, content=json.dumps(body))
    assert answer.status_code == 200
    assert answer.json()["UserSub"]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-northeast-2", "us-gov-west-1"])
def test_every_region_has_the_pool(contract: Contract, region: str) -> None:
    """A client finds the pool whatever region it is set to, and the pool keeps its own."""
    client = boto3_client(contract.local.url, region)
    pool_id = contract.pool.user_pool_id
    pages = client.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 60})
    assert pool_id in [pool["Id"] for page in pages for pool in page["UserPools"]]
    email = contract.address()
    created = client.admin_create_user(UserPoolId=pool_id, Username=email)["User"]
    assert contract.user(email)["Username"] == created["Username"]
    made = client.create_user_pool(PoolName="by hand")["UserPool"]["Id"]
    assert made.startswith("us-east-1_")
    contract.admin.delete_user_pool(UserPoolId=made)


def processor_time(*calls: Callable[[], object]) -> list[float]:
    """Return the seconds of processor time of each call, which must be refused.

    The server is in this process. The calls take turns, ten times.
    """
    spent = [0.0] * len(calls)
    for _ in range(10):
        for number, call in enumerate(calls):
            begun = time.process_time()
            with pytest.raises(ClientError):
                call()
            spent[number] += time.process_time() - begun
    return spent


def test_everybody_costs_a_password_hash(contract: Contract) -> None:
    """A refused sign-in costs the same for unknown addresses, and for accounts of every kind."""
    contract.local  # noqa: B018 - the time at the real one depends on the network, too
    member, unconfirmed, to_reset, google = (contract.address() for _ in range(4))
    contract.sign_up(unconfirmed)
    for email in (member, to_reset):
        contract.sign_up_and_confirm(email, PASSWORD)
    contract.administer("admin_disable_user", member)  # the lock of others would count
    contract.administer("admin_reset_user_password", to_reset)
    google_tokens(contract, google)
    emails = (member, contract.address(), unconfirmed, to_reset, google)
    known, *others = processor_time(*(partial(contract.sign_in, email) for email in emails))
    assert min(others) > 0.75 * known


def test_a_taken_address_costs_a_password_hash(contract: Contract) -> None:
    """A sign-up that is refused hashes the password, as the sign-up of somebody new does."""
    contract.local  # noqa: B018 - as above
    email = contract.member()
    contract.administer("admin_disable_user", email)
    sign_in, sign_up = processor_time(
        partial(contract.sign_in, email), partial(contract.sign_up, email)
    )
    assert sign_up > 0.75 * sign_in


def test_turns() -> None:
    """Threads get the lock one at a time, in the order in which they asked for it."""
    turns = Turns()
    order: list[int] = []

    def take(number: int) -> None:
        with turns:
            order.append(number)

    threads = [threading.Thread(target=take, args=[number]) for number in range(20)]
    with turns:
        for thread in threads:
            thread.start()
            while thread.is_alive() and len(turns.waiting) <= threads.index(thread):
                time.sleep(0.001)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == list(range(20))
    with turns:
        assert len(turns.waiting) == 0


def test_callers_who_have_left_are_not_served() -> None:
    """A call that waited until its caller timed out changes nothing; the next call is served."""
    running, leave = threading.Event(), threading.Event()

    def slow(event: dict[str, Any], _context: object) -> dict[str, Any]:
        running.set()
        leave.wait(10)
        return event

    with LocalCognito() as cognito, ThreadPoolExecutor() as threads:
        contract = Contract(cognito.create_pool(), cognito)
        (name,) = cognito.functions
        cognito.functions[name] = slow
        first, second, third = (contract.address() for _ in range(3))
        served = [threads.submit(contract.sign_up, first)]
        running.wait(10)
        body = {"ClientId": contract.pool.client_id, "Username": second, "Password": PASSWORD}
        headers = {
            "X-Amz-Target": f"{TARGET}.SignUp",
            "Content-Type": "application/x-amz-json-1.1",
        }
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(cognito.url, json=body, headers=headers, timeout=0.5)
        served.append(threads.submit(contract.sign_up, third))
        leave.set()
        for call in served:
            call.result(10)
        contract.user(first)
        contract.user(third)
        with refused("UserNotFound"):
            contract.user(second)


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
