"""Read and check what people type: addresses and codes."""

import re

from app.exceptions import InvalidEmailError

# What <input type=email> accepts, except that Cognito requires a dot in the domain.
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")

# AWS doesn't say which characters are blanks. Nobody can see these either: fillers of Hangul, and
# the empty pattern of Braille.
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
# Besides Unicode's dashes: the minus signs, the hyphen bullet, a line for boxes, and the long vowel
# marks that Japanese and Korean keyboards offer for them.
_HYPHENS = "\u02d7\u2043\u207b\u208b\u2212\u2500\u30fc\u3161\uff70"


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
    kept = (each for each in typed if not is_blank(each) and not _is_hyphen(each))
    return "".join(str(int(each)) if each.isdecimal() else each for each in kept)


def is_blank(character: str) -> bool:
    """Return whether nobody can see a character: a space, a control, or one without a width."""
    if character.isascii():
        return not "!" <= character <= "~"
    return character in _FILLERS or _category(character) in ("Cc", "Cf", "Zl", "Zp", "Zs")


def _is_hyphen(character: str) -> bool:
    return character == "-" or character in _HYPHENS or _category(character) == "Pd"


def _category(character: str) -> str:
    """Return Unicode's general category of a character that isn't ASCII."""
    import unicodedata  # noqa: PLC0415 - few people type such a character: not at start-up

    return unicodedata.category(character)
