"""The limits of Cognito's API model, and the Unicode properties in its patterns."""

from collections.abc import Iterator

import pytest
from moto.core.exceptions import JsonRESTError

from infra.local.operations import constraints
from infra.local.pool.api_model import service_model

VALUES = [
    "",
    "ada@example.com",
    "Ada Lovelace",
    "é",
    "한국어",
    "a\u0301",
    "€",
    "٣",
    "\x00",
    "\ud800",
]


def members_with_a_pattern() -> Iterator[tuple[str, str]]:
    """Yield the operation and the name of each string member that has a pattern."""
    for operation in service_model().operation_names:
        shape = service_model().operation_model(operation).input_shape
        for name, member in shape.members.items() if shape else ():
            if member.type_name == "string" and "pattern" in member.metadata:
                yield operation, name


@pytest.mark.parametrize(("operation", "member"), list(members_with_a_pattern()))
def test_every_pattern_of_the_model_is_understood(operation: str, member: str) -> None:
    """Each value is accepted or refused with Cognito's message; no pattern fails to compile."""
    for value in VALUES:
        try:
            constraints.check(operation, {member: value})
        except JsonRESTError as refusal:
            assert refusal.error_type == "InvalidParameterException"  # noqa: PT017 - some pass


@pytest.mark.parametrize("name", ["Ada", "é", "한", "a\u0301", "€", "٣", "-", "\U0001f600"])
def test_a_visible_character_is_accepted(name: str) -> None:
    r"""Letters, marks, symbols, numbers and punctuation of any script match `[\p{L}\p{M}…]+`."""
    constraints.check("SignUp", {"Username": name})


@pytest.mark.parametrize("name", [" ", "a b", "\x00", "\u2028", "\ud800", "\ue000"])
def test_a_blank_or_control_character_is_refused(name: str) -> None:
    """Separators and control, private or unassigned characters don't match."""
    with pytest.raises(JsonRESTError, match="regular expression pattern"):
        constraints.check("SignUp", {"Username": name})
