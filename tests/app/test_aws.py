"""The Cognito client sends what botocore's own sends, to the same address."""

from collections.abc import Callable, Iterator
from inspect import isfunction
from io import BytesIO
from typing import Any

import botocore.session
import pytest
from botocore import UNSIGNED, xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import EndpointVariantError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.loaders import Loader

from app.aws import make_client
from app.settings import Settings
from tests.support.calls import CALLS

PARTITIONS = Loader().load_data("partitions")["partitions"]
REGIONS = [name for it in PARTITIONS for name in it["regions"] if not name.endswith("global")]
NEW_REGION = "eu-north-9"  # which this botocore doesn't know yet
USUAL = Config(
    signature_version=UNSIGNED,
    parameter_validation=False,
    retries={"mode": "standard", "total_max_attempts": 1},
)

# botocore's handlers that a call of Cognito can need, by event
NEEDED = [
    ("before-call", "add_recursion_detection_header"),
    ("before-call", "inject_api_version_header_if_needed"),
    ("before-parameter-build", "_handle_request_validation_mode_member"),
    ("before-parameter-build", "generate_idempotent_uuid"),
    ("choose-service-name", "handle_service_name_alias"),
    ("choose-signer", "_set_auth_scheme_preference_signer"),
    ("choose-signer", "set_operation_specific_signer"),
    ("creating-client-class", "add_generate_presigned_url"),
    ("request-created", "add_retry_headers"),
]


class _Body(BytesIO):
    """An answer's body, as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        """Yield the whole body."""
        yield self.read()


class SentError(Exception):
    """Ends a call before anything is sent."""


def sent_by(client: Any) -> dict[str, Any]:
    """Make a call, and return what it would send."""

    def end(request: Any, **_: object) -> None:
        headers = dict(request.headers)
        for different in ("User-Agent", "amz-sdk-invocation-id"):
            headers.pop(different)
        raise SentError({"url": request.url, "headers": headers, "body": request.body})

    client.meta.events.register_first("before-send.cognito-idp", end)
    with pytest.raises(SentError) as sent:
        client.confirm_sign_up(ClientId="client", Username="ada", ConfirmationCode="123456")
    request: dict[str, Any] = sent.value.args[0]
    return request


@pytest.mark.parametrize("fips", ["true", "false"])
@pytest.mark.parametrize("dual_stack", ["true", "false"])
def test_what_is_sent_and_where(
    fips: str, dual_stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the same as without our changes, in every region and for every kind of address."""
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", fips)
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", dual_stack)
    core = botocore.session.Session()
    hosts = set()
    for region in [*REGIONS, NEW_REGION]:
        settings = Settings(client_id="client", user_pool_id=f"{region}_pool", region=region)
        try:
            usual = core.create_client("cognito-idp", region_name=region, config=USUAL)
        except EndpointVariantError:  # no such address in the region's partition
            with pytest.raises(EndpointVariantError):
                make_client(settings, lambda: 0.0, 8)
            continue
        sent = sent_by(make_client(settings, lambda: 0.0, 8)[0])
        assert sent == sent_by(usual), region
        hosts.add(sent["url"])
    assert len(hosts) > 40


def test_the_handlers_that_a_call_needs() -> None:
    """None of botocore's other handlers would be called for Cognito."""
    called = set()

    def noting(event: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        def note(**arguments: object) -> Any:
            called.add((event, handler.__name__))
            return handler(**arguments)

        return note

    core = botocore.session.Session(include_builtin_handlers=False)
    builtin = [(event, *rest) for event, *rest in BUILTIN_HANDLERS if isfunction(rest[0])]
    for event, handler, *_ in builtin:
        core.register(event, noting(event, handler))
    client = core.create_client("cognito-idp", region_name="eu-west-1", config=USUAL)
    client.meta.events.register(
        "before-send.cognito-idp",
        lambda request, **_: AWSResponse(request.url, 200, {}, _Body(b"{}")),
    )
    for operation in CALLS:
        getattr(client, xform_name(operation))()
    assert called
    assert called <= set(NEEDED)
    assert sorted((event, one.__name__) for event, one, *_ in builtin if "." not in event) == NEEDED
    assert not any(order for event, _, *order in builtin if "." not in event)
