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


NEXT = {
    "invalid_request": "Mend the members that `errors` names.",
    "invalid_email": "Ask for another address.",
    "invalid_password": "Show the rule that `errors` names, and ask for another password.",
    "invalid_credentials": "Ask again, and offer a way to a new password.",
    "invalid_token": "Refresh the tokens; if that fails, sign in.",
    "invalid_refresh_token": "Forget the tokens, and sign in.",
    "refresh_token_reused": "Forget the tokens, and sign in: somebody else may have had them.",
    "invalid_session": "Sign in again, from the first step.",
    "unsupported_challenge": "Send the `challenge` as `challenge_required` named it.",
    "challenge_required": "Ask for what `needs` names, and send it to `/auth/challenge`.",
    "code_mismatch": "Ask for the code again, or have a new one sent.",
    "code_expired": "Have a new code sent.",
    "already_confirmed": "Go on to sign in.",
    "email_taken": "Sign in instead, or set a new password.",
    "user_not_confirmed": "Ask for the code, and confirm.",
    "password_reset_required": "Send a code with `/auth/forgot-password`, and reset the password.",
    "mfa_not_set_up": "Call `/auth/mfa/setup` first.",
    "email_not_sent": "Try again in a few minutes.",
    "too_many_requests": "Wait as many seconds as `Retry-After` says, then try again.",
    "unavailable": "Try again after as many seconds as `Retry-After` says.",
    "rejected": "Show the message: the words are your own trigger's.",
    "body_too_large": "Send less.",
    "unsupported_media_type": "Set the header `Content-Type: application/json`.",
    "not_found": "Check the address.",
    "method_not_allowed": "Use a method that the header `Allow` names.",
    "misconfigured": "Give `requestId` to the people who run the service.",
    "internal_error": "Try once more, then give `requestId` to the people who run the service.",
}
"""What a caller does about each code, in one sentence, for the docs."""


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
