"""Cognito's limits on string parameters, read from botocore's model of the API.

boto3 checks minimum lengths before it sends anything; the service checks all of them.
"""

from collections.abc import Iterator
from typing import Any

import regex

from infra.local.pool.api_model import input_shape
from infra.local.pool.refusals import refuse

# Where the service differs from its published model: a password has at least six characters, and
# may contain spaces, but not at either end.
PASSWORD: dict[str, Any] = {"min": 6, "pattern": r"^[\S]+.*[\S]+$"}
OVERRIDES = {
    ("SignUp", "Password"): PASSWORD,
    ("ConfirmForgotPassword", "Password"): PASSWORD,
    ("ChangePassword", "PreviousPassword"): PASSWORD,
    ("ChangePassword", "ProposedPassword"): PASSWORD,
}


def check(operation: str, given: dict[str, Any]) -> None:
    """Refuse strings that break their limits, with all faults in one message like the API."""
    faults = list(_faults(operation, given))
    if faults:
        noun = "error" if len(faults) == 1 else "errors"
        errors = f"{len(faults)} validation {noun} detected: {'; '.join(faults)}"
        raise refuse("validation", errors=errors)


def _faults(operation: str, given: dict[str, Any]) -> Iterator[str]:
    shape = input_shape(operation)
    for name, member in shape.members.items() if shape else ():
        value = given.get(name)
        if not isinstance(value, str):
            continue
        limits = {**member.metadata, **OVERRIDES.get((operation, name), {})}
        field = name[0].lower() + name[1:]
        fault = f"Value at '{field}' failed to satisfy constraint: Member must "
        if len(value) < limits.get("min", 0):
            yield f"{fault}have length greater than or equal to {limits['min']}"
        if len(value) > limits.get("max", len(value)):
            yield f"{fault}have length less than or equal to {limits['max']}"
        if "pattern" in limits and not regex.fullmatch(limits["pattern"], value):
            yield f"{fault}satisfy regular expression pattern: {limits['pattern']}"
        enum = limits.get("enum")
        if enum and value not in enum:
            yield f"{fault}satisfy enum value set: [{', '.join(enum)}]"
