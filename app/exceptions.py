"""Every exception that this app defines. Each has a row in errors.py."""


class OriginNotAllowedError(Exception):
    """A request of a page whose origin is neither allowed nor the service's own."""


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


class InvalidCurrentPasswordError(InvalidPasswordError):
    """A password that no account can have, where a person proves to know theirs."""


class WrongCodeError(Exception):
    """A wrong code, or one that we report as wrong."""


class HiddenAccountError(Exception):
    """An account whose state must not be told, with HIDE_EXISTING_ACCOUNTS."""


class InvalidSessionError(Exception):
    """The session of a sign-in that has ended, or was never one that needs a second factor."""


class NameRefusedError(ValueError):
    """A name that the user pool's schema doesn't allow."""


class NoSessionError(Exception):
    """A refresh without the session cookie."""


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


class ReauthenticationRequiredError(Exception):
    """A valid access token of a sign-in that isn't recent, to a route that needs a recent one."""


class ForbiddenError(Exception):
    """A person who lacks the group that a route requires."""


class ServiceNotListedError(Exception):
    """An AWS service that pyproject.toml doesn't list, so that the bundle would lack it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Add {name!r} to aws-services in pyproject.toml")


class KeysUnavailableError(Exception):
    """The user pool's public keys can't be fetched, so no token can be checked."""


class NotCognitoError(Exception):
    """A response that Cognito didn't send, such as a captive portal's page. Nothing was done."""


class AnswerTooLongError(Exception):
    """An answer that is larger than any that we expect. The rest of it was not read."""


class EmailTakenError(Exception):
    """An address that already has an account. The pool's PreSignUp trigger refused another one."""


class EmailNotVerifiedError(Exception):
    """An address that Google hasn't verified. The pool's PreSignUp trigger refused it."""


class RejectedError(Exception):
    """A sign-in with Google that another trigger of the pool refused. The message is Cognito's."""


class SignsInWithGoogleError(Exception):
    """An operation on a password, passkey or second factor, for a user who has only Google."""


class PasswordRequiredError(ValueError):
    """A sign-up without a password, to a user pool in which everybody has one."""


class PasskeyRejectedError(Exception):
    """A passkey that Cognito didn't accept at sign-in, or whose session is over."""


class NoPasskeyError(Exception):
    """An address without a passkey, or a passkey that was deleted."""


class PasskeysNotSetUpError(Exception):
    """A sign-in with a passkey, to an app client without USER_AUTH."""


class GoogleNotSetUpError(Exception):
    """A sign-in with Google, to a service that has no COGNITO_DOMAIN_URL."""


class RedirectNotAllowedError(ValueError):
    """A redirect URI that is not one of REDIRECT_URIS."""


class SignInCancelledError(Exception):
    """The user cancelled at Google."""


class GoogleFailedError(Exception):
    """Google failed, or Cognito couldn't reach it."""


class InvalidGrantError(Exception):
    """An authorization code that is wrong, expired or used, or a verifier of another code."""


class InvalidClientError(Exception):
    """The token endpoint doesn't know the app client, or the client has a secret."""


class UnauthorizedClientError(Exception):
    """The token endpoint doesn't let the app client exchange authorization codes."""


class TokenEndpointBusyError(Exception):
    """The token endpoint throttles requests."""


class TokenEndpointError(Exception):
    """An unusable answer of the token endpoint. Nobody was signed in."""
