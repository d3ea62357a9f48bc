"""What the tests of the routes share: expected failures, an administrator, an authenticator."""

import base64
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from infra.local.admin_client import boto3_client
from infra.local.server import LocalCognito, LocalPool
from tests.support.people import Person

through_every_transport = pytest.mark.transports("uvicorn", "rest")


def failure(answer: httpx.Response) -> tuple[int, str, str]:
    """Take a failure apart, having checked what every failure has."""
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


EMAIL_TAKEN = (409, "email_taken", "An account with the given email already exists.")
INVALID_PASSWORD = (400, "invalid_password", "Password did not conform with policy.")
INVALID_EMAIL = (400, "invalid_email", "Invalid email address format.")
CODE_MISMATCH = (400, "code_mismatch", "Invalid verification code.")
CODE_EXPIRED = (410, "code_expired", "Expired verification code.")
ALREADY_CONFIRMED = (409, "already_confirmed", "The account is already confirmed.")
INVALID_CREDENTIALS = (400, "invalid_credentials", "Incorrect username or password.")
USER_NOT_CONFIRMED = (403, "user_not_confirmed", "User is not confirmed.")


def admin(cognito: LocalCognito, pool: LocalPool) -> Any:
    """Return a boto3 client as a developer sets one up."""
    return boto3_client(cognito.url, pool.region)


NEW_PASSWORD = "A-new-horse-10"


def totp(person: Person, cognito: LocalCognito) -> str:
    """The code that the person's authenticator app shows now."""
    secret = person.mfa_secret
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    app = TOTP(key, 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303 - RFC 6238's default
    return app.generate(int(cognito.clock.now())).decode()
