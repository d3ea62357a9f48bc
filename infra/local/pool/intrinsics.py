"""CloudFormation's intrinsic functions, resolved as far as this machine can.

Only what is asked for is resolved: a parameter, a condition or a mapping that nothing here needs
may be anything.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

NO_VALUE = object()
"""The value of !Ref AWS::NoValue, which removes its property or list entry."""

PSEUDO_PARAMETERS = {
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": NO_VALUE,
    "AWS::NotificationARNs": [],
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/local/1",
    "AWS::StackName": "local",
    "AWS::URLSuffix": "amazonaws.com",
}
# ${Name}, ${Name.Attribute}, or ${!Literal}
_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")


class TemplateError(Exception):
    """A template that this machine can't use. The message says where and why."""


def canonical(function: str, argument: Any) -> dict[str, Any]:
    """Return a short-form function, such as !Sub, in the form of a mapping with one key."""
    name = function if function in ("Ref", "Condition") else f"Fn::{function}"
    return {name: argument}


def section(of: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a section of a template or a resource; YAML reads an empty one as None."""
    found = of.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise TemplateError(f"{name} must be a mapping")
    return found


def _apply(name: str, function: Callable[[Any], Any], argument: Any) -> Any:
    """Call a function of this module, which expects an argument of the right form."""
    try:
        return function(argument)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise TemplateError(f"{name} can't take what it is given") from None


class Resolver:
    """The values of one template's parameters, conditions, mappings and resources.

    `known` gives the values of parameters, pseudo parameters and resources, and of attributes as
    Resource.Attribute. Other resources of the template get made-up names and ARNs.
    """

    def __init__(self, template: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        self._template = template
        self._known = PSEUDO_PARAMETERS | dict(known)
        self._asked: list[str] = []  # the conditions that are being resolved

    def resolve(self, value: Any) -> Any:
        """Return a value with its functions resolved at any depth. Raise TemplateError."""
        if isinstance(value, dict):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if function := self._function(str(name), argument):
                    return _apply(name, function, argument)
            members = {name: self.resolve(member) for name, member in value.items()}
            return {name: member for name, member in members.items() if member is not NO_VALUE}
        if isinstance(value, list):
            entries = [self.resolve(entry) for entry in value]
            return [entry for entry in entries if entry is not NO_VALUE]
        return value

    def _function(self, name: str, argument: Any) -> Callable[[Any], Any] | None:
        if name == "Condition" and isinstance(argument, str):
            return self.condition
        if name != "Ref" and not name.startswith("Fn::"):
            return None
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::And": lambda each: all(self._truths(each)),
            "Fn::Equals": lambda both: _same(*self._list(both, 2)),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Not": lambda one: not next(self._truths(one)),
            "Fn::Or": lambda each: any(self._truths(each)),
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
        }
        if name not in functions:
            raise TemplateError(f"{name} can't be resolved on this machine")
        return functions[name]

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template holds."""
        conditions = section(self._template, "Conditions")
        if name not in conditions:
            raise TemplateError(f"there is no condition {name}")
        if name in self._asked:
            raise TemplateError(f"the condition {name} refers to itself")
        self._asked.append(name)
        try:
            return self._truth(conditions[name])
        finally:
            self._asked.remove(name)

    def _truths(self, conditions: Any) -> Iterator[bool]:
        if not isinstance(conditions, list) or not conditions:
            raise TemplateError("a list of conditions must be in its place")
        return map(self._truth, conditions)

    def _truth(self, condition: Any) -> bool:
        found = self.resolve(condition)
        if not isinstance(found, bool):
            raise TemplateError(f"a condition must be in the place of {found!r}")
        return found

    def _ref(self, name: str) -> Any:
        parameter = section(self._template, "Parameters").get(name)
        if parameter is not None:
            return self._parameter(name, parameter)
        if name in self._known:
            return self._known[name]
        if name in section(self._template, "Resources"):
            return f"{self._known['AWS::StackName']}-{name}"
        raise TemplateError(f"there is no parameter or resource {name}")

    def _parameter(self, name: str, parameter: Mapping[str, Any]) -> Any:
        value = self._known.get(name, parameter.get("Default"))
        kind = str(parameter.get("Type"))
        # The value of AWS::SSM::Parameter::Name is the text itself.
        if value is None or kind.startswith("AWS::SSM::Parameter::Value"):
            raise TemplateError(f"the parameter {name} needs a Default here, and not one from SSM")
        if kind.startswith("List<") or kind == "CommaDelimitedList":
            return [entry.strip() for entry in str(value).split(",")]
        return value

    def _get_att(self, attribute: str | Sequence[str]) -> Any:
        path = attribute if isinstance(attribute, str) else ".".join(self._list(attribute))
        if path in self._known:
            return self._known[path]
        name, _, attribute = path.partition(".")
        resource = section(self._template, "Resources").get(name)
        if resource is None:
            raise TemplateError(f"there is no resource {name}")
        made_up = self._ref(name)
        type_ = str(resource.get("Type", "AWS::Any::Thing")).lower().split("::")
        if attribute != "Arn" or len(type_) < 3:  # noqa: PLR2004 - Custom::Thing has two parts
            return f"{made_up}-{attribute}"
        service, kind = type_[1:3]
        service = "lambda" if (service, kind) == ("serverless", "function") else service
        region, account = (self._known[f"AWS::{part}"] for part in ("Region", "AccountId"))
        return f"arn:aws:{service}:{region}:{account}:{kind}:{made_up}"

    def _find_in_map(self, path: Any) -> Any:
        keys = self._list(path)
        found: Any = section(self._template, "Mappings")
        for key in keys[:3]:
            if not isinstance(found, dict) or str(key) not in map(str, found):
                default = keys[3] if len(keys) > 3 and isinstance(keys[3], dict) else {}  # noqa: PLR2004
                if "DefaultValue" in default:
                    return default["DefaultValue"]
                raise TemplateError(
                    f"Fn::FindInMap finds nothing at {'.'.join(map(str, keys[:3]))}"
                )
            found = next(value for name, value in found.items() if str(name) == str(key))
        return self.resolve(found)

    def _if(self, parts: Any) -> Any:
        if not isinstance(parts, list) or len(parts) != 3:  # noqa: PLR2004
            raise TemplateError("Fn::If takes a condition and two values")
        name, then, otherwise = parts
        return self.resolve(then if self.condition(name) else otherwise)

    def _join(self, parts: Any) -> str:
        separator, entries = self._list(parts, 2)
        return str(separator).join(map(text_of, entries))

    def _split(self, parts: Any) -> list[str]:
        separator, text = self._list(parts, 2)
        return text_of(text).split(str(separator))

    def _select(self, parts: Any) -> Any:
        index, entries = self._list(parts, 2)
        try:
            return entries[int(index)]
        except (IndexError, TypeError, ValueError):
            raise TemplateError(f"Fn::Select finds no entry {index}") from None

    def _sub(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})
        values = self.resolve(variables)

        def replace(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in values:
                return text_of(values[name])
            return text_of(self._get_att(name) if "." in name else self._ref(name))

        return _VARIABLE.sub(replace, str(text))

    def _list(self, value: Any, length: int | None = None) -> list[Any]:
        found = self.resolve(value)
        if not isinstance(found, list) or (length and len(found) != length):
            raise TemplateError(f"a list{f' of {length}' if length else ''} must be in its place")
        return found


def _same(one: Any, other: Any) -> bool:
    return one == other if isinstance(one, list) else text_of(one) == text_of(other)


def text_of(value: Any) -> str:
    """Return a value as CloudFormation writes it into a text. Raise TemplateError for a list."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TemplateError(f"a text must be in the place of {value!r}")
