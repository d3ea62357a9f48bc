"""The transports: the bundle runs with the test's settings, and the exceptions are real tests."""

import asyncio
from dataclasses import fields
from pathlib import Path

import pytest

from app.settings import Settings
from tests.support.environment import VARIABLES, environ_of
from tests.support.transports import NOT_IN_THE_BUNDLE, handling, make_app

ROOT = Path(__file__).parents[2]


def test_the_bundle_gets_every_setting() -> None:
    """A setting that isn't in the bundle's environment would never be tested in the bundle."""
    switches = {
        field.name: not field.default
        for field in fields(Settings)
        if isinstance(field.default, bool)
    }
    texts = {field.name: "0123456789abcdef" for field in fields(Settings) if field.default == ""}
    settings = Settings(
        client_id="client",
        user_pool_id="eu-west-1_pool",
        region="eu-west-1",
        allowed_origins=("https://app.example.com", "http://localhost:5173"),
        endpoint_url="http://127.0.0.1:9",
        services_url="http://127.0.0.1:9",
        jwks_url="http://127.0.0.1:9/keys",
        domain_url="http://127.0.0.1:9",
        redirect_uris=("https://app.example.com/", "http://localhost:5173/"),
        app_name="My diary",
        **switches,
        **texts,
    )
    read = Settings.from_environ(environ_of(settings))
    for field in fields(Settings):
        assert getattr(settings, field.name) != field.default, f"Set {field.name} in this test"
        given = getattr(settings, field.name)
        name = VARIABLES[field.name]
        assert getattr(read, field.name) == given, f"Read {name} in from_environ, app/settings.py"


@pytest.mark.parametrize("start", NOT_IN_THE_BUNDLE)
def test_every_exception_names_an_existing_test(start: str) -> None:
    """A mistyped entry in NOT_IN_THE_BUNDLE would go unnoticed."""
    path, _, name = start.partition("::")
    assert (ROOT / path).exists()
    assert not name or f"def {name}(" in (ROOT / path).read_text()


def test_each_handler_closes_its_own_event_loop(settings: Settings) -> None:
    """A handler that is left open warns in whichever test runs when it is collected."""
    app = make_app(settings)
    with handling(app):
        first = asyncio.get_event_loop()
        with handling(app):
            second = asyncio.get_event_loop()
    assert first is not second
    assert first.is_closed()
    assert second.is_closed()
