"""A few of the flows that the command runs by the thousand."""

from infra.local.server import LocalCognito, LocalPool
from tests.strain.load import Load
from tests.support.people import settings_for
from tests.support.transports import make_app, serve


def test_a_few_flows(cognito: LocalCognito, pool: LocalPool) -> None:
    """Several people at once live the whole life of an account, and no step fails."""
    with serve(make_app(settings_for(cognito, pool))) as api:
        load = Load(api, cognito.url)
        load.run(flows=6, clients=3)
    assert load.faults == []
    steps = {"sign-up", "outbox", "confirm", "sign-in", "me", "refresh", "sign-out"}
    assert {name: len(times) for name, times in load.times.items()} == dict.fromkeys(steps, 6)
    assert len(load.table().splitlines()) == 1 + len(steps)


def test_a_fault_is_reported(cognito: LocalCognito, pool: LocalPool) -> None:
    """A step that fails ends its flow, and is named with its answer."""
    with serve(make_app(settings_for(cognito, pool))) as api:
        load = Load(f"{api}/elsewhere", cognito.url)
        load.run(flows=2, clients=1)
    assert len(load.faults) == 2
    assert load.faults[0].startswith("HTTPStatusError: sign-up: 404 ")
