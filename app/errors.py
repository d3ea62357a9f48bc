"""The table of failures: for each exception, what the caller is told.

Its keys are HTTP statuses, exception classes, the names of Cognito's errors, and "Cognito 429" or
"Cognito 5xx" for all other errors with such a status. A class's row also serves its subclasses. An
operation's name before a class or an error makes a row for that operation alone. "AWS" stands
before the errors and statuses of all other services, which your own routes may use.
exception_handlers.py finds rows.
"""

from dataclasses import replace

from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import (
    CredentialRetrievalError,
    DataNotFoundError,
    HTTPClientError,
    NoCredentialsError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError
from fastapi.exceptions import RequestValidationError
from urllib3.exceptions import HTTPError

from app import exceptions as ours
from app.failure import UNSENT, Failure, password_rule, trigger_message

Key = int | str | type[BaseException] | tuple[str, type[BaseException]]

_INVALID_REQUEST = Failure(
    400,
    "invalid_request",
    "The request is not as it should be.",
    example={"errors": [{"field": "email", "message": "Field required"}]},
)
_INVALID_EMAIL = Failure(400, "invalid_email", "Invalid email address format.", field="email")
_INVALID_PASSWORD = Failure(
    400,
    "invalid_password",
    "Password did not conform with policy.",
    field="password",
    detail=password_rule,
)
_INVALID_NEW_PASSWORD = replace(_INVALID_PASSWORD, field="newPassword")
_INVALID_CREDENTIALS = Failure(400, "invalid_credentials", "Incorrect username or password.")
_INVALID_TOKEN = Failure(401, "invalid_token", "Please sign in: the access token is not valid.")
_FORBIDDEN = Failure(403, "forbidden", "You are not allowed to do this.")
_INVALID_REFRESH_TOKEN = Failure(
    401, "invalid_refresh_token", "Please sign in again: the session is over."
)
_INVALID_SESSION = Failure(
    401, "invalid_session", "Please sign in again: it took too long, or the step was taken already."
)
_MFA_NOT_SET_UP = Failure(409, "mfa_not_set_up", "Set the second factor up first.")
_CODE_MISMATCH = Failure(400, "code_mismatch", "Invalid verification code.")
_EMAIL_TAKEN = Failure(409, "email_taken", "An account with the given email already exists.")
_REJECTED = Failure(400, "rejected", "The request was rejected.", detail=trigger_message)
_TOO_MANY = Failure(
    429, "too_many_requests", "Too many requests. Please wait and try again.", retry_after=5
)
_UNAVAILABLE = Failure(
    503, "unavailable", "The service is not available right now. Please try again.", retry_after=5
)
_NOT_COGNITO = replace(
    _UNAVAILABLE,
    remedy="Something other than Cognito answered. But if `cause` names an error of Cognito, it is "
    "new: add it to the table in app/errors.py.",
)
INTERNAL_ERROR = Failure(500, "internal_error", "Something went wrong on our side.")
BAD_EVENT = replace(
    _INVALID_REQUEST, message="The event is not a request that API Gateway would send."
)
# Cognito failed, but the caller is answered 200.
DONE = Failure(200, "done", "")


def _misconfigured(remedy: str) -> Failure:
    return Failure(
        500,
        "misconfigured",
        "The service is not set up correctly. Its owner must fix it.",
        remedy=remedy,
    )


_TRIGGER = _misconfigured(
    "A Lambda trigger of the user pool fails or answers wrongly: see the trigger's own log."
)
_EMAIL_ROLE = _misconfigured(
    "Cognito is not allowed to use the pool's e-mail sender: check EmailConfiguration's SourceArn, "
    "and that the SES identity's policy lets Cognito send."
)
_SMS_ROLE = _misconfigured(
    "Cognito is not allowed to use the pool's SMS role: check SmsConfiguration's SnsCallerArn and "
    "ExternalId, and that the role trusts cognito-idp.amazonaws.com."
)
_NOT_ALLOWED = _misconfigured(
    "The function's role may not do this: add the action to the function's Policies in "
    "infra/template.yaml."
)
_NO_RESOURCE = _misconfigured(
    "The table, bucket or other resource doesn't exist in AWS_REGION: check its name in the "
    "function's environment."
)
_NO_CREDENTIALS = _misconfigured(
    "AWS refused the credentials, or there are none. On Lambda they are the role's; on your "
    "machine `make run` sets some for the local services."
)
_PASSKEYS_NOT_SET_UP = Failure(
    409,
    "passkeys_not_set_up",
    "This service has no passkeys.",
    remedy="Deploy with PasskeyDomain, or set the user pool's relying party, WEB_AUTHN among its "
    "AllowedFirstAuthFactors, and ALLOW_USER_AUTH in the app client.",
)
_PASSKEY_REJECTED = Failure(
    400, "passkey_rejected", "The passkey was not accepted, or it took too long. Please try again."
)
_FOREIGN_PASSKEY = replace(
    _PASSKEY_REJECTED,
    remedy="The page isn't of the user pool's relying party: PasskeyDomain must be the page's "
    "domain, or one that it is part of.",
)
_NO_PASSKEY = Failure(404, "passkey_not_found", "No passkey was found.")
_TOO_MANY_PASSKEYS = Failure(
    409,
    "too_many_passkeys",
    "This account has 20 passkeys, the most allowed. Remove one first.",
)
_MFA = _misconfigured(
    "Enable software token MFA in the user pool: MfaConfiguration OPTIONAL or ON, EnabledMfas "
    "SOFTWARE_TOKEN_MFA."
)

TABLE: dict[Key, Failure] = {
    # HTTP statuses that FastAPI and routes raise
    400: _INVALID_REQUEST,
    403: _FORBIDDEN,
    404: Failure(404, "not_found", "There is nothing at this address."),
    405: Failure(405, "method_not_allowed", "This address does not take that method."),
    413: Failure(413, "body_too_large", "The body is larger than 16 KiB."),
    415: Failure(
        415,
        "unsupported_media_type",
        "The body must be JSON: set the header Content-Type: application/json.",
    ),
    RequestValidationError: _INVALID_REQUEST,
    ours.OriginNotAllowedError: Failure(
        403,
        "origin_not_allowed",
        "Pages of this origin may not call the service.",
        remedy="If the page is yours, add this origin to ALLOWED_ORIGINS. A page that was opened "
        "as a file has the origin null, which can't be allowed: serve it over HTTP. A call "
        "without an origin, such as curl's, can't use a session's cookie.",
    ),
    # Any operation
    "TooManyRequestsException": _TOO_MANY,
    "ThrottlingException": _TOO_MANY,
    # Cognito counts these two by the hour
    "LimitExceededException": replace(_TOO_MANY, retry_after=300),
    "TooManyFailedAttemptsException": replace(_TOO_MANY, retry_after=300),
    "CodeDeliveryFailureException": Failure(
        503, UNSENT, "The e-mail could not be sent. Please try again later."
    ),
    "UserLambdaValidationException": _REJECTED,
    "InternalErrorException": _UNAVAILABLE,
    "ForbiddenException": _UNAVAILABLE,  # AWS WAF in front of the pool
    "ResourceNotFoundException": _misconfigured(
        "COGNITO_CLIENT_ID is not an app client of a user pool in AWS_REGION."
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
    # Operations that take an access token
    ours.MissingTokenError: _INVALID_TOKEN,
    ours.InvalidTokenError: _INVALID_TOKEN,
    ours.ReauthenticationRequiredError: Failure(
        403, "reauthentication_required", "Please sign in again first."
    ),
    ours.ForbiddenError: _FORBIDDEN,
    "NotAuthorizedException": _INVALID_TOKEN,
    "UserNotFoundException": _INVALID_TOKEN,  # the account was deleted
    ours.KeysUnavailableError: _UNAVAILABLE,
    # SignUp
    "UsernameExistsException": _EMAIL_TAKEN,
    "AliasExistsException": _EMAIL_TAKEN,
    ours.InvalidEmailError: _INVALID_EMAIL,
    ours.InvalidPasswordError: _INVALID_PASSWORD,
    ours.InvalidCurrentPasswordError: _INVALID_PASSWORD,
    "InvalidPasswordException": _INVALID_PASSWORD,
    "PasswordHistoryPolicyViolationException": _INVALID_PASSWORD,
    "SignUp.InvalidParameterException": replace(
        _INVALID_EMAIL,
        remedy="If valid addresses are refused, the pool requires attributes other than `email`.",
    ),
    ours.PasswordRequiredError: replace(
        _INVALID_REQUEST,
        field="password",
        detail=lambda _: "Field required",
        remedy="To let people sign up without a password, allow EMAIL_OTP in the user pool's "
        "SignInPolicy: deploy with SenderArn.",
    ),
    "SignUp.NotAuthorizedException": _misconfigured(
        "The user pool doesn't let people sign up: set AllowAdminCreateUserOnly to false in its "
        "AdminCreateUserConfig, and use an app client without a secret."
    ),
    # ConfirmSignUp. An unknown address gets the answer of a wrong code.
    "CodeMismatchException": _CODE_MISMATCH,
    "ExpiredCodeException": Failure(410, "code_expired", "Expired verification code."),
    ("ConfirmSignUp", ours.InvalidEmailError): _CODE_MISMATCH,
    "ConfirmSignUp.InvalidParameterException": _CODE_MISMATCH,
    "ConfirmSignUp.UserNotFoundException": _CODE_MISMATCH,
    "ConfirmSignUp.NotAuthorizedException": Failure(
        409, "already_confirmed", "The account is already confirmed."
    ),
    # ResendConfirmationCode and ForgotPassword succeed for every address, so that nobody learns
    # which ones have accounts: here the account doesn't exist, is confirmed, or is disabled. The
    # limit of 5 e-mails within an hour is hidden too, because only an account can reach it.
    "ResendConfirmationCode.UserNotFoundException": DONE,
    "ResendConfirmationCode.InvalidParameterException": DONE,
    "ResendConfirmationCode.NotAuthorizedException": DONE,
    "ResendConfirmationCode.LimitExceededException": DONE,
    "ForgotPassword.UserNotFoundException": DONE,
    "ForgotPassword.LimitExceededException": DONE,
    "ForgotPassword.NotAuthorizedException": DONE,
    # ConfirmForgotPassword. One answer for all of these, or they would reveal which addresses have
    # accounts: Cognito answers "expired", and limits the tries, only for existing accounts.
    ("ConfirmForgotPassword", ours.InvalidEmailError): _CODE_MISMATCH,
    "ConfirmForgotPassword.InvalidParameterException": _CODE_MISMATCH,
    "ConfirmForgotPassword.UserNotFoundException": _CODE_MISMATCH,
    "ConfirmForgotPassword.ExpiredCodeException": _CODE_MISMATCH,
    "ConfirmForgotPassword.NotAuthorizedException": _CODE_MISMATCH,
    "ConfirmForgotPassword.LimitExceededException": _CODE_MISMATCH,
    "ConfirmForgotPassword.TooManyFailedAttemptsException": _CODE_MISMATCH,
    "ConfirmForgotPassword.UserNotConfirmedException": _CODE_MISMATCH,
    # ChangePassword, with a valid access token
    "ChangePassword.NotAuthorizedException": _INVALID_CREDENTIALS,
    "ChangePassword.InvalidParameterException": _INVALID_CREDENTIALS,
    ("ChangePassword", ours.InvalidCurrentPasswordError): replace(
        _INVALID_PASSWORD, field="currentPassword"
    ),
    ("ChangePassword", ours.InvalidPasswordError): _INVALID_NEW_PASSWORD,
    "ChangePassword.InvalidPasswordException": _INVALID_NEW_PASSWORD,
    "ChangePassword.PasswordHistoryPolicyViolationException": _INVALID_NEW_PASSWORD,
    # UpdateUserAttributes, with a valid access token, and VerifyUserAttribute
    "UpdateUserAttributes.NotAuthorizedException": _misconfigured(
        "People can't change this attribute: let the app client write `name` and `email` "
        "(WriteAttributes)."
    ),
    ours.NameRefusedError: replace(
        _INVALID_REQUEST,
        field="name",
        remedy="If every name is refused, let the user pool's schema change `name` (Mutable).",
    ),
    "UpdateUserAttributes.InvalidParameterException": _INVALID_EMAIL,
    "VerifyUserAttribute.InvalidParameterException": _CODE_MISMATCH,
    # InitiateAuth. One answer for everything that could reveal whether an account exists.
    ("InitiateAuth", ours.InvalidEmailError): _INVALID_CREDENTIALS,
    "InitiateAuth.NotAuthorizedException": _INVALID_CREDENTIALS,
    "InitiateAuth.UserNotFoundException": _INVALID_CREDENTIALS,
    ours.HiddenAccountError: _INVALID_CREDENTIALS,
    "InitiateAuth.InvalidParameterException": _misconfigured(
        "Enable ALLOW_USER_PASSWORD_AUTH in the app client's ExplicitAuthFlows."
    ),
    "UserNotConfirmedException": Failure(403, "user_not_confirmed", "User is not confirmed."),
    "PasswordResetRequiredException": Failure(
        403, "password_reset_required", "The password must be reset before signing in."
    ),
    ours.ChallengeRequiredError: Failure(
        403,
        "challenge_required",
        "One more step is needed to sign in.",
        example={"challenge": "SOFTWARE_TOKEN_MFA", "session": "AYABe...", "needs": ["code"]},
    ),
    # RespondToAuthChallenge, and the two operations that set up a second factor at sign-in
    ours.InvalidSessionError: _INVALID_SESSION,
    ours.UnsupportedChallengeError: Failure(
        400, "unsupported_challenge", "This service has no answer to that challenge."
    ),
    ("RespondToAuthChallenge", ours.InvalidEmailError): _INVALID_SESSION,
    "RespondToAuthChallenge.NotAuthorizedException": _INVALID_SESSION,
    "RespondToAuthChallenge.UserNotFoundException": _INVALID_SESSION,
    ("RespondToAuthChallenge", ours.InvalidPasswordError): _INVALID_NEW_PASSWORD,
    "RespondToAuthChallenge.InvalidPasswordException": _INVALID_NEW_PASSWORD,
    "RespondToAuthChallenge.PasswordHistoryPolicyViolationException": _INVALID_NEW_PASSWORD,
    # GetTokensFromRefreshToken
    "RefreshTokenReuseException": Failure(
        401, "refresh_token_reused", "The refresh token was used before. Please sign in again."
    ),
    "GetTokensFromRefreshToken.InvalidParameterException": _INVALID_REFRESH_TOKEN,
    "GetTokensFromRefreshToken.NotAuthorizedException": _INVALID_REFRESH_TOKEN,
    "GetTokensFromRefreshToken.UserNotFoundException": _INVALID_REFRESH_TOKEN,
    ours.NoSessionError: _INVALID_REFRESH_TOKEN,
    # RevokeToken. An invalid token needs no revoking.
    # https://datatracker.ietf.org/doc/html/rfc7009#section-2.2
    "RevokeToken.InvalidParameterException": DONE,
    "UnauthorizedException": _INVALID_REFRESH_TOKEN,  # the token of another app client
    "UnsupportedTokenTypeException": _INVALID_REFRESH_TOKEN,  # for example an access token
    "RevokeToken.UnsupportedOperationException": _misconfigured(
        "Set EnableTokenRevocation in the app client."
    ),
    # The second factor
    ours.WrongCodeError: _CODE_MISMATCH,
    "EnableSoftwareTokenMFAException": _CODE_MISMATCH,
    "VerifySoftwareToken.InvalidParameterException": _CODE_MISMATCH,
    "ConcurrentModificationException": _UNAVAILABLE,
    "VerifySoftwareToken.SoftwareTokenMFANotFoundException": _MFA_NOT_SET_UP,
    "SetUserMFAPreference.InvalidParameterException": _MFA_NOT_SET_UP,
    "SoftwareTokenMFANotFoundException": _MFA,
    "MFAMethodNotFoundException": _MFA,
    # Passkeys
    "WebAuthnNotEnabledException": _PASSKEYS_NOT_SET_UP,
    "WebAuthnConfigurationMissingException": _PASSKEYS_NOT_SET_UP,
    ours.PasskeysNotSetUpError: _PASSKEYS_NOT_SET_UP,
    "WebAuthnChallengeNotFoundException": _PASSKEY_REJECTED,
    "WebAuthnClientMismatchException": _PASSKEY_REJECTED,
    "WebAuthnRelyingPartyMismatchException": _FOREIGN_PASSKEY,
    "WebAuthnOriginNotAllowedException": _FOREIGN_PASSKEY,
    "WebAuthnCredentialNotSupportedException": Failure(
        400, "passkey_not_supported", "This kind of passkey is not supported. Please try another."
    ),
    "StartWebAuthnRegistration.LimitExceededException": _TOO_MANY_PASSKEYS,
    "CompleteWebAuthnRegistration.LimitExceededException": _TOO_MANY_PASSKEYS,
    "CompleteWebAuthnRegistration.InvalidParameterException": _PASSKEY_REJECTED,
    "StartWebAuthnRegistration.InvalidParameterException": _INVALID_TOKEN,
    "ListWebAuthnCredentials.InvalidParameterException": _INVALID_TOKEN,
    "GetUserAuthFactors.InvalidParameterException": _INVALID_TOKEN,
    "DeleteWebAuthnCredential.InvalidParameterException": _NO_PASSKEY,
    "DeleteWebAuthnCredential.ResourceNotFoundException": _NO_PASSKEY,
    ours.NoPasskeyError: _NO_PASSKEY,
    ours.PasskeyRejectedError: _PASSKEY_REJECTED,
    # Sign-in with Google
    ours.GoogleNotSetUpError: Failure(
        409, "google_not_set_up", "This service has no sign-in with Google."
    ),
    ours.RedirectNotAllowedError: Failure(
        400, "redirect_not_allowed", "The redirect URI is not one of REDIRECT_URIS."
    ),
    ours.SignInCancelledError: Failure(
        400, "sign_in_cancelled", "The sign-in with Google was cancelled."
    ),
    ours.EmailTakenError: _EMAIL_TAKEN,
    ours.EmailNotVerifiedError: Failure(
        403, "email_not_verified", "Google has not verified this e-mail address."
    ),
    ours.RejectedError: _REJECTED,
    ours.GoogleFailedError: Failure(
        502, "google_failed", "The sign-in with Google failed. Please try again."
    ),
    ours.SignsInWithGoogleError: Failure(
        409,
        "signs_in_with_google",
        "This account signs in with Google. It has no password, passkey or second factor here.",
    ),
    ours.InvalidGrantError: _INVALID_SESSION,
    ours.InvalidClientError: _misconfigured(
        "COGNITO_DOMAIN_URL is not the domain of the user pool to which COGNITO_CLIENT_ID belongs, "
        "or that app client has a secret: use one without (GenerateSecret false)."
    ),
    ours.UnauthorizedClientError: _misconfigured(
        "Set AllowedOAuthFlowsUserPoolClient to true and AllowedOAuthFlows to code in the app "
        "client."
    ),
    ours.TokenEndpointBusyError: _TOO_MANY,
    ours.TokenEndpointError: _UNAVAILABLE,
    # The user pool's configuration
    "InvalidUserPoolConfigurationException": _misconfigured(
        "The user pool's configuration is invalid: check its MFA and Lambda trigger settings."
    ),
    "UnsupportedOperationException": _misconfigured(
        "The user pool does not support signing in with a password: check the app client's "
        "ExplicitAuthFlows."
    ),
    "FeatureUnavailableInTierException": _misconfigured(
        "The user pool's settings need a higher feature plan: change UserPoolTier."
    ),
    # Cognito can't be reached, or something else answered
    HTTPError: _UNAVAILABLE,
    ours.AnswerTooLongError: _UNAVAILABLE,
    ours.NotCognitoError: _UNAVAILABLE,
    "Cognito 429": _TOO_MANY,
    "Cognito 403": _UNAVAILABLE,  # AWS WAF's page
    "Cognito 3xx": _NOT_COGNITO,
    "Cognito 4xx": _NOT_COGNITO,
    "Cognito 5xx": _UNAVAILABLE,
    # Other AWS services, which your own routes may use
    BotocoreConnectionError: _UNAVAILABLE,
    HTTPClientError: _UNAVAILABLE,
    ResponseParserError: _UNAVAILABLE,
    "AWS ThrottlingException": _TOO_MANY,
    "AWS ProvisionedThroughputExceededException": _TOO_MANY,
    "AWS RequestLimitExceeded": _TOO_MANY,
    "AWS 429": _TOO_MANY,
    "AWS 5xx": _UNAVAILABLE,
    "AWS AccessDenied": _NOT_ALLOWED,
    "AWS AccessDeniedException": _NOT_ALLOWED,
    "AWS ResourceNotFoundException": _NO_RESOURCE,
    "AWS NoSuchBucket": _NO_RESOURCE,
    "AWS 3xx": _NO_RESOURCE,
    "AWS 401": _NO_CREDENTIALS,
    "AWS 403": _NO_CREDENTIALS,
    "AWS UnrecognizedClientException": _NO_CREDENTIALS,
    "AWS ExpiredTokenException": _NO_CREDENTIALS,
    "AWS ExpiredToken": _NO_CREDENTIALS,
    "AWS 4xx": INTERNAL_ERROR,
    NoCredentialsError: _NO_CREDENTIALS,
    CredentialRetrievalError: _NO_CREDENTIALS,
    ProfileNotFound: _NO_CREDENTIALS,
    DataNotFoundError: _misconfigured(
        "The bundle lacks an AWS service: list it in aws-services in pyproject.toml, take its "
        "client from aws_client() in app/services.py, and deploy again."
    ),
    ours.ServiceNotListedError: _misconfigured(
        "List the AWS service in aws-services in pyproject.toml."
    ),
    # Everything else is a bug
    Exception: INTERNAL_ERROR,
}
