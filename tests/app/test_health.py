"""The route /health."""

from dataclasses import replace

from app.settings import Settings
from tests.conftest import Connect
from tests.support.faulty import FaultyCognito
from tests.support.people import ORIGIN


def test_health(settings: Settings, connect: Connect) -> None:
    """The answer has the usual format. Neither `/health` nor a preflight calls Cognito."""
    with (
        FaultyCognito() as upstream,
        connect(replace(settings, endpoint_url=upstream.url)) as api,
    ):
        answer = api.get("/health")
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        assert api.options("/auth/sign-in", headers=asked).status_code == 200
    assert (answer.status_code, answer.json()) == (200, {"statusCode": 200})
    assert upstream.calls == []
