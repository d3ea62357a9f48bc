"""Read and check what people type: addresses and codes."""

import re

from app.exceptions import InvalidEmailError

# What <input type=email> accepts, except that Cognito requires a dot in the domain.
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")

# AWS doesn't say which characters are blanks. These are as well as those of str.isspace(): fillers
# of Hangul, the empty pattern of Braille, and characters without a width. Nobody can see them.
_FILLERS = "\u115f\u1160\u180e\u200b\u200c\u200d\u2060\u2800\u3164\ufeff\uffa0"
# Unicode's dashes (category Pd), the minus signs, the soft hyphen, and the long vowel marks that
# Japanese and Korean keyboards offer for them.
_HYPHENS = (
    "-\u00ad\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u207b\u208b\u2212\u2e17\u2e1a"
    "\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\u30fc\u3161\ufe31\ufe32\ufe58\ufe63\uff0d\uff70"
    "\U00010d6e\U00010ead"
)


def validate_email(email: str, operation_name: str) -> None:
    """Raise InvalidEmailError if `email` is not a valid address."""
    if not _EMAIL.fullmatch(email):
        raise InvalidEmailError(operation_name)


def to_code(typed: object) -> object:
    """Return a code as Cognito sent it, from what a person typed.

    People type blanks and hyphens between digits, and digits of other alphabets, such as full-width
    ones. Anything but a string is returned as it is.
    """
    if not isinstance(typed, str) or (typed.isascii() and typed.isdigit()):
        return typed
    kept = (each for each in typed if not is_blank(each) and each not in _HYPHENS)
    return "".join(str(int(each)) if each.isdecimal() else each for each in kept)


def is_blank(character: str) -> bool:
    """Return whether nobody can see a character."""
    return character.isspace() or character in _FILLERS
