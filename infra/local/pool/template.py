"""The user pool of infra/template.yaml and related resources, as arguments for Cognito's API.

The template stays the one source for the cloud and for this machine.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from botocore.model import ListShape, MapShape, Shape, StructureShape

from infra.local.pool.api_model import service_model
from infra.local.pool.intrinsics import (
    NO_VALUE,
    Resolver,
    TemplateError,
    canonical,
    section,
    text_of,
)

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

# Properties that have another name in the API. All others have the same.
RENAMED = {"UserPoolName": "PoolName"}
# Two properties of CloudFormation are members of SetUserPoolMfaConfig's WebAuthnConfiguration.
PASSKEYS = {
    "WebAuthnRelyingPartyID": "RelyingPartyId",
    "WebAuthnUserVerification": "UserVerification",
}
# One CloudFormation property corresponds to three parameters of SetUserPoolMfaConfig.
MFA_METHODS: dict[str, dict[str, Any]] = {
    "SOFTWARE_TOKEN_MFA": {"SoftwareTokenMfaConfiguration": {"Enabled": True}},
    "EMAIL_OTP": {"EmailMfaConfiguration": {}},
}


class TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short-form functions, such as !Ref, in their long form."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.MappingNode):
        return canonical(suffix, loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return canonical(suffix, loader.construct_sequence(node, deep=True))
    assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - for mypy: YAML has no fourth kind
    return canonical(suffix, loader.construct_scalar(node))


TemplateLoader.add_multi_constructor("!", _function)


def load(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template as it stands. Raise TemplateError if it can't be read."""
    try:
        return _parse(path.read_text("utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise TemplateError(" ".join(str(error).split())) from None


@cache  # each pool asks three times, and each time would take 35 ms
def _parse(text: str) -> dict[str, Any]:
    # A subclass of SafeLoader: it builds plain values, nothing else.
    template = yaml.load(text, TemplateLoader)  # noqa: S506
    if not isinstance(template, dict):
        raise TemplateError("it must be a mapping with Resources")
    return template


def arguments(
    operation: str,
    logical_id: str,
    references: Mapping[str, Any],
    path: Path = TEMPLATE,
    *,
    service: str = "cognito-idp",
) -> dict[str, Any]:
    """Return a resource's properties as the input of a Create operation, such as CreateUserPool.

    Properties that the operation doesn't take are left out. A text for a number or a boolean, which
    CloudFormation allows, becomes what the operation takes. `references` gives the values of !Ref,
    !Sub and !GetAtt, in addition to the defaults of the template's parameters. Raise TemplateError
    for what can't be resolved here.
    """
    shape = service_model(service).operation_model(operation).input_shape
    known = shape.members if shape else {}
    taken: dict[str, Any] = {}
    # In the template's order, which the ids of pools and app clients follow from.
    for property_, given in properties_of(logical_id, path).items():
        name = RENAMED.get(property_, property_)
        if name not in known:
            continue
        value = resolved(logical_id, property_, given, references, path)
        if value is not NO_VALUE:
            taken[name] = _typed(value, known[name], f"{logical_id}.{property_}")
    return taken


def exists(logical_id: str, references: Mapping[str, Any], path: Path = TEMPLATE) -> bool:
    """Return whether the template creates a resource: it is there, and its condition holds."""
    resource = section(load(path), "Resources").get(logical_id)
    if not isinstance(resource, dict):
        return False
    if "Condition" not in resource:
        return True
    condition = {"Condition": resource["Condition"]}
    return bool(resolved(logical_id, "Condition", condition, references, path))


def inline_function(
    logical_id: str, references: Mapping[str, Any], path: Path = TEMPLATE
) -> tuple[str, str, dict[str, str]]:
    """Return the source of a Lambda function, its handler's name and its environment variables."""
    properties = properties_of(logical_id, path)
    given = {name: properties.get(name, {}) for name in ("Code", "Environment")}
    code, environment = (
        resolved(logical_id, name, value, references, path) for name, value in given.items()
    )
    source = code.get("ZipFile") if isinstance(code, dict) else None
    if not source or "Handler" not in properties:
        raise TemplateError(f"{logical_id}: this machine needs Handler and Code.ZipFile to run it")
    variables = {} if environment is NO_VALUE else section(environment, "Variables")
    return (
        text_of(source),
        text_of(properties["Handler"]),
        {name: text_of(value) for name, value in variables.items()},
    )


def mfa_arguments(
    logical_id: str, references: Mapping[str, Any], path: Path = TEMPLATE
) -> dict[str, Any]:
    """Return second factors and passkeys as the input of SetUserPoolMfaConfig, without a pool's id.

    CloudFormation creates the pool first and then makes this call; so do we. Raise TemplateError
    for a method that the local Cognito lacks: SMS_MFA.
    """
    properties = properties_of(logical_id, path)
    given: dict[str, Any] = {"EnabledMfas": [], "MfaConfiguration": "OFF"}
    for name in given.keys() & properties.keys():
        value = resolved(logical_id, name, properties[name], references, path)
        if value is not NO_VALUE:
            given[name] = value
    input_: dict[str, Any] = {"MfaConfiguration": given["MfaConfiguration"]}
    if not isinstance(given["EnabledMfas"], list):
        raise TemplateError(f"{logical_id}.EnabledMfas must be a list")
    for name in map(text_of, given["EnabledMfas"]):
        if name not in MFA_METHODS:
            raise TemplateError(f"{logical_id}.EnabledMfas: the local Cognito has no {name}")
        input_ |= MFA_METHODS[name]
    passkeys = {
        name: value
        for property_, name in PASSKEYS.items()
        if property_ in properties
        and (value := resolved(logical_id, property_, properties[property_], references, path))
        is not NO_VALUE
    }
    return input_ | ({"WebAuthnConfiguration": passkeys} if passkeys else {})


def properties_of(logical_id: str, path: Path) -> dict[str, Any]:
    """Return a resource's properties as they stand. Raise TemplateError if it isn't there."""
    resource = section(load(path), "Resources").get(logical_id)
    if not isinstance(resource, dict):
        raise TemplateError(f"there is no resource {logical_id}")
    return section(resource, "Properties")


def resolved(
    logical_id: str, name: str, value: Any, references: Mapping[str, Any], path: Path
) -> Any:
    """Return a property's value with its functions resolved. Raise TemplateError."""
    try:
        return Resolver(load(path), references).resolve(value)
    except TemplateError as error:
        raise TemplateError(f"{logical_id}.{name}: {error}") from None
    except RecursionError:
        raise TemplateError(f"{logical_id}.{name}: it contains itself") from None


def _typed(value: Any, shape: Shape, where: str) -> Any:
    """Return a value with its texts, numbers and booleans as the API's model has them.

    What the model doesn't allow is left as it is: the call refuses it, and says why.
    """
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = shape.members
        return {
            name: _typed(member, members[name], f"{where}.{name}") if name in members else member
            for name, member in value.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_typed(entry, shape.member, where) for entry in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: _typed(member, shape.value, where) for name, member in value.items()}
    return _typed_scalar(value, shape.type_name, where)


def _typed_scalar(value: Any, kind: str, where: str) -> Any:
    if kind == "string" and isinstance(value, (bool, int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "boolean" and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if kind in ("integer", "long") and isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise TemplateError(f"{where} must be a whole number, not {value!r}") from None
    return value
