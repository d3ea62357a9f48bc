"""A fake Google: the consent page, and the token endpoint that Cognito calls.

It stores no accounts: any address that you enter is one. It keeps no sessions, so it always asks,
even with `prompt=none`.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from infra.local.oauth.pages import consent_page, page, redirect
from infra.local.operations.attributes import EMAIL
from infra.local.pool.records import Journal, Table

CLIENT_ID = "local.apps.googleusercontent.example"

# The error descriptions that Cognito sends to the app if Google's token endpoint rejects the client
# secret or times out.
# https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
WRONG_SECRET = "Google Error - 401 invalid_client Unauthorized"  # noqa: S105 - a message
FAILURES = {"error": WRONG_SECRET, "timeout": "Timeout occurred in calling IdP token endpoint"}
UNKNOWN_CODE = "Google Error - 400 invalid_grant Bad Request"


class GoogleError(Exception):
    """An error of Google's token endpoint. Cognito passes the message to the app."""


@dataclass(frozen=True)
class Question:
    """A pending request of the consent page; `state` is Cognito's."""

    redirect_uri: str
    state: str
    scope: str


@dataclass(frozen=True)
class Answer:
    """What Google's token endpoint gives for a code: the account's claims, or an error."""

    claims: dict[str, Any]
    error: str | None = None


class Google:
    """The fake Google of one server.

    `client_id`, `client_secret` and `redirect_uri` are the values in Google's console. Tests change
    them to simulate a misconfigured console. By default, the redirect URI is that of the requesting
    domain.
    """

    def __init__(self, journal: Journal) -> None:
        self.client_id = CLIENT_ID
        self.client_secret = "made-up-secret"  # noqa: S105 - public
        self.redirect_uri: str | None = None
        self._questions: Table[Question] = Table(journal)
        self._answers: Table[Answer] = Table(journal)

    def ask(self, request: Request, accounts: list[str]) -> Response:
        """Return the consent page, or redirect to Google's error page.

        For an unknown client or redirect URI, Google shows its own error page and doesn't redirect
        to the app. `accounts` are the addresses to suggest.
        """
        query = request.args
        registered = self.redirect_uri or f"{request.host_url}oauth2/idpresponse"
        if query.get("client_id") != self.client_id:
            return refuse("invalid_client", "The OAuth client was not found.")
        if query.get("redirect_uri") != registered:
            return refuse("redirect_uri_mismatch", "The redirect URI is not registered.")
        # Unguessable, so that no other site can submit the form and sign its visitors in.
        name = secrets.token_urlsafe(32)
        self._questions[name] = Question(
            query["redirect_uri"], query.get("state", ""), query.get("scope", "")
        )
        return consent_page(name, accounts, query.get("login_hint", ""))

    def answer(self, request: Request, accounts: list[str]) -> Response:
        """Redirect to Cognito with the result of the consent page."""
        form = request.form
        name, choice = form.get("request", ""), form.get("choice")
        email = form.get("email", "").strip()
        question = self._questions.get(name)
        if question is None:
            return page("This form was sent already", "Go back to the app and start again.", 400)
        if choice not in {"deny", *FAILURES} and not EMAIL.fullmatch(email):
            return consent_page(name, accounts, email, "This is not an e-mail address.")
        del self._questions[name]
        if choice == "deny":
            return redirect(question.redirect_uri, error="access_denied", state=question.state)
        code = secrets.token_urlsafe(32)
        verified = form.get("email_verified") == "true"
        self._answers[code] = (
            Answer({}, FAILURES[choice])
            if choice in FAILURES
            else Answer(claims(email, question.scope, verified=verified))
        )
        return redirect(question.redirect_uri, code=code, state=question.state)

    def exchange(self, code: str, client_id: str, client_secret: str) -> dict[str, Any]:
        """Exchange a code for the account's claims, as Google's token endpoint does.

        Raises GoogleError.
        """
        if (client_id, client_secret) != (self.client_id, self.client_secret):
            raise GoogleError(WRONG_SECRET)
        answer = self._answers.pop(code, Answer({}, UNKNOWN_CODE))
        if answer.error:
            raise GoogleError(answer.error)
        return answer.claims


def claims(email: str, scope: str, *, verified: bool) -> dict[str, Any]:
    """Return Google's claims for the account of an address.

    `sub` is derived from the address, so that the same address is always the same account.
    https://developers.google.com/identity/openid-connect/openid-connect#obtainuserinfo
    """
    digest = hashlib.sha256(email.casefold().encode()).hexdigest()
    told: dict[str, Any] = {"sub": f"1{int(digest, 16) % 10**20:020}"}
    if "email" in scope.split():
        told |= {"email": email, "email_verified": verified}
    return told


def refuse(code: str, text: str) -> Response:
    """Redirect to Google's error page; a protocol buffer in its URL contains the error code."""
    fields = [(1, code), (2, text)]
    # Each field is a tag (the field number and type 2, a string), the length and the string.
    encoded = b"".join(
        bytes([number << 3 | 2, len(value)]) + value.encode() for number, value in fields
    )
    parameters = urlencode({"authError": base64.urlsafe_b64encode(encoded).decode()})
    return redirect(f"/google/signin/oauth/error?{parameters}")


def show_refusal(request: Request) -> Response:
    """Return Google's error page."""
    try:
        encoded = base64.urlsafe_b64decode(request.args.get("authError", "") + "==")
    except ValueError:
        encoded = b""
    found = re.fullmatch(rb"\n.([a-z_]+)\x12.*", encoded)
    code = found[1].decode() if found else "an unknown error"
    return page("Google refuses", f"Access is blocked: {code}", 400)
