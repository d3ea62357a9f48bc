"""The user pool's region, and what CloudFormation knows about the stack."""

import re
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Fail fast: a request without an answer becomes one "Can't tell" line.
LIMITS = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1})
REGION = re.compile(r"\.(?:execute-api|auth)\.([a-z]{2}(?:-[a-z]+)+-\d)\.")


class Stack(NamedTuple):
    """Outputs and parameters of a stack, and the name of a function. A missing value is None."""

    user_pool_id: str | None
    client_id: str | None
    google_client_id: str | None
    redirect_uri: str | None
    pre_sign_up: str | None
    """The name of PreSignUpFunction; also None if the credentials can't read it."""
    without_google: bool | None
    """Whether the stack uses an existing user pool, to which it can't add Google."""


def region_of(*texts: str | None) -> str | None:
    """Return the first region found in the given addresses and user pool ids.

    Return None if there is none; boto3 then uses its configured region.
    """
    for text in filter(None, texts):
        if found := REGION.search(text):
            return found[1]
        if "_" in text and "/" not in text:
            return text.partition("_")[0]
    return None


def describe_stack(name: str, region: str | None) -> Stack:
    """Return the ids and parameters of a stack of the template. Raise boto3's exceptions."""
    cloudformation = boto3.Session().client("cloudformation", region_name=region, config=LIMITS)
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    return Stack(
        outputs.get("UserPoolId"),
        outputs.get("UserPoolClientId"),
        given.get("GoogleClientId") or None,
        given.get("RedirectUris", "").partition(",")[0].strip() or None,
        _physical_id(cloudformation, name, "PreSignUpFunction"),
        bool(given.get("ExistingUserPoolId")),
    )


def _physical_id(cloudformation: Any, stack: str, logical_id: str) -> str | None:
    try:
        answer = cloudformation.describe_stack_resource(
            StackName=stack, LogicalResourceId=logical_id
        )
    except (BotoCoreError, ClientError):  # there is none, or the credentials can't read it
        return None
    found: str | None = answer["StackResourceDetail"].get("PhysicalResourceId")
    return found


def error_code(error: ClientError) -> str:
    """Return the code of AWS's error. Omit the message: it may name accounts and people."""
    return str(error.response["Error"]["Code"])
