"""Inline Lambda functions that run in this process."""

import os

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.pool.functions import invoke, load
from infra.local.server import LocalCognito
from tests.support.contract import Contract

VARIABLES = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "GREETING": "Hello"}
SOURCE = """
import os
import boto3

greeting = os.environ["GREETING"]
cognito = boto3.client("cognito-idp")

def handler(event, context):
    return greeting, cognito.list_users(UserPoolId=event["pool"])["Users"]
"""


def test_a_function_sees_its_variables_and_the_pool(contract: Contract) -> None:
    """The function reads both, and leaves this process's environment unchanged."""
    email, environ, session = contract.member(), dict(os.environ), boto3.DEFAULT_SESSION
    function = load(SOURCE, "index.handler", frozenset(VARIABLES.items()))
    assert dict(os.environ) == environ
    assert boto3.DEFAULT_SESSION is session
    local = contract.local
    event = {"pool": contract.pool.user_pool_id}
    greeting, users = invoke(function, event, local._call)  # noqa: SLF001 - without HTTP
    assert greeting == "Hello"
    assert users[0]["Username"] == contract.user(email)["Username"]
    with pytest.raises(ClientError, match="does not exist"):
        invoke(function, {"pool": "us-east-1_x"}, local._call)  # noqa: SLF001


def test_each_server_answers_its_own_functions() -> None:
    """Two servers share the function and its client, but not the users' codes."""
    with LocalCognito() as one, LocalCognito() as other:
        for cognito in (one, other):
            contract = Contract(cognito.create_pool("function"), cognito)
            contract.sign_up("ada@example.com")
            assert [mail["to"] for mail in cognito.outbox.to_json()] == ["ada@example.com"]
