"""The doctor's checks with AWS credentials: each wrong setting, and unreadable ones."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.doctor.findings import Findings
from infra.doctor.pool import Pool
from infra.local.server import LocalCognito, LocalPool
from tests.infra.doctor.conftest import Served
from tests.support import doctor
from tests.support.doctor import CLIENT, PAGE, Report, examine
from tests.support.people import admin, settings_for, trigger_of

TRIGGER = "arn:aws:lambda:us-east-1:123456789012:function:PreSignUp:live"
ADMIN = "aws.cognito.signin.user.admin"
BRANDING = {"ManagedLoginBranding": {"UseCognitoProvidedValues": True}}
WHOSE_TRIGGER = (
    "whether the pre sign-up trigger PreSignUp is the template's PreSignUpFunction: pass --stack, "
    "with credentials for cloudformation:DescribeStackResource"
)
Examine = Callable[..., Report]

pytestmark = pytest.mark.usefixtures("credentials")


@pytest.fixture
def examine_pool(served: Served, cognito: LocalCognito) -> Examine:
    """Return a function that checks a pool through a proxy of the local Cognito.

    The proxy adds operations that the local Cognito lacks. `answers` adds or replaces answers.
    """

    def examine_pool(
        pool: LocalPool, *arguments: str, google_client_id: str | None = CLIENT, **answers: Any
    ) -> Report:
        told = admin(cognito, pool).describe_user_pool(UserPoolId=pool.user_pool_id)["UserPool"]
        domain = {"Domain": told["Domain"], "Status": "ACTIVE", "ManagedLoginVersion": 2}
        described = {
            "DescribeUserPoolDomain": {"DomainDescription": domain},
            "DescribeManagedLoginBrandingByClient": BRANDING,
        }
        endpoint = served(doctor.in_front_of(cognito.url, **described | answers))
        return examine(
            served(settings_for(cognito, pool)),
            "--redirect-uri",
            PAGE,
            "--aws",
            "--user-pool-id",
            pool.user_pool_id,
            "--endpoint-url",
            endpoint,
            *arguments,
            google_client_id=google_client_id,
        )

    return examine_pool


# A new address counts once it is verified. AWS leaves the member out if that is not so.
CAREFUL = {"UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]}}


def test_every_check(examine_pool: Examine, pool: LocalPool, cognito: LocalCognito) -> None:
    """The template's pool passes. Google's secret is in an answer but isn't printed."""
    name = pool.user_pool_id.partition("_")[2]
    own = cognito.google.client_id
    report = examine_pool(pool)
    assert report.status == 0
    assert report.lines[-1] == "No check failed, but 1 of 33 could not be made (?)."
    assert report.lines[7:33] == [
        f"✓ The API uses the app client {pool.client_id}",
        "✓ A new address counts once it is verified",
        "✓ Passkeys are for pages of localhost",
        "✓ The attribute email can change",
        f"? Can't tell: {WHOSE_TRIGGER.replace(' PreSignUp ', f' {trigger_of(cognito, pool)} ')}",
        f"✓ The domain {name} is active",
        f"✓ The domain {name} uses managed login 2",
        "✓ The provider's type is Google",
        "✓ The provider asks Google for openid and email",
        "✓ The provider maps email to Google's email",
        "✓ The provider maps email_verified to Google's email_verified",
        "✓ The provider maps username to Google's sub",
        f"✓ The provider uses Google's client {own}",
        "✓ The app client has no secret",
        "✓ The app client allows ALLOW_USER_PASSWORD_AUTH",
        "✓ The app client rotates refresh tokens",
        "✓ The app client can revoke tokens",
        "✓ The app client can write email and name",
        "✓ The app client hides who has an account",
        "✓ The app client allows ALLOW_USER_AUTH",
        "✓ OAuth is on for the app client",
        "✓ The app client's AllowedOAuthFlows: code",
        f"✓ The app client's AllowedOAuthScopes: openid, email, {ADMIN}",
        "✓ The app client's SupportedIdentityProviders: COGNITO, Google",
        f"✓ The app client's CallbackURLs: {PAGE}",
        "✓ The app client has a style for Cognito's pages",
    ]
    assert cognito.google.client_secret not in "\n".join(report.lines)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (
            {"DescribeManagedLoginBrandingByClient": "ResourceNotFoundException"},
            (
                "The app client has no style, so Cognito's pages show that they are unavailable. "
                "Add the template's ManagedLoginBranding"
            ),
        ),
        (
            {"DescribeUserPoolDomain": {"DomainDescription": {"Status": "CREATING"}}},
            (
                "The domain NAME is CREATING, not ACTIVE. Wait a few minutes; if it is FAILED, "
                "deploy again"
            ),
        ),
        (
            {
                "DescribeUserPoolDomain": {
                    "DomainDescription": {"Status": "ACTIVE", "ManagedLoginVersion": 1}
                }
            },
            (
                "The domain NAME uses managed login 1, which ignores `prompt`. Set "
                "ManagedLoginVersion to 2, as in the template's UserPoolDomain"
            ),
        ),
        (
            {"DescribeUserPoolDomain": {"DomainDescription": {}}},
            "There is no domain NAME: set the template's SignInDomain",
        ),
        (
            {"DescribeIdentityProvider": "ResourceNotFoundException"},
            "The pool has no provider Google: deploy with GoogleClientId",
        ),
        (
            {"DescribeUserPool": {"UserPool": {"LambdaConfig": {"PreSignUp": "arn"}} | CAREFUL}},
            "The pool has no domain: set the template's SignInDomain",
        ),
        (
            {"DescribeUserPool": "ResourceNotFoundException"},
            "There is no user pool ID: see the output UserPoolId",
        ),
        (
            {"DescribeUserPoolClient": "ResourceNotFoundException"},
            "The pool has no app client CLIENT: see UserPoolClientId",
        ),
    ],
)
def test_missing_resources_and_domain_settings(
    examine_pool: Examine, pool: LocalPool, answers: dict[str, Any], told: str
) -> None:
    """The doctor reports missing resources, and a wrong status or version of the domain."""
    report = examine_pool(pool, **answers)
    assert report.status == 1
    told = told.replace("NAME", pool.user_pool_id.partition("_")[2])
    told = told.replace("CLIENT", pool.client_id).replace("ID:", f"{pool.user_pool_id}:")
    assert report.wrong == told


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        (
            {"AttributeMapping": {"email": "email", "username": "sub"}},
            (
                "The provider maps email_verified to nothing. Map it to Google's email_verified: "
                "AttributeMapping of the template's GoogleProvider"
            ),
        ),
        (
            {"AttributeMapping": {"email": "name", "email_verified": "email_verified"}},
            (
                "The provider maps email to name. Map it to Google's email: AttributeMapping of "
                "the template's GoogleProvider\n"
                "The provider maps username to nothing. Map it to Google's sub: AttributeMapping "
                "of the template's GoogleProvider"
            ),
        ),
        (
            {"ProviderDetails": {"authorize_scopes": "openid profile"}},
            (
                "The provider doesn't ask Google for openid and email. Set its authorize_scopes to "
                "`openid email`, as in the template's GoogleProvider"
            ),
        ),
    ],
)
def test_a_setting_of_the_provider(
    examine_pool: Examine,
    pool: LocalPool,
    cognito: LocalCognito,
    provider: dict[str, Any],
    told: str,
) -> None:
    """The doctor names the setting, and its resource in the template."""
    own = {"client_id": cognito.google.client_id, "client_secret": "s"}
    details = own | provider.pop("ProviderDetails", {"authorize_scopes": "openid email"})
    admin(cognito, pool).update_identity_provider(
        UserPoolId=pool.user_pool_id, ProviderName="Google", ProviderDetails=details, **provider
    )
    report = examine_pool(pool)
    assert report.status == 1
    assert report.wrong == told


def test_a_provider_of_another_type(examine_pool: Examine, pool: LocalPool) -> None:
    """Any provider may be named Google."""
    mapping = {"email": "email", "email_verified": "email_verified", "username": "sub"}
    described = {
        "ProviderName": "Google",
        "ProviderType": "OIDC",
        "ProviderDetails": {"authorize_scopes": "openid email", "client_id": CLIENT},
        "AttributeMapping": mapping,
    }
    report = examine_pool(pool, DescribeIdentityProvider={"IdentityProvider": described})
    assert report.status == 1
    assert report.wrong == (
        "The type of the provider named Google is OIDC: delete the provider, and deploy the "
        "template's GoogleProvider. A provider's type can't be changed"
    )


def test_an_unknown_client_at_google(examine_pool: Examine, pool: LocalPool) -> None:
    """Without the expected client id, the provider's is shown and not compared."""
    report = examine_pool(pool, google_client_id=None)
    assert report.status == 0
    told = f"whether the provider's client {CLIENT} is yours: pass --google-client-id"
    assert told in report.unknown.splitlines()


def test_another_client_at_google(examine_pool: Examine, pool: LocalPool) -> None:
    """The redirect to Google shows the wrong client, too."""
    report = examine_pool(pool, "--google-client-id", "own.apps.example")
    assert report.status == 1
    first, second = report.wrong.splitlines()
    assert first.startswith("client_id differs: ")
    assert second == (
        "The provider uses Google's client local.apps.googleusercontent.example, not "
        "own.apps.example. Correct the template's parameter GoogleClientId, and deploy"
    )


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (
            {"AllowedOAuthFlowsUserPoolClient": False},
            (
                "OAuth is off for the app client: set AllowedOAuthFlowsUserPoolClient to true, as "
                "in the template"
            ),
        ),
        (
            {"AllowedOAuthFlows": ["implicit"]},
            "The app client's AllowedOAuthFlows lacks code: set it to code, as in the template",
        ),
        (
            {"AllowedOAuthScopes": ["openid"]},
            (
                f"The app client's AllowedOAuthScopes lacks email, {ADMIN}: set it to openid, "
                f"email, {ADMIN}, as in the template"
            ),
        ),
        (
            {"SupportedIdentityProviders": ["COGNITO"]},
            (
                "The app client's SupportedIdentityProviders lacks Google: set it to COGNITO, "
                "Google, as in the template"
            ),
        ),
        (
            {"CallbackURLs": ["https://app.example.com"]},
            f"The app client's CallbackURLs lacks {PAGE}: add it to RedirectUris, and deploy",
        ),
        (
            {"ReadAttributes": ["email"]},
            (
                "The app client's ReadAttributes lacks email_verified: remove the list, as in the "
                "template"
            ),
        ),
        (
            {"WriteAttributes": ["name"]},
            (
                "The app client's WriteAttributes lacks email, so people can't change it. Remove "
                "the list, as in the template"
            ),
        ),
    ],
)
def test_a_setting_of_the_app_client(
    examine_pool: Examine, pool: LocalPool, cognito: LocalCognito, client: dict[str, Any], told: str
) -> None:
    """The doctor names the setting and the right value."""
    admin(cognito, pool).update_user_pool_client(
        UserPoolId=pool.user_pool_id, ClientId=pool.client_id, **client
    )
    report = examine_pool(pool)
    assert report.status == 1
    assert report.wrong.splitlines()[-1] == told


def test_an_app_client_with_a_secret(examine_pool: Examine, cognito: LocalCognito) -> None:
    """The secret is in the answer but isn't printed."""
    pool = cognito.create_pool(client={"GenerateSecret": True})
    secret = admin(cognito, pool).describe_user_pool_client(
        UserPoolId=pool.user_pool_id, ClientId=pool.client_id
    )["UserPoolClient"]["ClientSecret"]
    report = examine_pool(pool)
    assert report.status == 1
    assert report.wrong.splitlines()[-1] == (
        "The app client has a secret. It can't be removed: replace the client with one that "
        "has GenerateSecret: false, as in the template's UserPoolClient"
    )
    assert secret not in "\n".join(report.lines)


def test_no_trigger(examine_pool: Examine, cognito: LocalCognito) -> None:
    """Without the trigger, an address can have two accounts."""
    report = examine_pool(cognito.create_pool(pool={"LambdaConfig": {}}))
    assert report.status == 1
    assert report.wrong == (
        "There is no pre sign-up trigger, so an address can have two accounts. Set the pool's "
        "LambdaConfig: PreSignUp to the template's PreSignUpFunction"
    )


def test_an_immutable_address(examine_pool: Examine, cognito: LocalCognito) -> None:
    """Users report that only the first sign-in works."""
    email = {"Name": "email", "AttributeDataType": "String", "Mutable": False, "Required": True}
    report = examine_pool(cognito.create_pool(pool={"Schema": [email]}))
    assert report.status == 1
    assert report.wrong == (
        "The attribute email can't change, so only a person's first sign-in works: Cognito "
        "writes it at every sign-in. Create a new user pool with the template"
    )


def test_another_app_client(examine_pool: Examine, pool: LocalPool) -> None:
    """The API uses the client of another stack or of an earlier deployment."""
    report = examine_pool(pool, "--client-id", "another")
    assert report.status == 1
    assert report.wrong.splitlines() == [
        f"The API uses the app client {pool.client_id}, not another: deploy again",
        "The pool has no app client another: see UserPoolClientId",
    ]


OPERATIONS = (
    "DescribeUserPool",
    "DescribeIdentityProvider",
    "DescribeUserPoolClient",
    "DescribeManagedLoginBrandingByClient",
)


@pytest.mark.parametrize("error", ["AccessDeniedException", "NotAuthorizedException"])
def test_no_permission(examine_pool: Examine, pool: LocalPool, error: str) -> None:
    """Without permission, the checks of the pool count as neither right nor wrong."""
    report = examine_pool(pool, **dict.fromkeys(OPERATIONS, error))
    assert report.status == 0
    assert report.unknown.splitlines() == [
        f"{name} answers {error}. The credentials need cognito-idp:{name}" for name in OPERATIONS
    ]
    assert "✓ The app client" not in "\n".join(report.lines)
    assert report.lines[-1] == "No check failed, but 4 of 12 could not be made (?)."


def test_missing_values(examine_pool: Examine, pool: LocalPool) -> None:
    """A value that AWS leaves out counts as neither right nor wrong."""
    report = examine_pool(
        pool,
        DescribeUserPool={
            "UserPool": {"Domain": "d", "LambdaConfig": {"PreSignUp": TRIGGER}} | CAREFUL
        },
        DescribeUserPoolDomain={"DomainDescription": {"Status": "ACTIVE"}},
        DescribeManagedLoginBrandingByClient="InternalErrorException",
    )
    assert report.status == 0
    assert report.unknown.splitlines() == [
        "whether the attribute email can change",
        WHOSE_TRIGGER,
        "which version of managed login the domain d uses",
        "DescribeManagedLoginBrandingByClient answers InternalErrorException",
    ]


def test_no_credentials(
    examine_pool: Examine, pool: LocalPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor prints one line about missing credentials."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    report = examine_pool(pool)
    assert report.status == 0
    assert report.unknown == "the calls to AWS failed: Unable to locate credentials"


def test_the_pool_of_a_domain(cognito: LocalCognito, pool: LocalPool) -> None:
    """Without ids, the doctor finds the pool by its domain."""
    prefix = pool.user_pool_id.partition("_")[2]
    found = Pool(Findings(), pool.region, cognito.url)
    assert found.id_of(f"{prefix}.auth.us-east-1.amazoncognito.com") == pool.user_pool_id
    assert found.id_of("no-such.auth.us-east-1.amazoncognito.com") is None
