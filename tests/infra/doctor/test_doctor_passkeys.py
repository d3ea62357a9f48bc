"""The doctor's checks of what passkeys and e-mailed sign-in codes need."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.local.server import LocalCognito, LocalPool
from tests.infra.doctor.conftest import Served
from tests.support import doctor
from tests.support.doctor import Report, examine

Examine = Callable[..., Report]

pytestmark = pytest.mark.usefixtures("credentials")

PARTY = "Passkeys are for pages of"
FLOW = "The app client allows ALLOW_USER_AUTH"
NO_CHOICE = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}
NO_FLOW = (
    "The app client doesn't allow ALLOW_USER_AUTH, so nobody can sign in with {ways}. Add it to "
    "its ExplicitAuthFlows"
)
NO_PARTY = (
    "The pool allows passkeys but names no relying party, so no page of yours can use them. Set "
    "RelyingPartyId in its WebAuthnConfiguration to the domain of your pages, as the template does "
    "with PasskeyDomain"
)


@pytest.fixture
def examine_pool(served: Served, cognito: LocalCognito) -> Examine:
    """Return a function that checks a pool without Google. `answers` replaces answers."""

    def examine_pool(pool: LocalPool, **answers: Any) -> Report:
        endpoint = served(doctor.in_front_of(cognito.url, **answers))
        arguments = ["http://127.0.0.1:9/", "--aws", "--endpoint-url", endpoint]
        arguments += ["--user-pool-id", pool.user_pool_id, "--client-id", pool.client_id]
        return examine(*arguments, "--without-google", google_client_id=None)

    return examine_pool


def allowing(*factors: str) -> dict[str, Any]:
    """Return the settings of a pool that allows these first factors."""
    return {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": [*factors]}}}


def test_a_pool_without_either(examine_pool: Examine, cognito: LocalCognito) -> None:
    """Nothing is needed, and nothing is asked."""
    pool = cognito.create_pool(google=False, pool=allowing("PASSWORD"), client=NO_CHOICE)
    report = examine_pool(pool, GetUserPoolMfaConfig="InternalErrorException")
    assert report.status == 0
    assert report.lines[-1] == "All checks passed."
    assert not any(PARTY in line or FLOW in line for line in report.lines)


@pytest.mark.parametrize("config", [{}, {"UserVerification": "required"}])
def test_no_relying_party(
    examine_pool: Examine, cognito: LocalCognito, config: dict[str, str]
) -> None:
    """Without one, no page can use a passkey."""
    pool = cognito.create_pool(google=False, mfa={"WebAuthnConfiguration": config})
    report = examine_pool(pool)
    assert (report.status, report.wrong) == (1, NO_PARTY)


@pytest.mark.parametrize(
    ("factors", "ways"),
    [
        (("WEB_AUTHN",), "a passkey"),
        (("EMAIL_OTP",), "an e-mailed code"),
        (("EMAIL_OTP", "WEB_AUTHN"), "a passkey or an e-mailed code"),
    ],
)
def test_a_client_without_the_choice(
    examine_pool: Examine, cognito: LocalCognito, factors: tuple[str, ...], ways: str
) -> None:
    """Passkeys and codes need the flow in which people choose. Only passkeys need a party."""
    pool = allowing("PASSWORD", *factors)
    report = examine_pool(cognito.create_pool(google=False, pool=pool, client=NO_CHOICE))
    assert (report.status, report.wrong) == (1, NO_FLOW.format(ways=ways))
    asked = any(PARTY in line for line in report.lines)
    assert asked == ("WEB_AUTHN" in factors)


def test_no_permission(examine_pool: Examine, cognito: LocalCognito) -> None:
    """Without permission, the check counts as neither right nor wrong."""
    report = examine_pool(
        cognito.create_pool(google=False), GetUserPoolMfaConfig="AccessDeniedException"
    )
    assert report.status == 0
    assert report.unknown == (
        "GetUserPoolMfaConfig answers AccessDeniedException. The credentials need "
        "cognito-idp:GetUserPoolMfaConfig"
    )
    assert not any(PARTY in line for line in report.lines)
    assert f"✓ {FLOW}" in report.lines


def test_a_pool_that_cannot_be_read(examine_pool: Examine, cognito: LocalCognito) -> None:
    """Then nobody knows what the client must allow."""
    pool = cognito.create_pool(google=False, client=NO_CHOICE)
    report = examine_pool(pool, DescribeUserPool="AccessDeniedException")
    assert report.status == 0
    assert not any(FLOW in line for line in report.lines)
