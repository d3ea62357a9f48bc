"""The diary from the README, unchanged: people can read only their own entries."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter  # noqa: TC002 - the annotation is read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.main import create_app
from infra.local.server import LocalCognito
from tests.support.people import Person, settings_for
from tests.support.readme import block
from tests.support.transports import serving


@pytest.fixture(scope="module")
def people() -> Iterator[list[Person]]:
    """Return two signed-in users of an app with the diary."""
    diary: dict[str, Any] = {}
    exec(block("python", "# app/diary.py"), diary)  # noqa: S102 - the code is the README's
    router: APIRouter = diary["router"]
    with LocalCognito() as cognito:
        pool = cognito.create_pool("diary")
        app = create_app(settings_for(cognito, pool))
        app.include_router(router)
        with serving(app, "rest") as api:
            both = [Person(api, cognito.outbox.code_for) for _ in range(2)]
            for person in both:
                person.is_signed_in()
            yield both


def diary_of(person: Person, text: str | None = None) -> httpx.Response:
    """Read the diary, or add `text` to it."""
    headers = {"Authorization": f"Bearer {person.tokens['AccessToken']}"}
    if text is None:
        return person.api.get("/diary", headers=headers)
    return person.api.post("/diary", json={"text": text}, headers=headers)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.tuples(st.sampled_from([0, 1]), st.text(max_size=20)), max_size=8))
def test_people_read_only_their_own_entries(
    people: list[Person], steps: list[tuple[int, str]]
) -> None:
    """Each person reads only their own entries, in whatever order people write."""
    before = [diary_of(person).json() for person in people]
    written = defaultdict(list)
    for who, text in steps:
        assert diary_of(people[who], text).status_code == 200
        written[who].append(text)
    for who, person in enumerate(people):
        assert diary_of(person).json() == before[who] + written[who]


def test_the_diary_needs_a_token(people: list[Person]) -> None:
    """The answer is a 401 in the usual format."""
    for answer in (people[0].api.get("/diary"), people[0].api.post("/diary", json={"text": "x"})):
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
        assert json.loads(answer.text)["requestId"]
