"""Refuse passwords that every pool refuses, and those that are easy to guess."""

from functools import cache
from pathlib import Path

from app.exceptions import InvalidCurrentPasswordError, InvalidPasswordError
from app.validation import is_blank

# What every pool requires of a password, whatever its policy: at least 6 characters, no blank at
# either end, no line break.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html
_MIN_LENGTH = 6
_BLANK_END = "Password must not start or end with a blank"
_LINE_BREAKS = "\n\r\x85\u2028\u2029"

# A shorter part of an address is in many passwords by chance: below the first length in any
# spelling, below the second in another letter case, as Sunny of sunny@example.com.
_MIN_PART, _MIN_FOLDED = 3, 6
# The most used ones, in lower case, one a line: see `make assets`.
_COMMON = Path(__file__).parent / "assets/common-passwords/passwords.txt"


def validate_password(password: str, operation_name: str, email: str | None) -> None:
    """Raise InvalidPasswordError if `password` can't be the new password of this address.

    Every user pool refuses it, or it is one of the most used, or it has the address or the part of
    it before the @ or the +.
    https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver
    """
    if len(password) < _MIN_LENGTH:
        raise InvalidPasswordError(operation_name, "Password not long enough")
    if _has_blank_end(password) or any(each in password for each in _LINE_BREAKS):
        raise InvalidPasswordError(operation_name, _BLANK_END)
    if _has_address(password, email or ""):
        raise InvalidPasswordError(operation_name, "Password contains the e-mail address")
    if f"\n{password.casefold()}\n" in _common():
        raise InvalidPasswordError(operation_name, "Password is commonly used")


def validate_current_password(password: str, operation_name: str) -> None:
    """Raise InvalidCurrentPasswordError if no account can have `password`.

    Somebody typed or pasted a blank with it. Cognito would report a wrong password.
    """
    if _has_blank_end(password):
        raise InvalidCurrentPasswordError(operation_name, _BLANK_END)


def _has_address(password: str, email: str) -> bool:
    local = email.partition("@")[0]
    return any(_has_part(password, part) for part in (email, local, local.partition("+")[0]))


def _has_part(password: str, part: str) -> bool:
    if len(part) >= _MIN_FOLDED:
        return part.casefold() in password.casefold()
    return len(part) >= _MIN_PART and part in password


@cache  # read at the first sign-up, not at start-up; searching its 69 KB takes 10 µs
def _common() -> str:
    return f"\n{_COMMON.read_text('utf-8')}"


def _has_blank_end(text: str) -> bool:
    return bool(text) and (is_blank(text[0]) or is_blank(text[-1]))
