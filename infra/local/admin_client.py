"""A boto3 client for the local Cognito, whatever the machine's AWS set-up says."""

import os
from functools import cache
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

# A profile that doesn't exist or a malformed file would end a call that needs neither.
NO_CONFIGURATION = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@cache
def boto3_client(url: str, region: str) -> "CognitoIdentityProviderClient":
    """Return a client whose credentials are made up: the local Cognito looks at none.

    Kept, as making one takes half a second, most of it to read the API's model.
    """
    session = boto3.Session(
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106
        region_name=region,
        botocore_session=botocore.session.Session(session_vars=NO_CONFIGURATION),
    )
    # No proxies: HTTP_PROXY would send a call to 127.0.0.1 elsewhere.
    return session.client("cognito-idp", endpoint_url=url, config=Config(proxies={}))
