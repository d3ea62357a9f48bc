"""Read Cognito's answers. Whatever Cognito can't have sent is refused here.

A proxy, a captive portal or another server at Cognito's address may answer anything. botocore
trusts what it parses, and would hand on any type under any name.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from app.exceptions import NotCognitoError
from app.upstream import read_json

MAX_NAME = 100  # characters of an error's name
MAX_DEPTH = 100  # of a document; WebAuthn's are 3 deep, and pydantic writes some 250
_SCALARS: dict[str, type] = {"boolean": bool, "integer": int, "string": str}


def read_answer(shape: StructureShape | None, body: bytes) -> dict[str, Any]:
    """Return the members of a successful answer that the operation's output shape has.

    Raise NotCognitoError if it isn't a JSON object, or if a member has another type or is missing.
    """
    if shape is None and not body:  # DeleteUser's, for example
        return {}
    value = read_json(body)
    if not isinstance(value, dict):
        raise NotCognitoError
    return _read_structure(shape, value) if shape else {}


def read_error(body: bytes) -> dict[str, Any]:
    """Return the type and the message of Cognito's error, or nothing if it isn't Cognito's."""
    value = read_json(body)
    if not isinstance(value, dict):
        return {}
    type_, message = value.get("__type"), value.get("message") or value.get("Message") or ""
    if not isinstance(type_, str) or not isinstance(message, str):
        return {}
    # A namespace may stand in front, and a URL behind.
    # https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
    name = type_.partition(":")[0].rpartition("#")[2]
    # The log has the name, so it must not be something that was sent and comes back. Every error of
    # Cognito's is called an exception.
    is_name = name.isascii() and name.isalpha() and name.endswith("Exception")
    if not is_name or len(name) > MAX_NAME:
        return {}
    return {"__type": name, "message": message}


def read_document(text: str) -> dict[str, Any]:
    """Return a document of WebAuthn, which Cognito sends as JSON in a string.

    Raise NotCognitoError if it isn't a JSON object.
    """
    return _checked_document(read_json(text.encode()))


def _checked_document(value: Any) -> dict[str, Any]:
    """Return a document as it is: the model doesn't describe it. Refuse what can't be sent on."""
    if not isinstance(value, dict):
        raise NotCognitoError
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if any(isinstance(each, float) and not isfinite(each) for each in level):
            break
        if not level:
            return value
    raise NotCognitoError


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _read_structure(shape: StructureShape, value: Any) -> dict[str, Any]:
    if shape.is_document_type:
        return _checked_document(value)
    if not isinstance(value, dict):
        raise NotCognitoError
    # As in all AWS services, null stands for a missing member.
    read = {
        name: _read(member, value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    }
    if not read.keys() >= set(shape.required_members):
        raise NotCognitoError
    return read


def _read(shape: Shape, value: Any) -> Any:
    if scalar := _SCALARS.get(shape.type_name):
        if type(value) is scalar:  # isinstance() would take a bool for an int
            return value
    elif isinstance(shape, StructureShape):
        return _read_structure(shape, value)
    elif shape.type_name == "timestamp" and type(value) in (int, float):
        with suppress(ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(value, UTC)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        return [_read(shape.member, item) for item in value if item is not None]
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _read(shape.value, each) for key, each in value.items() if each is not None}
    raise NotCognitoError
