"""The challenges that Cognito may pose before it issues tokens."""

from typing import Any, NamedTuple

from pydantic import ValidationError

from app.exceptions import (
    ChallengeRequiredError,
    NotCognitoError,
    PasskeyRejectedError,
    WrongCodeError,
)
from app.schemas import Tokens


class ChallengeField(NamedTuple):
    """What a challenge asks for."""

    field: str
    """The field of the request to /auth/challenge."""
    name: str | None
    """The name that Cognito has for it; None for the code with which VerifySoftwareToken begins."""
    refused: type[Exception] | None = None
    """What every refusal counts as, if the challenge may begin a sign-in."""


# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RespondToAuthChallenge.html
CHALLENGES = {
    "NEW_PASSWORD_REQUIRED": ChallengeField("newPassword", "NEW_PASSWORD"),
    "SOFTWARE_TOKEN_MFA": ChallengeField("code", "SOFTWARE_TOKEN_MFA_CODE"),
    "EMAIL_OTP": ChallengeField("code", "EMAIL_OTP_CODE", WrongCodeError),
    "MFA_SETUP": ChallengeField("code", None),
    "WEB_AUTHN": ChallengeField("credential", "CREDENTIAL", PasskeyRejectedError),
}
"""The challenges that this service can answer."""


def to_tokens(answer: Any) -> Tokens:
    """Return the tokens in Cognito's answer.

    Raise ChallengeRequiredError if the answer is a challenge, and NotCognitoError if it is neither.
    """
    if challenge := answer.get("ChallengeName"):
        if "Session" not in answer:
            raise NotCognitoError
        needs = [CHALLENGES[challenge].field] if challenge in CHALLENGES else None
        raise ChallengeRequiredError(challenge, answer["Session"], needs)
    try:
        return Tokens.model_validate(answer.get("AuthenticationResult"))
    except ValidationError:
        raise NotCognitoError from None  # pydantic's message quotes the tokens
