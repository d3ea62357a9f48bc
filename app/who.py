"""Who sent a request, for its log line: keyed hashes, which follow a person without naming them."""

import hmac
import json
from base64 import urlsafe_b64decode
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response

LENGTH = 16  # characters of a hash: two people in 2**32 have the same one


async def who(request: Request, response: Response | None, key: str) -> dict[str, str]:
    """Return hashes of the address in a request, and of the user's `sub`.

    The `sub` comes from an access token that Cognito or the app has accepted: the request's own, or
    that of the session which the answer begins. So the line of a sign-in has both.
    """
    people = {}
    email = _object(await request.body()).get("email")
    if isinstance(email, str):
        people["address"] = email.strip()
    if response and response.status_code < HTTPStatus.BAD_REQUEST:
        started = _object(bytes(response.body)).get("body")
        token = started.get("AccessToken") if isinstance(started, dict) else None
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        if sub := _sub(token or (sent if scheme.lower() == "bearer" else "")):
            people["user"] = sub
    return {name: keyed_hash(key, text) for name, text in people.items()}


def keyed_hash(key: str, text: str) -> str:
    """Return the hash of a text. Letter case makes no difference, as in Cognito."""
    return hmac.new(key.encode(), text.casefold().encode(), "sha256").hexdigest()[:LENGTH]


def _sub(token: str) -> str:
    payload = token.partition(".")[2].partition(".")[0]
    try:
        claims = _object(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:  # not Base64, or not ASCII
        return ""
    return str(claims.get("sub", ""))


def _object(text: bytes) -> dict[str, Any]:
    """Return a JSON object, or an empty one if the text is something else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
