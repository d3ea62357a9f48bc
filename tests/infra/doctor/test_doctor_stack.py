"""How the doctor finds the pool: by the stack's name, by ids, or by the domain."""

import pytest

from app.settings import Settings
from infra.doctor.stack import region_of
from infra.local.server import LocalCognito, LocalPool
from tests.infra.doctor.conftest import Served
from tests.support import doctor
from tests.support.doctor import PAGE, examine
from tests.support.people import settings_for, trigger_of

pytestmark = pytest.mark.usefixtures("credentials")


def test_ids_from_the_stack(
    served: Served, cognito: LocalCognito, pool: LocalPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor reads both ids from the outputs, and the rest from the parameters."""
    outputs = {"UserPoolId": pool.user_pool_id, "UserPoolClientId": pool.client_id}
    given = {"RedirectUris": f"{PAGE}, https://b.example/", "GoogleClientId": "other.apps.example"}
    endpoint = served(doctor.cloudformation(outputs, given))
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", endpoint)
    monkeypatch.setenv("AWS_REGION", pool.region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", pool.region)
    url = served(settings_for(cognito, pool))
    arguments = (url, "--aws", "--endpoint-url", cognito.url, "--stack")
    report = examine(*arguments, "accounts", google_client_id=None)
    assert f"allows the redirect URI {PAGE}" in report.lines[0]
    assert f"✓ The API uses the app client {pool.client_id}" in report.lines
    assert f"✓ The app client's CallbackURLs: {PAGE}" in report.lines
    assert [line.split(", not ")[1] for line in report.wrong.splitlines()] == [
        "other.apps.example. Correct the template's parameter GoogleClientId, and deploy"
    ] * 2
    assert "the template's PreSignUpFunction: pass --stack" in report.unknown
    report = examine(*arguments, "other", "--redirect-uri", PAGE)
    assert report.unknown.splitlines()[0] == "the stack other can't be described: ValidationError"


@pytest.mark.parametrize("own", [True, False])
def test_the_trigger_of_the_stack(
    served: Served,
    cognito: LocalCognito,
    pool: LocalPool,
    monkeypatch: pytest.MonkeyPatch,
    *,
    own: bool,
) -> None:
    """Any function can be the pool's trigger. Only the stack's refuses a second account."""
    outputs = {"UserPoolId": pool.user_pool_id, "UserPoolClientId": pool.client_id}
    found = trigger_of(cognito, pool)
    function = found if own else "accounts-PreSignUpFunction-x"
    endpoint = served(doctor.cloudformation(outputs, {"RedirectUris": PAGE}, function))
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", pool.region)
    url = served(settings_for(cognito, pool))
    report = examine(url, "--aws", "--endpoint-url", cognito.url, "--stack", "accounts")
    right = "✓ The pre sign-up trigger is the stack's"
    assert (right in report.lines) is own
    told = (
        f"The pre sign-up trigger is {found}, not the stack's accounts-PreSignUpFunction-x, which "
        "refuses a second account for an address. Move your code into the template's "
        "PreSignUpFunction, and set LambdaConfig: PreSignUp to it"
    )
    assert (told in report.wrong.splitlines()) is not own


def test_no_pool(served: Served, settings: Settings, cognito: LocalCognito) -> None:
    """The doctor finds no pool for a local domain."""
    arguments = (served(settings), "--redirect-uri", PAGE, "--aws", "--endpoint-url", cognito.url)
    report = examine(*arguments)
    assert report.unknown == "the calls to AWS failed: You must specify a region."
    report = examine("http://127.0.0.1:9/", "--aws", "--user-pool-id", "us-east-1_a")
    assert report.unknown == "which user pool and app client to check: pass --stack, or both ids"


@pytest.mark.parametrize(
    ("texts", "region"),
    [
        (["https://a1b2.execute-api.eu-west-1.amazonaws.com/v1"], "eu-west-1"),
        ([None, "x.auth.us-gov-west-1.amazoncognito.com"], "us-gov-west-1"),
        (["ap-northeast-2_AbC", "https://api.example.com/v1"], "ap-northeast-2"),
        (["https://api.example.com/a_b", None], None),
    ],
)
def test_region(texts: list[str | None], region: str | None) -> None:
    """The region is read from AWS's host names and from a pool's id."""
    assert region_of(*texts) == region
