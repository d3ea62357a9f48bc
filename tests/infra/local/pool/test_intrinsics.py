"""CloudFormation's functions, in both spellings, and templates of other people."""

from pathlib import Path
from typing import Any

import pytest

from infra.local.pool.intrinsics import TemplateError
from infra.local.pool.template import arguments, exists, inline_function, load, mfa_arguments

TEMPLATE = """
Parameters:
  Name: {Type: String, Default: users}
  Long: {Type: String, Default: 'true'}
  Urls: {Type: CommaDelimitedList, Default: 'https://a.example/, https://b.example/'}
  Environment: {Type: String}
  Secret: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /secret}
  Where: {Type: 'AWS::SSM::Parameter::Name', Default: /users/name}
Mappings:
  Lengths: {us-east-1: {short: 8, long: '12'}}
Conditions:
  IsLong: !Equals [!Ref Long, 'true']
  Neither: !Not [!Or [!Condition IsLong, !Equals [a, b]]]
  Both: !And [!Condition IsLong, !Not [!Condition Neither]]
  Unneeded: !Equals [!Ref Environment, !Ref Secret]
  Circle: !Not [!Condition Circle]
Resources:
  Function: {Type: 'AWS::Serverless::Function'}
  Identity: {Type: 'AWS::SES::EmailIdentity'}
  Other: {Type: 'AWS::SNS::Topic'}
  Thing: {Type: 'Custom::Thing'}
  Nothing: {}
  Pool: {Properties: {PoolName: VALUE}}
"""


def resolved(value: str, folder: Path) -> Any:
    """Return a value, as YAML, resolved in the template above."""
    path = folder / "template.yaml"
    path.write_text(TEMPLATE.replace("VALUE", value))
    return arguments("CreateUserPool", "Pool", {"AWS::StackName": "auth"}, path).get("PoolName")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!Ref Name", "users"),
        ("{Ref: Name}", "users"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref Function", "auth-Function"),
        ("!Sub '${AWS::StackName}-${Name}'", "auth-users"),
        ("{'Fn::Sub': '${AWS::StackName}-users'}", "auth-users"),
        ("!Sub ['${a}-${Name}-${!Name}', {a: !Ref Long}]", "true-users-${Name}"),
        ("!Sub '${Function.Arn}'", "arn:aws:lambda:us-east-1:123456789012:function:auth-Function"),
        ("!Sub '${AWS::AccountId} ${AWS::Partition}'", "123456789012 aws"),
        ("!Ref AWS::URLSuffix", "amazonaws.com"),
        ("!GetAtt Function.Arn", "arn:aws:lambda:us-east-1:123456789012:function:auth-Function"),
        ("{'Fn::GetAtt': [Other, Arn]}", "arn:aws:sns:us-east-1:123456789012:topic:auth-Other"),
        ("!GetAtt Identity.DkimDNSTokenName1", "auth-Identity-DkimDNSTokenName1"),
        ("!GetAtt Thing.Arn", "auth-Thing-Arn"),
        ("!GetAtt [Thing, !Ref Name]", "auth-Thing-users"),
        ("!GetAtt Nothing.Arn", "arn:aws:any:us-east-1:123456789012:thing:auth-Nothing"),
        ("!Ref Where", "/users/name"),
        ("!Join ['-', [!Ref AWS::StackName, 1, true]]", "auth-1-true"),
        ("!Join [',', !Ref Urls]", "https://a.example/,https://b.example/"),
        ("!Select [1, !Ref Urls]", "https://b.example/"),
        ("!Select ['0', !Split ['-', 'a-b']]", "a"),
        ("!FindInMap [Lengths, !Ref AWS::Region, long]", "12"),
        ("!FindInMap [Lengths, none, long, {DefaultValue: 5}]", "5"),
        ("!If [IsLong, a, !Ref Environment]", "a"),
        ("!If [Both, !If [Neither, a, b], c]", "b"),
        ("!If [Neither, a, !Ref AWS::NoValue]", None),
    ],
)  # fmt: skip
def test_functions(value: str, expected: str | None, tmp_path: Path) -> None:
    """Both spellings of a function are resolved, at any depth."""
    assert resolved(value, tmp_path) == expected


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("!Ref Nobody", "there is no parameter or resource Nobody"),
        ("!Ref Environment", "the parameter Environment needs a Default here"),
        ("!Ref Secret", "the parameter Secret needs a Default here, and not one from SSM"),
        ("!GetAtt Nobody.Arn", "there is no resource Nobody"),
        ("!Sub '${Nobody}'", "there is no parameter or resource Nobody"),
        ("!Sub '${Urls}'", "a text must be in the place of"),
        ("!If [Nothing, a, b]", "there is no condition Nothing"),
        ("!If [Circle, a, b]", "the condition Circle refers to itself"),
        ("!If [IsLong, a]", "Fn::If takes a condition and two values"),
        ("!Join [a]", "a list of 2 must be in its place"),
        ("!Select [2, !Ref Urls]", "Fn::Select finds no entry 2"),
        ("!FindInMap [Lengths, none, long]", "Fn::FindInMap finds nothing at Lengths.none.long"),
        ("!Ref [a]", "Ref can't take what it is given"),
        ("!Ref {a: b}", "Ref can't take what it is given"),
        ("!Sub [a]", "Fn::Sub can't take what it is given"),
        ("!Sub [a, b, c]", "Fn::Sub can't take what it is given"),
        ("!Sub ['${a}', 5]", "Fn::Sub can't take what it is given"),
        ("!Not []", "a list of conditions must be in its place"),
        ("!Not 5", "a list of conditions must be in its place"),
        ("!Not ['false']", "a condition must be in the place of 'false'"),
        ("!And 5", "a list of conditions must be in its place"),
        ("!Or 5", "a list of conditions must be in its place"),
        ("!If [[a], b, c]", "Fn::If can't take what it is given"),
        ("!GetAtt 5", "there is no resource 5"),
        ("{'Fn::GetAtt': 5}", "a list must be in its place"),
        ("!GetAtt [[a], b]", "Fn::GetAtt can't take what it is given"),
        ("!Equals [a]", "a list of 2 must be in its place"),
        ("!Select [{}, [a]]", "Fn::Select finds no entry {}"),
        ("!Split [',', [a]]", "a text must be in the place of ['a']"),
        ("!FindInMap 5", "a list must be in its place"),
        ("&loop [*loop]", "it contains itself"),
        ("!ImportValue other-stack", "Fn::ImportValue can't be resolved on this machine"),
        ("{'Fn::Transform': {Name: x}}", "Fn::Transform can't be resolved on this machine"),
    ],
)
def test_what_cannot_be_resolved(value: str, told: str, tmp_path: Path) -> None:
    """One line names the property and the cause."""
    with pytest.raises(TemplateError) as error:
        resolved(value, tmp_path)
    assert str(error.value).startswith(f"Pool.PoolName: {told}")
    assert "\n" not in str(error.value)


def pool(properties: str, folder: Path, operation: str = "CreateUserPool") -> dict[str, Any]:
    """Return the input of an operation for a resource with these properties, as YAML."""
    path = folder / "template.yaml"
    path.write_text(f"Resources: {{P: {{Properties: {properties}}}}}")
    return arguments(operation, "P", {}, path)


def test_texts_for_numbers_and_booleans(tmp_path: Path) -> None:
    """CloudFormation takes texts for numbers and booleans, and numbers for texts."""
    given = pool(
        "{Policies: {PasswordPolicy: {MinimumLength: '8', RequireSymbols: 'false'}}, "
        "Schema: [{Name: age, Mutable: 'True', NumberAttributeConstraints: {MinValue: 18}}]}",
        tmp_path,
    )
    assert given["Policies"] == {"PasswordPolicy": {"MinimumLength": 8, "RequireSymbols": False}}
    age = {"Name": "age", "Mutable": True, "NumberAttributeConstraints": {"MinValue": "18"}}
    assert given["Schema"] == [age]
    client = pool(
        "{GenerateSecret: 'false', AccessTokenValidity: '3'}", tmp_path, "CreateUserPoolClient"
    )
    assert client == {"GenerateSecret": False, "AccessTokenValidity": 3}
    with pytest.raises(
        TemplateError, match=r"^P\.Policies\.PasswordPolicy\.MinimumLength must be a"
    ):
        pool("{Policies: {PasswordPolicy: {MinimumLength: eight}}}", tmp_path)


def test_no_value_in_lists_and_mappings(tmp_path: Path) -> None:
    """AWS::NoValue removes its member or entry."""
    given = pool(
        "{EmailConfiguration: {EmailSendingAccount: COGNITO_DEFAULT, From: !Ref AWS::NoValue}, "
        "AliasAttributes: [email, !Ref AWS::NoValue]}",
        tmp_path,
    )
    assert given == {
        "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
        "AliasAttributes": ["email"],
    }


@pytest.mark.parametrize("name", ["EnabledMfas", "MfaConfiguration"])
@pytest.mark.parametrize("value", ["!Ref AWS::NoValue", "!If [Never, [x], !Ref AWS::NoValue]"])
def test_second_factors_without_a_value(name: str, value: str, tmp_path: Path) -> None:
    """AWS::NoValue leaves the default: none."""
    path = tmp_path / "template.yaml"
    path.write_text(
        "Conditions: {Never: !Equals [a, b]}\n"
        f"Resources: {{P: {{Properties: {{{name}: {value}}}}}}}"
    )
    assert mfa_arguments("P", {}, path) == {"MfaConfiguration": "OFF"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("SOFTWARE_TOKEN_MFA", "P.EnabledMfas must be a list"),
        ("[[SMS_MFA]]", "a text must be in the place of"),
        ("[{}]", "a text must be in the place of"),
    ],
)
def test_second_factors_of_another_form(value: str, told: str, tmp_path: Path) -> None:
    """One line names the cause."""
    path = tmp_path / "template.yaml"
    path.write_text(f"Resources: {{P: {{Properties: {{EnabledMfas: {value}}}}}}}")
    with pytest.raises(TemplateError) as error:
        mfa_arguments("P", {}, path)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "Resources:",
        "Resources: []",
        "Resources: {P: }",
        "Resources: {P: []}",
        "Resources: {P: {Properties: []}}",
        "Resources: {P: {Properties: {PoolName: !Ref X}}}\nParameters: []",
        "Resources: {P: {Properties: {PoolName: !Ref X}}}\nParameters: {X: String}",
        "Resources: {P: {Properties: {PoolName: !FindInMap [X, a, b]}}}\nMappings:",
        "Resources: {P: {Properties: {PoolName: !If [X, a, b]}}}\nConditions: 5",
    ],
)
def test_sections_of_another_form(text: str, tmp_path: Path) -> None:
    """What is missing there is named, in one line."""
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError) as error:
        arguments("CreateUserPool", "P", {}, path)
    assert "\n" not in str(error.value)


def test_empty_sections(tmp_path: Path) -> None:
    """They are as if they weren't there."""
    path = tmp_path / "template.yaml"
    path.write_text("Parameters:\nConditions:\nMappings:\nResources:\n  P:\n    Properties:\n")
    assert arguments("CreateUserPool", "P", {}, path) == {}
    assert mfa_arguments("P", {}, path) == {"MfaConfiguration": "OFF"}


def test_which_resources_exist(tmp_path: Path) -> None:
    """A resource exists unless its condition doesn't hold."""
    path = tmp_path / "template.yaml"
    path.write_text(
        "{Conditions: {Always: !Equals [a, a], Never: !Not [!Condition Always]}, Resources: "
        "{A: {}, B: {Condition: Always}, C: {Condition: Never}, D: {Condition: Nobody}}}"
    )
    assert [exists(name, {}, path) for name in ("A", "B", "C", "Z")] == [True, True, False, False]
    with pytest.raises(TemplateError, match=r"^D\.Condition: there is no condition Nobody$"):
        exists("D", {}, path)


def test_second_factors_are_resolved(tmp_path: Path) -> None:
    """The second factors may be parameters, too."""
    path = tmp_path / "template.yaml"
    path.write_text(
        "{Parameters: {Mfa: {Type: String, Default: 'ON'}}, "
        "Resources: {P: {Properties: {MfaConfiguration: !Ref Mfa}}}}"
    )
    assert mfa_arguments("P", {}, path) == {"MfaConfiguration": "ON"}


def test_variables_of_a_function_are_resolved(tmp_path: Path) -> None:
    """An inline function gets the values of its variables."""
    path = tmp_path / "template.yaml"
    path.write_text(
        "Resources: {F: {Properties: {Handler: index.h, Code: {ZipFile: x}, "
        "Environment: {Variables: {REGION: !Ref AWS::Region, LIMIT: 5}}}}}"
    )
    variables = {"REGION": "us-east-1", "LIMIT": "5"}
    assert inline_function("F", {}, path) == ("x", "index.h", variables)


@pytest.mark.parametrize(
    "properties",
    [
        "",
        "{Handler: index.h}",
        "{Handler: index.h, Code: }",
        "{Handler: index.h, Code: {S3Bucket: b}}",
        "{Handler: index.h, Code: !Ref AWS::NoValue}",
        "{Code: {ZipFile: x}}",
        "{Handler: index.h, Code: {ZipFile: [x]}}",
        "{Handler: index.h, Code: {ZipFile: x}, Environment: {Variables: {A: [x]}}}",
        "{Handler: index.h, Code: {ZipFile: x}, Environment: {Variables: 5}}",
    ],
)
def test_a_function_that_cannot_run_here(properties: str, tmp_path: Path) -> None:
    """One line names what it lacks."""
    path = tmp_path / "template.yaml"
    path.write_text(f"Resources: {{F: {{Properties: {properties}}}}}")
    with pytest.raises(TemplateError):
        inline_function("F", {}, path)


@pytest.mark.parametrize("text", ["Resources: [", "- a", "a: !Sub {b: [}", "\x00"])
def test_a_template_that_cannot_be_read(text: str, tmp_path: Path) -> None:
    """The error is one line."""
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError) as error:
        load(path)
    assert "\n" not in str(error.value)
    with pytest.raises(TemplateError):
        load(tmp_path / "missing.yaml")
