"""The token endpoint of the user pool's domain. Only this module calls it.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
"""

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import urllib3
from pydantic import ValidationError

from app.aws import CONNECT_TIMEOUT, READ_TIMEOUT, authorities
from app.exceptions import (
    InvalidClientError,
    InvalidGrantError,
    TokenEndpointBusyError,
    TokenEndpointError,
    UnauthorizedClientError,
)
from app.schemas import Tokens

MAX_ANSWER = 64 * 1024  # bytes; three tokens have about 4 KiB
_PIECE = 16 * 1024  # bytes

_REFUSALS: dict[str, type[Exception]] = {
    "invalid_grant": InvalidGrantError,
    # It must be the code or the verifier: the rest of the request is ours.
    "invalid_request": InvalidGrantError,
    "invalid_client": InvalidClientError,
    "unauthorized_client": UnauthorizedClientError,
}


class TokenEndpoint:
    """The token endpoint of one domain. One instance serves a process and its threads.

    `now` is a clock in seconds, such as time.monotonic.
    """

    def __init__(self, domain_url: str, now: Callable[[], float] = time.monotonic) -> None:
        self._url = f"{domain_url}/oauth2/token"
        self._now = now

    def exchange(self, grant: Mapping[str, str]) -> Tokens:
        """Exchange an authorization code for tokens.

        It is called once: a code works once, so a second try would fail even if the first one had
        succeeded. The timeouts are those of Cognito's API.

        Raise InvalidGrantError if the code, its verifier or its redirect URI is wrong, and
        InvalidClientError or UnauthorizedClientError if the app client is configured wrongly. Raise
        TokenEndpointBusyError or TokenEndpointError for any other answer, and urllib3's HTTPError
        if there is none.
        """
        status, answer = self._post({"grant_type": "authorization_code", **grant})
        if status != HTTPStatus.OK:
            raise _refusal(status, answer)
        try:
            return Tokens.model_validate(answer, strict=True, by_name=True, by_alias=False)
        except ValidationError:
            raise TokenEndpointError from None  # pydantic's message quotes the tokens

    def _post(self, form: Mapping[str, str]) -> tuple[int, Any]:
        """Send a form; return the status and the JSON value of the answer, None if it isn't JSON.

        Each call opens a connection: an idle one may be dead, and there is no second try.

        Certificates are checked like those of Cognito's API. The bundle has only Amazon's
        authorities: they cover amazoncognito.com, and custom domains whose certificate ACM issued.
        A certificate of another authority, imported into ACM, is refused.
        https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-add-custom-domain.html
        """
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        with urllib3.PoolManager(ca_certs=authorities(), timeout=timeout, retries=False) as http:
            answer = http.request(
                "POST",
                self._url,
                body=urlencode(form),
                headers=headers,
                redirect=False,
                preload_content=False,
            )
            try:
                return answer.status, _json(self._body(answer))
            finally:
                answer.close()

    def _body(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        """Return the body. Raise TokenEndpointError if it is too long, in bytes or in time."""
        deadline = self._now() + READ_TIMEOUT
        body = b""
        while piece := answer.read1(_PIECE, decode_content=False):
            body += piece
            if len(body) > MAX_ANSWER or self._now() > deadline:
                raise TokenEndpointError
        return body


def _refusal(status: int, answer: Any) -> Exception:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TokenEndpointBusyError()
    error = answer.get("error") if isinstance(answer, dict) else None
    refused = status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED)
    if not (refused and isinstance(error, str) and error in _REFUSALS):
        return TokenEndpointError()
    if answer.get("error_description") == "invalid_redirect":
        # `unauthorized_client`, because the redirect URI differs from the authorization URL's. The
        # caller chose both from REDIRECT_URIS, so it isn't a misconfiguration.
        return InvalidGrantError()
    return _REFUSALS[error]()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # not JSON, or not even text, or nested too deeply
        return None
