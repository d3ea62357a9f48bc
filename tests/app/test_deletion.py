"""The deletion of an account erases what a team keeps about the person, first."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from app.settings import Settings
from infra.local.server import LocalCognito
from tests.conftest import Connect
from tests.support.failures import DONE, INVALID_TOKEN, failure
from tests.support.people import Person
from tests.support.transports import through_every_transport
from tests.support.watch import Watch


@pytest.fixture
def grace(
    connect: Connect, settings: Settings, cognito: LocalCognito, watch: Watch
) -> Iterator[Person]:
    """Return a person who is signed in to an app whose team keeps a notebook for everyone."""
    with connect(settings, team=True) as api:
        person = watch.over(Person(api, cognito.outbox.code_for))
        person.is_signed_in()
        yield person


def calls(person: Person, method: str, path: str) -> httpx.Response:
    """Call a route with the person's access token."""
    headers = {"Authorization": f"Bearer {person.tokens['AccessToken']}"}
    return person.api.request(method, path, headers=headers)


def writes(person: Person, *lines: str) -> None:
    """Write lines into the person's notebook."""
    for line in lines:
        assert calls(person, "POST", f"/team/notebook/{line}").status_code == 200


def reads(person: Person) -> list[str]:
    """Read the person's notebook. An access token outlives the account."""
    lines: list[str] = calls(person, "GET", "/team/notebook").json()
    return lines


@through_every_transport
def test_everything_is_erased(grace: Person, cognito: LocalCognito) -> None:
    """With the account, the person's data goes, and nobody else's."""
    heidi = Person(grace.api, cognito.outbox.code_for)
    heidi.is_signed_in()
    writes(grace, "one", "two")
    writes(heidi, "hers")
    assert grace.deletes_the_account().json() == DONE
    assert failure(grace.looks_in_the_mirror()) == INVALID_TOKEN
    assert reads(grace) == []
    assert reads(heidi) == ["hers"]


def test_a_failure_leaves_the_account(grace: Person) -> None:
    """The caller gets the failure's answer, and the person can try again."""
    writes(grace, "one", "sticky", "three")
    answer = failure(grace.deletes_the_account())
    assert answer == (503, "service_unavailable", "Please try again.")
    assert grace.looks_in_the_mirror().status_code == 200
    assert grace.deletes_the_account().json() == DONE
    assert failure(grace.looks_in_the_mirror()) == INVALID_TOKEN
    assert reads(grace) == []


def test_a_revoked_token_erases_nothing(grace: Person) -> None:
    """Its signature is still valid, so only Cognito knows."""
    writes(grace, "one")
    assert grace.signs_out_everywhere().json() == DONE
    assert failure(grace.deletes_the_account()) == INVALID_TOKEN
    assert reads(grace) == ["one"]


def test_a_sign_in_that_is_not_recent(grace: Person, cognito: LocalCognito) -> None:
    """A leaked token erases nothing either."""
    writes(grace, "one")
    cognito.clock.advance(timedelta(minutes=6))
    assert failure(grace.deletes_the_account())[1] == "reauthentication_required"
    assert reads(grace) == ["one"]
