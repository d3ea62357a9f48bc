"""The table of failures: it has every error that Cognito can raise, and keeps the contract."""

import re
from pathlib import Path

import botocore.exceptions
import botocore.session
import jwt
import pytest
from botocore.exceptions import ClientError
from starlette.exceptions import HTTPException

from app import cognito, exceptions
from app.errors import TABLE
from app.exception_handlers import find_failure

MODEL = botocore.session.get_session().get_service_model("cognito-idp")
CALLED = set(re.findall(r"self\._client\.(\w+)\(", Path(cognito.__file__).read_text()))
OPERATIONS = sorted(name for name in MODEL.operation_names if botocore.xform_name(name) in CALLED)
SHAPES = [
    (operation, shape.name)
    for operation in OPERATIONS
    for shape in MODEL.operation_model(operation).error_shapes
]


def raised(operation: str, code: str, status: int = 400) -> ClientError:
    """Return an error as botocore raises it."""
    error = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, operation)  # type: ignore[arg-type]


def test_every_called_operation_is_checked() -> None:
    """The tests below cover every operation that cognito.py calls."""
    assert "SignUp" in OPERATIONS
    assert len(OPERATIONS) == len(CALLED - {"close"})


@pytest.mark.parametrize(("operation", "shape"), SHAPES)
def test_every_error_shape_has_a_row(operation: str, shape: str) -> None:
    """An error that is new in botocore's model must not become a 500 by default."""
    listed = f"{operation}.{shape}" in TABLE or shape in TABLE
    assert listed, f"Add {shape} to the table in app/errors.py"
    assert find_failure(raised(operation, shape)).code != "internal_error"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_with_an_access_token_maps_invalid_parameters(operation: str) -> None:
    """Cognito reports a malformed token as an invalid parameter, like any other field."""
    key = f"{operation}.InvalidParameterException"
    takes = MODEL.operation_model(operation).input_shape
    if takes and "AccessToken" in takes.members:
        assert key in TABLE, f"Add {key} to the table in app/errors.py"


@pytest.mark.parametrize(
    ("operation", "shape", "status", "code"),
    [
        ("SignUp", "UsernameExistsException", 409, "email_taken"),
        ("SignUp", "InvalidPasswordException", 400, "invalid_password"),
        ("SignUp", "InvalidParameterException", 400, "invalid_email"),
        ("ResendConfirmationCode", "UserNotFoundException", 200, "done"),
        ("ResendConfirmationCode", "InvalidParameterException", 200, "done"),
        ("ForgotPassword", "UserNotFoundException", 200, "done"),
        ("ForgotPassword", "LimitExceededException", 200, "done"),
        ("ConfirmForgotPassword", "CodeMismatchException", 400, "code_mismatch"),
        ("ConfirmForgotPassword", "ExpiredCodeException", 400, "code_mismatch"),
        ("ConfirmForgotPassword", "UserNotFoundException", 400, "code_mismatch"),
        ("ConfirmForgotPassword", "InvalidPasswordException", 400, "invalid_password"),
        ("GetTokensFromRefreshToken", "RefreshTokenReuseException", 401, "refresh_token_reused"),
        ("GetTokensFromRefreshToken", "NotAuthorizedException", 401, "invalid_refresh_token"),
        ("RevokeToken", "UnsupportedOperationException", 500, "misconfigured"),
        ("ChangePassword", "NotAuthorizedException", 400, "invalid_credentials"),
        ("GetUser", "NotAuthorizedException", 401, "invalid_token"),
        ("DeleteUser", "UserNotFoundException", 401, "invalid_token"),
        ("RespondToAuthChallenge", "CodeMismatchException", 400, "code_mismatch"),
        ("RespondToAuthChallenge", "ExpiredCodeException", 410, "code_expired"),
        ("RespondToAuthChallenge", "NotAuthorizedException", 401, "invalid_session"),
        ("VerifySoftwareToken", "EnableSoftwareTokenMFAException", 400, "code_mismatch"),
        ("SetUserMFAPreference", "InvalidParameterException", 409, "mfa_not_set_up"),
        ("SignUp", "CodeDeliveryFailureException", 503, "email_not_sent"),
        ("SignUp", "LimitExceededException", 429, "too_many_requests"),
        ("SignUp", "NotAuthorizedException", 500, "misconfigured"),
        ("ConfirmSignUp", "CodeMismatchException", 400, "code_mismatch"),
        ("ConfirmSignUp", "UserNotFoundException", 400, "code_mismatch"),
        ("ConfirmSignUp", "ExpiredCodeException", 410, "code_expired"),
        ("ConfirmSignUp", "NotAuthorizedException", 409, "already_confirmed"),
        ("ConfirmSignUp", "AliasExistsException", 409, "email_taken"),
        ("ConfirmSignUp", "TooManyFailedAttemptsException", 429, "too_many_requests"),
        ("InitiateAuth", "NotAuthorizedException", 400, "invalid_credentials"),
        ("InitiateAuth", "UserNotFoundException", 400, "invalid_credentials"),
        ("InitiateAuth", "UserNotConfirmedException", 403, "user_not_confirmed"),
        ("InitiateAuth", "PasswordResetRequiredException", 403, "password_reset_required"),
        ("InitiateAuth", "InvalidParameterException", 500, "misconfigured"),
        ("InitiateAuth", "ResourceNotFoundException", 500, "misconfigured"),
        ("InitiateAuth", "TooManyRequestsException", 429, "too_many_requests"),
        ("InitiateAuth", "UserLambdaValidationException", 400, "rejected"),
        ("InitiateAuth", "UnexpectedLambdaException", 500, "misconfigured"),
        ("InitiateAuth", "InternalErrorException", 503, "unavailable"),
        ("InitiateAuth", "ForbiddenException", 503, "unavailable"),
    ],
)
def test_the_contract(operation: str, shape: str, status: int, code: str) -> None:
    """Each error gets the status and code of the contract."""
    row = find_failure(raised(operation, shape))
    assert (row.status, row.code) == (status, code)


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("503", 503, "unavailable"),  # an unnamed error, from a load balancer
        ("SomethingNew", 500, "unavailable"),
        ("429", 429, "too_many_requests"),
        ("ThrottlingException", 400, "too_many_requests"),
        ("403", 403, "unavailable"),
        ("SomethingNew", 400, "unavailable"),
        ("404", 404, "unavailable"),
        ("302", 302, "unavailable"),
    ],
)
def test_an_error_that_is_not_in_the_model(code: str, status: int, told: str) -> None:
    """AWS also returns errors that are common to all its services."""
    assert find_failure(raised("SignUp", code, status)).code == told


@pytest.mark.parametrize(
    "kind",
    [
        botocore.exceptions.EndpointConnectionError,
        botocore.exceptions.ConnectTimeoutError,
        botocore.exceptions.ReadTimeoutError,
        botocore.exceptions.ConnectionClosedError,
        botocore.exceptions.ProxyConnectionError,
        botocore.exceptions.SSLError,
    ],
)
def test_when_cognito_cannot_be_reached(kind: type[Exception]) -> None:
    """All of botocore's connection errors get the same code."""
    failure = kind(endpoint_url="https://cognito.example", proxy_url="http://proxy", error="cut")
    assert find_failure(failure).code == "unavailable"


OURS = [each for each in vars(exceptions).values() if isinstance(each, type)]


@pytest.mark.parametrize("ours", OURS)
def test_every_exception_of_ours_has_a_row(ours: type[Exception]) -> None:
    """A new exception needs a row in the table."""
    assert ours in TABLE, f"Add {ours.__name__} to the table in app/errors.py"


def test_pyjwts_exception_is_not_ours() -> None:
    """PyJWT's InvalidTokenError has the same name as ours, but only tokens.py may handle it."""
    assert find_failure(jwt.InvalidTokenError()).code == "internal_error"


def test_an_unknown_exception() -> None:
    """An exception without a row is an internal error."""
    assert find_failure(ZeroDivisionError()).code == "internal_error"


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (HTTPException(404), "not_found", "There is nothing at this address."),
        (HTTPException(404, "No such entry."), "not_found", "No such entry."),
        (HTTPException(403), "forbidden", "You are not allowed to do this."),
        (HTTPException(403, "Only on Mondays."), "forbidden", "Only on Mondays."),
        (HTTPException(402), "payment_required", "Payment Required"),
        (HTTPException(409, "Edited meanwhile."), "conflict", "Edited meanwhile."),
        (HTTPException(499, "Gone away."), "error", "Gone away."),
    ],
)
def test_an_http_exception_keeps_its_message(
    raised: HTTPException, code: str, message: str
) -> None:
    """A team's routes may raise HTTPException as usual in FastAPI, with their own messages."""
    row = find_failure(raised)
    assert (row.status, row.code, row.message) == (raised.status_code, code, message)


def test_a_code_has_one_status_and_message() -> None:
    """A program that branches on `code` can rely on its status and message."""
    rows = TABLE.values()
    assert len({row.code for row in rows}) == len(
        {(row.code, row.status, row.message) for row in rows}
    )


def test_every_misconfiguration_has_a_remedy() -> None:
    """The service's owner has only the log line to find the mistake."""
    for row in TABLE.values():
        assert row.remedy or row.code != "misconfigured"


def test_temporary_failures_have_a_retry_after() -> None:
    """Only `too_many_requests` and `unavailable` have Retry-After."""
    for row in TABLE.values():
        assert (row.retry_after is not None) == (row.code in ("too_many_requests", "unavailable"))
