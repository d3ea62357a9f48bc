"""What no user pool takes: Cognito isn't asked, as its answer wouldn't say what it means."""

import re

# What an <input type=email> accepts, but with a dot in the domain, as Cognito wants one.
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")

# What every pool asks of a password, whatever its policy: 6 characters or more, none of the first
# and the last a blank, and all on one line.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html
_SHORTEST_PASSWORD = 6
_PASSWORD = re.compile(r"\S[^\n\r\x85\u2028\u2029]*\S", re.ASCII)


class InvalidEmailError(ValueError):
    """Not an e-mail address, so no account can have it: Cognito isn't asked."""

    def __init__(self, operation_name: str) -> None:
        self.operation_name = operation_name


class InvalidPasswordError(ValueError):
    """A password that no pool can take; the text is in the words of Cognito's own answer."""

    def __init__(self, operation_name: str, text: str) -> None:
        super().__init__(text)
        self.operation_name = operation_name


def check_email(email: str, operation_name: str) -> None:
    """Raise InvalidEmailError for what is no e-mail address."""
    if not _EMAIL.fullmatch(email):
        raise InvalidEmailError(operation_name)


def check_password(password: str, operation_name: str) -> None:
    """Raise InvalidPasswordError for what no pool takes as a new password."""
    if len(password) < _SHORTEST_PASSWORD:
        raise InvalidPasswordError(operation_name, "Password not long enough")
    if not _PASSWORD.fullmatch(password):
        raise InvalidPasswordError(operation_name, "Password must not start or end with a blank")
