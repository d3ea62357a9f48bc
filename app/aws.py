"""The boto3 client of Cognito: its timeouts, its retries, its checks. Only this module makes one.

Requests are unsigned: Cognito requires no AWS credentials for what people do with their own
accounts. So no credentials are looked for, and the function's role needs no permission.
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
from botocore.httpsession import where
from botocore.loaders import Loader, create_loader

from app.exceptions import NotCognitoError
from app.settings import Settings

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

# Seconds. One call takes less than 10: up to 1 for a failed first try, 0.1 of pause, 2 to connect
# to each address of the name, and 6 to wait for the answer, while Cognito runs the pool's Lambda
# triggers. API Gateway times out after 29.
CONNECT_TIMEOUT = 2
READ_TIMEOUT = 6
RETRY_WITHIN = 1
RETRY_PAUSE = 0.1

# Operations that are safe to repeat. SignUp is not: if the first try succeeded but its answer was
# lost, the second would tell a new user that the address is taken. Nor is an operation that uses up
# a code or a token, or that sends an e-mail.
REPEATABLE = ("InitiateAuth", "GetUser", "RevokeToken", "SetUserMFAPreference")


def make_client(settings: Settings, now: Callable[[], float]) -> "CognitoIdentityProviderClient":
    """Create the client. It is safe to share between threads.

    `now` is a clock in seconds, such as time.monotonic.
    """
    core = _core_session()
    core.register_component("data_loader", _service_models())
    session = boto3.Session(botocore_session=core, region_name=settings.region)
    client: CognitoIdentityProviderClient = session.client(
        "cognito-idp",
        endpoint_url=settings.endpoint_url,
        config=Config(
            signature_version=UNSIGNED,
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 1},  # see _retry
            parameter_validation=False,  # the models in schemas.py have done it
            # For each call botocore builds its own from 16 parts, for 22 % more instructions.
            user_agent=f"accounts Boto3/{boto3.__version__}",
        ),
    )
    # botocore's retry modes treat all operations alike. The events that they are built on let us
    # choose for each operation.
    # https://github.com/boto/botocore/blob/develop/botocore/retries/standard.py
    events = client.meta.events
    events.register("before-call.cognito-idp", partial(_note_start, now))
    events.register("before-parse.cognito-idp", _check_answer)
    for operation in REPEATABLE:
        # The type stubs don't know that a handler of this event returns a value.
        events.register(f"needs-retry.cognito-idp.{operation}", partial(_retry, now))  # type: ignore[arg-type]
    return client


def authorities() -> str:
    """Return the file of certificate authorities that the client trusts.

    It is the one that AWS_CA_BUNDLE names, or botocore's own. The bundle keeps Amazon's alone of
    botocore's.
    """
    return _core_session().get_config_variable("ca_bundle") or where()


def _core_session() -> botocore.session.Session:
    # Ignore AWS_PROFILE: the profile that it names may not exist on this machine.
    return botocore.session.Session(session_vars={"profile": (None, None, None, None)})


@cache
def _service_models() -> Loader:
    """Return botocore's loader of service models. Tests share it, because a model is 10 MB."""
    return create_loader()


def _check_answer(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    """Raise NotCognitoError for a 2xx answer that isn't JSON. botocore would call it a success."""
    body = response_dict["body"]
    empty = not body and operation_model.output_shape is None  # as DeleteUser's is
    if not empty and not _is_json_object(body):
        if response_dict["status_code"] < HTTPStatus.MULTIPLE_CHOICES:
            raise NotCognitoError
        response_dict["body"] = b"{}"  # a load balancer's page: the status is enough


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
    """Return the pause in seconds before a retry, or None for no retry.

    Retry once, and only a failure that came fast, such as a broken connection or a 5xx answer.
    After a slow one there is no time left for a second try.
    """
    failed = response is None or response[0].status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    fast = now() - request_dict["context"]["started"] < RETRY_WITHIN
    return RETRY_PAUSE if failed and fast and attempts == 1 else None
