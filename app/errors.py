"""What can go wrong, and what the caller is told: one table.

A row is found by a failure's name: for Cognito's errors the shape's name, preceded by the operation
where that changes the meaning; for any other exception its class or the nearest base that has a
row; for what the web framework refuses, its HTTP status.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

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
    field: str | None = None
    """The member of the request that is at fault."""
    wording: Callable[[str], str | None] | None = None
    """Makes Cognito's text fit for the caller, or gives None; nothing is ever decided by it."""

    def body(self, request_id: str, words: str | None = None) -> Failed:
        """What the caller gets; `words` say more than the row can, of its field if it has one."""
        message = words or self.message
        return Failed(
            status_code=self.status,
            code=self.code,
            message=self.message if self.field else message,
            request_id=request_id,
            errors=[FieldError(field=self.field, message=message)] if self.field else None,
        )


def _password_rule(text: str) -> str | None:
    return next((rule for words, rule in _PASSWORD_RULES.items() if words in text), None)


def _trigger_words(text: str) -> str | None:
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

_INVALID_REQUEST = Failure(400, "invalid_request", "The request is not as it should be.")
_INVALID_EMAIL = Failure(400, "invalid_email", "Invalid email address format.", field="email")
_INVALID_PASSWORD = Failure(
    400,
    "invalid_password",
    "Password did not conform with policy.",
    field="password",
    wording=_password_rule,
)
_INVALID_CREDENTIALS = Failure(400, "invalid_credentials", "Incorrect username or password.")
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
        400, "rejected", "The request was rejected.", wording=_trigger_words
    ),
    "InternalErrorException": _UNAVAILABLE,
    "ForbiddenException": _UNAVAILABLE,  # AWS WAF in front of the pool
    "ResourceNotFoundException": _misconfigured(
        "COGNITO_CLIENT_ID is no app client of a user pool in AWS_REGION."
    ),
    "InvalidParameterException": _INVALID_REQUEST,
    "OperationNotEnabledException": _misconfigured("The user pool does not enable this operation."),
    "InvalidLambdaResponseException": _TRIGGER,
    "UnexpectedLambdaException": _TRIGGER,
    "InvalidEmailRoleAccessPolicyException": _EMAIL_ROLE,
    "InvalidSmsRoleAccessPolicyException": _SMS_ROLE,
    "InvalidSmsRoleTrustRelationshipException": _SMS_ROLE,
    # Sign-up
    "UsernameExistsException": _EMAIL_TAKEN,
    "InvalidPasswordException": _INVALID_PASSWORD,
    "InvalidPasswordError": _INVALID_PASSWORD,
    "InvalidEmailError": _INVALID_EMAIL,
    "SignUp.InvalidParameterException": _INVALID_EMAIL,
    "SignUp.NotAuthorizedException": _misconfigured(
        "People may not sign up by themselves: set AdminCreateUserConfig.AllowAdminCreateUserOnly "
        "to false in the user pool, and use an app client without a secret."
    ),
    # Confirmation. An address that nobody has is answered as a wrong code is.
    "CodeMismatchException": _CODE_MISMATCH,
    "ExpiredCodeException": Failure(410, "code_expired", "Expired verification code."),
    "AliasExistsException": _EMAIL_TAKEN,
    "ConfirmSignUp.InvalidEmailError": _CODE_MISMATCH,
    "ConfirmSignUp.InvalidParameterException": _CODE_MISMATCH,
    "ConfirmSignUp.UserNotFoundException": _CODE_MISMATCH,
    "ConfirmSignUp.NotAuthorizedException": Failure(
        409, "already_confirmed", "The account is already confirmed."
    ),
    # Sign-in. One answer for all that could tell whether an account exists.
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
        403, "challenge_required", "One more step is needed to sign in."
    ),
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
    # A route may raise any status with words of its own, which then go before the row's.
    status = HTTPStatus(exc.status_code)
    row = TABLE.get(f"HTTP {status}") or Failure(status, status.name.lower(), status.phrase)
    return row if exc.detail == status.phrase else replace(row, message=str(exc.detail))


def _names(exc: Exception) -> Iterator[str]:
    """By what names a failure may stand in the table, the most telling first."""
    operation = getattr(exc, "operation_name", None)
    if code := cognito_says(exc, "Error", "Code"):
        status = cognito_says(exc, "ResponseMetadata", "HTTPStatusCode")
        yield from (f"{operation}.{code}", code, f"Cognito {status}", f"Cognito {status // 100}xx")
    for base in type(exc).__mro__:
        yield from (f"{operation}.{base.__name__}", base.__name__)


def cognito_says(exc: Exception, part: str, member: str) -> Any:
    """What Cognito's answer says, if the failure is one.

    A botocore ClientError is read by its attributes, so that cognito.py stays the one module that
    knows botocore.
    """
    response = getattr(exc, "response", None)
    return response.get(part, {}).get(member) if isinstance(response, dict) else None


# By its name: FastAPI would build a validator for each mention of the model itself.
_FAILED = {"$ref": "#/components/schemas/Failed"}


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses`: the failures with these codes, by status, with an example of each."""
    rows = {row.code: row for row in TABLE.values()}
    described: dict[int | str, dict[str, Any]] = {}
    for row in sorted((rows[code] for code in codes), key=lambda row: row.status):
        status = described.setdefault(
            row.status,
            {
                "description": HTTPStatus(row.status).phrase,
                "content": {"application/json": {"schema": _FAILED, "examples": {}}},
            },
        )
        example = row.body("7c2d9a52-2f4b-4b4e-9d3f-0a1b2c3d4e5f")
        examples = status["content"]["application/json"]["examples"]
        examples[row.code] = {
            "summary": row.message,
            "value": example.model_dump(by_alias=True, exclude_none=True),
        }
    return described
