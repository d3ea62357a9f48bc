"""The guarantees of infra/template.yaml about optional parts, and about several stacks."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.deploy.guarantees import (
    EXISTING_POOL,
    GOOGLE,
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
)

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
DOMAIN = {
    "DomainName": "api.example.com",
    "CertificateArn": CERTIFICATE,
    "HostedZoneId": "Z0123456789ABCDEFGHIJ",
}
SENDER = {
    "SenderArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
    "SenderAddress": "Accounts <no-reply@example.com>",
}
PASSKEYS = {"PasskeyDomain": "example.com"}
ENGLISH = {"EmailSubject": "Your code", "EmailText": "Your code: {####}"}
KOREAN = {"SecondEmailSubject": "인증 코드", "SecondEmailText": "인증 코드: {####}"}


def accepted(template: Template, rule: str, given: dict[str, str]) -> bool:
    """Return whether a rule lets these parameters through."""
    assertions = template["Rules"][rule]["Assertions"]
    return all(evaluate(it["Assert"], defaults(template) | given) for it in assertions)


def all_or_none(template: Template, rule: str, whole: dict[str, str]) -> None:
    """Check that a rule accepts all of several parameters, or none of them."""
    assert accepted(template, rule, {})
    assert accepted(template, rule, whole)
    for name, value in whole.items():
        assert not accepted(template, rule, whole | {name: ""}), name
        assert not accepted(template, rule, {name: value}), name


def _let_through(*names: str) -> list[Callable[[Template], object]]:
    return [lambda it, name=name: it["Parameters"][name].pop("AllowedPattern") for name in names]  # type: ignore[misc]


def matches(template: Template, values: dict[str, tuple[str, list[str]]]) -> None:
    """Check that each parameter accepts nothing and the first value, and none of the others."""
    for name, (right, wrong) in values.items():
        pattern = template["Parameters"][name]["AllowedPattern"]
        assert re.fullmatch(pattern, "")
        assert re.fullmatch(pattern, right)
        assert [each for each in wrong if re.fullmatch(pattern, each)] == []


# Several stacks in one account and region

# Properties that name something in the account. Without them, CloudFormation makes a name up.
NAMES = {
    "AlarmName",
    "BucketName",
    "ClientName",
    "DashboardName",
    "GroupName",
    "LogGroupName",
    "ManagedPolicyName",
    "Name",
    "RoleName",
    "TableName",
    "TopicName",
    "UserPoolName",
}
# These name what is part of another resource, or what a parameter names.
PARTS = {"AWS::Lambda::Alias", "AWS::Route53::RecordSet"}


def _names(resource: dict[str, Any]) -> list[Any]:
    """Return a resource's names, and the namespaces of its metrics."""
    own = [it for name, it in resource.get("Properties", {}).items() if name in NAMES]
    found = re.findall(r'"(?:Metric)?Namespace": ("[^"]*"|\{[^}]*\})', json.dumps(resource))
    return own + [json.loads(each) for each in found]


@guarantee(
    lambda it: properties(it, "Dashboard").update(DashboardName="accounts"),
    lambda it: properties(it, "UserPool").update(UserPoolName="accounts"),
    lambda it: properties(it, "MisconfiguredAlarm").update(AlarmName="misconfigured"),
    lambda it: properties(it, "FunctionLogs").update(LogGroupName="/accounts"),
    lambda it: properties(it, "EmailNotSentFilter")["MetricTransformations"][0].update(
        MetricNamespace="accounts"
    ),
)
def stages_live_side_by_side(template: Template) -> None:
    """Whatever has a name contains the stack's name, or CloudFormation makes one up."""
    for logical_id, resource in template["Resources"].items():
        for name in [] if resource["Type"] in PARTS else _names(resource):
            ours = not str(name).startswith("AWS/")
            another = isinstance(name, dict) and name.get("Ref") in template["Resources"]
            if ours and not another:
                assert "AWS::StackName" in json.dumps(name), f"{logical_id}: {name}"


# An existing user pool

OF_THE_POOL = {"UserPool", "UserPoolClient"}


@guarantee(
    lambda it: it["Resources"]["UserPool"].pop("Condition"),
    lambda it: it["Resources"]["UserPoolClient"].pop("Condition"),
    lambda it: it["Conditions"].update(HasGoogle=it["Conditions"]["HasGoogle"]["Fn::And"][0]),
    lambda it: it["Rules"]["ExistingPoolIsWhole"]["Assertions"].pop(0),
    lambda it: it["Rules"]["ExistingPoolIsWhole"]["Assertions"].pop(1),
    lambda it: it["Rules"]["ExistingPoolIsWhole"]["Assertions"].pop(2),
    lambda it: it["Outputs"]["UserPoolId"].update(Value={"Ref": "UserPool"}),
    *_let_through(*EXISTING_POOL),
)
def existing_pool_stays_as_it_is(template: Template) -> None:
    """With both parameters, the stack has no pool, no client and nothing of Google."""
    all_or_none(template, "ExistingPoolIsWhole", EXISTING_POOL)
    for more in (GOOGLE, PASSKEYS):
        assert accepted(template, "ExistingPoolIsWhole", more)
        assert not accepted(template, "ExistingPoolIsWhole", EXISTING_POOL | more)
    own = deployed(template, {})
    theirs = deployed(template, EXISTING_POOL)
    assert own["Resources"].keys() - theirs["Resources"].keys() == OF_THE_POOL
    assert theirs["Resources"].keys() - own["Resources"].keys() == {"LongSettings"}
    assert own["Outputs"].keys() == theirs["Outputs"].keys()
    both = deployed(template, EXISTING_POOL | GOOGLE)
    assert both["Resources"].keys() == theirs["Resources"].keys()
    for logical_id in OF_THE_POOL:
        output = template["Outputs"][f"{logical_id}Id"]["Value"]
        assert output == own_or_existing(logical_id)
    matches(
        template,
        {
            "ExistingUserPoolId": (
                EXISTING_POOL["ExistingUserPoolId"],
                ["accounts", "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_A"],
            ),
            "ExistingUserPoolClientId": (
                EXISTING_POOL["ExistingUserPoolClientId"],
                ["my client", "https://example.com"],
            ),
        },
    )


# A domain of its own

OF_THE_DOMAIN = {"ApiDomain", "ApiDomainMapping", "ApiDomainRecord"}


@guarantee(
    lambda it: it["Rules"].pop("DomainIsWhole"),
    lambda it: it["Resources"]["ApiDomain"].pop("Condition"),
    lambda it: it["Outputs"]["CustomUrl"].pop("Condition"),
    lambda it: properties(it, "ApiDomain").pop("SecurityPolicy"),
    lambda it: properties(it, "ApiDomain").update(EndpointConfiguration={"Types": ["EDGE"]}),
    lambda it: properties(it, "ApiDomainMapping").update(BasePath="v1"),
    lambda it: properties(it, "ApiDomainMapping").update(Stage={"Ref": "StageName"}),
    lambda it: properties(it, "ApiDomainRecord").update(Type="CNAME"),
    *_let_through(*DOMAIN),
)
def domain_leads_to_the_stage(template: Template) -> None:
    """With its three parameters, https://DomainName is the API, by TLS 1.2 or newer."""
    all_or_none(template, "DomainIsWhole", DOMAIN)
    without, with_ = deployed(template, {}), deployed(template, DOMAIN)
    assert with_["Resources"].keys() - without["Resources"].keys() == OF_THE_DOMAIN
    assert with_["Outputs"].keys() - without["Outputs"].keys() == {"CustomUrl"}
    assert not DOMAIN.keys() & parameters_in(without, template)
    assert properties(template, "ApiDomain") == {
        "DomainName": {"Ref": "DomainName"},
        "RegionalCertificateArn": {"Ref": "CertificateArn"},
        "EndpointConfiguration": {"Types": ["REGIONAL"]},
        "SecurityPolicy": "TLS_1_2",
    }
    (stage,) = of_type(template, "AWS::ApiGateway::Stage")
    assert properties(template, "ApiDomainMapping") == {
        "DomainName": {"Ref": "ApiDomain"},
        "RestApiId": {"Ref": "Api"},
        "Stage": {"Ref": stage},
    }
    assert properties(template, "ApiDomainRecord") == {
        "HostedZoneId": {"Ref": "HostedZoneId"},
        "Name": {"Ref": "DomainName"},
        "Type": "A",
        "AliasTarget": {
            "DNSName": get_att("ApiDomain", "RegionalDomainName"),
            "HostedZoneId": get_att("ApiDomain", "RegionalHostedZoneId"),
        },
    }
    matches(
        template,
        {
            "DomainName": ("api.example.com", ["https://api.example.com", "a.example/v1", "*.a.b"]),
            "CertificateArn": (CERTIFICATE, ["api.example.com", SENDER["SenderArn"]]),
            "HostedZoneId": (DOMAIN["HostedZoneId"], ["example.com", "/hostedzone/Z0123456789"]),
        },
    )


# E-mails


def _texts(template: Template, given: dict[str, str]) -> dict[str, Any]:
    pool = deployed(template, given)["Resources"]["UserPool"]["Properties"]
    found: dict[str, Any] = pool["VerificationMessageTemplate"]
    return found


@guarantee(
    lambda it: properties(it, "UserPool")["VerificationMessageTemplate"].pop("EmailSubject"),
    lambda it: properties(it, "UserPool")["VerificationMessageTemplate"].update(
        EmailMessage={"Ref": "EmailText"}
    ),
    lambda it: it["Rules"].pop("EmailTextsAreWhole"),
    lambda it: it["Rules"]["EmailTextsAreWhole"]["Assertions"].pop(1),
    lambda it: it["Conditions"].update(HasSender=it["Conditions"]["HasEmailText"]),
    lambda it: it["Parameters"]["EmailSubject"].update(MaxLength=140),
    lambda it: it["Parameters"]["EmailText"].update(Default="{####}"),
    *_let_through("EmailText", "SecondEmailText"),
)
def emails_say_what_the_parameters_say(template: Template) -> None:
    """E-mails have Cognito's own texts, or yours in one language or two, each with the code."""
    option = {"DefaultEmailOption": "CONFIRM_WITH_CODE"}
    assert _texts(template, {}) == option
    named = {"Fn::Sub": "Your code for ${AppName}"}
    assert _texts(template, SENDER) == {**option, "EmailSubject": named}
    assert _texts(template, SENDER | ENGLISH) == {
        **option,
        "EmailSubject": {"Ref": "EmailSubject"},
        "EmailMessage": {"Ref": "EmailText"},
    }
    assert _texts(template, SENDER | ENGLISH | KOREAN) == {
        **option,
        "EmailSubject": {"Fn::Sub": "${EmailSubject} / ${SecondEmailSubject}"},
        "EmailMessage": {"Fn::Sub": "${EmailText}<br><br>${SecondEmailText}"},
    }
    rule, whole = "EmailTextsAreWhole", SENDER | ENGLISH | KOREAN
    for given in ({}, SENDER, SENDER | ENGLISH, whole):
        assert accepted(template, rule, given)
    for name in (*ENGLISH, *KOREAN, "SenderArn"):
        assert not accepted(template, rule, whole | {name: ""}), name
    assert not accepted(template, rule, SENDER | KOREAN)
    parameters = template["Parameters"]
    longest = [parameters[name]["MaxLength"] for name in ("EmailSubject", "SecondEmailSubject")]
    assert sum(longest) + len(" / ") <= 140
    wrong = ["Your code", "{####} and {####}", "{##Click here##}", "{username}: {####}"]
    texts = dict.fromkeys(("EmailText", "SecondEmailText"), ("Hi!<br>Your code: {####}.", wrong))
    matches(template, texts)


# Passkeys and codes to sign in with


def _pool(template: Template, given: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = deployed(template, given)["Resources"]["UserPool"]["Properties"]
    return made


def _factors(template: Template) -> list[Any]:
    factors: list[Any] = properties(template, "UserPool")["Policies"]["SignInPolicy"][
        "AllowedFirstAuthFactors"
    ]
    return factors


@guarantee(
    lambda it: properties(it, "UserPool")["Policies"].pop("SignInPolicy"),
    lambda it: _factors(it).remove("PASSWORD"),
    lambda it: _factors(it).append("SMS_OTP"),
    lambda it: it["Conditions"].update(HasPasskeys={"Condition": "HasSender"}),
    lambda it: it["Conditions"].update(HasSender={"Condition": "HasPasskeys"}),
    lambda it: properties(it, "UserPool").pop("WebAuthnRelyingPartyID"),
    lambda it: properties(it, "UserPool").update(WebAuthnRelyingPartyID={"Ref": "PasskeyDomain"}),
    lambda it: properties(it, "UserPool").pop("WebAuthnUserVerification"),
    lambda it: properties(it, "UserPool").update(WebAuthnUserVerification="preferred"),
    lambda it: it["Parameters"]["PasskeyUserVerification"].update(Default="preferred"),
    lambda it: it["Parameters"]["PasskeyUserVerification"]["AllowedValues"].append("discouraged"),
    lambda it: properties(it, "UserPoolClient")["ExplicitAuthFlows"].remove("ALLOW_USER_AUTH"),
    lambda it: it["Parameters"]["PasskeyDomain"].update(AllowedPattern=".*"),
    *_let_through("PasskeyDomain"),
)
def passwords_stay_beside_passkeys_and_codes(template: Template) -> None:
    """Passkeys come with PasskeyDomain, codes with SenderArn. Neither replaces the password."""
    for given, more in (
        ({}, []),
        (PASSKEYS, ["WEB_AUTHN"]),
        (SENDER, ["EMAIL_OTP"]),
        (PASSKEYS | SENDER, ["WEB_AUTHN", "EMAIL_OTP"]),
    ):
        pool = _pool(template, given)
        policy = pool["Policies"]["SignInPolicy"]
        assert policy == {"AllowedFirstAuthFactors": ["PASSWORD", *more]}
        passkeys = {name: value for name, value in pool.items() if name.startswith("WebAuthn")}
        assert passkeys == (
            {
                "WebAuthnRelyingPartyID": {"Ref": "PasskeyDomain"},
                "WebAuthnUserVerification": {"Ref": "PasskeyUserVerification"},
            }
            if "WEB_AUTHN" in more
            else {}
        )
    assert defaults(template)["PasskeyUserVerification"] == "required"
    allowed = template["Parameters"]["PasskeyUserVerification"]["AllowedValues"]
    assert set(allowed) == {"required", "preferred"}
    assert "ALLOW_USER_AUTH" in properties(template, "UserPoolClient")["ExplicitAuthFlows"]
    wrong = ["https://example.com", "example.com/", "example", "*.example.com", "127.0.0.1", "a..b"]
    wrong += ["example.com:8000", "example.com/app", "Example.com", "-a.example.com", "a.com b.com"]
    matches(template, {"PasskeyDomain": ("app.example.com", wrong)})


# Deployments by GitHub


@guarantee(
    lambda it: properties(it, "PreSignUpRole").pop("PermissionsBoundary"),
    lambda it: properties(it, "ApiLogsRole").pop("PermissionsBoundary"),
    lambda it: properties(it, "Function").pop("PermissionsBoundary"),
)
def no_role_exceeds_the_boundary(template: Template) -> None:
    """Every role has the boundary of the parameter, if it is set: see infra/ci-role.yaml."""
    for role in of_type(template, "AWS::IAM::Role").values():
        choice = ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]
        assert role["Properties"]["PermissionsBoundary"] == {"Fn::If": choice}
