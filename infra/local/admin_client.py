"""A boto3 client for the local Cognito that ignores the machine's AWS configuration."""

import os
from functools import cache
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config

from infra.local.pool.functions import call_here

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

# A missing profile or a malformed file would fail calls that need neither.
NO_CONFIGURATION = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@cache
def boto3_client(url: str, region: str) -> "CognitoIdentityProviderClient":
    """Return a client with dummy credentials, which the local Cognito ignores.

    It is cached: creating one takes half a second, mostly to read the API model.
    """
    return _new_client(url, region)


@cache
def client_in_process(region: str) -> "CognitoIdentityProviderClient":
    """Return a client whose calls `served_by` handles in this process."""
    client = _new_client("http://localhost", region)
    call_here(client)
    return client


def _new_client(url: str, region: str) -> "CognitoIdentityProviderClient":
    session = boto3.Session(
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106
        region_name=region,
        botocore_session=botocore.session.Session(session_vars=NO_CONFIGURATION),
    )
    # No proxies: HTTP_PROXY would send a call to 127.0.0.1 elsewhere.
    return session.client("cognito-idp", endpoint_url=url, config=Config(proxies={}))
