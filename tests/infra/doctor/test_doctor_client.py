"""The doctor's checks of an app client that the template didn't make, without Google."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.local.server import LocalCognito, LocalPool
from tests.infra.doctor.conftest import Served
from tests.support import doctor
from tests.support.doctor import Report, examine
from tests.support.people import settings_for

Examine = Callable[[LocalPool], Report]

pytestmark = pytest.mark.usefixtures("credentials")

RIGHT = [
    "✓ A new address counts once it is verified",
    "✓ Passkeys are for pages of localhost",
    "✓ The app client has no secret",
    "✓ The app client allows ALLOW_USER_PASSWORD_AUTH",
    "✓ The app client rotates refresh tokens",
    "✓ The app client can revoke tokens",
    "✓ The app client can write email and name",
    "✓ The app client hides who has an account",
    "✓ The app client allows ALLOW_USER_AUTH",
    "All checks passed.",
]


@pytest.fixture
def examine_client(cognito: LocalCognito) -> Examine:
    """Return a function that checks a pool's app client. No API has to run for it."""

    def examine_client(pool: LocalPool) -> Report:
        arguments = ["http://127.0.0.1:9/", "--aws", "--endpoint-url", cognito.url]
        arguments += ["--user-pool-id", pool.user_pool_id, "--client-id", pool.client_id]
        return examine(*arguments, "--without-google", google_client_id=None)

    return examine_client


def test_a_client_that_fits(examine_client: Examine, cognito: LocalCognito) -> None:
    """A client with the template's settings passes, and nothing of Google is checked."""
    report = examine_client(cognito.create_pool(google=False))
    assert (report.status, report.lines) == (0, RIGHT)


NO_ROTATION = (
    "The app client doesn't rotate refresh tokens, so no session can be refreshed. Remove "
    "ALLOW_REFRESH_TOKEN_AUTH from its ExplicitAuthFlows, and set RefreshTokenRotation to ENABLED"
)


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (
            {"GenerateSecret": True},
            (
                "The app client has a secret. It can't be removed: replace the client with one "
                "that has GenerateSecret: false, as in the template's UserPoolClient"
            ),
        ),
        (
            {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH"]},
            (
                "The app client doesn't allow ALLOW_USER_PASSWORD_AUTH, so nobody can sign in. "
                "Add it to its ExplicitAuthFlows"
            ),
        ),
        ({"RefreshTokenRotation": {"Feature": "DISABLED"}}, NO_ROTATION),
        (
            {
                "RefreshTokenRotation": {"Feature": "DISABLED"},
                "ExplicitAuthFlows": [
                    "ALLOW_USER_PASSWORD_AUTH",
                    "ALLOW_USER_AUTH",
                    "ALLOW_REFRESH_TOKEN_AUTH",
                ],
            },
            NO_ROTATION,
        ),
        (
            {"EnableTokenRevocation": False},
            (
                "The app client can't revoke tokens, so nobody can sign out. Set "
                "EnableTokenRevocation to true"
            ),
        ),
        (
            {"WriteAttributes": ["email", "given_name"]},
            (
                "The app client's WriteAttributes lacks name, so people can't change it. Remove "
                "the list, as in the template"
            ),
        ),
        (
            {"PreventUserExistenceErrors": "LEGACY"},
            (
                "The app client reveals which addresses have accounts. Set "
                "PreventUserExistenceErrors to ENABLED"
            ),
        ),
    ],
)
def test_a_wrong_setting(
    examine_client: Examine, cognito: LocalCognito, client: dict[str, Any], told: str
) -> None:
    """The doctor names the setting, what it breaks, and the right value."""
    report = examine_client(cognito.create_pool(google=False, client=client))
    assert (report.status, report.wrong) == (1, told)


def test_a_pool_that_takes_any_address(examine_client: Examine, cognito: LocalCognito) -> None:
    """A new address must be verified before it replaces the old one."""
    at_once = {"UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": []}}
    report = examine_client(cognito.create_pool(google=False, pool=at_once))
    assert report.status == 1
    assert report.wrong == (
        "A new address counts before it is verified, so a typo locks its owner out. Set the "
        "pool's UserAttributeUpdateSettings, as in the template"
    )


def test_a_stack_with_an_existing_pool(
    served: Served, cognito: LocalCognito, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stack's parameters tell the doctor that there can be no Google."""
    pool = cognito.create_pool(google=False)
    outputs = {"UserPoolId": pool.user_pool_id, "UserPoolClientId": pool.client_id}
    given = {"ExistingUserPoolId": pool.user_pool_id}
    monkeypatch.setenv(
        "AWS_ENDPOINT_URL_CLOUDFORMATION", served(doctor.cloudformation(outputs, given))
    )
    monkeypatch.setenv("AWS_DEFAULT_REGION", pool.region)
    url = served(settings_for(cognito, pool))
    report = examine(url, "--aws", "--endpoint-url", cognito.url, "--stack", "accounts")
    assert (report.status, report.lines) == (0, RIGHT)


def test_it_needs_credentials_to_look() -> None:
    """Without --aws, there would be nothing to check."""
    report = examine("http://127.0.0.1:9/", "--without-google", google_client_id=None)
    assert report.status == 2
    assert report.lines[-1].endswith("--without-google and --endpoint-url need --aws")
