"""Who sent a request, for its log line: keyed hashes, which follow a person without naming them."""

import hmac
import json
from base64 import urlsafe_b64decode
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response

LENGTH = 16  # characters of a hash: two people in 2**32 have the same one


def who(request: Request, body: bytes, response: Response | None, key: str) -> dict[str, str]:
    """Return hashes of the address in a request's body, and of the user's `sub`.

    The `sub` is that of a token which the app has verified (`request.state.user`), or which Cognito
    has accepted: the token that the route took (`request.state.token`), or that of the session
    which the answer begins. So the line of a sign-in has both hashes.
    """
    people = {}
    email = _object(body).get("email")
    if isinstance(email, str):
        people["address"] = email.strip()
    user = getattr(request.state, "user", "")
    if not user and response and response.status_code < HTTPStatus.BAD_REQUEST:
        started = _object(getattr(response, "body", b"")).get("body")
        token = started.get("AccessToken") if isinstance(started, dict) else None
        user = _sub(str(token or getattr(request.state, "token", "")))
    if user:
        people["user"] = user
    return {name: keyed_hash(key, text) for name, text in people.items()}


def keyed_hash(key: str, text: str) -> str:
    """Return the hash of a text. Letter case makes no difference, as in Cognito."""
    folded = text.casefold().encode(errors="surrogatepass")
    return hmac.new(key.encode(), folded, "sha256").hexdigest()[:LENGTH]


def _sub(token: str) -> str:
    payload = token.partition(".")[2].partition(".")[0]
    try:
        claims = _object(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:  # not Base64, or not ASCII
        return ""
    return str(claims.get("sub", ""))


def _object(text: bytes | memoryview) -> dict[str, Any]:
    """Return a JSON object, or an empty one if the text is something else."""
    try:
        value = json.loads(bytes(text))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
