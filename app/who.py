"""Who sent a request, for its log line: keyed hashes, which follow a person without naming them."""

import hmac
import json
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response

from app.claims import read_claims

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
        accepted = token or getattr(request.state, "token", "")
        user = str(read_claims(str(accepted)).get("sub", ""))
    if user:
        people["user"] = user
    return {name: keyed_hash(key, text) for name, text in people.items()}


def keyed_hash(key: str, text: str) -> str:
    """Return the hash of a text. Letter case makes no difference, as in Cognito."""
    folded = text.casefold().encode(errors="surrogatepass")
    return hmac.new(key.encode(), folded, "sha256").hexdigest()[:LENGTH]


def _object(text: bytes | memoryview) -> dict[str, Any]:
    """Return a JSON object, or an empty one if the text is something else."""
    try:
        value = json.loads(bytes(text))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
