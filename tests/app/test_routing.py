"""The threads in which route functions run."""

import pytest

from infra.local.server import LocalCognito
from tests.conftest import Connect
from tests.support.people import Person, settings_for
from tests.support.transports import BUNDLE


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
