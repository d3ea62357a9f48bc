"""The generated routes of `make bench ARGS=--growth` are routes that start."""

from pathlib import Path

from fastapi.routing import APIRoute

from app.settings import Settings
from infra.bundle.make import check_bundle
from tests.bench.growth import OWN, with_routes
from tests.support.transports import make_app


def test_generated_routes_start(bundle: Path, tmp_path: Path) -> None:
    """The handler can be imported with them."""
    with_routes(bundle, tmp_path / "more", 2)
    check_bundle(tmp_path / "more")


def test_the_first_step_is_our_own_number(settings: Settings) -> None:
    """A new route of ours changes the steps."""
    routes = [route for route in make_app(settings).routes if isinstance(route, APIRoute)]
    assert len([route for route in routes if route.include_in_schema]) == OWN
