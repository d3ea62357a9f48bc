"""A client of Cognito, local or real, for the tests that compare the local one with the real one.

To run these tests against a real pool made from infra/template.yaml, set CONTRACT_USER_POOL_ID,
CONTRACT_CLIENT_ID, CONTRACT_REGION and CONTRACT_EMAIL, an address that can receive mail: for
ada@example.com, tests use ada+<random>@example.com. Tests that must read e-mails, move the clock
or change a setting are skipped there. For its
domain, see contract_google.py.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import jwt
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.admin_client import boto3_client
from infra.local.pool.api_model import declares_error
from infra.local.server import LocalCognito, LocalPool

PASSWORD = "Correct-Horse-1"
# A client without rotation, which can also refresh by InitiateAuth.
NO_ROTATION = {
    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    "RefreshTokenRotation": {"Feature": "DISABLED"},
}
# The template's AuthSessionValidity: how long each step of a sign-in may take.
SESSION = timedelta(minutes=15)
REAL_POOL = os.environ.get("CONTRACT_USER_POOL_ID")


@dataclass
class Contract:
    """One user pool and the calls to its API; `cognito` is None for a real pool."""

    pool: LocalPool
    cognito: LocalCognito | None
    users: Any = field(init=False)

    def __post_init__(self) -> None:
        unsigned = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        self.users = boto3.client(
            "cognito-idp",
            region_name=self.pool.region,
            endpoint_url=self.local.url if self.cognito else None,
            config=unsigned,
        )

    @classmethod
    def real(cls) -> "Contract":
        """Return the real pool that the environment variables name."""
        env = os.environ
        pool = LocalPool(
            env["CONTRACT_USER_POOL_ID"], env["CONTRACT_CLIENT_ID"], env["CONTRACT_REGION"]
        )
        return cls(pool, None)

    @property
    def local(self) -> LocalCognito:
        """Return the local Cognito, or skip the test."""
        if self.cognito is None:
            pytest.skip("needs the mailbox, the clock or its own settings: local only")
        return self.cognito

    @property
    def admin(self) -> Any:
        """Return a client for the Admin operations, or skip the test."""
        return boto3_client(self.local.url, self.pool.region)

    def with_settings(self, **changed: Any) -> "Contract":
        """Return a new pool, with other arguments of `create_pool`, or skip the test."""
        made = self.local.create_pool(f"test-{uuid4()}", **changed)
        return Contract(made, self.local)

    def address(self) -> str:
        """Return an unused e-mail address."""
        name, _, domain = os.environ.get("CONTRACT_EMAIL", "ada@example.com").partition("@")
        return f"{name}+{uuid4().hex[:12]}@{domain}"

    def sign_up(self, email: str, password: str = PASSWORD, **more: Any) -> Any:
        """Call SignUp."""
        return self.users.sign_up(
            ClientId=self.pool.client_id, Username=email, Password=password, **more
        )

    def confirm(self, email: str, code: str, **more: Any) -> Any:
        """Call ConfirmSignUp."""
        return self.users.confirm_sign_up(
            ClientId=self.pool.client_id, Username=email, ConfirmationCode=code, **more
        )

    def resend(self, email: str, **more: Any) -> Any:
        """Call ResendConfirmationCode."""
        return self.users.resend_confirmation_code(
            ClientId=self.pool.client_id, Username=email, **more
        )

    def initiate(self, flow: str, **parameters: str) -> Any:
        """Call InitiateAuth."""
        return self.users.initiate_auth(
            ClientId=self.pool.client_id, AuthFlow=flow, AuthParameters=parameters
        )

    def sign_in(self, email: str, password: str = PASSWORD, **parameters: str) -> Any:
        """Call InitiateAuth with a password."""
        return self.initiate("USER_PASSWORD_AUTH", USERNAME=email, PASSWORD=password, **parameters)

    def tokens(self, email: str, password: str = PASSWORD) -> Any:
        """Sign in, and return the tokens."""
        return self.sign_in(email, password)["AuthenticationResult"]

    def refresh(self, token: str, **more: str) -> Any:
        """Call GetTokensFromRefreshToken, and return the tokens."""
        return self.users.get_tokens_from_refresh_token(
            ClientId=self.pool.client_id, RefreshToken=token, **more
        )["AuthenticationResult"]

    def respond(self, challenge: Any, **answers: str) -> Any:
        """Call RespondToAuthChallenge for a challenge that InitiateAuth returned."""
        return self.users.respond_to_auth_challenge(
            ClientId=self.pool.client_id,
            ChallengeName=challenge["ChallengeName"],
            Session=challenge["Session"],
            ChallengeResponses=answers,
        )

    def forgot(self, email: str, **more: str) -> Any:
        """Call ForgotPassword, and return its CodeDeliveryDetails."""
        return self.users.forgot_password(ClientId=self.pool.client_id, Username=email, **more)[
            "CodeDeliveryDetails"
        ]

    def reset(self, email: str, code: str, password: str, **more: str) -> Any:
        """Call ConfirmForgotPassword."""
        return self.users.confirm_forgot_password(
            ClientId=self.pool.client_id,
            Username=email,
            ConfirmationCode=code,
            Password=password,
            **more,
        )

    def revoke(self, token: str, **more: str) -> Any:
        """Call RevokeToken."""
        return self.users.revoke_token(ClientId=self.pool.client_id, Token=token, **more)

    def administer(self, operation: str, email: str, **more: Any) -> Any:
        """Call an Admin operation on a user, or skip the test."""
        return getattr(self.admin, operation)(
            UserPoolId=self.pool.user_pool_id, Username=email, **more
        )

    def code(self, email: str) -> str:
        """Return the newest code sent to an address, or skip the test."""
        return self.local.outbox.code_for(email)

    def member(self, password: str = PASSWORD) -> str:
        """Return the address of a new confirmed user, or skip the test."""
        email = self.address()
        self.sign_up_and_confirm(email, password)
        return email

    def sign_up_and_confirm(self, email: str, password: str) -> None:
        """Sign up and confirm, or skip the test."""
        self.local  # noqa: B018 - skips the test before anything is sent
        self.sign_up(email, password)
        self.confirm(email, self.code(email))

    def user(self, email: str) -> Any:
        """Return AdminGetUser's answer with each attribute as a key, or skip the test."""
        found = self.administer("admin_get_user", email)
        return found | {a["Name"]: a["Value"] for a in found["UserAttributes"]}


@contextmanager
def refused(exception: str, *messages: str) -> Iterator[None]:
    """Expect this typed exception, with one of these messages if any are given.

    AWS must list the exception for the operation, because callers handle only those.
    """
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == f"{exception}Exception", error
    assert type(caught.value).__name__ == error["Code"]
    assert declares_error(caught.value.operation_name, exception), caught.value
    assert not messages or error["Message"] in messages


def other_than(code: str) -> str:
    """Return a code that differs from this one."""
    return f"{(int(code) + 1) % 10**6:06}"


def claims(contract: Contract, token: str, **options: Any) -> dict[str, Any]:
    """Return a token's claims, verified with the pool's published keys."""
    url = f"{contract.local.url}/{contract.pool.user_pool_id}/.well-known/jwks.json"
    key = jwt.PyJWKClient(url).get_signing_key_from_jwt(token)
    # The test clock runs ahead, so a token may be from the future.
    unchecked = {"verify_iat": False, "verify_aud": False, **options}
    decoded: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], options=unchecked)
    return decoded
