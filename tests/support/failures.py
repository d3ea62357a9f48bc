"""What the API answers, and functions that read and compare answers."""

from collections.abc import Iterable

import httpx

DONE = {"statusCode": 200}
EMAIL_TAKEN = (409, "email_taken", "An account with the given email already exists.")
INVALID_PASSWORD = (400, "invalid_password", "Password did not conform with policy.")
INVALID_EMAIL = (400, "invalid_email", "Invalid email address format.")
CODE_MISMATCH = (400, "code_mismatch", "Invalid verification code.")
CODE_EXPIRED = (410, "code_expired", "Expired verification code.")
ALREADY_CONFIRMED = (409, "already_confirmed", "The account is already confirmed.")
INVALID_CREDENTIALS = (400, "invalid_credentials", "Incorrect username or password.")
USER_NOT_CONFIRMED = (403, "user_not_confirmed", "User is not confirmed.")
INVALID_TOKEN = (401, "invalid_token", "Please sign in: the access token is not valid.")
INVALID_REFRESH_TOKEN = (
    401,
    "invalid_refresh_token",
    "Please sign in again: the session is over.",
)


def failure(answer: httpx.Response) -> tuple[int, str, str]:
    """Check the fields that every failure has; return its status, code and message."""
    body = answer.json()
    assert body["statusCode"] == answer.status_code
    assert body["requestId"] == answer.headers["X-Request-Id"]
    assert answer.headers["Content-Type"] == "application/json"
    assert set(body) <= {
        "statusCode",
        "code",
        "message",
        "requestId",
        "errors",
        "challenge",
        "session",
        "needs",
    }
    return answer.status_code, body["code"], body["message"]


def alike(answers: Iterable[httpx.Response]) -> bool:
    """Return whether the answers are identical except for their request ids and dates."""
    seen = set()
    for answer in answers:
        id_ = answer.headers["X-Request-Id"]
        headers = {(k, v) for k, v in answer.headers.items() if k not in ("x-request-id", "date")}
        seen.add((answer.status_code, answer.text.replace(id_, ""), frozenset(headers)))
    return len(seen) == 1
