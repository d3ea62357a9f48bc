"""The AWS clients: how they send, retry and read. Only this module makes them.

Requests to Cognito are unsigned: it requires no AWS credentials for what people do with their own
accounts. So no credentials are looked for, and the function's role needs no permission. Requests to
other services, which your own routes may use, are signed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import HTTPClientError, UnknownServiceError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.httpsession import where
from botocore.loaders import Loader
from urllib3.exceptions import HTTPError

from app.answers import read_answer, read_error
from app.settings import Settings
from app.upstream import HttpClient

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

# Seconds. One call takes less than 10: up to 1 for a failed first try, 0.1 of pause, and 8 for the
# second (upstream.TIMEOUT), while Cognito runs the pool's Lambda triggers. API Gateway times out
# after 29.
RETRY_WITHIN = 1
RETRY_PAUSE = 0.1

# Operations that are safe to repeat. SignUp is not: if the first try succeeded but its answer was
# lost, the second would tell a new user that the address is taken. Nor is an operation that uses up
# a code or a token, or that sends an e-mail, as InitiateAuth does if it names MAILS.
REPEATABLE = (
    "InitiateAuth",
    "GetUser",
    "GetUserAuthFactors",
    "ListWebAuthnCredentials",
    "RevokeToken",
    "SetUserMFAPreference",
)

MAILS = b'"EMAIL_OTP"'

# Bytes. The largest answer of DynamoDB, to BatchGetItem, has 16 MB of items.
MAX_SIGNED_ANSWER = 32 * 1024 * 1024


def make_client(
    settings: Settings, now: Callable[[], float], timeout: float
) -> tuple["CognitoIdentityProviderClient", HttpClient]:
    """Create the client, and what it sends its requests by. Threads may share them.

    `now` is a clock in seconds, such as time.monotonic. `timeout` limits a request, in seconds.
    """
    core = _core_session()
    http = HttpClient(partial(authorities, core), timeout)
    # Only for dual-stack endpoints, the rules know addresses that endpoints.json doesn't.
    dual = core.get_config_variable("use_dualstack_endpoint")
    core.register_component("data_loader", _loader(Loader if dual else _WithoutRules))
    _register_handlers(core)
    # boto3's client is botocore's. Its own parts, such as transfers to S3, make a start 5 % longer.
    client: CognitoIdentityProviderClient = core.create_client(  # type: ignore[assignment]
        "cognito-idp",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        config=Config(
            signature_version=UNSIGNED,
            retries={"mode": "standard", "total_max_attempts": 1},  # see _retry
            parameter_validation=False,  # the models in schemas.py have done it
            # botocore joins its own from 16 parts again in each call: 2 % more instructions.
            user_agent=f"accounts Botocore/{botocore.__version__}",
        ),
    )
    # botocore's timeouts limit each wait for a byte, not a call, and it reads any size of answer.
    # Its retry modes treat all operations alike. Its events let us replace both.
    # https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html
    # https://github.com/boto/botocore/blob/develop/botocore/retries/standard.py
    events = client.meta.events
    events.register("before-call.cognito-idp", partial(_note_start, now))
    events.register("before-parse.cognito-idp", _read)
    # The type stubs don't know that a handler of these events returns a value.
    events.register("before-send.cognito-idp", partial(_send, http))  # type: ignore[arg-type]
    for operation in REPEATABLE:
        events.register(f"needs-retry.cognito-idp.{operation}", partial(_retry, now))  # type: ignore[arg-type]
    return client, http


def make_signed_client(service: str, settings: Settings, timeout: float) -> Any:
    """Create the client of another AWS service, such as "dynamodb". Threads may share it.

    Its credentials and region are found as AWS documents; on Lambda, they are the role's and the
    function's. `timeout` limits a try, in seconds, and there are at most two.
    https://docs.aws.amazon.com/boto3/latest/guide/credentials.html
    """
    import boto3  # noqa: PLC0415 - not before a route needs it: see make_client

    core = botocore.session.Session()
    core.register_component("data_loader", _loader(Loader))
    config = Config(retries={"mode": "standard", "total_max_attempts": 2})
    if service == "s3":
        # By default, presigned requests have the old signature, and go to an address without a
        # region, from which a new bucket redirects: browsers report that as a CORS error.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
        address = Config(s3={"addressing_style": "path" if settings.services_url else "virtual"})
        config = config.merge(Config(signature_version="s3v4")).merge(address)
    client = boto3.Session(botocore_session=core, region_name=settings.region).client(
        service,  # type: ignore[call-overload]  # any service
        endpoint_url=settings.services_url,
        config=config,
    )
    http = HttpClient(partial(authorities, core), timeout, MAX_SIGNED_ANSWER)
    client.meta.events.register("before-send", partial(_send_signed, http))
    client.meta.events.register("after-call", _name_service)
    return client


def authorities(core: botocore.session.Session | None = None) -> str:
    """Return the file of certificate authorities to trust.

    It is the one that AWS_CA_BUNDLE names, or botocore's own. The bundle keeps Amazon's alone of
    botocore's. A new session, which this needs without `core`, costs 2 % of a start.
    """
    return (core or _core_session()).get_config_variable("ca_bundle") or where()


def _core_session() -> botocore.session.Session:
    # Ignore AWS_PROFILE: the profile that it names may not exist on this machine.
    profile = {"profile": (None, None, None, None)}
    return botocore.session.Session(session_vars=profile, include_builtin_handlers=False)


def _register_handlers(core: botocore.session.Session) -> None:
    """Register those of botocore's handlers that a client of Cognito can need: 9 of 127.

    The others are for one other service or for documentation.
    """
    for event, handler, *_ in BUILTIN_HANDLERS:
        if "." not in event:
            core.register(event, handler)


@cache
def _loader(kind: type[Loader]) -> Loader:
    """Return a loader of service models. Tests share it, because a model is 10 MB."""
    return kind()


class _WithoutRules(Loader):
    """Loads a service's model, but no rules for its endpoint.

    They find the same address again in each call, which takes 3 % more instructions.
    Without them, botocore finds it once, in endpoints.json, as for a service that has no rules.
    """

    def load_service_model(self, service_name: str, type_name: str, api_version: Any = None) -> Any:
        """Return a model of the service. Raise UnknownServiceError for its endpoint's rules."""
        if type_name == "endpoint-rule-set-1":
            raise UnknownServiceError(service_name=service_name, known_service_names="none")
        return super().load_service_model(service_name, type_name, api_version)


class _Body(BytesIO):
    """A body as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        """Yield the whole body."""
        yield self.read()


def _send(http: HttpClient, request: Any, **_: object) -> AWSResponse:
    """Send to Cognito. Its answer's headers are left out, as nothing reads them."""
    status, _headers, body = _exchange(http, request)
    return AWSResponse(request.url, status, {}, _Body(body))  # type: ignore[arg-type]  # any mapping


def _send_signed(http: HttpClient, request: Any, **_: object) -> AWSResponse:
    """Send, and raise a failure as botocore's own, which it retries."""
    try:
        status, headers, body = _exchange(http, request)
    except HTTPError as error:
        raise HTTPClientError(error=error) from error
    return AWSResponse(request.url, status, headers, _Body(body))  # type: ignore[arg-type]  # any mapping


def _exchange(http: HttpClient, request: Any) -> tuple[int, Mapping[str, str], bytes]:
    sent = dict(request.headers)  # botocore's own are slow to read
    return http.send(request.method, request.url, sent, request.body)


def _name_service(parsed: dict[str, Any], model: Any, **_: object) -> None:
    """Note in an answer which service gave it. botocore's exceptions don't say."""
    parsed["ResponseMetadata"]["Service"] = model.service_model.service_name


def _read(
    operation_model: Any,
    response_dict: dict[str, Any],
    customized_response_dict: dict[str, Any],
    **_: object,
) -> None:
    """Parse an answer in botocore's place, which would raise anything for what isn't Cognito's.

    botocore gets an empty object, and adds to it what is in `customized_response_dict`. An error of
    another server gets its status for a name.
    """
    body = response_dict["body"]
    if response_dict["status_code"] < HTTPStatus.MULTIPLE_CHOICES:
        customized_response_dict.update(read_answer(operation_model.output_shape, body))
        response_dict["body"] = b"{}"
    else:
        response_dict["body"] = json.dumps(read_error(body)).encode()


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
    if MAILS in request_dict["body"]:
        return None
    failed = response is None or response[0].status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    fast = now() - request_dict["context"]["started"] < RETRY_WITHIN
    return RETRY_PAUSE if failed and fast and attempts == 1 else None
