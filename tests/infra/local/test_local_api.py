"""The API as `make run` serves it: on the local Cognito's clock."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import httpx
import pytest

from app.exceptions import KeysUnavailableError
from app.tokens import LEEWAY
from infra.local.local_app import COGNITO, cognito_time, create_local_app
from infra.local.server import LocalCognito
from tests.support.environment import environ_of
from tests.support.faulty import (
    Answer,
    Behaviour,
    Close,
    FaultyCognito,
    Raw,
    Reset,
    Truncated,
)
from tests.support.people import Person, settings_for
from tests.support.team.team_routes import router
from tests.support.transports import serving


@contextmanager
def served(cognito: LocalCognito, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    """Serve the app with a team's routes, and yield a person who is signed in."""
    for name, value in environ_of(settings_for(cognito, cognito.create_pool())).items():
        monkeypatch.setenv(name, value)
    app = create_local_app()
    app.include_router(router)
    with serving(app, "uvicorn") as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.is_signed_in()
        yield ada


def whoami(person: Person) -> httpx.Response:
    """Call a team's route, which checks the access token itself."""
    headers = {"Authorization": f"Bearer {person.tokens['AccessToken']}"}
    return person.api.get("/team/whoami", headers=headers)


@pytest.mark.parametrize("step", ["5 minutes", "1 hour", "1 day"])
def test_own_routes_follow_the_clock(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """After the clock has moved, tokens expire on them, and new ones are accepted at once."""
    with LocalCognito() as cognito, served(cognito, monkeypatch) as ada:
        assert whoami(ada).status_code == 200
        moved = httpx.post(
            f"{cognito.url}/console/clock", json={"step": step}, headers={"Origin": cognito.url}
        )
        assert moved.status_code == 200
        assert whoami(ada).status_code == (401 if step == "1 day" else 200)
        assert ada.signs_in().status_code == 200
        assert whoami(ada).status_code == 200
        cognito.clock.advance(timedelta(hours=3, seconds=LEEWAY))
        assert whoami(ada).status_code == 401


@pytest.mark.parametrize(
    "behaviour",
    [
        Answer(200, b"not JSON"),
        Answer(200, b"[]"),
        Answer(200, b"5"),
        Answer(200, b"{}"),
        Answer(200, b'{"now": null}'),
        Answer(200, b'{"now": "late"}'),
        Answer(200, b"\xff"),
        Answer(500, b"{}"),
        Truncated(),
        Close(),
        Reset(),
        Raw(b"nonsense\r\n\r\n"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_another_program_on_its_port(monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour) -> None:
    """What isn't an answer of the local Cognito is as good as none: 503, not 500."""
    with FaultyCognito() as other:
        other.behave(behaviour)
        monkeypatch.setenv(COGNITO, other.url)
        with pytest.raises(KeysUnavailableError):
            cognito_time()


def test_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the local Cognito, nobody knows whether a token is valid: 503, not 401."""
    with ExitStack() as stack:
        with LocalCognito() as cognito:
            ada = stack.enter_context(served(cognito, monkeypatch))
            assert whoami(ada).status_code == 200
        answer = whoami(ada)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
