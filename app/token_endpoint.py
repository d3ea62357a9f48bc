"""The token endpoint of the user pool's domain. Only this module calls it.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
"""

from collections.abc import Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError

from app.aws import authorities
from app.exceptions import (
    InvalidClientError,
    InvalidGrantError,
    TokenEndpointBusyError,
    TokenEndpointError,
    UnauthorizedClientError,
)
from app.schemas import Tokens
from app.upstream import TIMEOUT, HttpClient, read_json

_HEADERS = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}

_REFUSALS: dict[str, type[Exception]] = {
    "invalid_grant": InvalidGrantError,
    # It must be the code or the verifier: the rest of the request is ours.
    "invalid_request": InvalidGrantError,
    "invalid_client": InvalidClientError,
    "unauthorized_client": UnauthorizedClientError,
}


class TokenEndpoint:
    """The token endpoint of one domain. One instance serves a process and its threads.

    `timeout` limits a call, in seconds.
    """

    def __init__(self, domain_url: str, timeout: float = TIMEOUT) -> None:
        self._url = f"{domain_url}/oauth2/token"
        self._timeout = timeout

    def exchange(self, grant: Mapping[str, str]) -> Tokens:
        """Exchange an authorization code for tokens.

        It is called once: a code works once, so a second try would fail even if the first one had
        succeeded.

        Raise InvalidGrantError if the code, its verifier or its redirect URI is wrong, and
        InvalidClientError or UnauthorizedClientError if the app client is configured wrongly. Raise
        TokenEndpointBusyError or TokenEndpointError for any other answer, and the exceptions of
        HttpClient if there is none.
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
        with closing(HttpClient(authorities, self._timeout)) as http:
            status, _, body = http.send("POST", self._url, _HEADERS, urlencode(form))
        return status, read_json(body)


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
