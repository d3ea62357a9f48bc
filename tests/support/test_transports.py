"""The transports: what a test asks of the bundle is what it asks of the app elsewhere."""

from dataclasses import fields
from pathlib import Path

import pytest

from app.settings import Settings
from tests.support.environment import VARIABLES, environ_of
from tests.support.transports import NOT_IN_THE_BUNDLE

ROOT = Path(__file__).parents[2]


def test_a_function_of_the_bundle_has_every_setting_of_the_test() -> None:
    """A setting that didn't reach its environment would be tested nowhere in what ships."""
    switches = {
        field.name: not field.default
        for field in fields(Settings)
        if isinstance(field.default, bool)
    }
    settings = Settings(
        client_id="client",
        user_pool_id="eu-west-1_pool",
        region="eu-west-1",
        allowed_origins=("https://app.example.com", "http://localhost:5173"),
        endpoint_url="http://127.0.0.1:9",
        jwks_url="http://127.0.0.1:9/keys",
        **switches,
    )
    read = Settings.from_environ(environ_of(settings))
    for field in fields(Settings):
        assert getattr(settings, field.name) != field.default, f"Set {field.name} in this test"
        asked = getattr(settings, field.name)
        name = VARIABLES[field.name]
        assert getattr(read, field.name) == asked, f"Read {name} in from_environ, app/settings.py"


@pytest.mark.parametrize("start", NOT_IN_THE_BUNDLE)
def test_the_list_of_exceptions_names_what_is_there(start: str) -> None:
    """It is read by people, and an entry that means nothing would hide a typing mistake."""
    path, _, name = start.partition("::")
    assert (ROOT / path).exists()
    assert not name or f"def {name}(" in (ROOT / path).read_text()
