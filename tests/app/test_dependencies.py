"""Routes for the members of a group, in the way a team guards its own."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends

from app.dependencies import requires_group
from app.settings import Settings
from infra.local.server import LocalCognito, LocalPool
from tests.conftest import Connect
from tests.support.failures import INVALID_TOKEN, failure
from tests.support.people import Person, admin, put_into_group
from tests.support.transports import make_app, serving, through_every_transport

ROOT = Path(__file__).parents[2]
FORBIDDEN = (403, "forbidden", "You are not allowed to do this.")
GUARDED = [("DELETE", "/team/pages/1"), ("GET", "/team/editor"), ("GET", "/team/desk/lamp")]


@dataclass(frozen=True)
class Groups:
    """The groups of a user pool, which an administrator changes."""

    cognito: LocalCognito
    pool: LocalPool

    def add(self, person: Person, group: str) -> None:
        """Add a person to a group, which may be new."""
        put_into_group(self.cognito, self.pool, person.email, group)

    def remove(self, person: Person, group: str) -> None:
        """Remove a person from a group."""
        admin(self.cognito, self.pool).admin_remove_user_from_group(
            UserPoolId=self.pool.user_pool_id, Username=person.email, GroupName=group
        )


@pytest.fixture
def groups(cognito: LocalCognito, pool: LocalPool) -> Groups:
    """Return the groups of the test's pool."""
    return Groups(cognito, pool)


@pytest.fixture
def grace(connect: Connect, settings: Settings, cognito: LocalCognito) -> Iterator[Person]:
    """Return a person who is signed in to an app with a team's routes."""
    with connect(settings, team=True) as api:
        person = Person(api, cognito.outbox.code_for)
        person.is_signed_in()
        yield person


def calls(person: Person, method: str, path: str) -> httpx.Response:
    """Call a team's route with the person's access token."""
    headers = {"Authorization": f"Bearer {person.tokens['AccessToken']}"}
    return person.api.request(method, path, headers=headers)


@through_every_transport
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_route_for_a_group(grace: Person, groups: Groups, method: str, path: str) -> None:
    """Only members may call it. A change of groups reaches a person at the next refresh."""
    assert failure(calls(grace, method, path)) == FORBIDDEN
    groups.add(grace, "readers")
    groups.add(grace, "editors")
    assert failure(calls(grace, method, path)) == FORBIDDEN
    grace.refreshes()
    assert calls(grace, method, path).status_code == 200
    groups.remove(grace, "editors")
    assert calls(grace, method, path).status_code == 200
    grace.refreshes()
    assert failure(calls(grace, method, path)) == FORBIDDEN
    groups.add(grace, "editors")
    grace.signs_in()
    assert calls(grace, method, path).status_code == 200


@through_every_transport
@pytest.mark.parametrize(("method", "path"), [*GUARDED, ("DELETE", "/team/archive")])
def test_the_token_comes_first(grace: Person, method: str, path: str) -> None:
    """Without a valid access token, the answer is 401, also if another member must be read."""
    answer = grace.api.request(method, path)
    assert failure(answer) == INVALID_TOKEN
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    grace.tokens["AccessToken"] = grace.tokens["IdToken"]
    assert failure(calls(grace, method, path)) == INVALID_TOKEN


@through_every_transport
def test_a_second_group(grace: Person, groups: Groups) -> None:
    """A route can require a group in addition to its router's."""
    groups.add(grace, "chief-editors")
    grace.refreshes()
    assert failure(calls(grace, "GET", "/team/desk/drawer")) == FORBIDDEN
    groups.add(grace, "editors")
    grace.refreshes()
    assert calls(grace, "GET", "/team/desk/drawer").json() == "open"


@pytest.mark.parametrize("group", ["Editors", "editors ", "editor", "editors,readers", "éditors"])
def test_a_group_of_a_similar_name(grace: Person, groups: Groups, group: str) -> None:
    """A name matches as a whole, with its case. Cognito refuses some of these."""
    client = admin(groups.cognito, groups.pool)
    with suppress(client.exceptions.InvalidParameterException):
        groups.add(grace, group)
    grace.refreshes()
    assert failure(calls(grace, "GET", "/team/editor")) == FORBIDDEN


def test_a_group_and_a_recent_sign_in(grace: Person, groups: Groups) -> None:
    """Both are required, and work together."""
    assert failure(calls(grace, "DELETE", "/team/archive")) == FORBIDDEN
    groups.add(grace, "editors")
    grace.refreshes()
    sub = grace.looks_in_the_mirror().json()["body"]["sub"]
    assert calls(grace, "DELETE", "/team/archive").json() == sub
    assert calls(grace, "GET", "/team/editor").json() == sub


@pytest.mark.parametrize("end", ["signs_out_everywhere", "deletes_the_account", "disabled"])
def test_an_active_user(grace: Person, end: str, cognito: LocalCognito, pool: LocalPool) -> None:
    """Cognito is asked, so a session that has ended is refused before its token expires."""
    sub = calls(grace, "GET", "/team/active").json()
    assert sub == calls(grace, "GET", "/team/whoami").json()["sub"]
    if end == "disabled":
        admin(cognito, pool).admin_disable_user(UserPoolId=pool.user_pool_id, Username=grace.email)
    else:
        assert getattr(grace, end)().status_code == 200
    assert failure(calls(grace, "GET", "/team/active")) == INVALID_TOKEN
    assert calls(grace, "GET", "/team/whoami").status_code == 200


def test_a_refusal_of_a_teams_own(grace: Person) -> None:
    """HTTPException(403) has the same code and message as a missing group."""
    assert failure(grace.api.get("/team/forbidden")) == FORBIDDEN


def test_a_forgotten_group(settings: Settings, cognito: LocalCognito) -> None:
    """A dependency that was not given a group lets nobody pass."""
    app = make_app(settings, clock=cognito.clock.now)
    app.get("/open", dependencies=[Depends(requires_group)])(lambda: "open")
    with serving(app, "rest") as api:
        for query in ("", "?group=editors", "?args=editors&kwargs=editors"):
            assert api.get(f"/open{query}").status_code in (400, 500), query


def test_a_token_is_verified_once(
    settings: Settings, cognito: LocalCognito, groups: Groups
) -> None:
    """Several dependencies on the person share one verification, which reads the clock once."""
    read: list[float] = []

    def clock() -> float:
        read.append(cognito.clock.now())
        return read[-1]

    with serving(make_app(settings, team=True, clock=clock), "rest") as api:
        grace = Person(api, cognito.outbox.code_for)
        grace.is_signed_in()
        for group in ("editors", "chief-editors"):
            groups.add(grace, group)
        grace.refreshes()

        def times(method: str, path: str) -> int:
            read.clear()
            assert calls(grace, method, path).status_code == 200
            return len(read)

        assert times("GET", "/team/whoami") == 1
        assert times("GET", "/team/editor") == 1
        assert times("GET", "/team/desk/drawer") == 1
        assert times("DELETE", "/team/archive") == times("DELETE", "/team/everything") == 2


def test_the_document_of_a_guarded_route(settings: Settings, connect: Connect) -> None:
    """The docs page shows a lock, and what `fails_with` names, however the route is guarded."""
    with connect(settings, team=True) as api:
        routes: dict[str, Any] = api.get("/openapi.json").json()["paths"]
    for method, path in [
        ("delete", "/team/pages/{number}"),
        ("get", "/team/editor"),
        ("get", "/team/desk/lamp"),
        ("get", "/team/desk/drawer"),
        ("delete", "/team/archive"),
    ]:
        assert routes[path][method]["security"] == [{"AccessToken": []}], path
    assert "security" not in routes["/team/forbidden"]["get"]
    responses = routes["/team/pages/{number}"]["delete"]["responses"]
    for status, code in (("401", "invalid_token"), ("403", "forbidden")):
        assert code in responses[status]["content"]["application/json"]["examples"]


def test_the_recipe() -> None:
    """Its code is that of routes that these tests call."""
    document = (ROOT / "app/README.md").read_text()
    recipe = document.partition("### A route for a group\n")[2].partition("\n### ")[0]
    found = re.search(r"^```py\n(.*?)^```$", recipe, re.DOTALL | re.MULTILINE)
    assert found
    parameter = 'editor: Annotated[TokenUser, Depends(requires_group("editors"))]'
    assert f"`{parameter}`" in recipe
    for code in (found[1], parameter):
        assert code in (ROOT / "tests/support/team/team_routes.py").read_text()
