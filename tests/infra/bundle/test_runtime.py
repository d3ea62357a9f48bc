"""The bundle under the real Lambda runtime client: its start, its end, and junk events."""

from pathlib import Path

import pytest

from infra.local.server import LocalCognito, LocalPool
from tests.support.environment import environ_of
from tests.support.gateway import event_of, response_from
from tests.support.people import Person, settings_for
from tests.support.runtime_api import (
    FunctionFailedError,
    LambdaFunction,
    bundle_function,
    lambda_function,
)
from tests.support.transports import Functions, invoking

NOWHERE = {
    "COGNITO_CLIENT_ID": "client",
    "COGNITO_USER_POOL_ID": "eu-west-1_pool",
    "AWS_REGION": "eu-west-1",
    # Nothing listens on the discard port: a call to Cognito would fail, and none is expected.
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://127.0.0.1:9",
}


@pytest.fixture
def function(functions: Functions, cognito: LocalCognito, shared_pool: LocalPool) -> LambdaFunction:
    """Return a running function."""
    return functions.get(settings_for(cognito, shared_pool))


@pytest.mark.parametrize("way", ["http-stage", "function-url"])
def test_runtime_serves_every_gateway(
    function: LambdaFunction, cognito: LocalCognito, way: str
) -> None:
    """The process that serves a REST API's events in most other tests also serves these."""
    with invoking(function.invoker, way) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.has_an_account()
        assert ada.signs_in().json()["body"]["TokenType"] == "Bearer"
    written = function.output
    assert [secret for secret in (ada.email, *ada.secrets) if secret in written] == []


def test_runtime_has_the_bundle_and_nothing_else(shipped: Path, tmp_path: Path) -> None:
    """A function can import and write the same in these tests as on Lambda."""
    names = ["fastapi", "awslambdaric", "pytest", "httpx", "moto", "infra", "tests", "yaml", "pip"]
    with bundle_function(shipped, NOWHERE, output=tmp_path / "log", handler="team.probe") as probe:
        found = probe.invoke({"names": names})
    library = [path for path in found["path"] if not path.startswith(str(shipped))]
    assert found["path"][:2] == [str(shipped / "bundle"), str(shipped / "runtime")]
    assert all("site-packages" not in path for path in library)
    assert found["importable"] == ["fastapi", "awslambdaric"]
    assert found["writable"] == []
    assert found["user"] != 0


def test_runtime_serves_the_console_test_events(function: LambdaFunction) -> None:
    """The events to paste into the Lambda console reach Cognito unchanged."""
    names = ["sign-up", "confirm", "sign-in"]
    events = [event_of(f"console-{name}") for name in names]
    answers = [response_from(function.invoke(event), event) for event in events]
    # The code in the event is made up, so the person stays unconfirmed.
    assert [answer.json().get("code") for answer in answers] == [
        None,
        "code_mismatch",
        "user_not_confirmed",
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 403]


def test_runtime_restores_from_a_snapshot(
    shipped: Path, cognito: LocalCognito, pool: LocalPool, tmp_path: Path
) -> None:
    """The runtime client runs our callbacks; it would exit if one failed.

    test_start.py shows that the second makes new connections: here, one process is both sides of
    the snapshot.
    """
    environment = environ_of(settings_for(cognito, pool))
    environment["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start"
    with bundle_function(shipped, environment, output=tmp_path / "log") as function:
        event = event_of("console-sign-up")
        assert response_from(function.invoke(event), event).status_code == 200
    assert '"route": "/health", "status": 200' in function.output


def test_runtime_survives_junk_events(shipped: Path, tmp_path: Path) -> None:
    """The function answers any junk JSON with 400 and serves the next event."""
    sign_in = event_of("console-sign-in")
    junk = [
        {},
        [],
        None,
        1,
        "\ud800",
        {"requestContext": {}},
        {"Records": [{"eventSource": "aws:sqs"}]},
        {**sign_in, "body": "not base64!", "isBase64Encoded": True},
        {**sign_in, "body": '"\ud800"'},
        {**sign_in, "headers": ["Accept"]},
    ]
    with bundle_function(shipped, NOWHERE, output=tmp_path / "log") as function:
        answers = [response_from(function.invoke(event), {}) for event in junk]
    assert [answer.status_code for answer in answers] == [400] * len(junk)
    assert [answer.json()["statusCode"] for answer in answers] == [400] * len(junk)


@pytest.mark.parametrize("name", ["COGNITO_CLIENT_ID", "COGNITO_USER_POOL_ID", "AWS_REGION"])
def test_runtime_ends_with_one_line_that_names_a_missing_setting(
    shipped: Path, name: str, tmp_path: Path
) -> None:
    """The log has the name of the missing setting, and no traceback."""
    incomplete = {key: value for key, value in NOWHERE.items() if key != name}
    with bundle_function(shipped, incomplete, output=tmp_path / "log") as function:
        assert function.exit_status() == 1
    (line,) = function.output.splitlines()
    assert name in line
    assert "Traceback" not in line


def test_runtime_client_that_dies_is_reported_with_its_output(
    shipped: Path, tmp_path: Path
) -> None:
    """The tests' own Runtime API reports the exit instead of waiting for an answer."""
    with (
        bundle_function(shipped, {}, output=tmp_path / "log") as function,
        pytest.raises(FunctionFailedError, match=r"exit: status 1\nThe function wrote:\nNot start"),
    ):
        function.invoke({})


def test_runtime_client_that_fails_to_import_is_reported(tmp_path: Path) -> None:
    """A handler that can't be imported fails the invocation, with the import's error."""
    with (
        lambda_function(tmp_path, {}, output=tmp_path / "log") as function,
        pytest.raises(FunctionFailedError, match="No module named 'app'"),
    ):
        function.invoke({})
