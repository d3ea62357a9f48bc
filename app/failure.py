"""A failure as the caller is told of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.schemas import Failed, FieldError


@dataclass(frozen=True, slots=True)
class Failure:
    """A row: the answer to a failure, and what the log says of it."""

    status: int
    code: str
    message: str
    retry_after: int | None = None
    """Seconds."""
    mend: str | None = None
    """What the people who run the service must do; for the log alone."""
    member: str | None = None
    """The member of the request that is at fault."""
    wording: Callable[[str], str | None] | None = None
    """Makes Cognito's text fit for the caller, or gives None; nothing is ever decided by it."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """What the documented example has besides."""

    def body(self, request_id: str, words: str | None = None) -> Failed:
        """What the caller gets; `words` say more than the row can, of its member if it has one."""
        message = words or self.message
        return Failed(
            status_code=self.status,
            code=self.code,
            message=self.message if self.member else message,
            request_id=request_id,
            errors=[FieldError(field=self.member, message=message)] if self.member else None,
        )


def password_rule(text: str) -> str | None:
    """Which rule of the pool's policy Cognito means."""
    return next((rule for words, rule in _PASSWORD_RULES.items() if words in text), None)


def trigger_words(text: str) -> str | None:
    """Cognito wraps what a trigger raised: 'PreSignUp failed with error <its words>.'."""
    wrapped = re.fullmatch(r"\w+ failed with error (.+?)\.?", text, re.DOTALL)
    return wrapped[1] if wrapped else None


_PASSWORD_RULES = {
    "not long enough": "Use more characters.",
    "uppercase": "Use at least one upper case letter.",
    "lowercase": "Use at least one lower case letter.",
    "numeric": "Use at least one digit.",
    "symbol": "Use at least one symbol, such as ! or -.",
    "start or end with a blank": "Don't start or end with a blank, nor use a line break.",
    "previously used": "Use one that you haven't used before.",
}
