"""How route functions are called: in which threads, and without work that nobody needs."""

import linecache
import threading
from typing import Annotated

import pytest
from fastapi import APIRouter, Query
from fastapi.exceptions import FastAPIError
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Match

from app.routing import Route
from app.settings import Settings
from infra.local.server import LocalCognito
from tests.conftest import Connect
from tests.support.people import Person, settings_for
from tests.support.transports import BUNDLE, make_app, serving


@pytest.mark.transports("uvicorn", "rest")
def test_blocking_functions_need_no_threads_on_lambda(
    connect: Connect, cognito: LocalCognito, transport: str
) -> None:
    """Our routes, a team's routes and the check of the access token use no worker threads there."""
    settings = settings_for(cognito, cognito.create_pool())
    with connect(settings, team=True) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.is_signed_in()
        authorization = {"Authorization": f"Bearer {ada.tokens['AccessToken']}"}
        assert api.get("/docs").status_code == 200
        answer = api.get("/team/threads", headers=authorization)
    assert answer.status_code == 200, answer.text
    threads = answer.json()
    workers = [name for name in threads if "worker" in name]
    assert bool(workers) == (transport != BUNDLE)


def test_no_route_is_built_twice(settings: Settings) -> None:
    """FastAPI's include_router would wrap each router, and build its routes again in a call."""
    routes = make_app(settings).routes
    assert len(routes) > 15
    assert {type(route) for route in routes} == {Route}


PARTS = ["", "/", "/auth", "/auth/sign-in", "/sign-in", "/notes", "/a b", "/%", "x"]


@given(
    prefix=st.sampled_from(["", "/v1", "/auth"]),
    paths=st.lists(st.sampled_from(PARTS), max_size=3).map("".join),
    template=st.sampled_from(["/auth/sign-in", "/", "/{name}", "/auth/{name}", "/{rest:path}"]),
)
def test_routes_match_as_fastapis_do(prefix: str, paths: str, template: str) -> None:
    """Most routes are ruled out by the end of their path, and none that matches."""
    scope = {"type": "http", "method": "GET", "path": prefix + paths, "root_path": prefix}
    kinds = (Route, Waiting, APIRoute)
    ours, waiting, theirs = (kind(template, lambda: None).matches(scope)[0] for kind in kinds)
    assert ours == waiting == theirs


class Waiting(Route):
    """A route as on Lambda."""

    waits = True


def name(name: str) -> dict[str, str]:
    """Answer the name in the path."""
    return {"name": name}


def test_a_route_that_waits() -> None:
    """It is made by what first needs it, once, and then is like any other."""
    waiting, made = Waiting("/names/{name}", name), Route("/names/{name}", name)
    scope = {"type": "http", "method": "GET", "path": "/other", "root_path": ""}
    assert waiting.matches(scope)[0] == Match.NONE
    assert "dependant" not in vars(waiting)
    scope["path"] = "/names/ada"
    assert waiting.matches(scope)[0] == Match.FULL
    assert vars(waiting).keys() == vars(made).keys()
    dependant = waiting.dependant
    waiting.make()
    assert waiting.dependant is dependant
    with pytest.raises(AttributeError):
        _ = waiting.nothing


def test_a_mistake_in_a_route_shows_at_once() -> None:
    """It doesn't wait for a call, except on Lambda, and there `make bundle` finds it."""

    def mistaken(given: threading.Thread) -> None:
        """Take something that no request has."""

    with pytest.raises(FastAPIError):
        Route("/mistaken", mistaken)
    waiting = Waiting("/mistaken", mistaken)
    with pytest.raises(FastAPIError):
        waiting.make()


def test_a_first_call_reads_no_source(settings: Settings) -> None:
    """FastAPI would search the function's source, for the texts of its errors."""
    router = APIRouter(route_class=Route)

    @router.get("/blocking")
    def blocking() -> dict[str, str]:
        """Block."""
        return {}

    @router.get("/awaited")
    async def awaited(name: "Annotated[str, Query()]") -> dict[str, str]:
        """Return a name; annotations may be text."""
        return {"name": name}

    app = make_app(settings)
    app.include_router(router)
    linecache.clearcache()
    with serving(app, "rest") as api:
        assert api.get("/blocking").json() == {}
        assert api.get("/awaited", params={"name": "Ada"}).json() == {"name": "Ada"}
    assert __file__ not in linecache.cache
