"""What can go wrong, and what the caller is told: one table.

A row is found by a failure's name: for Cognito's errors the shape's name, preceded by the operation
where that changes the meaning; for any other exception its class or the nearest base that has a
row; for what the web framework refuses, its HTTP status.
"""

from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

from app.failure import Failure, password_rule, trigger_words

_INVALID_REQUEST = Failure(
    400,
    "invalid_request",
    "The request is not as it should be.",
    example={"errors": [{"field": "email", "message": "Field required"}]},
)
_INVALID_EMAIL = Failure(400, "invalid_email", "Invalid email address format.", member="email")
_INVALID_PASSWORD = Failure(
    400,
    "invalid_password",
    "Password did not conform with policy.",
    member="password",
    wording=password_rule,
)
_INVALID_NEW_PASSWORD = replace(_INVALID_PASSWORD, member="newPassword")
_INVALID_CREDENTIALS = Failure(400, "invalid_credentials", "Incorrect username or password.")
_INVALID_TOKEN = Failure(401, "invalid_token", "Please sign in: the access token is not valid.")
_INVALID_REFRESH_TOKEN = Failure(
    401, "invalid_refresh_token", "Please sign in again: the session is over."
)
_INVALID_SESSION = Failure(
    401, "invalid_session", "Please sign in again: it took too long, or the step was taken already."
)
_MFA_NOT_SET_UP = Failure(409, "mfa_not_set_up", "Set the second factor up first.")
_CODE_MISMATCH = Failure(400, "code_mismatch", "Invalid verification code.")
_EMAIL_TAKEN = Failure(409, "email_taken", "An account with the given email already exists.")
_TOO_MANY = Failure(
    429, "too_many_requests", "Too many requests. Please wait and try again.", retry_after=5
)
_UNAVAILABLE = Failure(
    503, "unavailable", "The service is not available right now. Please try again.", retry_after=5
)
INTERNAL_ERROR = Failure(500, "internal_error", "Something went wrong on our side.")
BAD_EVENT = replace(
    _INVALID_REQUEST, message="The event is no request that API Gateway would send."
)
# Not a failure to the caller, though it was one to Cognito.
DONE = Failure(200, "done", "")


def _misconfigured(mend: str) -> Failure:
    return Failure(
        500,
        "misconfigured",
        "The service is not set up correctly. Its owner must mend it.",
        mend=mend,
    )


_TRIGGER = _misconfigured(
    "A Lambda trigger of the user pool fails or answers wrongly: see the trigger's own log."
)
_EMAIL_ROLE = _misconfigured(
    "Cognito may not use the pool's e-mail sender: check EmailConfiguration's SourceArn, and that "
    "the SES identity's policy lets Cognito send."
)
_SMS_ROLE = _misconfigured(
    "Cognito may not use the pool's SMS role: check SmsConfiguration's SnsCallerArn and "
    "ExternalId, and that the role trusts cognito-idp.amazonaws.com."
)
_MFA = _misconfigured(
    "Enable software token MFA in the user pool: MfaConfiguration OPTIONAL, EnabledMfas "
    "SOFTWARE_TOKEN_MFA."
)

TABLE: dict[str, Failure] = {
    # What the web framework refuses
    "HTTP 400": _INVALID_REQUEST,
    "HTTP 404": Failure(404, "not_found", "There is nothing at this address."),
    "HTTP 405": Failure(405, "method_not_allowed", "This address does not take that method."),
    "HTTP 413": Failure(413, "body_too_large", "The body is larger than 16 KiB."),
    "HTTP 415": Failure(
        415,
        "unsupported_media_type",
        "The body must be JSON: set the header Content-Type: application/json.",
    ),
    "RequestValidationError": _INVALID_REQUEST,
    # Any operation
    "TooManyRequestsException": _TOO_MANY,
    "ThrottlingException": _TOO_MANY,
    # These two are counted by the hour
    "LimitExceededException": replace(_TOO_MANY, retry_after=300),
    "TooManyFailedAttemptsException": replace(_TOO_MANY, retry_after=300),
    "CodeDeliveryFailureException": Failure(
        503, "email_not_sent", "The e-mail could not be sent. Please try again later."
    ),
    "UserLambdaValidationException": Failure(
        400, "rejected", "The request was rejected.", wording=trigger_words
    ),
    "InternalErrorException": _UNAVAILABLE,
    "ForbiddenException": _UNAVAILABLE,  # AWS WAF in front of the pool
    "ResourceNotFoundException": _misconfigured(
        "COGNITO_CLIENT_ID is no app client of a user pool in AWS_REGION."
    ),
    "InvalidParameterException": _INVALID_REQUEST,
    "GetUser.InvalidParameterException": _INVALID_TOKEN,
    "DeleteUser.InvalidParameterException": _INVALID_TOKEN,
    "GlobalSignOut.InvalidParameterException": _INVALID_TOKEN,
    "AssociateSoftwareToken.InvalidParameterException": _INVALID_TOKEN,
    "OperationNotEnabledException": _misconfigured("The user pool does not enable this operation."),
    "InvalidLambdaResponseException": _TRIGGER,
    "UnexpectedLambdaException": _TRIGGER,
    "InvalidEmailRoleAccessPolicyException": _EMAIL_ROLE,
    "InvalidSmsRoleAccessPolicyException": _SMS_ROLE,
    "InvalidSmsRoleTrustRelationshipException": _SMS_ROLE,
    # What an access token is needed for
    "NoTokenError": _INVALID_TOKEN,
    "InvalidTokenError": _INVALID_TOKEN,  # ours, and PyJWT's for all that it refuses
    "NotAuthorizedException": _INVALID_TOKEN,
    "UserNotFoundException": _INVALID_TOKEN,  # the account is gone, and its tokens with it
    "KeysUnavailableError": _UNAVAILABLE,
    # SignUp
    "UsernameExistsException": _EMAIL_TAKEN,
    "AliasExistsException": _EMAIL_TAKEN,
    "InvalidEmailError": _INVALID_EMAIL,
    "InvalidPasswordError": _INVALID_PASSWORD,
    "InvalidPasswordException": _INVALID_PASSWORD,
    "PasswordHistoryPolicyViolationException": _INVALID_PASSWORD,
    "SignUp.InvalidParameterException": replace(
        _INVALID_EMAIL,
        mend="If good addresses are refused, the pool requires attributes besides `email`.",
    ),
    "SignUp.NotAuthorizedException": _misconfigured(
        "People may not sign up by themselves: set AdminCreateUserConfig.AllowAdminCreateUserOnly "
        "to false in the user pool, and use an app client without a secret."
    ),
    # ConfirmSignUp. An address that nobody has is answered as a wrong code is.
    "CodeMismatchException": _CODE_MISMATCH,
    "ExpiredCodeException": Failure(410, "code_expired", "Expired verification code."),
    "ConfirmSignUp.InvalidEmailError": _CODE_MISMATCH,
    "ConfirmSignUp.InvalidParameterException": _CODE_MISMATCH,
    "ConfirmSignUp.UserNotFoundException": _CODE_MISMATCH,
    "ConfirmSignUp.NotAuthorizedException": Failure(
        409, "already_confirmed", "The account is already confirmed."
    ),
    # ResendConfirmationCode and ForgotPassword are done whatever the address, so that nobody learns
    # which ones have accounts: here none has, it is confirmed, or it is disabled. Nor does a limit
    # show, which only an account can come to: 5 e-mails within an hour.
    "ResendConfirmationCode.UserNotFoundException": DONE,
    "ResendConfirmationCode.InvalidParameterException": DONE,
    "ResendConfirmationCode.NotAuthorizedException": DONE,
    "ResendConfirmationCode.LimitExceededException": DONE,
    "ForgotPassword.UserNotFoundException": DONE,
    "ForgotPassword.LimitExceededException": DONE,
    "ForgotPassword.NotAuthorizedException": DONE,
    # ConfirmForgotPassword. Cognito says "expired" also of an account for which no code was asked,
    # and so of none that doesn't exist: one answer for all, or it would tell which addresses do.
    # The same goes for its limit of tries, which only an account can come to.
    "ConfirmForgotPassword.InvalidEmailError": _CODE_MISMATCH,
    "ConfirmForgotPassword.InvalidParameterException": _CODE_MISMATCH,
    "ConfirmForgotPassword.UserNotFoundException": _CODE_MISMATCH,
    "ConfirmForgotPassword.ExpiredCodeException": _CODE_MISMATCH,
    "ConfirmForgotPassword.NotAuthorizedException": _CODE_MISMATCH,
    "ConfirmForgotPassword.LimitExceededException": _CODE_MISMATCH,
    "ConfirmForgotPassword.TooManyFailedAttemptsException": _CODE_MISMATCH,
    "ConfirmForgotPassword.UserNotConfirmedException": _CODE_MISMATCH,
    # ChangePassword, with a token that is good
    "ChangePassword.NotAuthorizedException": _INVALID_CREDENTIALS,
    "ChangePassword.InvalidParameterException": _INVALID_CREDENTIALS,
    "ChangePassword.InvalidPasswordError": _INVALID_NEW_PASSWORD,
    "ChangePassword.InvalidPasswordException": _INVALID_NEW_PASSWORD,
    "ChangePassword.PasswordHistoryPolicyViolationException": _INVALID_NEW_PASSWORD,
    # InitiateAuth. One answer for all that could tell whether an account exists.
    "InitiateAuth.InvalidEmailError": _INVALID_CREDENTIALS,
    "InitiateAuth.NotAuthorizedException": _INVALID_CREDENTIALS,
    "InitiateAuth.UserNotFoundException": _INVALID_CREDENTIALS,
    "InitiateAuth.InvalidParameterException": _misconfigured(
        "Enable ALLOW_USER_PASSWORD_AUTH in the app client's ExplicitAuthFlows."
    ),
    "UserNotConfirmedException": Failure(403, "user_not_confirmed", "User is not confirmed."),
    "PasswordResetRequiredException": Failure(
        403, "password_reset_required", "The password must be reset before signing in."
    ),
    "ChallengeRequiredError": Failure(
        403,
        "challenge_required",
        "One more step is needed to sign in.",
        example={"challenge": "SOFTWARE_TOKEN_MFA", "session": "AYABe...", "needs": ["code"]},
    ),
    # RespondToAuthChallenge
    "UnsupportedChallengeError": Failure(
        400, "unsupported_challenge", "This service has no answer to that challenge."
    ),
    "RespondToAuthChallenge.InvalidEmailError": _INVALID_SESSION,
    "RespondToAuthChallenge.NotAuthorizedException": _INVALID_SESSION,
    "RespondToAuthChallenge.UserNotFoundException": _INVALID_SESSION,
    "RespondToAuthChallenge.InvalidPasswordError": _INVALID_NEW_PASSWORD,
    "RespondToAuthChallenge.InvalidPasswordException": _INVALID_NEW_PASSWORD,
    "RespondToAuthChallenge.PasswordHistoryPolicyViolationException": _INVALID_NEW_PASSWORD,
    # GetTokensFromRefreshToken
    "RefreshTokenReuseException": Failure(
        401, "refresh_token_reused", "The refresh token was used before. Please sign in again."
    ),
    "GetTokensFromRefreshToken.InvalidParameterException": _INVALID_REFRESH_TOKEN,
    "GetTokensFromRefreshToken.NotAuthorizedException": _INVALID_REFRESH_TOKEN,
    "GetTokensFromRefreshToken.UserNotFoundException": _INVALID_REFRESH_TOKEN,
    # RevokeToken. What is no token any more, or never was, needs no revoking.
    # https://datatracker.ietf.org/doc/html/rfc7009#section-2.2
    "RevokeToken.InvalidParameterException": DONE,
    "UnauthorizedException": _INVALID_REFRESH_TOKEN,  # another app client's
    "UnsupportedTokenTypeException": _INVALID_REFRESH_TOKEN,  # an access token, say
    "RevokeToken.UnsupportedOperationException": _misconfigured(
        "Set EnableTokenRevocation in the app client."
    ),
    # The second factor
    "WrongCodeError": _CODE_MISMATCH,
    "EnableSoftwareTokenMFAException": _CODE_MISMATCH,
    "VerifySoftwareToken.InvalidParameterException": _CODE_MISMATCH,
    "ConcurrentModificationException": _UNAVAILABLE,
    "VerifySoftwareToken.SoftwareTokenMFANotFoundException": _MFA_NOT_SET_UP,
    "SetUserMFAPreference.InvalidParameterException": _MFA_NOT_SET_UP,
    "SoftwareTokenMFANotFoundException": _MFA,
    "MFAMethodNotFoundException": _MFA,
    # What a user pool lacks
    "InvalidUserPoolConfigurationException": _misconfigured(
        "The user pool's configuration is invalid: check its MFA and Lambda trigger settings."
    ),
    "UnsupportedOperationException": _misconfigured(
        "The user pool does not support signing in with a password: check the app client's "
        "ExplicitAuthFlows."
    ),
    "FeatureUnavailableInTierException": _misconfigured(
        "The user pool's feature plan lacks what its settings ask for: change UserPoolTier."
    ),
    # Cognito could not be reached, or did not answer as itself
    "ConnectionError": _UNAVAILABLE,
    "HTTPClientError": _UNAVAILABLE,
    "ResponseParserError": _UNAVAILABLE,
    "NotCognitoError": _UNAVAILABLE,
    "Cognito 429": _TOO_MANY,
    "Cognito 403": _UNAVAILABLE,  # AWS WAF's own page
    "Cognito 5xx": _UNAVAILABLE,
    # Anything else is a mistake of ours
    "Exception": INTERNAL_ERROR,
}


def find(exc: Exception) -> Failure:
    """The row for a failure."""
    if not isinstance(exc, HTTPException):
        return next(TABLE[name] for name in _names(exc) if name in TABLE)
    # A route may raise any status, with words of its own, which then go before the row's.
    known = {status.value: status for status in HTTPStatus}.get(exc.status_code)
    name, phrase = (known.name.lower(), known.phrase) if known else ("error", "Error")
    row = TABLE.get(f"HTTP {exc.status_code}") or Failure(exc.status_code, name, phrase)
    return row if exc.detail in ("", phrase) else replace(row, message=str(exc.detail))


def _names(exc: Exception) -> Iterator[str]:
    """By what names a failure may stand in the table, the most telling first."""
    operation = getattr(exc, "operation_name", None)
    if code := cognito_says(exc, "Error", "Code"):
        status = cognito_says(exc, "ResponseMetadata", "HTTPStatusCode") or 0
        yield from (f"{operation}.{code}", code, f"Cognito {status}", f"Cognito {status // 100}xx")
    for base in type(exc).__mro__:
        yield from (f"{operation}.{base.__name__}", base.__name__)


def cognito_says(exc: Exception, part: str, member: str) -> Any:
    """What Cognito's answer says, if the failure is one.

    A botocore ClientError is read by its attributes, so that client.py stays the one module that
    knows botocore.
    """
    response = getattr(exc, "response", None)
    return response.get(part, {}).get(member) if isinstance(response, dict) else None
