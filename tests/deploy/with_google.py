"""The guarantees of infra/template.yaml about "Continue with Google"."""

import json
import re
from collections.abc import Callable
from graphlib import TopologicalSorter
from typing import Any

from tests.deploy.guarantees import (
    GOOGLE,
    Template,
    defaults,
    deployed,
    evaluate,
    get_att,
    guarantee,
    order,
    parameters_in,
    properties,
)

ONLY_WITH_GOOGLE = {
    "GoogleFailedFilter",
    "GoogleProvider",
    "LongSettings",
    "ManagedLoginBranding",
    "PreSignUpFunction",
    "PreSignUpLogs",
    "PreSignUpPermission",
    "PreSignUpPolicy",
    "PreSignUpRole",
    "UserPoolDomain",
}
OAUTH = {
    "AllowedOAuthFlowsUserPoolClient",
    "AllowedOAuthFlows",
    "AllowedOAuthScopes",
    "CallbackURLs",
    "LogoutURLs",
    "SupportedIdentityProviders",
}


def _always(logical_id: str) -> Callable[[Template], object]:
    return lambda it: it["Resources"][logical_id].pop("Condition")


@guarantee(
    *map(_always, sorted(ONLY_WITH_GOOGLE)),
    lambda it: it["Outputs"]["GoogleRedirectUri"].pop("Condition"),
    lambda it: properties(it, "UserPool").update(LambdaConfig={}),
    lambda it: properties(it, "UserPoolClient").update(SupportedIdentityProviders=["COGNITO"]),
    lambda it: properties(it, "UserPoolClient").update(
        ExplicitAuthFlows={"Fn::If": ["HasGoogle", ["ALLOW_USER_AUTH"], []]}
    ),
    lambda it: it["Conditions"].update(HasGoogle=it["Conditions"]["HasSnapStart"]),
)
def without_google_nothing_of_it_exists(template: Template) -> None:
    """Google's resources exist only with its parameters, which don't change the other resources."""
    without, with_ = deployed(template, {}), deployed(template, GOOGLE)
    assert with_["Resources"].keys() - without["Resources"].keys() == ONLY_WITH_GOOGLE
    assert with_["Outputs"].keys() - without["Outputs"].keys() == {"GoogleRedirectUri"}
    assert not GOOGLE.keys() & parameters_in(without, template)
    added = {"UserPool": {"LambdaConfig"}, "UserPoolClient": OAUTH}
    for name, there in without["Resources"].items():
        then = with_["Resources"][name]
        if name in added:
            assert then["Properties"].keys() - there["Properties"].keys() == added[name]
            for each in added[name]:
                del then["Properties"][each]
            assert then["Properties"] == there["Properties"]
        elif name != "Function" and then["Type"] != "AWS::Lambda::Version":
            assert then == there


@guarantee(
    lambda it: it.pop("Rules"),
    *(
        lambda it, name=name: it["Rules"]["GoogleIsWhole"].update(
            json.loads(json.dumps(it["Rules"]["GoogleIsWhole"]).replace(name, "GoogleClientId"))
        )
        for name in sorted(GOOGLE.keys() - {"GoogleClientId", "RedirectUris"})
    ),
)
def google_needs_all_its_parameters_or_none(template: Template) -> None:
    """Otherwise a deployment would fail halfway, or silently leave out Google."""
    (rule,) = template["Rules"]["GoogleIsWhole"]["Assertions"]
    none = defaults(template)
    assert evaluate(rule["Assert"], none)
    assert evaluate(rule["Assert"], none | GOOGLE)
    for name, value in GOOGLE.items():
        assert not evaluate(rule["Assert"], none | GOOGLE | {name: ""})
        assert not evaluate(rule["Assert"], none | {name: value})


# For each parameter: values that it accepts, and values that it rejects. It also accepts ''.
VALUES = {
    "GoogleClientId": (
        "1234-abc.apps.googleusercontent.com",
        "GOCSPX-abcdefghijklmnop 1234-abc https://1234-abc.apps.googleusercontent.com",
    ),
    "GoogleSecretArn": (
        GOOGLE["GoogleSecretArn"],
        f"GOCSPX-abcdefghijklmnop google-AbC123 {GOOGLE['GoogleSecretArn']}:clientSecret",
    ),
    "GoogleSecretVersion": (GOOGLE["GoogleSecretVersion"], "AWSCURRENT 1 GOCSPX-abc_defghijklmnop"),
    "SignInDomain": (
        f"example-accounts a 7 {'a' * 63}",
        f"my-aws-app amazonia incognito-cognito laws https://a a.b -a a- A a_b {'a' * 64}",
    ),
    "RedirectUris": (
        """https://app.example.com https://app.example.com/ https://a.example:8443/%7Eada/
        http://localhost/ http://localhost:5173/a/b.html https://a.example/oauth2/idpresponse2""",
        """* https://*.example.com/ http://app.example.com/ http://localhost.example/ app://a
        https://a.example/#b https://a.example/?b=c https://a@b.example/ https://a.example\\b
        https://a.auth.eu-west-1.amazoncognito.com/oauth2/idpresponse
        https://a.example:8443/oauth2/idpresponse http://localhost:8001/oauth2/idpresponse""",
    ),
}


def _let_through(name: str) -> Callable[[Template], object]:
    return lambda it: it["Parameters"][name].update(AllowedPattern=".*")


@guarantee(*map(_let_through, VALUES))
def invalid_values_are_rejected_before_deployment(template: Template) -> None:
    """Parameters reject a secret instead of an id, a URL instead of a prefix, and wildcards."""
    assert VALUES.keys() == GOOGLE.keys()
    for name, (right, wrong) in VALUES.items():
        pattern = template["Parameters"][name]["AllowedPattern"]
        assert [each for each in ["", *right.split()] if not re.fullmatch(pattern, each)] == []
        assert [each for each in wrong.split() if re.fullmatch(pattern, each)] == []


@guarantee(
    lambda it: properties(it, "UserPoolDomain").pop("ManagedLoginVersion"),
    lambda it: it["Resources"].pop("ManagedLoginBranding"),
    lambda it: properties(it, "ManagedLoginBranding").pop("UseCognitoProvidedValues"),
)
def sign_in_has_a_domain_and_pages(template: Template) -> None:
    """Use managed login, which passes `prompt` to Google and needs a style for each client."""
    pool, client = {"Ref": "UserPool"}, {"Ref": "UserPoolClient"}
    assert properties(template, "UserPoolDomain") == {
        "UserPoolId": pool,
        "Domain": {"Ref": "SignInDomain"},
        "ManagedLoginVersion": 2,
    }
    assert properties(template, "ManagedLoginBranding") == {
        "UserPoolId": pool,
        "ClientId": client,
        "UseCognitoProvidedValues": True,
    }


@guarantee(
    lambda it: properties(it, "GoogleProvider")["AttributeMapping"].pop("email_verified"),
    lambda it: properties(it, "GoogleProvider").update(ProviderName="google"),
    lambda it: properties(it, "GoogleProvider")["ProviderDetails"].update(authorize_scopes="email"),
    lambda it: properties(it, "GoogleProvider")["ProviderDetails"].update(client_id="1"),
)
def google_is_asked_only_for_a_verified_address(template: Template) -> None:
    """Google provides the user's id, the address and whether it is verified, nothing else."""
    provider = properties(template, "GoogleProvider")
    assert (provider["ProviderName"], provider["ProviderType"]) == ("Google", "Google")
    assert provider["AttributeMapping"] == {
        "email": "email",
        "email_verified": "email_verified",
        "username": "sub",
    }
    details = {**provider["ProviderDetails"]}
    del details["client_secret"]
    assert details == {"client_id": {"Ref": "GoogleClientId"}, "authorize_scopes": "openid email"}


def _details(source: Template) -> dict[str, Any]:
    found: dict[str, Any] = properties(source, "GoogleProvider")["ProviderDetails"]
    return found


@guarantee(
    lambda it: _details(it).update(client_secret={"Ref": "GoogleSecretArn"}),
    lambda it: _details(it)["client_secret"].update(
        {"Fn::Sub": "{{resolve:secretsmanager:${GoogleSecretArn}:SecretString:clientSecret}}"}
    ),
    lambda it: properties(it, "Function")["Environment"]["Variables"].update(
        GOOGLE_CLIENT_SECRET=_details(it)["client_secret"]
    ),
)
def googles_secret_stays_in_secrets_manager(template: Template) -> None:
    """CloudFormation reads the given version of the secret, and only for the provider."""
    provider = properties(template, "GoogleProvider")
    assert provider["ProviderDetails"]["client_secret"]["Fn::Sub"] == (
        "{{resolve:secretsmanager:${GoogleSecretArn}:SecretString:clientSecret"
        "::${GoogleSecretVersion}}}"
    )
    others = {**template["Resources"]}
    del others["GoogleProvider"]
    secret = {"GoogleSecretArn", "GoogleSecretVersion"}
    assert not secret & parameters_in([others, template["Outputs"]], template)


@guarantee(
    lambda it: properties(it, "UserPoolClient").update(AllowedOAuthFlows=["code", "implicit"]),
    lambda it: properties(it, "UserPoolClient").update(AllowedOAuthScopes=["openid", "email"]),
    lambda it: properties(it, "UserPoolClient").update(CallbackURLs=["https://app.example.com/"]),
    lambda it: properties(it, "UserPoolClient").update(WriteAttributes=["email"]),
    lambda it: properties(it, "UserPoolClient").pop("SupportedIdentityProviders"),
)
def client_uses_only_the_code_flow(template: Template) -> None:
    """Redirect URIs come from the parameter. Scopes include the one that GetUser requires."""
    client = deployed(template, GOOGLE)["Resources"]["UserPoolClient"]["Properties"]
    assert {name: client[name] for name in OAUTH} == {
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid", "email", "aws.cognito.signin.user.admin"],
        "CallbackURLs": {"Ref": "RedirectUris"},
        "LogoutURLs": {"Ref": "RedirectUris"},
        "SupportedIdentityProviders": ["COGNITO", "Google"],
    }
    # The client must be able to read email_verified, and to write what the provider maps
    assert not {"ReadAttributes", "WriteAttributes"} & client.keys()


@guarantee(
    lambda it: it["Resources"]["UserPoolClient"].pop("Metadata"),
    lambda it: it["Resources"]["UserPoolClient"]["Metadata"].update(
        MadeAfter={"Fn::If": ["HasGoogle", [{"Ref": "GoogleProvider"}], []]}
    ),
)
def client_is_created_after_its_dependencies(template: Template) -> None:
    """Otherwise the first deployment fails, or the client reports that OAuth is not enabled."""
    assert {"GoogleProvider", "UserPoolDomain"} <= order(template)["UserPoolClient"]


@guarantee(
    lambda it: properties(it, "PreSignUpRole").update(
        Policies=[properties(it, "PreSignUpPolicy")["PolicyDocument"]]
    )
)
def no_resource_depends_on_itself(template: Template) -> None:
    """CloudFormation can order the resources, because the policy is separate from the role."""
    TopologicalSorter(order(template)).prepare()


@guarantee(
    lambda it: properties(it, "UserPool").pop("LambdaConfig"),
    lambda it: properties(it, "PreSignUpPermission").pop("SourceArn"),
    lambda it: properties(it, "PreSignUpPermission").update(Principal="*"),
)
def only_the_pool_calls_the_trigger(template: Template) -> None:
    """Cognito calls the function before it creates a user, and at no other time."""
    pool = deployed(template, GOOGLE)["Resources"]["UserPool"]["Properties"]
    assert pool["LambdaConfig"] == {"PreSignUp": get_att("PreSignUpFunction", "Arn")}
    assert properties(template, "PreSignUpPermission") == {
        "FunctionName": get_att("PreSignUpFunction", "Arn"),
        "Action": "lambda:InvokeFunction",
        "Principal": "cognito-idp.amazonaws.com",
        "SourceArn": get_att("UserPool", "Arn"),
    }


def _statement(source: Template, position: int) -> dict[str, Any]:
    document = properties(source, "PreSignUpPolicy")["PolicyDocument"]
    found: dict[str, Any] = document["Statement"][position]
    return found


@guarantee(
    lambda it: _statement(it, 0).update(Action=["cognito-idp:ListUsers", "cognito-idp:Admin*"]),
    lambda it: _statement(it, 0).update(Resource="*"),
    lambda it: _statement(it, 1).update(Resource="*"),
    lambda it: properties(it, "PreSignUpRole").update(
        ManagedPolicyArns=["arn:aws:iam::aws:policy/x"]
    ),
    lambda it: properties(it, "PreSignUpRole")["AssumeRolePolicyDocument"]["Statement"][0].update(
        Principal={"AWS": "*"}
    ),
)
def trigger_may_only_search_and_log(template: Template) -> None:
    """Its role may search this pool and write its own log group. Only Lambda may assume it."""
    allow = {"Effect": "Allow"}
    assert properties(template, "PreSignUpPolicy") == {
        "PolicyName": "look-up-an-address",
        "Roles": [{"Ref": "PreSignUpRole"}],
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    **allow,
                    "Action": "cognito-idp:ListUsers",
                    "Resource": get_att("UserPool", "Arn"),
                },
                {
                    **allow,
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": get_att("PreSignUpLogs", "Arn"),
                },
            ],
        },
    }
    lambdas = {"Service": "lambda.amazonaws.com"}
    role = {**properties(template, "PreSignUpRole")}
    role.pop("PermissionsBoundary")  # see no_role_exceeds_the_boundary
    assert role == {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{**allow, "Principal": lambdas, "Action": "sts:AssumeRole"}],
        }
    }
    others = {name for name, it in order(template).items() if "PreSignUpRole" in it}
    assert others == {"PreSignUpFunction", "PreSignUpPolicy"}


@guarantee(
    lambda it: properties(it, "PreSignUpFunction").update(Timeout=5),
    lambda it: properties(it, "PreSignUpFunction").update(MemorySize=128),
    lambda it: properties(it, "PreSignUpFunction").pop("LoggingConfig"),
    lambda it: properties(it, "PreSignUpFunction").update(Handler="index.main"),
    lambda it: properties(it, "PreSignUpFunction").update(Runtime="python3.9"),
)
def trigger_responds_before_cognitos_timeout(template: Template) -> None:
    """Cognito waits 5 s, and a cold start takes up to 1 s. See tests/infra/test_pre_sign_up.py."""
    trigger = {**properties(template, "PreSignUpFunction")}
    assert trigger.pop("Timeout") <= 5 - 1
    assert trigger.pop("MemorySize") >= 1769 / 2
    assert "\ndef handler(event" in trigger.pop("Code")["ZipFile"]
    del trigger["Description"]
    assert trigger == {
        "Runtime": "python3.13",
        "Architectures": [{"Ref": "Architecture"}],
        "Handler": "index.handler",
        "Role": get_att("PreSignUpRole", "Arn"),
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": {"Ref": "PreSignUpLogs"}},
    }
