"""The local Cognito with the template as other people would edit it."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local.pool.template import TEMPLATE
from infra.local.server import LocalCognito
from tests.support.contract import Contract
from tests.support.ports import free_ports

ROOT = Path(__file__).parents[3]
Edit = Callable[[str], str]


def pool_property(text: str) -> Edit:
    """Return an edit that adds a property to the user pool, or replaces it."""
    name = text.partition(":")[0]

    def edit(template: str) -> str:
        head, resource, rest = template.partition("  UserPool:\n")
        own, following, tail = rest.partition("\n  UserPoolClient:\n")
        kept = own.replace(f"      {name}:", f"      Not{name}:")
        properties = f"    Properties:\n      {text}\n"
        return head + resource + kept.replace("    Properties:\n", properties) + following + tail

    return edit


def replaced(before: str, after: str) -> Edit:
    """Return an edit that replaces text that is there."""

    def edit(template: str) -> str:
        assert before in template
        return template.replace(before, after, 1)

    return edit


def without(*logical_ids: str) -> Edit:
    """Return an edit that removes resources."""

    def edit(template: str) -> str:
        for name in logical_ids:
            template, removed = re.subn(rf"(?m)^  {name}:\n(?:    .*\n|\n)+", "", template)
            assert removed == 1, name
        return template

    return edit


def section(name: str, text: str) -> Edit:
    """Return an edit that adds an entry to a section."""
    return replaced(f"\n{name}:\n", f"\n{name}:\n  {text}\n")


VERIFICATION = (
    "VerificationMessageTemplate: {DefaultEmailOption: CONFIRM_WITH_CODE, "
    "EmailSubject: !Sub '${AWS::StackName} says hello', EmailMessage: 'Your number is {####}.'}"
)
NO_GOOGLE = "  HasGoogle: !Equals [a, b]\n"
# The parameters' defaults, set as infra/README.md says.
TEXTS = {
    "EmailSubject": "Your code",
    "EmailText": "Welcome!<br>Your code: {####}",
    "SecondEmailSubject": "인증 코드",
    "SecondEmailText": "인증 코드: {####}",
}
LENGTH = "MinimumLength: !Ref PasswordLength"
EDITS = {
    "a custom attribute alone": pool_property(
        "Schema: [{Name: role, AttributeDataType: String, Mutable: true}]"
    ),
    "a standard attribute": pool_property(
        "Schema: [{Name: email, AttributeDataType: String, Required: true, Mutable: 'true'}]"
    ),
    "a quoted parameter": replaced("    Default: 3\n", "    Default: '3'\n"),
    "a quoted number": replaced(LENGTH, "MinimumLength: '8'"),
    "a quoted boolean": replaced("GenerateSecret: false", "GenerateSecret: 'false'"),
    "another trigger": replaced(
        "- PreSignUp: !GetAtt PreSignUpFunction.Arn",
        "- {PreSignUp: !GetAtt Function.Arn, PostConfirmation: !GetAtt Function.Arn}",
    ),
    "a long function": pool_property("UserPoolName: {'Fn::Sub': '${AWS::StackName}-users'}"),
    "a join": pool_property("UserPoolName: !Join ['-', [!Ref AWS::StackName, users]]"),
    "a mail sender": pool_property(
        "EmailConfiguration: {SourceArn: !Sub "
        "'arn:aws:ses:${AWS::Region}:${AWS::AccountId}:identity/example.com'}"
    ),
    "a parameter without default": section("Parameters", "Environment: {Type: String}"),
    "another condition": section("Conditions", "Either: !Or [!Equals [a, b], !Equals [c, c]]"),
    "a mapping": section("Conditions", "Odd: !Equals [!FindInMap [None, a, b], c]"),
    "own verification texts": pool_property(VERIFICATION),
    "no pool name": replaced("      UserPoolName: !Ref AWS::StackName\n", ""),
    "no client name": replaced("      ClientName: !Ref AWS::StackName\n", ""),
    "no pre sign-up function": lambda template: without("PreSignUpFunction")(
        pool_property("LambdaConfig: !Ref AWS::NoValue")(template)
    ),
    "no Google": lambda template: without(
        "UserPoolDomain", "ManagedLoginBranding", "GoogleProvider", "PreSignUpFunction"
    )(
        template.replace(
            "  HasGoogle: !And [!Not [!Equals [!Ref GoogleClientId, '']], !Condition OwnsPool]\n",
            NO_GOOGLE,
        )
    ),
    "a parameter's name": section(
        "Parameters", "Where: {Type: 'AWS::SSM::Parameter::Name', Default: /a}"
    ),
    "a second factor for everybody, in quotes": pool_property("MfaConfiguration: 'ON'"),
    "second factors if a condition holds": lambda template: pool_property(
        "EnabledMfas: !If [HasAlarmEmail, [SOFTWARE_TOKEN_MFA], !Ref AWS::NoValue]"
    )(pool_property("MfaConfiguration: !If [HasAlarmEmail, 'ON', !Ref AWS::NoValue]")(template)),
    "a mail sender if a condition holds": pool_property(
        "EmailConfiguration: !If [HasSender, {SourceArn: !Ref SenderArn}, !Ref AWS::NoValue]"
    ),
    "an attribute of a custom resource": lambda template: pool_property(
        "UserPoolTags: {made: !GetAtt Thing.Arn}"
    )(template.replace("\nResources:\n", "\nResources:\n  Thing: {Type: 'Custom::Thing'}\n")),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_people_sign_up_and_in(edit: Edit, cognito: LocalCognito, tmp_path: Path) -> None:
    """An edit that changes nothing here that matters leaves sign-up and sign-in as they are."""
    path = tmp_path / "template.yaml"
    path.write_text(edit(TEMPLATE.read_text()))
    contract = Contract(cognito.create_pool(f"edited-{path.parent.name}", template=path), cognito)
    email = contract.member()
    described = contract.admin.describe_user_pool(UserPoolId=contract.pool.user_pool_id)["UserPool"]
    assert {"email", "sub", "name"} <= {each["Name"] for each in described["SchemaAttributes"]}
    if edit is EDITS["a second factor for everybody, in quotes"]:
        assert contract.sign_in(email)["ChallengeName"] == "MFA_SETUP"
    else:
        assert "AuthenticationResult" in contract.sign_in(email)
    assert contract.pool.google == (edit is not EDITS["no Google"])
    if edit is EDITS["own verification texts"]:
        (mail,) = (mail for mail in cognito.outbox.to_json() if mail["to"] == email)
        assert mail["text"] == f"Your number is {mail['code']}."
        assert mail["subject"].endswith(" says hello")


@pytest.mark.parametrize("languages", [1, 2])
def test_the_mailbox_shows_the_parameters_texts(
    cognito: LocalCognito, tmp_path: Path, languages: int
) -> None:
    """E-mails have your texts in one language or two, in lines where the HTML has them."""
    text = TEMPLATE.read_text()
    for name, value in list(TEXTS.items())[: 2 * languages]:
        head, parameter, rest = text.partition(f"\n  {name}:\n")
        text = head + parameter + rest.replace("Default: ''", f"Default: '{value}'", 1)
    path = tmp_path / "template.yaml"
    path.write_text(text)
    contract = Contract(cognito.create_pool(f"texts-{languages}", template=path), cognito)
    email = contract.member()
    (mail,) = (mail for mail in cognito.outbox.to_json() if mail["to"] == email)
    code = mail["code"]
    one = ("Your code", f"Welcome!\nYour code: {code}")
    two = ("Your code / 인증 코드", f"Welcome!\nYour code: {code}\n\n인증 코드: {code}")
    assert (mail["subject"], mail["text"]) == (one if languages == 1 else two)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (pool_property("UserPoolName: !ImportValue x"), "Fn::ImportValue can't be resolved"),
        (pool_property("UserPoolName: !Ref Nobody"), "no parameter or resource Nobody"),
        (replaced(LENGTH, "MinimumLength: eight"), "must be a whole number"),
        (replaced(LENGTH, "MinimumLength: 3"), "valid min value: 6"),
        (replaced("- SOFTWARE_TOKEN_MFA", "- SMS_MFA"), "the local Cognito has no SMS_MFA"),
        (pool_property("UserPoolName: !Sub [a]"), "Fn::Sub can't take what it is given"),
        (without("PreSignUpFunction"), "there is no resource PreSignUpFunction"),
        (pool_property("LambdaConfig: 5"), "Invalid type for parameter LambdaConfig"),
        (pool_property("UserPoolName: {1: 2}"), "Invalid type for parameter PoolName"),
        (
            replaced("        ZipFile: |\n", "        Nothing: |\n"),
            "needs Handler and Code.ZipFile",
        ),
        (replaced("          import boto3\n", "          import nothing\n"), "ModuleNotFoundError"),
        (replaced("Conditions:\n", "Conditions: [\n"), ", column 3"),
        (replaced("  UserPoolClient:\n", "  UserPoolClientele:\n"), "no resource UserPoolClient"),
    ],
)
def test_what_it_cannot_use_is_one_line(edit: Edit, told: str, tmp_path: Path) -> None:
    """`make run` ends with the file, the place and the cause, and without a traceback."""
    path = tmp_path / "template.yaml"
    path.write_text(edit(TEMPLATE.read_text()))
    (port,) = free_ports(1)
    command = ["-m", "infra.local", "--no-api", "--cognito-port", str(port)]
    options = ["--template", str(path), "--store", str(tmp_path / "users")]
    done = subprocess.run(
        [sys.executable, *command, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"make run: {path}: ")
    assert told in line
