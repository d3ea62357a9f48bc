"""The client towards a Cognito that misbehaves: how long it waits, and what it tries twice."""

import itertools
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from app.aws import CONNECT_TIMEOUT, READ_TIMEOUT, REPEATABLE, RETRY_PAUSE, RETRY_WITHIN
from app.cognito import Cognito
from app.exception_handlers import find_failure
from app.exceptions import (
    ChallengeRequiredError,
    InvalidEmailError,
    InvalidPasswordError,
    NotCognitoError,
)
from app.settings import Settings
from tests.support import faulty
from tests.support.faulty import Behaviour, FaultyCognito, Fine

EMAIL = "ada@example.com"
PASSWORD = "Correct-horse-9"

CALLS: dict[str, Callable[[Cognito], object]] = {
    "SignUp": lambda client: client.sign_up(EMAIL, PASSWORD),
    "ConfirmSignUp": lambda client: client.confirm(EMAIL, "123456"),
    "InitiateAuth": lambda client: client.sign_in(EMAIL, PASSWORD),
    "GetTokensFromRefreshToken": lambda client: client.refresh("a-refresh-token"),
    "ForgotPassword": lambda client: client.forgot_password(EMAIL),
}
ONCE = [operation for operation in CALLS if operation not in REPEATABLE]

STUMBLES = {
    "reset": faulty.Reset(),
    "closed": faulty.Close(),
    "500": faulty.INTERNAL_ERROR,
    "500 garbage": faulty.SERVER_ERROR_GARBAGE,
    "503": faulty.UNAVAILABLE,
    "503 garbage": faulty.UNAVAILABLE_GARBAGE,
}
MEANT = {
    "throttled": faulty.THROTTLED,
    "throttled by a proxy": faulty.THROTTLED_429,
    "firewall": faulty.FORBIDDEN_HTML,
    "garbage": faulty.GARBAGE,
    "truncated": faulty.Truncated(),
}


@pytest.fixture
def upstream() -> Iterator[FaultyCognito]:
    """A Cognito that does as the test says."""
    with FaultyCognito() as server:
        yield server


@pytest.fixture
def client(upstream: FaultyCognito) -> Cognito:
    """Our client, towards that Cognito; its clock stands still."""
    return client_of(upstream.url, lambda: 0.0)


def client_of(url: str, now: Callable[[], float]) -> Cognito:
    """Make a client of the Cognito at an address."""
    return Cognito(
        Settings(
            client_id="1example23456789",
            user_pool_id="eu-west-1_EXAMPLE",
            region="eu-west-1",
            endpoint_url=url,
        ),
        now,
    )


def failure_of(call: Callable[[], object]) -> str:
    """The code of the row that a failing call leads to."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which exception is errors.py's matter
        call()
    return find_failure(raised.value).code


@pytest.mark.parametrize("operation", CALLS)
def test_all_is_well(operation: str, client: Cognito, upstream: FaultyCognito) -> None:
    """One call is one request."""
    upstream.behave(Fine())
    CALLS[operation](client)
    assert upstream.calls == [operation]


@pytest.mark.parametrize("stumble", STUMBLES.values(), ids=STUMBLES)
def test_sign_in_survives_a_stumble(
    stumble: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """A sign-in may be repeated, so a person needn't hear of a broken connection."""
    upstream.behave(stumble, Fine())
    assert client.sign_in(EMAIL, PASSWORD).token_type == "Bearer"
    assert upstream.calls == ["InitiateAuth", "InitiateAuth"]


@pytest.mark.parametrize("stumble", STUMBLES.values(), ids=STUMBLES)
def test_sign_in_gives_up_after_two(
    stumble: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """Who is in trouble isn't helped by more requests."""
    upstream.behave(stumble)
    assert failure_of(lambda: client.sign_in(EMAIL, PASSWORD)) == "unavailable"
    assert upstream.calls == ["InitiateAuth", "InitiateAuth"]


@pytest.mark.parametrize("operation", ONCE)
@pytest.mark.parametrize("stumble", STUMBLES.values(), ids=STUMBLES)
def test_what_may_not_be_done_twice_is_tried_once(
    operation: str, stumble: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """The first try may have worked unseen: a second would send another e-mail, or say 409."""
    upstream.behave(stumble, Fine())
    assert failure_of(lambda: CALLS[operation](client)) == "unavailable"
    assert upstream.calls == [operation]


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("meant", MEANT.values(), ids=MEANT)
def test_what_was_meant_is_not_asked_again(
    operation: str, meant: Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """A refusal would be the same the second time."""
    upstream.behave(meant, Fine())
    assert failure_of(lambda: CALLS[operation](client)) in ("too_many_requests", "unavailable")
    assert upstream.calls == [operation]


def test_a_failure_that_came_slowly_is_not_tried_again(upstream: FaultyCognito) -> None:
    """It used up its time: each look at the clock finds it two seconds on."""
    upstream.behave(faulty.INTERNAL_ERROR)
    slow = client_of(upstream.url, itertools.count(step=2).__next__)
    assert failure_of(lambda: slow.sign_in(EMAIL, PASSWORD)) == "unavailable"
    assert upstream.calls == ["InitiateAuth"]


@pytest.mark.parametrize("operation", ["SignUp", "InitiateAuth"])
def test_one_that_never_answers_is_left(operation: str, upstream: FaultyCognito) -> None:
    """The time-out ends it, and since the time is used up, nothing is tried again."""
    upstream.behave(faulty.Stall())
    client = client_of(upstream.url, time.monotonic)
    assert failure_of(lambda: CALLS[operation](client)) == "unavailable"
    assert upstream.calls == [operation]


@pytest.mark.parametrize("operation", CALLS)
def test_nobody_listens(operation: str) -> None:
    """A refused connection is unavailable too."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"  # bound, and nobody listens
        assert failure_of(lambda: CALLS[operation](client_of(url, lambda: 0.0))) == "unavailable"


def test_the_longest_wait_is_under_ten_seconds() -> None:
    """A quick failure, a pause, then one that takes all the time it is given."""
    longest = RETRY_WITHIN + RETRY_PAUSE + CONNECT_TIMEOUT + READ_TIMEOUT
    assert longest < 10
    # Resetting a password takes three calls, of which one may be tried twice
    assert longest + 2 * (CONNECT_TIMEOUT + READ_TIMEOUT) < 28  # the function's, in the template


@pytest.mark.parametrize("operation", CALLS)
def test_a_page_that_is_not_cognitos(
    operation: str, client: Cognito, upstream: FaultyCognito
) -> None:
    """A captive portal's 200 must not pass for an account made or confirmed."""
    upstream.behave(faulty.Answer(200, b"<html>Please log in</html>", "text/html"))
    with pytest.raises(NotCognitoError):
        CALLS[operation](client)


def test_the_calls_are_not_signed(client: Cognito, upstream: FaultyCognito) -> None:
    """No credentials are needed, so none may be looked for nor sent."""
    upstream.behave(Fine())
    client.sign_up(EMAIL, PASSWORD)
    assert "Authorization" not in upstream.headers[0]


def test_a_challenge_says_which_step_is_missing(client: Cognito, upstream: FaultyCognito) -> None:
    """Cognito may answer without tokens; that is no crash."""
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
def test_what_is_no_address_never_leaves(
    email: str, operation: str, client: Cognito, upstream: FaultyCognito
) -> None:
    """Nobody can have such an account, so Cognito isn't asked."""
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
def test_unusual_addresses_pass(email: str, client: Cognito, upstream: FaultyCognito) -> None:
    """A check that is too clever loses people."""
    upstream.behave(Fine())
    client.sign_up(email, PASSWORD)
    assert upstream.calls == ["SignUp"]


@pytest.mark.parametrize("password", ["short", " Leading-blank-9", "Trailing-9 ", "Two\nlines-9"])
def test_a_password_that_no_pool_takes_never_leaves(
    password: str, client: Cognito, upstream: FaultyCognito
) -> None:
    """Cognito's own answer wouldn't say whether address or password was wrong."""
    with pytest.raises(InvalidPasswordError):
        client.sign_up(EMAIL, password)
    assert upstream.calls == []


def test_a_failure_keeps_its_name(client: Cognito, upstream: FaultyCognito) -> None:
    """Nothing is caught on the way: errors.py gets what botocore raised."""
    upstream.behave(faulty.Error("UsernameExistsException"))
    with pytest.raises(ClientError) as raised:
        client.sign_up(EMAIL, PASSWORD)
    assert type(raised.value).__name__ == "UsernameExistsException"
    upstream.behave(faulty.Reset())
    with pytest.raises(HTTPClientError):
        client.sign_up(EMAIL, PASSWORD)
