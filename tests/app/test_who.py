"""Who sent a request, in the log: keyed hashes that follow a person, and nothing that names one."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.settings import Settings
from app.who import keyed_hash
from infra.local.server import LocalCognito
from tests.conftest import Connect
from tests.support.people import LOG_KEY, Person
from tests.support.watch import Watch

KEY = LOG_KEY
Follow = Callable[[], Person]


@pytest.fixture
def lines(watch: Watch) -> Callable[[], dict[str, Any]]:
    """Return a function that returns the newest line of a request."""

    def newest() -> dict[str, Any]:
        found = map(json.loads, watch.lines)
        return [line for line in found if line["message"] == "request"][-1]

    return newest


def test_one_person_can_be_followed(
    settings: Settings,
    cognito: LocalCognito,
    connect: Connect,
    watch: Watch,
    lines: Callable[[], dict[str, Any]],
) -> None:
    """An address and a `sub` have a hash each. The line of a sign-in has both."""
    with connect(replace(settings, log_key=KEY)) as api:
        ada = watch.over(Person(api, cognito.outbox.code_for))
        address = keyed_hash(KEY, ada.email)
        for call in (
            ada.signs_up,
            lambda: ada.signs_up(email=f"  {ada.email.upper()} "),
            ada.confirms,
            lambda: ada.signs_in(password="Wrong-horse-9"),
            ada.forgets_the_password,
        ):
            call()
            assert lines()["address"] == address
            assert "user" not in lines()
        ada.signs_in()
        user = lines()["user"]
        assert lines()["address"] == address
        assert user == keyed_hash(KEY, ada.looks_in_the_mirror().json()["body"]["sub"])
        assert (lines()["user"], lines()["route"]) == (user, "/auth/me")
        ada.refreshes()
        assert lines()["user"] == user
        assert re.fullmatch("[0-9a-f]{16}", user)
        assert user != address
    assert all(KEY not in line and ada.email not in line for line in watch.lines)


TOKENS = [
    "x.eyJzdWIiOiJib2IifQ.y",
    "eyJzdWIiOiJib2IifQ",
    "x.e30.y",
    "x.W10.y",
    "x.%.y",
    "x..y",
    "x",
]
BODIES = ['{"email": "\\ud800"}', "", "x", "[]", '"a"', "1", '{"email": 1}', "[" * 5000]


def test_a_stranger_is_nobody(
    settings: Settings, connect: Connect, lines: Callable[[], dict[str, Any]]
) -> None:
    """Anyone can write a `sub` into a token, and anything into a body."""
    with connect(replace(settings, log_key=KEY)) as api:
        for token in TOKENS:
            api.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
            assert lines()["status"] == 401
            assert "user" not in lines()
        for path in ("/health", "/docs"):
            api.get(path, headers={"Authorization": f"Bearer {TOKENS[0]}"})
            assert "user" not in lines()
        api.post(
            "/auth/resend-code",
            json={"email": "a@b.io"},
            headers={"Authorization": f"Bearer {TOKENS[0]}"},
        )
        assert "user" not in lines()
        for body in BODIES:
            json_type = {"Content-Type": "application/json"}
            answer = api.post("/auth/sign-up", content=body, headers=json_type)
            assert answer.status_code == 400
            assert "user" not in lines()
            assert ("address" in lines()) is (body == BODIES[0])


def test_without_a_key(
    settings: Settings,
    cognito: LocalCognito,
    connect: Connect,
    watch: Watch,
    lines: Callable[[], dict[str, Any]],
) -> None:
    """Without LOG_KEY there are no hashes: a made-up key would change with each process."""
    with connect(replace(settings, log_key="")) as api:
        ada = watch.over(Person(api, cognito.outbox.code_for))
        ada.is_signed_in()
        assert not {"address", "user"} & lines().keys()


def test_a_body_too_large(ada: Person, lines: Callable[[], dict[str, Any]]) -> None:
    """It is refused once, before anything happens, also on a route that takes no body."""
    ada.is_signed_in()
    bearer = {"Authorization": f"Bearer {ada.tokens['AccessToken']}"}
    for method, path in [("POST", "/auth/sign-in"), ("DELETE", "/auth/me")]:
        answer = ada.api.request(method, path, content=b" " * 20_000, headers=bearer)
        assert answer.status_code == 413
        assert lines()["code"] == "body_too_large"
    assert ada.looks_in_the_mirror().status_code == 200


def test_a_hash_depends_on_the_key() -> None:
    """Whoever has only the log can't compute the hash of an address."""
    assert keyed_hash(KEY, "\ud800")
    assert keyed_hash(KEY, "Ada@Example.com") == keyed_hash(KEY, "ada@example.com")
    assert keyed_hash(KEY, "ada@example.com") != keyed_hash(KEY + "x", "ada@example.com")
    assert keyed_hash(KEY, "ada@example.com") != keyed_hash(KEY, "adb@example.com")
