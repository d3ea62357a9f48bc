"""Sign-in with Google through the user pool's domain: OAuth's authorization code grant with PKCE.

The browser keeps the state and the verifier of an attempt; this service stores nothing. Only a code
that was issued for the browser's own verifier can be exchanged for tokens.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
"""

import base64
import hashlib
import json
import re
import secrets
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field

from app.exceptions import (
    EmailNotVerifiedError,
    EmailTakenError,
    GoogleFailedError,
    GoogleNotSetUpError,
    InvalidGrantError,
    RedirectNotAllowedError,
    RejectedError,
    SignInCancelledError,
    TokenEndpointError,
)
from app.failure import EMAIL_NOT_VERIFIED, EMAIL_TAKEN, trigger_message
from app.schemas import Tokens, wire
from app.settings import Settings
from app.token_endpoint import TokenEndpoint

# The last one allows the operations on one's own account: GetUser, GlobalSignOut, DeleteUser.
SCOPES = "openid email aws.cognito.signin.user.admin"

STATE_PREFIX = "accounts-"
"""By this, infra/web/client.js knows our states from those of a page's other OAuth flows."""

# https://datatracker.ietf.org/doc/html/rfc6749#section-4.1.2.1
_ERRORS = {
    "access_denied",
    "invalid_request",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_response_type",
}


class GoogleAttempt(BaseModel):
    """An attempt to sign in. Keep `state` and `codeVerifier` in the tab that opens `url`."""

    model_config = wire() | ConfigDict(populate_by_name=True)

    url: str = Field(repr=False, description="Open it in this tab.")
    state: str = Field(
        repr=False, description="Ignore a browser that comes back with another `state`."
    )
    code_verifier: str = Field(repr=False, description="Send it to /auth/google/finish.")


class OAuthClient:
    """The app client at the pool's domain. One instance serves a process and its threads.

    Every method raises GoogleNotSetUpError if there is no domain.
    """

    def __init__(self, settings: Settings) -> None:
        self._client_id = settings.client_id
        self._domain_url = settings.domain_url
        self._redirect_uris = settings.redirect_uris

    def start(self, redirect_uri: str) -> GoogleAttempt:
        """Return a new attempt. Its URL leads to Google, through Cognito.

        Raise RedirectNotAllowedError if REDIRECT_URIS doesn't list `redirect_uri`.
        """
        domain_url = self._domain_for(redirect_uri)
        state, verifier = STATE_PREFIX + secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        challenge = _challenge(verifier)
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPES,
            "state": state,
            "nonce": challenge,  # the ID token repeats it: see `finish`
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "identity_provider": "Google",
            # Otherwise Google signs in the last person who used a shared computer, without asking.
            "prompt": "select_account",
        }
        url = f"{domain_url}/oauth2/authorize?{urlencode(query, quote_via=quote)}"
        return GoogleAttempt(url=url, state=state, code_verifier=verifier)

    def finish(self, code: str, code_verifier: str, redirect_uri: str) -> Tokens:
        """Exchange the code that the browser came back with for tokens, once.

        Raise InvalidGrantError if the code wasn't issued for this verifier. Cognito checks that
        too, but only if the authorization URL had a challenge. Also raise RedirectNotAllowedError,
        like `start`, and the exceptions of TokenEndpoint.
        """
        endpoint = TokenEndpoint(self._domain_for(redirect_uri))
        tokens = endpoint.exchange(
            {
                "client_id": self._client_id,
                "code": code,
                "code_verifier": code_verifier,
                "redirect_uri": redirect_uri,
            }
        )
        if _claims(tokens.id_token).get("nonce") != _challenge(code_verifier):
            raise InvalidGrantError
        return tokens

    def failure(self, error: str, description: str) -> Exception:
        """Return the exception for an `error` that the browser came back with.

        Anyone can send one, so none of them means `misconfigured`. Cognito and Google may change
        their descriptions, so only the messages of the pool's own triggers are looked for.
        """
        if not self._domain_url:
            return GoogleNotSetUpError()
        words = re.findall(r"\w+", description)
        if EMAIL_TAKEN in words:
            return EmailTakenError()
        if EMAIL_NOT_VERIFIED in words:
            return EmailNotVerifiedError()
        if error == "access_denied":
            return SignInCancelledError()
        if trigger_message(message := description.strip()):
            return RejectedError(message)
        return GoogleFailedError()

    def _domain_for(self, redirect_uri: str) -> str:
        if not self._domain_url:
            raise GoogleNotSetUpError
        if redirect_uri not in self._redirect_uris:
            raise RedirectNotAllowedError
        return self._domain_url


def known_error(error: str) -> str:
    """Return the name of an OAuth error, or "unknown": any other text may contain a secret."""
    return error if error in _ERRORS else "unknown"


def _challenge(verifier: str) -> str:
    """Return the S256 code challenge of a code verifier.

    https://datatracker.ietf.org/doc/html/rfc7636#section-4.2
    """
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _claims(id_token: str) -> dict[str, Any]:
    """Return the claims of an ID token. Raise TokenEndpointError if it is not a JWT.

    Its signature needs no check, because the issuer sent it over TLS.
    https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
    """
    payload = id_token.partition(".")[2].partition(".")[0]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):  # neither base64 nor JSON, or nested too deeply
        claims = None
    if not isinstance(claims, dict):
        raise TokenEndpointError
    return claims
