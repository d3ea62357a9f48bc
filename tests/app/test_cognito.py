"""The Cognito client's timeouts, retries and checks, against a fake Cognito that misbehaves."""

import itertools
import socket
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError
from urllib3.exceptions import HTTPError

from app.aws import REPEATABLE
from app.cognito import Cognito
from app.exception_handlers import find_failure
from app.exceptions import ChallengeRequiredError, InvalidEmailError, InvalidPasswordError
from app.settings import Settings
from tests.support import faulty
from tests.support.calls import CALLS, EMAIL, PASSWORD
from tests.support.faulty import Behaviour, FaultyCognito, Fine

ONCE = [operation for operation in CALLS if operation not in REPEATABLE]

TRANSIENT = {
    "reset": faulty.Reset(),
    "closed": faulty.Close(),
    "truncated": faulty.Truncated(),
    "500": faulty.INTERNAL_ERROR,
    "500 garbage": faulty.SERVER_ERROR_GARBAGE,
    "503": faulty.UNAVAILABLE,
    "503 garbage": faulty.UNAVAILABLE_GARBAGE,
}
BUSY = {"throttled": faulty.THROTTLED, "throttled by a proxy": faulty.THROTTLED_429}


@pytest.fixture
def upstream() -> Iterator[FaultyCognito]:
    """Return a fake Cognito whose behaviour the test sets."""
    with FaultyCognito() as server:
        yield server


@pytest.fixture
def client(upstream: FaultyCognito) -> Cognito:
    """Return our client for that fake Cognito, with a clock that stands still."""
    return client_of(upstream.url, lambda: 0.0)


def client_of(
    url: str, now: Callable[[], float], timeout: float = 8, *, hide: bool = False
) -> Cognito:
    """Return a client for the Cognito at this URL."""
    return Cognito(
        Settings(
            client_id="1example23456789",
            user_pool_id="eu-west-1_EXAMPLE",
            region="eu-west-1",
            endpoint_url=url,
            hide_existing_accounts=hide,
        ),
        now,
        timeout,
    )


def failure_of(call: Callable[[], object]) -> str:
    """Return the code of the row for the exception that `call` raises."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - errors.py handles any exception
        call()
    return find_failure(raised.value).code


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_is_one_request(operation: str, client: Cognito, upstream: FaultyCognito) -> None:
    """The client asks once per call."""
    CALLS[operation](client)
    assert upstream.calls.count(operation) == 1


@pytest.mark.parametrize("transient", TRANSIENT.values(), ids=TRANSIENT)
def test_sign_in_is_retried_after_a_transient_failure(
    transient: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """Repeating a sign-in is safe, so the client retries it once."""
    upstream.behave(transient, Fine())
    assert client.sign_in(EMAIL, PASSWORD).token_type == "Bearer"
    assert upstream.calls == ["InitiateAuth", "InitiateAuth"]


@pytest.mark.parametrize("transient", TRANSIENT.values(), ids=TRANSIENT)
def test_sign_in_gives_up_after_two_tries(
    transient: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """More requests would not help a server in trouble."""
    upstream.behave(transient)
    assert failure_of(lambda: client.sign_in(EMAIL, PASSWORD)) == "unavailable"
    assert upstream.calls == ["InitiateAuth", "InitiateAuth"]


@pytest.mark.parametrize("transient", TRANSIENT.values(), ids=TRANSIENT)
def test_a_code_is_e_mailed_once(
    transient: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """InitiateAuth isn't repeated if it sends an e-mail; the passkey's is, like a password's."""
    upstream.behave(transient)
    assert failure_of(lambda: client.begin_email_code(EMAIL)) == "unavailable"
    assert upstream.calls == ["InitiateAuth"]
    assert failure_of(lambda: client.begin_passkey_sign_in(EMAIL)) == "unavailable"
    assert upstream.calls == ["InitiateAuth"] * 3


@pytest.mark.parametrize("operation", ONCE)
@pytest.mark.parametrize("transient", TRANSIENT.values(), ids=TRANSIENT)
def test_other_operations_are_tried_once(
    operation: str, transient: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """The first try may have succeeded; a second would send another e-mail or get a 409."""
    upstream.behave(transient, Fine(), only=operation)
    assert failure_of(lambda: CALLS[operation](client)) == "unavailable"
    assert upstream.calls.count(operation) == 1


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("busy", BUSY.values(), ids=BUSY)
def test_a_busy_cognito_is_not_asked_again(
    operation: str, busy: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """A retry would get the same answer."""
    upstream.behave(busy, Fine(), only=operation)
    assert failure_of(lambda: CALLS[operation](client)) == "too_many_requests"
    assert upstream.calls.count(operation) == 1


def test_a_slow_failure_is_not_retried(upstream: FaultyCognito) -> None:
    """No time is left for a retry, as this clock advances two seconds at each reading."""
    upstream.behave(faulty.INTERNAL_ERROR)
    slow = client_of(upstream.url, itertools.count(step=2).__next__)
    assert failure_of(lambda: slow.sign_in(EMAIL, PASSWORD)) == "unavailable"
    assert upstream.calls == ["InitiateAuth"]


@pytest.mark.parametrize("operation", ["SignUp", "InitiateAuth"])
@pytest.mark.parametrize("slow", ["no answer", "slow headers", "slow 100s", "a slow body"])
def test_a_slow_cognito(operation: str, slow: str, upstream: FaultyCognito) -> None:
    """The timeout ends the call, and no time is left for a retry."""
    upstream.behave(faulty.SLOW[slow])
    client = client_of(upstream.url, itertools.count(step=2).__next__, 0.5)
    assert failure_of(lambda: CALLS[operation](client)) == "unavailable"
    assert upstream.calls == [operation]


def test_a_huge_answer(client: Cognito, upstream: FaultyCognito) -> None:
    """The client stops reading."""
    upstream.behave(faulty.HUGE["a body without end"])
    assert failure_of(lambda: client.sign_up(EMAIL, PASSWORD)) == "unavailable"


@pytest.mark.parametrize("operation", CALLS)
def test_a_refused_connection(operation: str) -> None:
    """A refused connection gets the code `unavailable`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"  # bound, but not listening
        assert failure_of(lambda: CALLS[operation](client_of(url, lambda: 0.0))) == "unavailable"


def test_the_calls_are_not_signed(client: Cognito, upstream: FaultyCognito) -> None:
    """The operations need no credentials, so the client sends none."""
    upstream.behave(Fine())
    client.sign_up(EMAIL, PASSWORD)
    assert "Authorization" not in upstream.headers[0]


def test_a_challenge_raises_an_exception(client: Cognito, upstream: FaultyCognito) -> None:
    """A challenge instead of tokens raises an exception that contains its details."""
    upstream.behave(Fine({"ChallengeName": "SMS_MFA", "Session": "s" * 20}))
    with pytest.raises(ChallengeRequiredError) as raised:
        client.sign_in(EMAIL, PASSWORD)
    challenge = raised.value
    assert (challenge.challenge, challenge.session, challenge.needs) == ("SMS_MFA", "s" * 20, None)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@localhost",
        "a b@example.com",
        "ada@exa mple.com",
        "ada@-example.com",
        "ada@example..com",
        "ada@example.com\n",
        "ada@example.com, bob@example.com",
        "<ada@example.com>",
        "ädä@example.com",
        f"{'a' * 65}@example.com",
    ],
)
@pytest.mark.parametrize(
    "operation",
    [
        "SignUp",
        "ResendConfirmationCode",
        "ConfirmSignUp",
        "InitiateAuth",
        "RespondToAuthChallenge",
        "ForgotPassword",
        "ConfirmForgotPassword",
    ],
)
def test_an_invalid_address_is_not_sent(
    email: str, operation: str, client: Cognito, upstream: FaultyCognito
) -> None:
    """No account can have such an address, so the client doesn't call Cognito."""
    call = {
        "SignUp": lambda: client.sign_up(email, PASSWORD),
        "ResendConfirmationCode": lambda: client.resend_code(email),
        "ConfirmSignUp": lambda: client.confirm(email, "123456"),
        "InitiateAuth": lambda: client.sign_in(email, PASSWORD),
        "RespondToAuthChallenge": lambda: client.answer_challenge(email, "EMAIL_OTP", "s", "1"),
        "ForgotPassword": lambda: client.forgot_password(email),
        "ConfirmForgotPassword": lambda: client.reset_password(email, "123456", PASSWORD),
    }[operation]
    with pytest.raises(InvalidEmailError) as raised:
        call()
    assert raised.value.operation_name == operation
    assert upstream.calls == []


@pytest.mark.parametrize(
    "email", ["ada+diary@example.com", "o'neil@example.co.uk", "a@b.ch", "ADA@Example.Com"]
)
def test_unusual_addresses_are_sent(email: str, client: Cognito, upstream: FaultyCognito) -> None:
    """The check accepts unusual but valid addresses."""
    upstream.behave(Fine())
    client.sign_up(email, PASSWORD)
    assert upstream.calls == ["SignUp"]


@pytest.mark.parametrize("password", ["short", " Leading-blank-9", "Trailing-9 ", "Two\nlines-9"])
def test_an_invalid_password_is_not_sent(
    password: str, client: Cognito, upstream: FaultyCognito
) -> None:
    """Cognito's own answer wouldn't say whether the address or the password is invalid."""
    with pytest.raises(InvalidPasswordError):
        client.sign_up(EMAIL, password)
    assert upstream.calls == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("PreSignUp failed with error email_taken.", "email_taken"),
        ("PreSignUp failed with error email_taken", "email_taken"),
        ("PreSignUp failed with error The email_taken flag is set.", "rejected"),
        ("PreSignUp failed with error email_not_verified.", "rejected"),
        ("email_taken", "rejected"),
    ],
)
def test_a_triggers_error_at_sign_up(
    message: str, code: str, client: Cognito, upstream: FaultyCognito
) -> None:
    """Only our trigger's exact message means email_taken; other messages mean rejected."""
    upstream.behave(faulty.Error("UserLambdaValidationException", message))
    assert failure_of(lambda: client.sign_up(EMAIL, PASSWORD)) == code
    assert upstream.calls == ["SignUp"]


# The requests to Cognito for each operation on a password or a second factor.
WITH_A_PASSWORD: dict[str, tuple[Callable[[Cognito], object], list[str]]] = {
    "change the password": (
        lambda client: client.change_password("a-token", PASSWORD, "A-new-horse-10"),
        ["GetUser", "ChangePassword"],
    ),
    "set MFA up": (
        lambda client: client.set_up_mfa("a-token"),
        ["GetUser", "AssociateSoftwareToken"],
    ),
    "verify MFA": (
        lambda client: client.verify_mfa("a-token", "123456"),
        ["GetUser", "VerifySoftwareToken", "SetUserMFAPreference"],
    ),
    "remove MFA": (
        lambda client: client.remove_mfa("a-token"),
        ["GetUser", "SetUserMFAPreference"],
    ),
}


@pytest.mark.parametrize(("call", "asked"), WITH_A_PASSWORD.values(), ids=WITH_A_PASSWORD)
def test_no_needless_requests(
    call: Callable[[Cognito], object], asked: list[str], client: Cognito, upstream: FaultyCognito
) -> None:
    """For users with a password, each operation makes only the listed requests."""
    call(client)
    assert upstream.calls == asked


@pytest.mark.parametrize("revoked", [Fine({}), faulty.Reset(), faulty.INTERNAL_ERROR])
def test_a_reused_token_is_revoked(
    revoked: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """The caller is told about the reuse, whether or not the revocation succeeds."""
    upstream.behave(faulty.Error("RefreshTokenReuseException"), revoked)
    assert failure_of(lambda: client.refresh("a-refresh-token")) == "refresh_token_reused"
    assert upstream.calls[:2] == ["GetTokensFromRefreshToken", "RevokeToken"]
    assert b"a-refresh-token" in upstream.bodies[1]


@pytest.mark.parametrize(
    ("unsent", "told"),
    [
        ("CodeDeliveryFailureException", "email_not_sent"),
        ("LimitExceededException", "too_many_requests"),
    ],
)
def test_a_new_address_that_gets_no_e_mail(
    unsent: str, told: str, client: Cognito, upstream: FaultyCognito
) -> None:
    """The caller is told, unless that would tell that the address has no account."""
    upstream.behave(Fine(), faulty.Error(unsent), Fine(), faulty.Error(unsent))
    assert failure_of(lambda: client.change_email("a-token", "new@example.com")) == told
    client_of(upstream.url, lambda: 0.0, hide=True).change_email("a-token", "new@example.com")


def test_exceptions_are_not_caught(client: Cognito, upstream: FaultyCognito) -> None:
    """The client catches nothing: errors.py gets the exception that was raised."""
    upstream.behave(faulty.Error("UsernameExistsException"))
    with pytest.raises(ClientError) as raised:
        client.sign_up(EMAIL, PASSWORD)
    assert type(raised.value).__name__ == "UsernameExistsException"
    upstream.behave(faulty.Reset())
    with pytest.raises(HTTPError):
        client.sign_up(EMAIL, PASSWORD)
