"""Uploads by a presigned form: what its policy allows, and what S3 answers."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.infra.local.services.conftest import Services
from tests.support.presigned import KEY, SILENCE, form, upload


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and code of an error in S3's XML."""
    assert answer.headers["Content-Type"] == "application/xml"
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_an_upload(services: Services) -> None:
    """The file is there under its key, with its type."""
    answer = upload(form(services))
    assert (answer.status_code, answer.content) == (204, b"")
    got = services.s3.get_object(Bucket=services.bucket, Key=KEY)
    assert got["Body"].read() == SILENCE
    assert got["ContentType"] == "audio/webm;codecs=opus"
    assert answer.headers["ETag"] == got["ETag"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda _: {"body": SILENCE * 3}, 400, "EntityTooLarge"),
        (lambda _: {"body": b""}, 400, "EntityTooSmall"),
        (lambda _: {"Content-Type": "text/html"}, 403, "AccessDenied"),
        (lambda _: {"key": "recordings/heidi/1"}, 403, "AccessDenied"),
        (lambda _: {"key": f"{KEY}/more"}, 403, "AccessDenied"),
        (lambda _: {"acl": "public-read"}, 403, "AccessDenied"),
        (lambda _: {"x-amz-meta-owner": "heidi"}, 403, "AccessDenied"),
        (lambda _: {"policy": ""}, 400, "InvalidPolicyDocument"),
        (lambda _: {"policy": base64.b64encode(b"[]").decode()}, 400, "InvalidPolicyDocument"),
        (lambda made: {"policy": weaker(made)}, 400, "InvalidPolicyDocument"),
    ],
)
def test_what_the_policy_does_not_allow(
    services: Services, change: Callable[[Any], dict[str, Any]], status: int, code: str
) -> None:
    """Nothing is kept, and the answer is S3's."""
    made = form(services)
    assert refusal(upload(made, **change(made))) == (status, code)
    assert services.objects() == {}


def weaker(made: dict[str, Any]) -> str:
    """Return the policy with a condition that S3 doesn't know."""
    policy = json.loads(base64.b64decode(made["fields"]["policy"]))
    policy["conditions"][0] = ["ends-with", "$key", "1"]
    return base64.b64encode(json.dumps(policy).encode()).decode()


def test_what_a_refusal_says(services: Services) -> None:
    """The message names the condition, or the field without one."""
    made = form(services)
    assert (
        'Invalid according to Policy: Policy Condition failed: ["starts-with", '
        '"$content-type", "audio/"]' in upload(made, **{"Content-Type": "text/html"}).text
    )
    assert "Extra input fields: acl" in upload(made, acl="private").text


def test_a_policy_that_has_expired(services: Services) -> None:
    """The form is good for its time only."""
    answer = upload(form(services, expires=-1))
    assert refusal(answer) == (403, "AccessDenied")
    assert "Policy expired." in answer.text


def test_a_form_without_a_policy(services: Services) -> None:
    """The bucket is private."""
    made = form(services)
    del made["fields"]["policy"]
    assert refusal(upload(made)) == (403, "AccessDenied")


def test_a_form_for_another_bucket(services: Services) -> None:
    """The policy names the bucket."""
    services.s3.create_bucket(Bucket=f"{services.bucket}-2")
    made = form(services)
    made["url"] = made["url"].rstrip("/") + "-2"
    assert refusal(upload(made)) == (403, "AccessDenied")


def test_a_form_for_no_bucket(services: Services) -> None:
    """As S3 answers it."""
    made = form(services)
    made["url"] = made["url"].replace(services.bucket, "nowhere")
    assert refusal(upload(made)) == (404, "NoSuchBucket")


@pytest.mark.parametrize("count", [0, 2])
def test_not_exactly_one_file(services: Services, count: int) -> None:
    """S3 takes one file, which is the last field."""
    made = form(services)
    files = [("file", ("a.webm", SILENCE))] * count or [("other", ("a", b"x"))]
    fields = made["fields"] | {"Content-Type": "audio/webm"}
    assert refusal(httpx.post(made["url"], data=fields, files=files)) == (400, "InvalidArgument")


def test_the_files_own_name(services: Services) -> None:
    """S3 puts it in the place of ${filename}."""
    assert upload(form(services, key="recordings/ada/${filename}")).status_code == 204
    assert list(services.objects()) == ["recordings/ada/recording.webm"]


def test_what_the_form_asks_to_be_answered(services: Services) -> None:
    """200, 201 with XML, or a redirect back to the page."""
    assert upload(form(services, success_action_status="200")).status_code == 200
    made = upload(form(services, success_action_status="201"))
    assert made.status_code == 201
    assert f"<Key>{KEY}</Key>" in made.text
    back = upload(form(services, success_action_redirect="http://localhost:8002/?page=1"))
    assert back.status_code == 303
    start = f"http://localhost:8002/?page=1&bucket={services.bucket}&key=recordings%2Fada%2F1&etag="
    assert back.headers["Location"].startswith(start)
