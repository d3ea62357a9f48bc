"""The list of infra/template.yaml's guarantees, and helpers to check and break them.

A guarantee is a function with the decorator `guarantee`; check_template.py runs them all.
"""

import copy
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from infra.package import zip_template

TEMPLATE = Path(__file__).parents[2] / "infra/template.yaml"
Template = dict[str, Any]
IMAGE, ZIP = "image", "zip"
"""The two forms of the template: as it stands, and as `make package` makes it."""
# Example parameters for "Continue with Google". Without Google, all of them are empty.
GOOGLE = {
    "GoogleClientId": "123456789012-abc123def456.apps.googleusercontent.com",
    "GoogleSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:google-AbC123",
    "GoogleSecretVersion": "01234567-89ab-cdef-0123-456789abcdef",
    "SignInDomain": "example-accounts",
    "RedirectUris": "https://app.example.com/,http://localhost:5173/",
}

# Example parameters for a user pool that isn't the stack's.
EXISTING_POOL = {
    "ExistingUserPoolId": "eu-west-1_AbCdEfGhI",
    "ExistingUserPoolClientId": "1example23456789abcdefghij",
}


class NoPolicies(ManagedPolicyLoader):
    """An empty list of managed policies. The translator would otherwise ask AWS for them.

    The template names no policy by its name alone.
    """

    def __init__(self) -> None:
        self._policy_map = {}

    def load(self) -> dict[str, str]:
        """Return no policies."""
        return {}


def source(form: str = IMAGE) -> Template:
    """Return a form of the template, parsed."""
    text = TEMPLATE.read_text()
    template: Template = yaml_parse(text if form == IMAGE else zip_template(text, "arm64"))
    return template


def transformed(source: Template, given: dict[str, str] | None = None) -> Template:
    """Return what CloudFormation makes of a SAM template after `sam deploy` has uploaded the code.

    `given` overrides parameters' defaults. The original template is added as Source.
    """
    os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"  # required, though nothing is called
    built = copy.deepcopy(source)
    function = built["Resources"]["Function"]["Properties"]
    if function["PackageType"] == "Image":
        image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/accounts@sha256:" + 64 * "0"
        function["ImageUri"] = image
    else:
        function["CodeUri"] = "s3://bucket/accounts"
    return {**transform(built, defaults(built) | (given or {}), NoPolicies()), "Source": source}


def defaults(template: Template) -> dict[str, Any]:
    """Return the default of each parameter."""
    return {name: it["Default"] for name, it in template["Parameters"].items()}


def evaluate(value: Any, given: dict[str, Any]) -> Any:
    """Evaluate a condition, or a rule's assertion, with these parameter values."""
    result = value
    match value:
        case {"Ref": name}:
            result = given[name]
        case {"Condition": name}:
            result = evaluate(given["Conditions"][name], given)
        case {"Fn::Equals": [one, other]}:
            result = evaluate(one, given) == evaluate(other, given)
        case {"Fn::EachMemberEquals": [listed, other]}:
            result = all(each == other for each in evaluate(listed, given).split(","))
        case {"Fn::Contains": [listed, one]}:
            result = str(evaluate(one, given)) in listed
        case {"Fn::Not": [one]}:
            result = not evaluate(one, given)
        case {"Fn::And": several}:
            result = all(evaluate(each, given) for each in several)
        case {"Fn::Or": several}:
            result = any(evaluate(each, given) for each in several)
    return result


def deployed(template: Template, given: dict[str, str]) -> Template:
    """Return the resources and outputs that exist with these parameters."""
    values = defaults(template) | given | {"Conditions": template["Conditions"]}
    true = {name: evaluate(it, values) for name, it in template["Conditions"].items()}
    no_value = {"Ref": "AWS::NoValue"}

    def decided(value: Any) -> Any:
        match value:
            case {"Fn::If": [name, then, otherwise]}:
                return decided(then if true[name] else otherwise)
            case dict():
                members = {name: decided(it) for name, it in value.items()}
                return {name: it for name, it in members.items() if it != no_value}
            case list():
                return [it for it in map(decided, value) if it != no_value]
            case _:
                return value

    return {
        section: decided(
            {
                name: it
                for name, it in template[section].items()
                if "Condition" not in it or true[it["Condition"]]
            }
        )
        for section in ("Resources", "Outputs")
    }


@dataclass(frozen=True)
class Guarantee:
    """A check of the transformed template, and changes to the source that must make it fail.

    It holds for these forms, and is broken in the first of them.
    """

    holds: Callable[[Template], None]
    broken_by: tuple[Callable[[Template], object], ...]
    forms: tuple[str, ...]

    def __str__(self) -> str:
        return self.holds.__name__


GUARANTEES: list[Guarantee] = []


def guarantee(
    *broken_by: Callable[[Template], object],
    forms: tuple[str, ...] = (IMAGE, ZIP),
) -> Callable[..., Callable[[Template], None]]:
    """Register a guarantee, with changes that break it."""

    def note(holds: Callable[[Template], None]) -> Callable[[Template], None]:
        GUARANTEES.append(Guarantee(holds, broken_by, forms))
        return holds

    return note


def properties(template: Template, name: str) -> dict[str, Any]:
    """Return a resource's properties."""
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def of_type(template: Template, kind: str) -> dict[str, Any]:
    """Return the resources of a type, by name."""
    return {name: it for name, it in template["Resources"].items() if it["Type"] == kind}


def the(template: Template, kind: str) -> dict[str, Any]:
    """Return the properties of the one resource of a type."""
    (resource,) = of_type(template, kind).values()
    found: dict[str, Any] = resource["Properties"]
    return found


def get_att(logical_id: str, attribute: str) -> dict[str, list[str]]:
    """Return a reference to a resource's attribute."""
    return {"Fn::GetAtt": [logical_id, attribute]}


def own_or_existing(logical_id: str) -> dict[str, Any]:
    """Return the id of the stack's pool or client, or the parameter's if there is none."""
    return {"Fn::If": ["OwnsPool", {"Ref": logical_id}, {"Ref": f"Existing{logical_id}Id"}]}


def parameters_in(value: object, template: Template) -> set[str]:
    """Return the names of the parameters that a value refers to."""
    text = json.dumps(value)
    named = re.findall(r'\{"Ref": "(\w+)"\}', text) + re.findall(r"\$\{(\w+)\}", text)
    return {*named} & template["Parameters"].keys()


def order(template: Template) -> dict[str, set[str]]:
    """Return the dependencies of each resource, with Google."""
    resources = deployed(template, GOOGLE)["Resources"]

    def named(value: object) -> set[str]:
        text = json.dumps(value)
        found = re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', text)
        return {*found, *re.findall(r"\$\{(\w+)[.}]", text)}

    return {
        name: (named(it) | {*it.get("DependsOn", [])}) & resources.keys()
        for name, it in resources.items()
    }
