"""Check what infra/template.yaml guarantees, after the SAM transform: `make deploy-check`.

Each guarantee lists changes that break it, and must fail after each of them: a check that can't
fail guarantees nothing. The tests run in their own environment, because the SAM translator requires
an older pydantic than the app.
"""

import copy
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cfnlint.api import lint

from infra.package import zip_template
from tests.deploy import with_google, with_options  # noqa: F401 - register their guarantees
from tests.deploy.guarantees import (
    EXISTING_POOL,
    GOOGLE,
    GUARANTEES,
    IMAGE,
    TEMPLATE,
    ZIP,
    Guarantee,
    Template,
    defaults,
    deployed,
    evaluate,
    get_att,
    guarantee,
    of_type,
    own_or_existing,
    parameters_in,
    properties,
    source,
    the,
    transformed,
)

DOCKERFILE = (TEMPLATE.parents[1] / "Dockerfile").read_text()


def _with_google(value: object) -> dict[str, list[object]]:
    return {"Fn::If": ["HasGoogle", value, ""]}


# The users


@guarantee(lambda it: it["Resources"]["UserPool"].pop("UpdateReplacePolicy"))
def pool_outlives_its_stack(template: Template) -> None:
    """CloudFormation keeps the user pool if it replaces it or deletes the stack."""
    pool = template["Resources"]["UserPool"]
    assert pool["DeletionPolicy"] == pool["UpdateReplacePolicy"] == "Retain"


@guarantee(lambda it: properties(it, "UserPool").pop("DeletionProtection"))
def pool_is_protected(template: Template) -> None:
    """Nobody deletes the user pool in the console by mistake."""
    assert properties(template, "UserPool")["DeletionProtection"] == "ACTIVE"


@guarantee(
    lambda it: properties(it, "UserPool").update(EmailConfiguration={"SourceArn": "x"}),
    lambda it: it.pop("Rules"),
)
def sender_is_chosen_by_a_parameter(template: Template) -> None:
    """SES sends the e-mails if SenderArn is set; otherwise Cognito's own sender does."""
    condition, ses, own = properties(template, "UserPool")["EmailConfiguration"]["Fn::If"]
    assert condition == "HasSender"
    assert ses["EmailSendingAccount"] == "DEVELOPER"
    assert ses["SourceArn"] == {"Ref": "SenderArn"}
    assert own == {"EmailSendingAccount": "COGNITO_DEFAULT"}
    (rule,) = template["Rules"]["SenderIsWhole"]["Assertions"]
    assert "SenderAddress" in json.dumps(rule["Assert"])


@guarantee(
    lambda it: properties(it, "UserPool")["Policies"]["PasswordPolicy"].pop("RequireNumbers"),
    lambda it: properties(it, "UserPool")["Policies"]["PasswordPolicy"].update(MinimumLength=6),
    lambda it: it["Parameters"]["PasswordLength"].update(AllowedPattern="[0-9]+"),
    lambda it: it["Parameters"]["PasswordClasses"].update(Default="false"),
    lambda it: it["Rules"].pop("PasswordIsStrong"),
)
def passwords_are_strong(template: Template) -> None:
    """Require 8 characters of four classes, or 12 of any."""
    policy = dict(properties(template, "UserPool")["Policies"]["PasswordPolicy"])
    assert policy.pop("TemporaryPasswordValidityDays") == 7
    assert policy.pop("MinimumLength") == {"Ref": "PasswordLength"}
    classes = {f"Require{each}" for each in ("Uppercase", "Lowercase", "Numbers", "Symbols")}
    assert policy == {each: {"Ref": "PasswordClasses"} for each in classes}
    pattern = template["Parameters"]["PasswordLength"]["AllowedPattern"]
    lengths = [text for text in map(str, range(200)) if re.fullmatch(pattern, text)]
    assert lengths == [str(length) for length in range(8, 100)]
    assert not any(re.fullmatch(pattern, text) for text in ("08", "8.0", "+9", ""))
    (rule,) = template["Rules"]["PasswordIsStrong"]["Assertions"]
    given = defaults(template)
    assert given["PasswordClasses"] == "true"
    accepted = [
        (length, classes)
        for length in (8, 11, 12, 99)
        for classes in ("true", "false")
        if evaluate(rule["Assert"], given | {"PasswordLength": length, "PasswordClasses": classes})
    ]
    assert (11, "true") in accepted
    assert [length for length, classes in accepted if classes == "false"] == [12, 99]


@guarantee(lambda it: properties(it, "UserPoolClient").update(RefreshTokenValidity=3650))
def tokens_live_as_long_as_the_parameters_say(template: Template) -> None:
    """Token lifetimes come from the parameters. PINNED has their units."""
    client = properties(template, "UserPoolClient")
    assert client["AccessTokenValidity"] == client["IdTokenValidity"] == {"Ref": "AccessTokenHours"}
    assert client["RefreshTokenValidity"] == {"Ref": "RefreshTokenDays"}


# The settings that people get wrong (infra/README.md), and rotation. Most of them can't be changed
# once there are users.
PINNED: dict[tuple[str, str], Any] = {
    ("UserPool", "UsernameConfiguration"): {"CaseSensitive": False},
    ("UserPool", "UsernameAttributes"): ["email"],
    ("UserPool", "AutoVerifiedAttributes"): ["email"],
    ("UserPool", "UserAttributeUpdateSettings"): {
        "AttributesRequireVerificationBeforeUpdate": ["email"]
    },
    ("UserPoolClient", "GenerateSecret"): False,
    ("UserPoolClient", "RefreshTokenRotation"): {
        "Feature": "ENABLED",
        "RetryGracePeriodSeconds": 30,
    },
    ("UserPoolClient", "ExplicitAuthFlows"): ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_AUTH"],
    ("UserPoolClient", "PreventUserExistenceErrors"): "ENABLED",
    ("UserPoolClient", "TokenValidityUnits"): {
        "AccessToken": "hours",
        "IdToken": "hours",
        "RefreshToken": "days",
    },
}


def pin(logical_id: str, name: str, value: object) -> None:
    """Guarantee the value of a property. Its default would be another value."""

    def holds(template: Template) -> None:
        assert properties(template, logical_id)[name] == value

    holds.__name__ = name
    guarantee(lambda it: properties(it, logical_id).pop(name))(holds)


for (logical_id, name), value in PINNED.items():
    pin(logical_id, name, value)


# The API


@guarantee(lambda it: properties(it, "Function")["Events"].pop("Root"))
def every_path_reaches_the_function(template: Template) -> None:
    """Every path and method reaches the function, through its alias."""
    paths = the(template, "AWS::ApiGateway::RestApi")["Body"]["paths"]
    assert sorted(paths) == ["/", "/{proxy+}"]
    for path in paths.values():
        (method,) = path
        assert method == "x-amazon-apigateway-any-method"
        uri = path[method]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        assert "${FunctionAliaslive}" in uri


@guarantee(lambda it: properties(it, "Api").update(Cors="'*'"))
def cors_has_one_owner(template: Template) -> None:
    """Preflights are answered by the app, not by API Gateway."""
    paths = the(template, "AWS::ApiGateway::RestApi")["Body"]["paths"]
    assert not [path for path in paths.values() if "options" in path]


@guarantee(lambda it: it["Parameters"]["AllowedOrigins"].update(AllowedPattern=".*"))
def no_wildcard_is_an_origin(template: Template) -> None:
    """AllowedOrigins accepts only what a browser sends as an origin."""
    pattern = template["Parameters"]["AllowedOrigins"]["AllowedPattern"]
    for good in ("", "https://app.example.com", "http://localhost:3000,https://a.example"):
        assert re.fullmatch(pattern, good)
    for bad in ("*", "https://*", "https://*.example.com", "https://a.example/", "a.example"):
        assert not re.fullmatch(pattern, bad)


def _with_cookie(value: str, otherwise: object) -> dict[str, Any]:
    return {"Fn::If": ["HasSessionCookie", value, otherwise]}


def _headers_of(source: Template, answer: str) -> dict[str, str]:
    found: dict[str, str] = properties(source, "Api")["GatewayResponses"][answer][
        "ResponseParameters"
    ]["Headers"]
    return found


@guarantee(
    lambda it: properties(it, "Api")["GatewayResponses"].pop("DEFAULT_4XX"),
    lambda it: _headers_of(it, "THROTTLED").pop("Access-Control-Expose-Headers"),
    lambda it: _headers_of(it, "DEFAULT_5XX").pop("Cache-Control"),
    lambda it: _headers_of(it, "THROTTLED").update(
        {"Access-Control-Allow-Origin": "'*'"}  # unreadable if the request had a cookie
    ),
)
def gateways_own_answers_are_like_ours(template: Template) -> None:
    """Errors of API Gateway have the CORS headers, and our envelope with the right status."""
    body = the(template, "AWS::ApiGateway::RestApi")["Body"]
    responses = body["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED"} <= responses.keys()
    for response in responses.values():
        envelope = json.loads(response["responseTemplates"]["application/json"])
        assert sorted(envelope) == ["code", "message", "requestId", "statusCode"]
        assert str(envelope["statusCode"]) == str(response["statusCode"])
        headers = {
            name.removeprefix("gatewayresponse.header."): value
            for name, value in response["responseParameters"].items()
        }
        headers.pop("Retry-After", None)  # test_template.py compares it with the app's own
        assert headers == {
            "Access-Control-Allow-Origin": _with_cookie("method.request.header.Origin", "'*'"),
            "Access-Control-Allow-Credentials": _with_cookie("'true'", {"Ref": "AWS::NoValue"}),
            "Access-Control-Expose-Headers": "'X-Request-Id, Retry-After'",
            "Cache-Control": "'no-store'",
            "X-Content-Type-Options": "'nosniff'",
            "Referrer-Policy": "'no-referrer'",
            "X-Request-Id": "context.requestId",
        }


@guarantee(lambda it: properties(it, "Api").pop("MethodSettings"))
def api_is_throttled(template: Template) -> None:
    """Every method of every path is limited to what the parameters allow."""
    (settings,) = the(template, "AWS::ApiGateway::Stage")["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestsAtOnce"}


@guarantee(lambda it: properties(it, "Api")["MethodSettings"][0].update(DataTraceEnabled=True))
def bodies_are_never_logged(template: Template) -> None:
    """Bodies, which contain passwords, codes and tokens, stay out of API Gateway's log."""
    (settings,) = the(template, "AWS::ApiGateway::Stage")["MethodSettings"]
    assert settings["DataTraceEnabled"] is False


def _log_addresses(source: Template) -> None:
    setting = properties(source, "Api")["AccessLogSetting"]
    setting["Format"] = setting["Format"].replace("{", '{"ip": "$context.identity.sourceIp", ', 1)


@guarantee(_log_addresses)
def access_log_identifies_nobody(template: Template) -> None:
    """Access log entries are JSON, made only of variables that no caller can fill."""
    setting = the(template, "AWS::ApiGateway::Stage")["AccessLogSetting"]
    assert setting["DestinationArn"] == {"Fn::GetAtt": ["ApiLogs", "Arn"]}
    assert set(json.loads(setting["Format"]).values()) == {
        "$context.requestTime",
        "$context.requestId",
        "$context.httpMethod",
        "$context.resourcePath",
        "$context.status",
        "$context.responseLatency",
        "$context.integrationLatency",
        "$context.error.responseType",
    }


@guarantee(lambda it: properties(it, "Api").update(BinaryMediaTypes=["*/*"]))
def answers_pass_as_they_are(template: Template) -> None:
    """Answers pass as text. With binary media types they would have to be base64."""
    assert "x-amazon-apigateway-binary-media-types" not in the(
        template, "AWS::ApiGateway::RestApi"
    ).get("Body", {})
    assert "BinaryMediaTypes" not in the(template, "AWS::ApiGateway::RestApi")


@guarantee(
    lambda it: it["Resources"]["Api"].pop("DependsOn"),
    lambda it: properties(it, "ApiLogsRole").update(ManagedPolicyArns=[]),
    lambda it: it["Resources"]["ApiAccount"].update(DeletionPolicy="RetainExceptOnCreate"),
    lambda it: it["Resources"]["ApiLogsRole"].pop("DeletionPolicy"),
)
def gateway_may_write_its_log(template: Template) -> None:
    """CloudFormation creates the log role before the stage.

    Otherwise the first deployment in a region would fail.
    """
    (api,) = of_type(template, "AWS::ApiGateway::RestApi").values()
    assert "ApiAccount" in api["DependsOn"]
    role = properties(template, "ApiAccount")["CloudWatchRoleArn"]
    assert role == {"Fn::GetAtt": ["ApiLogsRole", "Arn"]}
    (policy,) = properties(template, "ApiLogsRole")["ManagedPolicyArns"]
    assert policy["Fn::Sub"].endswith("AmazonAPIGatewayPushToCloudWatchLogs")
    # The region's other APIs use it too, so it is kept, even if this stack's first deployment fails
    for name in ("ApiAccount", "ApiLogsRole"):
        assert template["Resources"][name]["DeletionPolicy"] == "Retain"


@guarantee(lambda it: it["Globals"].pop("Api"))
def api_has_one_stage(template: Template) -> None:
    """SAM adds no second stage, named Stage."""
    assert "OpenApiVersion" not in template.get("Globals", {})
    assert "StageName" not in the(template, "AWS::ApiGateway::Deployment")
    assert the(template, "AWS::ApiGateway::Stage")["StageName"] == {"Ref": "StageName"}


@guarantee(lambda it: properties(it, "Api").pop("TracingEnabled"))
def requests_are_traced(template: Template) -> None:
    """X-Ray traces requests from API Gateway on."""
    assert the(template, "AWS::ApiGateway::Stage")["TracingEnabled"] is True
    assert properties(template, "Function")["TracingConfig"] == {"Mode": "Active"}


# The function


@guarantee(
    lambda it: properties(it, "Function").update(Architectures=["x86_64"]),
    lambda it: it["Parameters"]["Architecture"].update(Default="x86_64"),
)
def functions_run_on_the_chosen_processor(template: Template) -> None:
    """Both functions have the parameter's processor: arm64, unless you need the other."""
    for name in ("Function", "PreSignUpFunction"):
        assert properties(template, name)["Architectures"] == [{"Ref": "Architecture"}]
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"


@guarantee(
    lambda it: properties(it, "Function").update(CodeUri="app/"),
    lambda it: properties(it, "Function").update(Runtime="python3.12"),
    lambda it: properties(it, "Function").update(Handler="app.main.handler"),
    lambda it: it["Parameters"]["Architecture"].update(AllowedValues=["arm64", "x86_64"]),
    lambda it: it["Parameters"]["SnapStart"].update(Default="false"),
    forms=(ZIP,),
)
def zip_needs_no_docker(template: Template) -> None:
    """`make package` makes the zip, for the template's Python and processor, with SnapStart."""
    function = properties(template, "Function")
    assert function["PackageType"] == "Zip"
    base = re.search(r"^FROM \S+/lambda/python:(\S+) AS", DOCKERFILE, re.MULTILINE)
    assert base
    assert function["Runtime"] == f"python{base[1]}"
    assert f'CMD ["{function["Handler"]}"]' in DOCKERFILE
    there = template["Source"]["Resources"]["Function"]
    assert there["Properties"]["CodeUri"] == "bundle.zip"
    assert "Metadata" not in there
    assert template["Parameters"]["Architecture"]["AllowedValues"] == ["arm64"]
    assert template["Parameters"]["SnapStart"]["Default"] == "true"


@guarantee(
    lambda it: it["Resources"]["Function"]["Metadata"].update(DockerContext="."),
    lambda it: it["Parameters"]["Architecture"].update(AllowedValues=["arm64"]),
    lambda it: it["Parameters"]["SnapStart"].update(Default="true"),
    forms=(IMAGE,),
)
def image_is_built_from_the_dockerfile(template: Template) -> None:
    """Images start without SnapStart, which AWS may not support for them everywhere."""
    function = properties(template, "Function")
    assert function["PackageType"] == "Image"
    assert template["Parameters"]["Architecture"]["AllowedValues"] == ["arm64", "x86_64"]
    assert template["Parameters"]["SnapStart"]["Default"] == "false"
    where = template["Source"]["Resources"]["Function"]["Metadata"]
    context = TEMPLATE.parent / where["DockerContext"]
    assert (context / where["Dockerfile"]).is_file()
    assert (context / "app").is_dir()


@guarantee(lambda it: properties(it, "Function").pop("SnapStart"))
def function_starts_from_a_snapshot(template: Template) -> None:
    """SnapStart follows its parameter, and the API calls the version that has the snapshot."""
    function = properties(template, "Function")
    choice = ["HasSnapStart", "PublishedVersions", "None"]
    assert function["SnapStart"] == {"ApplyOn": {"Fn::If": choice}}
    alias = the(template, "AWS::Lambda::Alias")
    assert alias["Name"] == "live"
    assert "Fn::GetAtt" in alias["FunctionVersion"]


# The format of IAM's policy ids.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
POLICY_ID = "ANPA" + 17 * "X"


@guarantee(
    lambda it: properties(it, "Function").pop("VersionDescription"),
    lambda it: it["Parameters"]["AllowedOrigins"].update(MaxLength=200),
    lambda it: it["Parameters"]["AppName"].update(MaxLength=64),
    lambda it: properties(it, "LongSettings").update(Description={"Ref": "SignInDomain"}),
    lambda it: properties(it, "LongSettings").update(Roles=[{"Ref": "PreSignUpRole"}]),
    lambda it: it["Conditions"].update(HasLongSettings={"Condition": "HasGoogle"}),
)
def every_parameter_of_the_function_is_published(template: Template) -> None:
    """Every changed parameter publishes a version. Otherwise the API would ignore a new origin."""
    settings = properties(template, "Function")["Environment"]["Variables"]
    given = parameters_in(settings, template)
    assert len(given) > 2
    # CloudFormation replaces the version when its description changes
    separator, (short, addresses) = the(template, "AWS::Lambda::Version")["Description"]["Fn::Join"]
    assert addresses["Fn::If"] == ["HasLongSettings", get_att("LongSettings", "PolicyId"), ""]
    for given_ in (GOOGLE, EXISTING_POOL):
        assert "LongSettings" in deployed(template, given_)["Resources"]
    # It contains the id of a policy, which CloudFormation replaces when the policy's description
    # changes
    policy = properties(template, "LongSettings")
    published = parameters_in([short, policy["Description"]], template)
    unpublished = (given | {"SnapStart", "Architecture"}) - published
    assert unpublished == set(), "Add them to VersionDescription in infra/template.yaml"
    longest = re.sub(r"\$\{(\w+)\}", lambda it: _longest(template, it[1]), short["Fn::Sub"])
    assert len(longest + separator + POLICY_ID) <= 256
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert not {"Groups", "Roles", "Users"} & policy.keys()


def _longest(template: Template, parameter: str) -> str:
    """Return a value of the greatest length that a parameter may have."""
    declared = template["Parameters"][parameter]
    lengths = map(len, declared.get("AllowedValues", []))
    return "x" * max([declared.get("MaxLength", 0), *lengths])


@guarantee(lambda it: properties(it, "Function").pop("VersionDeletionPolicy"))
def no_old_snapshot_is_paid_for(template: Template) -> None:
    """CloudFormation deletes replaced versions, and thereby their snapshots."""
    (version,) = of_type(template, "AWS::Lambda::Version").values()
    assert version["DeletionPolicy"] == "Delete"
    assert version.get("UpdateReplacePolicy", "Delete") == "Delete"


@guarantee(lambda it: properties(it, "Function").pop("AutoPublishAliasAllProperties"))
def every_change_of_the_function_is_published(template: Template) -> None:
    """Every changed property publishes a version. Otherwise the API would keep an old timeout."""
    changed = copy.deepcopy(template["Source"])
    changed["Globals"]["Function"]["Timeout"] -= 1
    kind = "AWS::Lambda::Version"
    assert of_type(template, kind).keys() != of_type(transformed(changed), kind).keys()


@guarantee(lambda it: it["Globals"]["Function"].update(Timeout=30))
def timeouts_are_in_order(template: Template) -> None:
    """Lambda times out after the Cognito client (10 s) and before API Gateway (29 s)."""
    assert 10 < properties(template, "Function")["Timeout"] < 29


@guarantee(lambda it: it["Globals"]["Function"].update(MemorySize=128))
def function_has_a_processor_to_start_with(template: Template) -> None:
    """MemorySize gives at least half a processor. The template explains why."""
    assert properties(template, "Function")["MemorySize"] >= 1769 / 2


def _allow(action: str, resource: str) -> Callable[[Template], object]:
    """Return what lets the function do something more."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    policies = [{"Version": "2012-10-17", "Statement": [statement]}]
    return lambda it: properties(it, "Function").update(Policies=policies)


@guarantee(
    _allow("cognito-idp:AdminGetUser", "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/x"),
    _allow("dynamodb:*", "arn:aws:dynamodb:eu-west-1:123456789012:table/x"),
    _allow("dynamodb:GetItem", "*"),
    _allow("*", "arn:aws:dynamodb:eu-west-1:123456789012:table/x"),
)
def function_may_do_nothing_to_the_pool(template: Template) -> None:
    """Its role can write logs and traces, and do what you list by name, to what you name."""
    role = properties(template, "FunctionRole")
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert "*" not in _listed(statement["Resource"])
            for action in _listed(statement["Action"]):
                service, _, name = action.partition(":")
                assert service not in ("cognito-idp", "*"), action
                assert "*" not in name, action
    names = {
        json.dumps(policy).rpartition("/")[2].rstrip('"}') for policy in role["ManagedPolicyArns"]
    }
    assert names == {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@guarantee(lambda it: properties(it, "Function").pop("LoggingConfig"))
def function_logs_json_where_it_is_kept_for_a_while(template: Template) -> None:
    """Our own log group gets JSON. Lambda's default group would keep it for ever."""
    logging = properties(template, "Function")["LoggingConfig"]
    assert logging == {"LogFormat": "JSON", "LogGroup": {"Ref": "FunctionLogs"}}


@guarantee(lambda it: properties(it, "ApiLogs").pop("RetentionInDays"))
def logs_are_kept_as_long_as_the_parameter_says(template: Template) -> None:
    """Every log group has the parameter's retention."""
    groups = of_type(template, "AWS::Logs::LogGroup")
    assert groups.keys() == {"ApiLogs", "FunctionLogs", "PreSignUpLogs"}
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@guarantee(lambda it: properties(it, "Function").pop("ReservedConcurrentExecutions"))
def concurrency_can_be_reserved(template: Template) -> None:
    """Concurrency is reserved only if the parameter is set."""
    reserved = properties(template, "Function")["ReservedConcurrentExecutions"]
    assert reserved["Fn::If"][:2] == ["HasReserve", {"Ref": "ReservedConcurrency"}]
    assert template["Parameters"]["ReservedConcurrency"]["Default"] == -1


DOMAIN_URL = "https://${SignInDomain}.auth.${AWS::Region}.amazoncognito.com"


@guarantee(
    lambda it: it["Resources"]["LogKey"].pop("Condition"),
    lambda it: it["Parameters"]["LogPeople"].update(Default="true"),
    lambda it: properties(it, "LogKey")["GenerateSecretString"].update(PasswordLength=8),
    lambda it: properties(it, "LogKey").update(SecretString="known"),
)
def the_key_of_the_log_is_a_secret(template: Template) -> None:
    """AWS generates it, and only if LogPeople asks for it."""
    secret = template["Resources"]["LogKey"]
    assert secret["Condition"] == "HasLogKey"
    assert evaluate(template["Conditions"]["HasLogKey"], defaults(template)) is False
    assert secret["Properties"].keys() == {"Description", "GenerateSecretString"}
    assert secret["Properties"]["GenerateSecretString"]["PasswordLength"] >= 16


@guarantee(
    lambda it: properties(it, "Function")["Environment"]["Variables"].pop("ALLOWED_ORIGINS"),
    lambda it: properties(it, "Function")["Environment"]["Variables"].pop("LOG_KEY"),
    lambda it: properties(it, "Function")["Environment"]["Variables"].update(
        REDIRECT_URIS={"Fn::Join": [",", {"Ref": "RedirectUris"}]}
    ),
)
def function_gets_its_settings(template: Template) -> None:
    """Environment variables come from the resources and the parameters."""
    settings = {
        "COGNITO_CLIENT_ID": own_or_existing("UserPoolClient"),
        "COGNITO_USER_POOL_ID": own_or_existing("UserPool"),
        "ALLOWED_ORIGINS": {"Ref": "AllowedOrigins"},
        "DOCS": {"Ref": "Docs"},
        "HIDE_EXISTING_ACCOUNTS": {"Ref": "HideExistingAccounts"},
        "SESSION_COOKIE": {"Ref": "SessionCookie"},
        "APP_NAME": {"Ref": "AppName"},
        "LOG_KEY": {
            "Fn::If": [
                "HasLogKey",
                {"Fn::Sub": "{{resolve:secretsmanager:${LogKey}}}"},
                "",
            ]
        },
        "COGNITO_DOMAIN_URL": _with_google({"Fn::Sub": DOMAIN_URL}),
        "REDIRECT_URIS": _with_google({"Fn::Join": [",", {"Ref": "RedirectUris"}]}),
    }
    given = properties(template, "Function")["Environment"]["Variables"]
    unknown = given.keys() - settings.keys()
    assert unknown == set(), "Add them to the settings in tests/deploy/check_template.py"
    assert given == settings


# Alarms and outputs


NAME = {"Ref": "AWS::StackName"}
API = {"ApiName": NAME, "Stage": {"Ref": "StageName"}}
FUNCTION = {"FunctionName": {"Ref": "Function"}}
# For each metric: its namespace, dimensions and statistic, and the alarm's threshold.
ALARMS: dict[str, tuple[Any, dict[str, Any], str, int]] = {
    "5XXError": ("AWS/ApiGateway", API, "Sum", 5),
    "Throttles": ("AWS/Lambda", FUNCTION, "Sum", 1),
    "Duration": ("AWS/Lambda", FUNCTION, "p99", 8000),
    "misconfigured": (NAME, {}, "Sum", 1),
    "email_not_sent": (NAME, {}, "Sum", 1),
}


def metric_of(alarm: dict[str, Any]) -> dict[str, Any]:
    """Return an alarm's metric. That of ServerErrorsAlarm is part of an expression."""
    if "Metrics" not in alarm:
        return alarm
    (stat,) = (each["MetricStat"] for each in alarm["Metrics"] if each["Id"] == "errors")
    return {**stat["Metric"], "Statistic": stat["Stat"]}


@guarantee(
    lambda it: it["Resources"].pop("MisconfiguredAlarm"),
    lambda it: properties(it, "MisconfiguredAlarm").update(Namespace="other"),
    lambda it: properties(it, "ServerErrorsAlarm")["Metrics"][1]["MetricStat"]["Metric"].pop(
        "Dimensions"
    ),
    lambda it: properties(it, "DurationAlarm").update(Threshold=99999),
    lambda it: properties(it, "Api").update(Name="other"),
)
def alarms_fire_for_what_people_must_fix(template: Template) -> None:
    """Every alarm watches an existing metric and notifies the topic. Missing data raises none."""
    alarms = [it["Properties"] for it in of_type(template, "AWS::CloudWatch::Alarm").values()]
    watched = [(metric_of(alarm), alarm["Threshold"]) for alarm in alarms]
    assert {
        metric["MetricName"]: (
            metric["Namespace"],
            {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])},
            metric.get("ExtendedStatistic") or metric["Statistic"],
            threshold,
        )
        for metric, threshold in watched
    } == ALARMS
    for alarm in alarms:
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert the(template, "AWS::ApiGateway::RestApi")["Name"] == NAME


@guarantee(
    lambda it: properties(it, "ServerErrorsAlarm")["Metrics"][0].update(Expression="errors"),
    lambda it: properties(it, "ServerErrorsAlarm")["Metrics"].pop(2),
)
def strangers_cannot_raise_an_alarm(template: Template) -> None:
    """Anyone can cause google_failed, so the alarm for 5xx answers subtracts it."""
    unexpected, errors, google = properties(template, "ServerErrorsAlarm")["Metrics"]
    assert unexpected == {"Id": "unexpected", "Expression": "errors - FILL(google, 0)"}
    metric = {"Namespace": NAME, "MetricName": "google_failed"}
    stat = {"Metric": metric, "Period": errors["MetricStat"]["Period"], "Stat": "Sum"}
    assert google == {"Id": "google", "ReturnData": False, "MetricStat": stat}
    assert errors["ReturnData"] is False


@guarantee(
    lambda it: properties(it, "EmailNotSentFilter").update(FilterPattern="email"),
    lambda it: properties(it, "MisconfiguredFilter").update(LogGroupName={"Ref": "ApiLogs"}),
)
def log_lines_are_counted_by_their_code(template: Template) -> None:
    """Metric filters count the log lines that three of the alarms watch."""
    filters = [it["Properties"] for it in of_type(template, "AWS::Logs::MetricFilter").values()]
    for code in ("misconfigured", "email_not_sent", "google_failed"):
        (found,) = (one for one in filters if one["FilterPattern"] == f'{{ $.code = "{code}" }}')
        assert found["LogGroupName"] == {"Ref": "FunctionLogs"}
        (metric,) = found["MetricTransformations"]
        assert metric == {"MetricNamespace": NAME, "MetricName": code, "MetricValue": "1"}


@guarantee(lambda it: it["Resources"].pop("AlarmSubscription"))
def alarms_reach_somebody(template: Template) -> None:
    """AlarmEmail is subscribed to the alarms, if it is set."""
    (subscription,) = of_type(template, "AWS::SNS::Subscription").values()
    assert subscription["Condition"] == "HasAlarmEmail"
    assert subscription["Properties"]["Endpoint"] == {"Ref": "AlarmEmail"}


def _shorten_dashboard(source: Template) -> None:
    dashboard = properties(source, "Dashboard")
    body = dashboard["DashboardBody"]["Fn::Sub"]
    dashboard["DashboardBody"]["Fn::Sub"] = body.replace("Throttles", "Invocations")


@guarantee(_shorten_dashboard)
def dashboard_shows_what_the_alarms_watch(template: Template) -> None:
    """Every alarm's metric is shown over time, so that people see when a problem began."""
    (body,) = the(template, "AWS::CloudWatch::Dashboard")["DashboardBody"].values()
    shown = {
        name
        for widget in json.loads(body)["widgets"]
        for metric in widget["properties"]["metrics"]
        for name in metric
        if isinstance(name, str)
    }
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    assert {metric_of(alarm["Properties"])["MetricName"] for alarm in alarms} <= shown


API_URL = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${StageName}"


@guarantee(
    lambda it: it["Outputs"].pop("DocsUrl"),
    lambda it: it["Outputs"]["UserPoolId"].update(Value={"Ref": "UserPoolClient"}),
)
def outputs_say_where_everything_is(template: Template) -> None:
    """Everything that a front end and the smoke test need is an output."""
    assert {name: output["Value"] for name, output in template["Outputs"].items()} == {
        "ApiUrl": {"Fn::Sub": API_URL},
        "DocsUrl": {"Fn::Sub": f"{API_URL}/docs"},
        "CustomUrl": {"Fn::Sub": "https://${DomainName}"},
        "UserPoolId": own_or_existing("UserPool"),
        "UserPoolClientId": own_or_existing("UserPoolClient"),
        "GoogleRedirectUri": {"Fn::Sub": f"{DOMAIN_URL}/oauth2/idpresponse"},
    }


def _is_set(parameter: str, empty: object) -> dict[str, Any]:
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, empty]}]}


@guarantee(lambda it: it["Conditions"].update(HasSender=it["Conditions"]["HasSnapStart"]))
def conditions_are_the_right_way_round(template: Template) -> None:
    """Conditions match their parameters, so that the defaults are those of infra/README.md."""
    expected = {
        "OwnsPool": {"Fn::Equals": [{"Ref": "ExistingUserPoolId"}, ""]},
        "HasSender": _is_set("SenderArn", ""),
        "HasPasskeys": _is_set("PasskeyDomain", ""),
        "HasEmailText": _is_set("EmailText", ""),
        "HasSecondEmailText": _is_set("SecondEmailText", ""),
        "HasGoogle": {"Fn::And": [_is_set("GoogleClientId", ""), {"Condition": "OwnsPool"}]},
        "HasLongSettings": {
            "Fn::Or": [{"Condition": "HasGoogle"}, {"Fn::Not": [{"Condition": "OwnsPool"}]}]
        },
        "HasLogKey": {"Fn::Equals": [{"Ref": "LogPeople"}, "true"]},
        "HasSessionCookie": {"Fn::Equals": [{"Ref": "SessionCookie"}, "true"]},
        "HasDomain": _is_set("DomainName", ""),
        "HasBoundary": _is_set("PermissionsBoundary", ""),
        "HasReserve": _is_set("ReservedConcurrency", -1),
        "HasAlarmEmail": _is_set("AlarmEmail", ""),
        "HasSnapStart": {"Fn::Equals": [{"Ref": "SnapStart"}, "true"]},
    }
    # A team may have more.
    assert {name: template["Conditions"].get(name) for name in expected} == expected


# The tests


GIVEN: dict[str, dict[str, str]] = {
    "no parameters": {},
    "Google": GOOGLE,
    "an existing pool": EXISTING_POOL,
}


@cache
def unbroken(form: str, given: str) -> Template:
    """Return a form of the unchanged template, transformed."""
    return transformed(source(form), GIVEN[given])


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize(
    ("one", "form"), [(one, form) for one in GUARANTEES for form in one.forms], ids=str
)
def test_guarantee_holds(one: Guarantee, form: str, given: str) -> None:
    """Each guarantee holds for the image and the zip, whatever parameters are given."""
    one.holds(unbroken(form, given))


BREAKS = [(one, break_) for one in GUARANTEES for break_ in one.broken_by]


@pytest.mark.parametrize(("one", "break_"), BREAKS, ids=lambda it: str(it)[:60])
def test_broken_guarantee_is_noticed(one: Guarantee, break_: Callable[[Template], object]) -> None:
    """Each change to the source makes the check of the transformed template fail."""
    broken = source(one.forms[0])
    break_(broken)
    with pytest.raises((AssertionError, KeyError, ValueError)):
        one.holds(transformed(broken))


@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_the_zips_template_passes_cfn_lint(arch: str) -> None:
    """`make deploy-check` checks the image's."""
    assert lint(zip_template(TEMPLATE.read_text(), arch)) == []


def test_a_changed_template_stops_the_zip() -> None:
    """If a line to change isn't there, no wrong template is made."""
    changed = TEMPLATE.read_text().replace("PackageType: Image", "PackageType: 'Image'")
    with pytest.raises(SystemExit, match="PackageType: Image"):
        zip_template(changed, "arm64")
