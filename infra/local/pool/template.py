"""The user pool of infra/template.yaml and related resources, as arguments for Cognito's API.

The template stays the one source for the cloud and for this machine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from infra.local.pool.api_model import service_model

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

# Properties that have another name in the API. All others have the same.
RENAMED = {"UserPoolName": "PoolName"}
# One CloudFormation property corresponds to three parameters of SetUserPoolMfaConfig.
MFA_METHODS: dict[str, dict[str, Any]] = {
    "SOFTWARE_TOKEN_MFA": {"SoftwareTokenMfaConfiguration": {"Enabled": True}},
    "EMAIL_OTP": {"EmailMfaConfiguration": {}},
}


# The value of !Ref AWS::NoValue, which removes the property or list entry.
NO_VALUE = object()


@dataclass(frozen=True)
class Tag:
    """A short-form intrinsic function, such as !Ref StageName: its name and its argument."""

    name: str
    argument: Any


class TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's tags kept as they stand."""


def _tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Tag:
    if isinstance(node, yaml.MappingNode):
        return Tag(suffix, loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Tag(suffix, loader.construct_sequence(node, deep=True))
    assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - for mypy: YAML has no fourth kind
    return Tag(suffix, loader.construct_scalar(node))


TemplateLoader.add_multi_constructor("!", _tag)


def load(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template as it stands. Raises yaml.YAMLError or OSError."""
    return _parse(path.read_text("utf-8"))


@cache  # each pool asks three times, and each time would take 35 ms
def _parse(text: str) -> dict[str, Any]:
    # A subclass of SafeLoader: it builds plain values and Tags, nothing else.
    template = yaml.load(text, TemplateLoader)  # noqa: S506
    assert isinstance(template, dict)  # noqa: S101 - for mypy: our own file
    return template


def arguments(
    operation: str, logical_id: str, references: Mapping[str, str], path: Path = TEMPLATE
) -> dict[str, Any]:
    """Return a resource's properties as the input of a Create operation, such as CreateUserPool.

    Properties that the operation doesn't take are left out. `references` gives the values of !Ref,
    !Sub and !GetAtt, in addition to the defaults of the template's parameters. Raises KeyError for
    an unknown reference, ValueError for an unsupported intrinsic function.
    """
    shape = service_model().operation_model(operation).input_shape
    known = shape.members if shape else {}
    properties = load(path)["Resources"][logical_id]["Properties"]
    renamed = {RENAMED.get(name, name): value for name, value in properties.items()}
    taken = {name: value for name, value in renamed.items() if name in known}
    resolved: dict[str, Any] = resolve(taken, meanings(references, path))
    return resolved


def inline_function(
    logical_id: str, references: Mapping[str, str], path: Path = TEMPLATE
) -> tuple[str, str, dict[str, str]]:
    """Return the source of a Lambda function, its handler's name and its environment variables."""
    properties = load(path)["Resources"][logical_id]["Properties"]
    variables = properties.get("Environment", {}).get("Variables", {})
    resolved = resolve(variables, meanings(references, path))
    return properties["Code"]["ZipFile"], properties["Handler"], resolved


def meanings(references: Mapping[str, str], path: Path = TEMPLATE) -> dict[str, Any]:
    """Return the value of each reference, parameter and condition."""
    template = load(path)
    values: dict[str, Any] = {"AWS::NoValue": NO_VALUE, **references}
    for name, parameter in template.get("Parameters", {}).items():
        value = values.setdefault(name, parameter.get("Default"))
        if parameter["Type"] == "CommaDelimitedList":
            values[name] = [entry.strip() for entry in value.split(",")]
    for name, condition in template.get("Conditions", {}).items():
        values[name] = resolve(condition, values)
    return values


def mfa_arguments(logical_id: str, path: Path = TEMPLATE) -> dict[str, Any]:
    """Return a user pool's second factors as the input of SetUserPoolMfaConfig, without its id.

    CloudFormation creates the pool first and then makes this call; so do we. Raises KeyError for
    a method that the local Cognito lacks: SMS_MFA.
    """
    properties = load(path)["Resources"][logical_id]["Properties"]
    methods = [MFA_METHODS[name] for name in properties.get("EnabledMfas", [])]
    configuration = {"MfaConfiguration": properties.get("MfaConfiguration", "OFF")}
    return {name: value for method in methods for name, value in method.items()} | configuration


def resolve(value: Any, references: Mapping[str, Any]) -> Any:
    """Return a value with its intrinsic functions resolved. Raises KeyError or ValueError.

    `references` gives the value of each parameter, resource and condition, and of each attribute as
    Resource.Attribute. Values of AWS::NoValue are removed from their mapping or list.
    """
    if isinstance(value, dict):
        members = {name: resolve(member, references) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not NO_VALUE}
    if isinstance(value, list):
        entries = [resolve(entry, references) for entry in value]
        return [entry for entry in entries if entry is not NO_VALUE]
    return _call(value, references) if isinstance(value, Tag) else value


def _call(function: Tag, references: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one per function
    match function:
        case Tag("Ref", str(name)):
            return references[name]
        case Tag("GetAtt", str(attribute)):
            return references[attribute]
        case Tag("Sub", str(text)):
            return re.sub(r"\$\{([^}!]+)\}", lambda found: references[found[1]], text)
        case Tag("Join", [str(separator), entries]):
            return separator.join(resolve(entries, references))
        case Tag("If", [str(name), then, otherwise]):
            return resolve(then if references[name] else otherwise, references)
        case Tag("Not", [condition]):
            return not resolve(condition, references)
        case Tag("Equals", [one, other]):
            return resolve(one, references) == resolve(other, references)
        case Tag(name):
            raise ValueError(f"!{name} can't be resolved on this machine")
