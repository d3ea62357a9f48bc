"""Every exception that this app defines. Each has a row in errors.py."""


class InvalidEmailError(ValueError):
    """A string that is not an e-mail address. Cognito was not asked."""

    def __init__(self, operation_name: str) -> None:
        self.operation_name = operation_name


class InvalidPasswordError(ValueError):
    """A new password that every user pool refuses. Cognito was not asked.

    The message has Cognito's wording, so that `password_rule` can read both.
    """

    def __init__(self, operation_name: str, message: str) -> None:
        super().__init__(message)
        self.operation_name = operation_name


class WrongCodeError(Exception):
    """A wrong code, or one that we report as wrong."""


class UnsupportedChallengeError(ValueError):
    """A challenge that this service can't answer."""


class ChallengeRequiredError(Exception):
    """Cognito accepted the credentials and asks for one more step before it issues tokens."""

    def __init__(self, challenge: str, session: str, needs: list[str] | None) -> None:
        super().__init__(challenge)
        self.challenge = challenge
        self.session = session
        self.needs = needs
        """The fields that /auth/challenge takes; None if this service can't answer."""


class MissingTokenError(Exception):
    """A request without an access token, to a route that needs one."""


class InvalidTokenError(Exception):
    """An access token that is malformed, expired, revoked, or for somebody else."""


class KeysUnavailableError(Exception):
    """The user pool's public keys can't be fetched, so no token can be checked."""


class NotCognitoError(Exception):
    """A response that Cognito didn't send, such as a captive portal's page. Nothing was done."""
