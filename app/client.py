"""How Cognito is called: the only module that imports boto3 and botocore.

The calls are unsigned, as Cognito takes them for everything a person does on their own account: no
AWS credentials are looked for, and the function's role needs no permission.
"""

import json
from collections.abc import Callable
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from app.settings import Settings

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

# Seconds. API Gateway gives up after 29 and people long before, so a call's time-outs add up to
# under 10: a failure within the first second may be tried once more (1), after a pause (0.1), and
# then connect (2, for each address of the name) and wait for the answer (6). Cognito calls a pool's
# triggers while we wait.
CONNECT_TIMEOUT = 2
READ_TIMEOUT = 6
RETRY_WITHIN = 1
RETRY_PAUSE = 0.1

# What may be done twice. SignUp may not: had the first try worked unseen, the second would tell a
# new user that the address is taken; nor may what spends a code or a token, or sends an e-mail.
REPEATABLE = ("InitiateAuth", "GetUser", "RevokeToken", "SetUserMFAPreference")


class NotCognitoError(Exception):
    """An answer that is not Cognito's, such as a captive portal's page: nothing was done."""


def make_client(settings: Settings, now: Callable[[], float]) -> "CognitoIdentityProviderClient":
    """Make the client. One serves a whole process, and its threads.

    `now` is a clock in seconds, such as time.monotonic.
    """
    # No profile is looked for either: one named in the environment needn't exist here.
    core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    core.register_component("data_loader", _models())
    session = boto3.Session(botocore_session=core, region_name=settings.region)
    client: CognitoIdentityProviderClient = session.client(
        "cognito-idp",
        endpoint_url=settings.endpoint_url,
        config=Config(
            signature_version=UNSIGNED,
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 1},  # ours are below
            parameter_validation=False,  # the models of schemas.py have done it
            # botocore's own is put together anew, of 16 parts: a call would be 22 % dearer.
            user_agent=f"accounts Boto3/{boto3.__version__}",
        ),
    )
    # botocore retries all of a client's operations alike. Its own events, those that its retry
    # modes are built on, let the choice be made for each.
    # https://github.com/boto/botocore/blob/develop/botocore/retries/standard.py
    events = client.meta.events
    events.register("before-call.cognito-idp", partial(_note_start, now))
    events.register("before-parse.cognito-idp", _check_answer)
    for operation in REPEATABLE:
        # The stubs don't know that this event asks its handlers for an answer.
        events.register(f"needs-retry.cognito-idp.{operation}", partial(_retry, now))  # type: ignore[arg-type]
    return client


@cache
def _models() -> Loader:
    """What botocore knows of AWS's APIs: read once, as tests make many clients and it is 10 MB."""
    return create_loader()


def _check_answer(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    """Look at an answer before botocore does, which takes any 200 for success."""
    body = response_dict["body"]
    empty = not body and operation_model.output_shape is None  # DeleteUser says nothing at all
    if not empty and not _is_json_object(body):
        if response_dict["status_code"] < HTTPStatus.MULTIPLE_CHOICES:
            raise NotCognitoError
        response_dict["body"] = b"{}"  # a load balancer's page, whose status says enough


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:  # not JSON, or not even text
        return False


def _note_start(now: Callable[[], float], context: dict[str, Any], **_: object) -> None:
    context["started"] = now()


def _retry(
    now: Callable[[], float],
    attempts: int,
    response: tuple[Any, dict[str, Any]] | None,
    request_dict: dict[str, Any],
    **_: object,
) -> float | None:
    """Whether to try again: the pause before it in seconds, or None.

    Once, and only where it comes cheap: a failure that came fast, as a broken connection or a
    server's stumble do. One that used up its time, or that the server meant, is the answer.
    """
    failed = response is None or response[0].status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    fast = now() - request_dict["context"]["started"] < RETRY_WITHIN
    return RETRY_PAUSE if failed and fast and attempts == 1 else None
