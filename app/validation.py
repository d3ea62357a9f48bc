"""Validate input that Cognito would reject with an ambiguous error."""

import re

from app.exceptions import InvalidEmailError, InvalidPasswordError

# What <input type=email> accepts, except that Cognito requires a dot in the domain.
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")

# What every pool requires of a password, whatever its policy: at least 6 characters, no blank at
# either end, no line break.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html
_MIN_PASSWORD_LENGTH = 6
_PASSWORD = re.compile(r"\S[^\n\r\x85\u2028\u2029]*\S", re.ASCII)


def validate_email(email: str, operation_name: str) -> None:
    """Raise InvalidEmailError if `email` is not a valid address."""
    if not _EMAIL.fullmatch(email):
        raise InvalidEmailError(operation_name)


def validate_password(password: str, operation_name: str) -> None:
    """Raise InvalidPasswordError if every user pool refuses `password` as a new password."""
    if len(password) < _MIN_PASSWORD_LENGTH:
        raise InvalidPasswordError(operation_name, "Password not long enough")
    if not _PASSWORD.fullmatch(password):
        raise InvalidPasswordError(operation_name, "Password must not start or end with a blank")
