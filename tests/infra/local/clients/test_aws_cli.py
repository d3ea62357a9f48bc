"""The AWS CLI works with the local Cognito, for people and for administrators."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.contract import PASSWORD, Contract
from tests.support.pinned import aws_cli

# The first test installs the CLI
pytestmark = pytest.mark.timeout(300)

Aws = Callable[[str], Any]
# Instead of the settings and credentials of whoever runs the tests. Any credentials will do.
ENVIRONMENT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture
def aws(contract: Contract) -> Aws:
    """Return a function that runs `aws cognito-idp`, and returns its output or raises its error."""
    folder = aws_cli()
    aws = [sys.executable, "-m", "awscli", "--endpoint-url", contract.local.url, "cognito-idp"]
    environ = {**ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONPATH": str(folder)}

    def run(words: str) -> Any:
        done = subprocess.run(
            [*aws, *shlex.split(words)], env=environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout or "null")

    return run


def test_an_account(contract: Contract, aws: Aws) -> None:
    """A person signs up, confirms and signs in; an error has Cognito's name and words."""
    email, client = contract.address(), f"--client-id {contract.pool.client_id}"
    made = aws(f"sign-up {client} --username {email} --password {PASSWORD}")
    assert made["CodeDeliveryDetails"]["AttributeName"] == "email"
    code = contract.code(email)
    aws(f"confirm-sign-up {client} --username {email} --confirmation-code {code}")

    sign_in = f"initiate-auth {client} --auth-flow USER_PASSWORD_AUTH"
    sign_in += f" --auth-parameters USERNAME={email},PASSWORD="
    refusal = r"\(NotAuthorizedException\).* InitiateAuth operation: Incorrect username or password"
    with pytest.raises(RuntimeError, match=refusal):
        aws(f"{sign_in}Wrong-Horse-1")
    token = aws(sign_in + PASSWORD)["AuthenticationResult"]["AccessToken"]
    assert aws(f"get-user --access-token {token}")["Username"] == made["UserSub"]


def test_an_administrator(contract: Contract, aws: Aws) -> None:
    """With any credentials, it finds the pool and its users, and changes them."""
    assert aws("list-user-pools --max-results 1")["UserPools"]
    email, pool = contract.member(), f"--user-pool-id {contract.pool.user_pool_id}"
    found = aws(f"describe-user-pool {pool}")["UserPool"]
    assert found["UsernameAttributes"] == ["email"]
    aws(f"admin-disable-user {pool} --username {email}")
    (user,) = aws(f"list-users {pool} --filter 'email = \"{email}\"'")["Users"]
    assert not user["Enabled"]
