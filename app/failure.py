"""The shape of a row in the table of failures, and the Cognito messages that callers may read."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from app.schemas import Failed, FieldError


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A row: the answer to a failure, and what the log says about it."""

    status: int
    code: str
    message: str
    retry_after: int | None = None
    """Seconds, for the header Retry-After."""
    remedy: str | None = None
    """What the owner of the service has to do. Only the log has it."""
    field: str | None = None
    """The field of the request that is at fault."""
    detail: Callable[[str], str | None] | None = None
    """Returns what the caller may read of Cognito's message, or None. It never decides anything."""
    example: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Further fields of the documented example."""

    def body(self, request_id: str, detail: str | None = None) -> Failed:
        """Return the answer's body.

        `detail` overrides the row's message; it is attached to `field` if the row names one.
        """
        message = detail or self.message
        return Failed(
            status_code=self.status,
            code=self.code,
            message=self.message if self.field else message,
            request_id=request_id,
            errors=[FieldError(field=self.field, message=message)] if self.field else None,
        )


def password_rule(message: str) -> str | None:
    """Return the rule of the pool's password policy that Cognito's message names."""
    return next((rule for words, rule in PASSWORD_RULES.items() if words in message), None)


UNSENT = "email_not_sent"
"""The code of an e-mail that could not be sent. An alarm counts it in the log."""

# The messages of our own PreSignUp trigger, in infra/template.yaml.
EMAIL_TAKEN = "email_taken"
EMAIL_NOT_VERIFIED = "email_not_verified"


def trigger_message(message: str) -> str | None:
    """Return a Lambda trigger's own message.

    Cognito wraps it: "PreSignUp failed with error <message>.".
    """
    wrapped = re.fullmatch(r"\w+ failed with error (.+?)\.?", message, re.DOTALL)
    return wrapped[1] if wrapped else None


PASSWORD_RULES = {
    "not long enough": "Use more characters.",
    "uppercase": "Use at least one upper case letter.",
    "lowercase": "Use at least one lower case letter.",
    "numeric": "Use at least one digit.",
    "symbol": "Use at least one symbol, such as ! or -.",
    "start or end with a blank": "Don't start or end with a blank, nor use a line break.",
    "previously used": "Use one that you haven't used before.",
    "contains the e-mail address": "Don't use your e-mail address in it.",
    "commonly used": "Use one that is harder to guess.",
}
