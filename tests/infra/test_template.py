"""The local pool made from infra/template.yaml, and the places where the app must agree with it.

The template's other guarantees are tested in tests/deploy/.
"""

import json
import re
from pathlib import Path

import pytest

from app.errors import TABLE
from infra.local.pool.api_model import service_model
from infra.local.pool.intrinsics import TemplateError
from infra.local.pool.template import (
    arguments,
    inline_function,
    load,
    mfa_arguments,
)
from tests.support.contract import Contract

REFERENCES = {"AWS::StackName": "auth", "UserPool": "us-east-1_abc"}
PASSKEYS = ["WebAuthnRelyingPartyID", "WebAuthnUserVerification"]
GOOGLE = {
    "GoogleClientId": "local.apps.googleusercontent.example",
    "GoogleSecretArn": "arn",
    "GoogleSecretVersion": "1",
    "SignInDomain": "auth",
    "RedirectUris": "https://app.example.com/, http://localhost:5173/",
    "PreSignUpFunction.Arn": "arn:aws:lambda:us-east-1:123456789012:function:PreSignUp",
}
TEMPLATE = load()
RESOURCES = TEMPLATE["Resources"]


@pytest.mark.parametrize(
    ("operation", "logical_id", "elsewhere"),
    [
        ("CreateUserPool", "UserPool", ["EnabledMfas", *PASSKEYS]),
        ("CreateUserPoolDomain", "UserPoolDomain", []),
        ("CreateIdentityProvider", "GoogleProvider", []),
        ("CreateUserPoolClient", "UserPoolClient", []),
    ],
)
def test_every_property_reaches_the_local_cognito(
    operation: str, logical_id: str, elsewhere: list[str]
) -> None:
    """No property of the template is lost because the API spells it differently."""
    given = arguments(operation, logical_id, REFERENCES | GOOGLE)
    assert len(given) + len(elsewhere) == len(RESOURCES[logical_id]["Properties"])
    shape = service_model().operation_model(operation).input_shape
    assert shape
    assert set(shape.required_members) <= {*given} <= {*shape.members}


def test_without_google_its_properties_are_left_out() -> None:
    """Without Google's parameters, the properties for Google are left out."""
    with_it, without = (
        {
            name
            for operation, logical_id in (
                ("CreateUserPool", "UserPool"),
                ("CreateUserPoolClient", "UserPoolClient"),
            )
            for name in arguments(operation, logical_id, references)
        }
        for references in (REFERENCES | GOOGLE, REFERENCES)
    )
    assert with_it - without == {
        "LambdaConfig",
        "AllowedOAuthFlowsUserPoolClient",
        "AllowedOAuthFlows",
        "AllowedOAuthScopes",
        "CallbackURLs",
        "LogoutURLs",
        "SupportedIdentityProviders",
    }


def test_a_list_parameter() -> None:
    """Commas separate a list parameter's values; spaces around them are ignored."""
    given = arguments("CreateUserPoolClient", "UserPoolClient", REFERENCES | GOOGLE)
    assert given["CallbackURLs"] == ["https://app.example.com/", "http://localhost:5173/"]


def test_inline_function() -> None:
    """The source, handler and variables come from the template."""
    source, handler, variables = inline_function("PreSignUpFunction", REFERENCES | GOOGLE)
    assert "def handler(" in source
    assert (handler, variables) == ("index.handler", {})


def test_the_local_pool_matches_the_template(contract: Contract) -> None:
    """The local Cognito describes its pool with the template's settings."""
    pool_id, client_id = contract.pool.user_pool_id, contract.pool.client_id
    pool = contract.admin.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    for name in ("UsernameAttributes", "UsernameConfiguration", "MfaConfiguration"):
        assert pool[name] == RESOURCES["UserPool"]["Properties"][name]
    assert pool["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 8,
        "RequireUppercase": True,
        "RequireLowercase": True,
        "RequireNumbers": True,
        "RequireSymbols": True,
        "TemporaryPasswordValidityDays": 7,
    }
    client = contract.admin.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id)
    assert "ClientSecret" not in client["UserPoolClient"]
    for name in (
        "ExplicitAuthFlows",
        "PreventUserExistenceErrors",
        "RefreshTokenRotation",
        "TokenValidityUnits",
    ):
        assert client["UserPoolClient"][name] == RESOURCES["UserPoolClient"]["Properties"][name]
    provider = contract.admin.describe_identity_provider(UserPoolId=pool_id, ProviderName="Google")[
        "IdentityProvider"
    ]
    properties = RESOURCES["GoogleProvider"]["Properties"]
    assert provider["AttributeMapping"] == properties["AttributeMapping"]
    assert "resolve" not in provider["ProviderDetails"]["client_secret"]
    mfa = contract.admin.get_user_pool_mfa_config(UserPoolId=pool_id)
    assert mfa["MfaConfiguration"] == "OPTIONAL"
    assert mfa["SoftwareTokenMfaConfiguration"] == {"Enabled": True}


def test_second_factors(tmp_path: Path) -> None:
    """Two properties in CloudFormation become the input of SetUserPoolMfaConfig."""
    assert mfa_arguments("UserPool", {}) == {
        "MfaConfiguration": "OPTIONAL",
        "SoftwareTokenMfaConfiguration": {"Enabled": True},
    }
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {P: {Properties: {EnabledMfas: [SMS_MFA]}}}")
    with pytest.raises(TemplateError, match=r"^P\.EnabledMfas: the local Cognito has no SMS_MFA$"):
        mfa_arguments("P", {}, template)


def test_rotation_excludes_the_older_refresh_flow() -> None:
    """AWS refuses rotation with the older refresh flow, or with a grace period over a minute."""
    client = RESOURCES["UserPoolClient"]["Properties"]
    assert "ALLOW_REFRESH_TOKEN_AUTH" not in client["ExplicitAuthFlows"]
    assert 0 < client["RefreshTokenRotation"]["RetryGracePeriodSeconds"] <= 60


def test_unknown_properties_are_left_out(tmp_path: Path) -> None:
    """Properties that the API takes in another operation aren't passed as arguments."""
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {P: {Properties: {UserPoolName: n, EnabledMfas: [SMS_MFA]}}}")
    assert arguments("CreateUserPool", "P", {}, template) == {"PoolName": "n"}


def test_gateway_responses_match_the_error_table() -> None:
    """API Gateway's own errors look to a front end like the app's."""
    rows = {(row.status, row.code): row for row in TABLE.values() if not row.field}
    for response in RESOURCES["Api"]["Properties"]["GatewayResponses"].values():
        body = json.loads(response["ResponseTemplates"]["application/json"])
        row = rows[int(response["StatusCode"]), body["code"]]
        given = {**row.body("$context.requestId").model_dump(by_alias=True, exclude_none=True)}
        assert body == given
        retry_after = response["ResponseParameters"]["Headers"].get("Retry-After")
        assert retry_after == (f"'{row.retry_after}'" if row.retry_after else None)


def test_alarms_count_what_the_app_logs() -> None:
    """The alarms' filters look for codes that exist in the error table."""
    codes = {row.code for row in TABLE.values()}
    patterns = [
        resource["Properties"]["FilterPattern"]
        for resource in RESOURCES.values()
        if resource["Type"] == "AWS::Logs::MetricFilter"
    ]
    assert len(patterns) == 3
    for pattern in patterns:
        (code,) = re.findall(r'\$\.code = "(\w+)"', pattern)
        assert code in codes
