"""Who may call DynamoDB and S3 here: programs with credentials, and pages of this machine."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from infra.local.services.serving import MAX_OBJECT
from tests.infra.local.services.conftest import Services, Start
from tests.support.browser import FOREIGN, Browse
from tests.support.presigned import KEY, form, upload
from tests.support.resources import BUCKET, TABLE, client
from tests.support.transports import serve

PAGE = "http://localhost:5173"
EVIL = "https://evil.example"
TABLES = {"X-Amz-Target": "DynamoDB_20120810.ListTables"}


def presigned(services: Services, **more: Any) -> str:
    """Return the URL of an object."""
    about = {"Bucket": services.bucket, "Key": "a"}
    url: str = services.s3.generate_presigned_url("get_object", about, **more)
    return url


@pytest.fixture
def with_object(services: Services) -> Services:
    """Return the services with an object "a"."""
    services.s3.put_object(Bucket=services.bucket, Key="a", Body=b"silence")
    return services


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-northeast-2"])
def test_every_region_has_the_same_tables(services: Services, region: str) -> None:
    """A client may be set to any region."""
    found = client("dynamodb", services.cognito.url, region)
    assert services.table in found.list_tables()["TableNames"]
    assert client("s3", services.cognito.url, region).head_bucket(Bucket=services.bucket)


def test_a_presigned_url(with_object: Services) -> None:
    """A browser plays it: it may ask for a part, until the URL expires."""
    url = presigned(with_object)
    assert httpx.get(url).content == b"silence"
    part = httpx.get(url, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"len")
    assert part.headers["Content-Range"] == "bytes 2-4/7"
    expired = httpx.get(presigned(with_object, ExpiresIn=-1))
    assert expired.status_code == 403
    assert "Request has expired" in expired.text


def test_a_bucket_is_private(with_object: Services) -> None:
    """Without credentials, or with a mangled expiry, nothing is read or written."""
    url = f"{with_object.cognito.url}/{with_object.bucket}/a"
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert httpx.request(method, url).status_code == 403
    mangled = presigned(with_object).replace("X-Amz-Expires=", "X-Amz-Expires=x")
    assert httpx.get(mangled).status_code == 400
    assert with_object.objects() == {"a": b"silence"}


def test_a_page_of_this_machine(with_object: Services) -> None:
    """It may read what the bucket's CORS rules allow: GET and POST, and the header ETag."""
    url = presigned(with_object)
    answer = httpx.get(url, headers={"Origin": PAGE})
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag"
    assert "Origin" in answer.headers["Vary"]
    for method, status in (("POST", 200), ("PUT", 403)):
        asked = {"Origin": PAGE, "Access-Control-Request-Method": method}
        assert httpx.options(url, headers=asked).status_code == status


def test_a_bucket_without_cors_rules(start: Start) -> None:
    """No page can read its answers, as in the cloud."""
    before, _, _ = BUCKET.partition("      CorsConfiguration:")
    services = start(resources=TABLE + before)
    services.s3.put_object(Bucket=services.bucket, Key="a", Body=b"silence")
    answer = httpx.get(presigned(services), headers={"Origin": PAGE})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost.evil.example"])
def test_a_page_elsewhere(
    with_object: Services, origin: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is read or written, and the terminal names the page."""
    evil = {"Origin": origin}
    tables = httpx.post(with_object.cognito.url, content="{}", headers=TABLES | evil)
    assert tables.status_code == 403
    assert with_object.table not in tables.text
    assert httpx.get(presigned(with_object), headers=evil).status_code == 403
    assert upload(form(with_object), headers=evil).status_code == 403
    assert with_object.objects() == {"a": b"silence"}
    assert origin in capfd.readouterr().err


def test_another_host(with_object: Services) -> None:
    """A site that points its own name at this machine (DNS rebinding) is refused."""
    rebound = {"Host": "evil.example:8001"}
    assert httpx.get(presigned(with_object), headers=rebound).status_code == 403
    tables = httpx.post(with_object.cognito.url, content="{}", headers=TABLES | rebound)
    assert tables.status_code == 403


def test_too_large(services: Services) -> None:
    """25 MiB are the limit of an object, and 1 MiB that of a call to DynamoDB."""
    url = f"{services.cognito.url}/{services.bucket}/a"
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20261126/us-east-1/s3/aws4_request"}
    assert httpx.put(url, content=b"x" * (MAX_OBJECT + 1), headers=signed).status_code == 413
    assert httpx.put(url, content=b"x" * 2_000_000, headers=signed).status_code == 200
    body = json.dumps({"x": "x" * 2_000_000})
    assert httpx.post(services.cognito.url, content=body, headers=TABLES).status_code == 413


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda dynamodb: dynamodb.list_backups(), "UnknownOperationException"),
        (lambda dynamodb: dynamodb.execute_statement(Statement="x"), "UnknownOperationException"),
        (
            lambda dynamodb: dynamodb.get_item(TableName="none", Key={"a": {"S": "b"}}),
            "ResourceNotFoundException",
        ),
    ],
)
def test_what_dynamodb_refuses(services: Services, ask: Callable[[Any], object], code: str) -> None:
    """An operation that isn't here, and a table that isn't there."""
    with pytest.raises(ClientError) as caught:
        ask(services.dynamodb)
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("body", ["", "[]", "{", '{"TableName": 1}', '{"Item": {}}', "null"])
@pytest.mark.parametrize("operation", ["PutItem", "BatchWriteItem", "TransactWriteItems", "Nope"])
def test_a_body_that_is_wrong(services: Services, operation: str, body: str) -> None:
    """It is an error of the caller's, in DynamoDB's format."""
    headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    answer = httpx.post(services.cognito.url, content=body, headers=headers)
    assert (answer.status_code, bool(answer.json()["__type"])) == (400, True)


def test_another_service(services: Services) -> None:
    """There is no SQS here, and the error says what there is."""
    with pytest.raises(ClientError, match="only Cognito, DynamoDB and S3"):
        client("sqs", services.cognito.url).list_queues()


UPLOAD = """async ({url, fields}) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("Content-Type", "audio/webm");
  form.append("file", new Blob(["silence"]));
  try {
    const answer = await fetch(url, { method: "POST", body: form });
    return [answer.status, answer.headers.get("ETag") !== null];
  } catch (error) {
    return [error.message, false];
  }
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Serve an empty page, and return its address."""
    page = HTMLResponse("<!DOCTYPE html><title>A site</title>")
    with serve(Starlette(routes=[Route("/", lambda _: page)])) as url:
        yield url


def test_an_upload_from_a_page(services: Services, browse: Browse, site: str) -> None:
    """A page of this machine uploads, reads the answer, and plays the object."""
    made = form(services)
    window = browse(site, services.cognito.url)
    window.page.goto(f"{site}/")
    assert window.page.evaluate(UPLOAD, made) == [204, True]
    assert services.objects() == {KEY: b"silence"}
    url = services.s3.generate_presigned_url("get_object", {"Bucket": services.bucket, "Key": KEY})
    read = "async url => (await fetch(url)).text()"
    assert window.page.evaluate(read, url) == "silence"


def test_an_upload_from_a_page_elsewhere(services: Services, browse: Browse, site: str) -> None:
    """It uploads nothing, even with a form that it got hold of."""
    made = form(services)
    elsewhere = site.replace("127.0.0.1", FOREIGN)
    window = browse(elsewhere, services.cognito.url)
    window.page.goto(f"{elsewhere}/")
    assert window.page.evaluate(UPLOAD, made) == ["Failed to fetch", False]
    assert services.objects() == {}
    window.errors.clear()  # Chromium reports the refusal
