"""The limits of Cognito's API model, and the Unicode properties in its patterns."""

from collections.abc import Iterator

import pytest
from moto.core.exceptions import JsonRESTError

from infra.local.operations import constraints
from infra.local.operations.unicode_patterns import compile_pattern
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
    """Yield each operation with each of its string members that has a pattern."""
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


@pytest.mark.parametrize("value", ["Ada", "é", "한", "a\u0301", "€", "٣", "-", "\U0001f600"])
def test_a_visible_character_matches(value: str) -> None:
    """Letters, marks, symbols, numbers and punctuation of any script."""
    assert compile_pattern(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+").fullmatch(value)


@pytest.mark.parametrize("value", ["", " ", "a b", "\x00", "\u2028", "\ud800", "\ue000"])
def test_a_blank_or_control_character_does_not_match(value: str) -> None:
    """Neither separators nor control, private or unassigned characters."""
    assert not compile_pattern(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+").fullmatch(value)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (r"\p{Lu}", "É", "é"),
        (r"\P{L}+", "1 ", "a"),
        (r"[^_\p{Z}]", "a", "\u00a0"),
        (r"[\P{L}a]+", "1a", "b"),
        (r"[\p{L}\s*]*\{####\}", "é * {####}", "1{####}"),
        (r"\[\p{N}\]", "[٣]", "٣"),
        (r"\\p\{L}", "\\p{L}", "a"),
    ],
)
def test_properties_inside_and_outside_of_a_class(pattern: str, matching: str, other: str) -> None:
    """A property may stand alone, negated, in a class, and beside escapes."""
    assert compile_pattern(pattern).fullmatch(matching)
    assert not compile_pattern(pattern).fullmatch(other)


def test_an_unknown_property_is_named() -> None:
    """A script or block is no general category."""
    with pytest.raises(ValueError, match="IsGreek"):
        compile_pattern(r"\p{IsGreek}")
