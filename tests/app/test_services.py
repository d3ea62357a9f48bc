"""The clients of other AWS services: their limits, and what callers are told when they fail."""

import json
import re
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from app.exception_handlers import find_failure
from app.exceptions import ServiceNotListedError
from app.services import PROJECT, Services, aws_client
from app.settings import Settings
from tests.conftest import Connect
from tests.support.failures import failure
from tests.support.faulty import Answer, Close, FaultyCognito, Reset, Stall
from tests.support.watch import Watch

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
TABLES = Answer(200, b'{"TableNames": ["diary"]}')
SHORT = 0.3  # seconds
MISCONFIGURED = (
    500,
    "misconfigured",
    "The service is not set up correctly. Its owner must fix it.",
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyCognito]:
    """Return a server whose behaviour the test sets, and the credentials for it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with FaultyCognito() as server:
        yield server


def at(url: str) -> Settings:
    """Return settings whose AWS services are at a URL."""
    return Settings(client_id="x", user_pool_id="eu-west-1_x", region="eu-west-1", services_url=url)


@pytest.fixture
def services(aws: FaultyCognito) -> Services:
    """Return the clients of that server's services, which wait a short time."""
    return Services(at(aws.url), SHORT)


def raised(services: Services, name: str = "dynamodb") -> Exception:
    """Return what a call raises."""
    client = services.client(name)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each test looks at it
        client.list_tables() if name == "dynamodb" else client.get_object(Bucket="b-1", Key="k")
    return raised.value


def test_a_call(aws: FaultyCognito, services: Services) -> None:
    """A call goes to the settings' region and endpoint, and is signed."""
    aws.behave(TABLES)
    client = services.client("dynamodb")
    assert client.list_tables()["TableNames"] == ["diary"]
    assert client.meta.region_name == "eu-west-1"
    assert aws.calls == ["ListTables"]
    assert re.search(r"/eu-west-1/dynamodb/aws4_request", aws.headers[0]["Authorization"])


def test_a_client_is_made_once(services: Services) -> None:
    """Threads that ask at the same time get the same client."""
    with ThreadPoolExecutor(4) as threads:
        clients = list(threads.map(services.client, ["dynamodb", "s3"] * 4))
    assert len({id(client) for client in clients}) == 2


@pytest.mark.parametrize("fault", [Reset(), Close(), Stall(), Answer(503, b"")])
def test_a_failure_is_tried_once_more(aws: FaultyCognito, services: Services, fault: Any) -> None:
    """A broken connection, a server that is too slow, or one that fails."""
    aws.behave(fault, TABLES)
    assert services.client("dynamodb").list_tables()["TableNames"] == ["diary"]
    assert aws.calls == ["ListTables"] * 2


@pytest.mark.parametrize("fault", [Reset(), Close(), Stall(), Answer(500, b"")])
@pytest.mark.parametrize("name", ["dynamodb", "s3"])
def test_two_failures(aws: FaultyCognito, services: Services, name: str, fault: Any) -> None:
    """The caller may try again later. A stalled call ends in time, twice."""
    aws.behave(fault)
    row = find_failure(raised(services, name))
    assert (row.status, row.code) == (503, "unavailable")
    assert len(aws.calls) == 2


POLICIES = "the function's Policies"
RESOURCE = "table, bucket or other resource"
CREDENTIALS_REFUSED = "refused the credentials"
ERRORS = {
    (400, "AccessDeniedException"): ("misconfigured", POLICIES),
    (403, "AccessDenied"): ("misconfigured", POLICIES),
    (400, "ResourceNotFoundException"): ("misconfigured", RESOURCE),
    (404, "NoSuchBucket"): ("misconfigured", RESOURCE),
    (301, "PermanentRedirect"): ("misconfigured", RESOURCE),
    (400, "UnrecognizedClientException"): ("misconfigured", CREDENTIALS_REFUSED),
    (400, "ExpiredTokenException"): ("misconfigured", CREDENTIALS_REFUSED),
    (403, "InvalidAccessKeyId"): ("misconfigured", CREDENTIALS_REFUSED),
    (400, "ThrottlingException"): ("too_many_requests", ""),
    (400, "ProvisionedThroughputExceededException"): ("too_many_requests", ""),
    (429, "Anything"): ("too_many_requests", ""),
    (500, "InternalServerError"): ("unavailable", ""),
    (503, "SlowDown"): ("unavailable", ""),
    # What a route should have caught, or should not have sent
    (400, "ConditionalCheckFailedException"): ("internal_error", ""),
    (400, "ValidationException"): ("internal_error", ""),
    # These names mean something else in Cognito
    (400, "NotAuthorizedException"): ("internal_error", ""),
    (400, "UserNotFoundException"): ("internal_error", ""),
    (400, "InvalidParameterException"): ("internal_error", ""),
}


@pytest.mark.parametrize(("status", "error"), ERRORS)
@pytest.mark.parametrize("name", ["dynamodb", "s3"])
def test_an_error(
    aws: FaultyCognito, services: Services, name: str, status: int, error: str
) -> None:
    """An error gets the row of other services, whatever Cognito means by its name."""
    in_xml = f"<Error><Code>{error}</Code></Error>".encode()
    in_json = json.dumps({"__type": f"com.amazon#{error}"}).encode()
    aws.behave(Answer(status, in_xml if name == "s3" else in_json))
    row = find_failure(raised(services, name))
    code, remedy = ERRORS[status, error]
    assert row.code == code
    assert remedy in (row.remedy or "")


def test_without_credentials(aws: FaultyCognito, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy says where they come from."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    row = find_failure(raised(Services(at(aws.url), SHORT)))
    assert (row.code, "credentials" in (row.remedy or "")) == ("misconfigured", True)
    assert aws.calls == []


def test_a_large_answer(aws: FaultyCognito, services: Services) -> None:
    """DynamoDB may answer with more than Cognito ever does."""
    names = ["x" * 1000] * 2000
    aws.behave(Answer(200, json.dumps({"TableNames": names}).encode()))
    assert services.client("dynamodb").list_tables()["TableNames"] == names


def test_a_presigned_request(aws: FaultyCognito) -> None:
    """It goes to the bucket in its region, with the present signature. Presigning asks nobody."""
    services = Services(replace(at(aws.url), services_url=None))
    form = services.client("s3").generate_presigned_post("diary-1", "key")
    assert form["url"] == "https://diary-1.s3.eu-west-1.amazonaws.com/"
    assert form["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    about = {"Bucket": "diary-1", "Key": "key"}
    url = services.client("s3").generate_presigned_url("get_object", about)
    assert url.startswith("https://diary-1.s3.eu-west-1.amazonaws.com/key?X-Amz-Algorithm=AWS4")
    assert aws.calls == []


def test_a_service_that_is_not_listed() -> None:
    """A route that asks for it can't be imported, and the error says what to do."""
    with pytest.raises(ServiceNotListedError) as raised:
        aws_client("no-such-service")
    assert str(raised.value) == "Add 'no-such-service' to aws-services in pyproject.toml"


@pytest.mark.transports
def test_a_service_that_the_bundle_lacks(
    connect: Connect, settings: Settings, watch: Watch
) -> None:
    """On Lambda, the caller learns that it is our mistake, and the log says what to do."""
    with connect(settings, team=True) as api:
        assert failure(api.get("/team/tables")) == MISCONFIGURED
        assert api.get("/health").status_code == 200
    lines = map(json.loads, watch.lines)
    (line,) = [line for line in lines if line.get("code") == "misconfigured"]
    assert line["cause"] == "UnknownServiceError"
    assert "aws-services in pyproject.toml" in line["remedy"]


def test_every_listed_service_is_typed() -> None:
    """The listed services are botocore's, and have an extra of types-boto3."""
    project = tomllib.loads(PROJECT.read_text())
    listed = project["tool"]["accounts"]["aws-services"]
    assert set(listed) <= set(botocore.session.get_session().get_available_services())
    (types,) = [line for line in project["dependency-groups"]["dev"] if "types-boto3[" in line]
    extras = re.findall(r"[\w-]+", types.partition("[")[2].partition("]")[0])
    for name in listed:
        assert name in extras, f"Add {name} to types-boto3's extras in pyproject.toml"
