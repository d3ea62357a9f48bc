"""The types of an operation's parameters, and which it requires, by botocore's model of the API.

botocore's own ParamValidator checks what a client sends: it refuses a field that it doesn't know
and a null. The service ignores both.
"""

from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from infra.local.pool.refusals import refuse

# What JSON has for each type that the model uses.
TYPES: dict[str, tuple[type, ...]] = {
    "blob": (str,),
    "boolean": (bool,),
    "double": (int, float),
    "integer": (int,),
    "list": (list,),
    "long": (int,),
    "map": (dict,),
    "string": (str,),
    "structure": (dict,),
    "timestamp": (int, float, str),
}
# Required here, but not in the model: AWS doesn't document what the service does without them.
REQUIRED = {
    "SchemaAttributeType": ["Name"],
    "SetUserPoolMfaConfigRequest": ["MfaConfiguration"],
    "AttributeType": ["Value"],
}
MISSING = (
    "1 validation error detected: Value at '{}' failed to satisfy constraint: Member must not be"
    " null"
)


def conform(shape: Shape, given: Any, path: str = "") -> Any:
    """Return a value without nulls. Refuse a value of a wrong type and a missing field.

    A null counts as a field that was left out. `path` names the value in the error.
    """
    is_typed = isinstance(given, TYPES[shape.type_name])
    if not is_typed or isinstance(given, bool) != (shape.type_name == "boolean"):
        raise refuse("wrong_type", name=path or "The body", type=shape.type_name)
    prefix = f"{path}." if path else ""
    if isinstance(shape, ListShape):
        return [conform(shape.member, value, path) for value in given]
    if isinstance(shape, MapShape):
        return {
            name: conform(shape.value, value, prefix + name)
            for name, value in given.items()
            if value is not None
        }
    if isinstance(shape, StructureShape) and not shape.is_document_type:
        return _structure(shape, given, prefix)
    return given


def _structure(shape: StructureShape, given: dict[str, Any], prefix: str) -> dict[str, Any]:
    present = {
        name: conform(shape.members[name], value, prefix + name)
        for name, value in given.items()
        if name in shape.members and value is not None
    }
    for name in [*shape.required_members, *REQUIRED.get(shape.name, ())]:
        if name not in present:
            field = ".".join(part[:1].lower() + part[1:] for part in f"{prefix}{name}".split("."))
            raise refuse("validation", errors=MISSING.format(field))
    return present
