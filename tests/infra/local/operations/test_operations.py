"""Every operation of Cognito's API: what it does, and who serves it here.

`test_ways.py` tries the ways to get a token.
"""

import json
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import Shape

from infra.local.operations.responses import MOTOS_OWN, is_ours
from infra.local.pool.api_model import service_model
from tests.support.contract import Contract

# What each operation of the API does, and who does it: this project ("ours"), moto, or nobody.
GIVES_A_TOKEN = {
    "ours": {
        "AdminInitiateAuth",
        "AdminRespondToAuthChallenge",
        "GetTokensFromRefreshToken",
        "InitiateAuth",
        "RespondToAuthChallenge",
    },
    "nobody": {"GetClientToken", "GetDerivedToken"},
}
CHANGES_A_USER = {
    "ours": {
        "AdminAddUserToGroup",
        "AdminConfirmSignUp",
        "AdminCreateUser",
        "AdminDeleteUserAttributes",
        "AdminDisableUser",
        "AdminRemoveUserFromGroup",
        "AdminResetUserPassword",
        "AdminSetUserMFAPreference",
        "AdminSetUserPassword",
        "AdminUpdateUserAttributes",
        "AssociateSoftwareToken",
        "ChangePassword",
        "CompleteWebAuthnRegistration",
        "ConfirmForgotPassword",
        "ConfirmSignUp",
        "DeleteUser",
        "DeleteUserAttributes",
        "DeleteWebAuthnCredential",
        "ForgotPassword",
        "GetUserAttributeVerificationCode",
        "GlobalSignOut",
        "ResendConfirmationCode",
        "RevokeToken",
        "SetUserMFAPreference",
        "SignUp",
        "StartWebAuthnRegistration",
        "UpdateUserAttributes",
        "VerifySoftwareToken",
        "VerifyUserAttribute",
    },
    # An administrator's, and none lets a user sign in who couldn't before, except the second, which
    # is its purpose.
    "moto": {
        "AdminDeleteUser",
        "AdminEnableUser",
        "AdminUserGlobalSignOut",
    },
    "nobody": {
        "AdminDeleteSoftwareToken",
        "AdminDisableProviderForUser",
        "AdminForgetDevice",
        "AdminLinkProviderForUser",
        "AdminRevokeUserSession",
        "AdminSetUserSettings",
        "AdminUpdateAuthEventFeedback",
        "AdminUpdateDeviceStatus",
        "ConfirmDevice",
        "CreateUserImportJob",
        "ForgetDevice",
        "RevokeUserSession",
        "SetUserSettings",
        "StartUserImportJob",
        "StopUserImportJob",
        "UpdateAuthEventFeedback",
        "UpdateDeviceStatus",
    },
}
READS = {
    "ours": {
        "AdminListGroupsForUser",
        "GetUser",
        "GetUserAuthFactors",
        "GetUserPoolMfaConfig",
        "ListResourceServers",
        "ListUsers",
        "ListUsersInGroup",
        "ListWebAuthnCredentials",
    },
    "moto": {
        "AdminGetUser",
        "DescribeIdentityProvider",
        "DescribeResourceServer",
        "DescribeUserPool",
        "DescribeUserPoolClient",
        "DescribeUserPoolDomain",
        "GetGroup",
        "ListGroups",
        "ListIdentityProviders",
        "ListUserPoolClients",
        "ListUserPools",
    },
    "nobody": {
        "AdminGetDevice",
        "AdminGetUserAuthFactors",
        "AdminListDevices",
        "AdminListUserAuthEvents",
        "AdminListUserSessions",
        "DescribeCIMDPolicy",
        "DescribeManagedLoginBranding",
        "DescribeManagedLoginBrandingByClient",
        "DescribePointInTimeRecovery",
        "DescribeRiskConfiguration",
        "DescribeTerms",
        "DescribeTermsByClient",
        "DescribeUserImportJob",
        "GetCSVHeader",
        "GetDevice",
        "GetIdentityProviderByIdentifier",
        "GetLogDeliveryConfiguration",
        "GetProvisionedLimit",
        "GetSigningCertificate",
        "GetUICustomization",
        "GetUserPoolClientSessionConfiguration",
        "GetUserPoolSessionConfiguration",
        "ListCIMDPolicies",
        "ListClientMetadataURLs",
        "ListDevices",
        "ListPointInTimeRecoveries",
        "ListTagsForResource",
        "ListTerms",
        "ListUserImportJobs",
        "ListUserPoolClientSecrets",
        "ListUserPoolReplicas",
        "ListUserSessions",
    },
}
CONFIGURES = {
    "ours": {
        "CreateGroup",
        "CreateIdentityProvider",
        "CreateUserPool",
        "CreateUserPoolClient",
        "DeleteGroup",
        "DeleteUserPool",
        "SetUserPoolMfaConfig",
        "UpdateUserPool",
        "UpdateUserPoolClient",
    },
    "moto": {
        "AddCustomAttributes",
        "CreateResourceServer",
        "CreateUserPoolDomain",
        "DeleteIdentityProvider",
        "DeleteUserPoolClient",
        "DeleteUserPoolDomain",
        "UpdateGroup",
        "UpdateIdentityProvider",
        "UpdateUserPoolDomain",
    },
    "nobody": {
        "AddUserPoolClientSecret",
        "CancelPointInTimeRecovery",
        "CreateCIMDPolicy",
        "CreateManagedLoginBranding",
        "CreateTerms",
        "CreateUserPoolReplica",
        "DeleteCIMDPolicy",
        "DeleteManagedLoginBranding",
        "DeleteResourceServer",
        "DeleteTerms",
        "DeleteUserPoolClientSecret",
        "DeleteUserPoolReplica",
        "InitiatePointInTimeRecovery",
        "SetLogDeliveryConfiguration",
        "SetRiskConfiguration",
        "SetUICustomization",
        "SetUserPoolClientSessionConfiguration",
        "SetUserPoolSessionConfiguration",
        "StartPointInTimeRecovery",
        "TagResource",
        "UntagResource",
        "UpdateCIMDPolicy",
        "UpdateClientMetadataURLState",
        "UpdateManagedLoginBranding",
        "UpdateProvisionedLimit",
        "UpdateResourceServer",
        "UpdateTerms",
        "UpdateUserPoolReplica",
    },
}
KINDS = (GIVES_A_TOKEN, CHANGES_A_USER, READS, CONFIGURES)
SERVED_BY = {
    operation: who for kind in KINDS for who, operations in kind.items() for operation in operations
}


def test_every_operation_is_classified() -> None:
    """An operation that is new in the API must be classified here, once."""
    listed = [name for kind in KINDS for operations in kind.values() for name in operations]
    assert sorted(listed) == sorted(service_model().operation_names)


def test_every_operation_is_listed_under_its_server() -> None:
    """Operations of this project are never listed as moto's, and the other way round."""
    ours = {name for name in SERVED_BY if is_ours(name)}
    assert ours == {name for name, who in SERVED_BY.items() if who == "ours"}
    assert {name for name, who in SERVED_BY.items() if who == "moto"} == MOTOS_OWN
    assert MOTOS_OWN & GIVES_A_TOKEN["ours"] == set()


@pytest.fixture(scope="module")
def anybody(cognito: Any) -> Any:
    """Return a client that checks no parameters, so that it can call anything."""
    config = Config(
        signature_version=UNSIGNED, parameter_validation=False, retries={"total_max_attempts": 1}
    )
    return boto3.client(
        "cognito-idp", region_name="us-east-1", endpoint_url=cognito.url, config=config
    )


@pytest.mark.parametrize("operation", sorted(SERVED_BY))
def test_only_what_is_listed_is_served(anybody: Any, operation: str) -> None:
    """Any other operation is refused in one line, even if moto has it."""
    shape = service_model().operation_model(operation).input_shape
    given = {name: example(shape.members[name]) for name in shape.required_members} if shape else {}
    error = {"Code": "none", "Message": ""}
    try:
        getattr(anybody, xform_name(operation))(**given)
    except ClientError as raised:
        error |= raised.response["Error"]
    assert error["Code"] != "InternalErrorException", error
    refusal = ("UnknownOperationException", f"The local Cognito doesn't implement {operation}.")
    is_refused = (error["Code"], error["Message"]) == refusal
    assert is_refused == (SERVED_BY[operation] == "nobody"), error


WRONG_VALUES = (None, 5, "é\ud800", {"x": 5}, [{}], [{"Name": "email"}])


@pytest.mark.parametrize(
    "operation", sorted(name for name in SERVED_BY if SERVED_BY[name] != "nobody")
)
def test_parameters_of_a_wrong_type(contract: Contract, operation: str) -> None:
    """Nothing in a body is an internal error. SDKs repeat a call that was answered with 500."""
    shape = service_model().operation_model(operation).input_shape
    assert shape
    right = {name: example(shape.members[name]) for name in shape.required_members}
    email = contract.member()
    known = {
        "UserPoolId": contract.pool.user_pool_id,
        "ClientId": contract.pool.client_id,
        "Username": email,
        "AccessToken": contract.tokens(email)["AccessToken"],
    }
    right |= {name: value for name, value in known.items() if name in right}
    headers = {"X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}"}
    bodies = [right | {name: value} for name in shape.members for value in WRONG_VALUES]
    with httpx.Client(base_url=contract.local.url, headers=headers) as client:
        for body in [{}, *bodies]:
            answer = client.post("/", content=json.dumps(body))
            assert answer.status_code in {200, 400}, (body, answer.text)


def example(shape: Shape) -> Any:
    """Return a value of the shape's type. It names nothing that exists."""
    if enum := shape.metadata.get("enum"):
        return enum[0]
    examples = {"string": "us-east-1_nothing", "boolean": True, "list": [], "map": {}}
    return examples.get(shape.type_name, {} if shape.type_name == "structure" else 1)
