"""Test a deployed API from the outside, as a front end calls it: `make smoke URL=https://…/v1`.

Create one account, use it, and compare every answer with the README. Delete the account at the end,
unless it was never confirmed.
"""

import argparse
import secrets
from collections.abc import Callable
from typing import Any, NoReturn

import httpx

from app.middleware import MAX_BODY, response_headers
from infra.deployed import TIMEOUT, NotThisServiceError, api_url, envelope, say

# Accepts every e-mail and shows it to nobody. A different label makes a different address.
# https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
SIMULATOR = "success+{}@simulator.amazonses.com"


class SmokeError(Exception):
    """An unexpected answer. `fail` has already printed what is wrong with it."""


class Visitor:
    """An HTTP client that checks every answer against the contract."""

    def __init__(self, url: str, origin: str | None) -> None:
        self.http = httpx.Client(base_url=url, timeout=TIMEOUT)
        self.origin = origin
        self.token = ""
        """The access token, empty until somebody signs in."""

    def asks(
        self, method: str, path: str, expected: str, json: object = None, **more: Any
    ) -> dict[str, Any]:
        """Send a request, compare the answer with `expected`, and return its JSON.

        `expected` is a status and a code ("200", "400 code_mismatch"), or several separated by
        " or ". Raises SmokeError if the answer is none of them, or if one of the headers and fields
        that every answer has is wrong.
        """
        headers = {**more.pop("headers", {})}
        if self.origin:
            headers.setdefault("Origin", self.origin)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = self._send(method, path, json=json, headers=headers, **more)
        try:
            found = envelope(answer)
        except NotThisServiceError as error:
            fail(str(error))
        got = f"{answer.status_code} {found.get('code', '')}".strip()
        step = f"{method} {path}: {got}"
        if got not in expected.split(" or "):
            request = found.get("requestId", "?")
            fail(f"{step}, expected {expected} (request {request})")
        for problem in self._problems(answer, found):
            fail(f"{step}, but {problem}")
        say(f"ok    {step}")
        return found

    def session(self, tokens: dict[str, str]) -> dict[str, Any]:
        """Return what proves a session: the refresh token, or the cookie and an origin.

        The API's own origin may use the cookie, too.
        """
        if "RefreshToken" in tokens:
            return {"json": {"refreshToken": tokens["RefreshToken"]}}
        cookies = "; ".join(f"{each.name}={each.value}" for each in self.http.cookies.jar)
        own = str(self.http.base_url.join("/")).rstrip("/")
        return {"headers": {"Cookie": cookies, "Origin": self.origin or own}}

    def may_call(self) -> None:
        """Send a CORS preflight. Raises SmokeError if the origin is not allowed."""
        asked = {
            "Origin": str(self.origin),
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        answer = self._send("OPTIONS", "/auth/sign-in", headers=asked)
        if answer.headers.get("access-control-allow-origin") != self.origin:
            fail(f"{self.origin} is not allowed: add it to the parameter AllowedOrigins")
        say(f"ok    OPTIONS /auth/sign-in: {self.origin} is allowed")

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self.http.request(method, path, **more)
        except httpx.HTTPError as error:
            fail(f"{method} {path}: no answer ({error})")

    def _problems(self, answer: httpx.Response, found: dict[str, Any]) -> list[str]:
        """List what is wrong with the headers and fields that every answer has."""
        id_ = answer.headers.get("x-request-id", "")
        expected = response_headers(id_, https=answer.url.scheme == "https")
        if self.origin:
            expected["Access-Control-Allow-Origin"] = self.origin
        wrong = [
            f"{name} is {answer.headers.get(name)!r}, expected {value!r}"
            for name, value in expected.items()
            if answer.headers.get(name) != value
        ]
        if found.get("statusCode") != answer.status_code:
            wrong.append(f"its statusCode is {found.get('statusCode')}")
        if answer.is_error and found.get("requestId") != id_:
            wrong.append("requestId differs from the header X-Request-Id")
        return wrong


def requests_without_an_account(visitor: Visitor) -> None:
    """Check every answer that needs no account."""
    route = "/auth/sign-in"
    plain = {"Content-Type": "text/plain"}
    visitor.asks("GET", "/health", "200")
    visitor.asks("GET", "/no-such-page", "404 not_found")
    visitor.asks("GET", route, "405 method_not_allowed")
    visitor.asks("POST", route, "415 unsupported_media_type", content=b"x", headers=plain)
    visitor.asks("POST", route, "413 body_too_large", json={"email": "x" * MAX_BODY})
    json = {"Content-Type": "application/json"}
    visitor.asks("POST", route, "400 invalid_request", content=b"{", headers=json)
    visitor.asks("POST", route, "400 invalid_request", json={"email": "ada@example.com"})
    visitor.asks("GET", "/auth/me", "401 invalid_token")


def create_account(visitor: Visitor, person: dict[str, str]) -> dict[str, str]:
    """Sign up, up to the point where the code is needed. Return what sign-up gave for confirm."""
    visitor.asks("POST", "/auth/sign-in", "400 invalid_credentials", json=person)
    visitor.asks("POST", "/auth/sign-up", "400 invalid_email", json=person | {"email": "ada"})
    visitor.asks("POST", "/auth/sign-up", "400 invalid_password", json=person | {"password": "x"})
    given = visitor.asks("POST", "/auth/sign-up", "200", json=person)
    # With HIDE_EXISTING_ACCOUNTS it is 200
    visitor.asks("POST", "/auth/sign-up", "409 email_taken or 200", json=person)
    unconfirmed = "403 user_not_confirmed or 400 invalid_credentials"  # 400 likewise
    visitor.asks("POST", "/auth/sign-in", unconfirmed, json=person)
    visitor.asks("POST", "/auth/confirm", "400 code_mismatch", json=person | {"code": "wrong"})
    session: dict[str, str] = given.get("body", {})
    return session


def use_account(
    visitor: Visitor, person: dict[str, str], session: dict[str, str], code: str
) -> None:
    """Confirm the account, use it, and delete it."""
    confirmed = visitor.asks("POST", "/auth/confirm", "200", json=person | session | {"code": code})
    if session and "body" not in confirmed:
        say("note  confirm didn't sign in: has it been more than 15 minutes since sign-up?")
    again = "409 already_confirmed or 400 code_mismatch"  # 400 with HIDE_EXISTING_ACCOUNTS
    visitor.asks("POST", "/auth/confirm", again, json=person | {"code": code})
    wrong = person | {"password": "wrong"}
    visitor.asks("POST", "/auth/sign-in", "400 invalid_credentials", json=wrong)
    visitor.token = visitor.asks("POST", "/auth/sign-in", "200", json=person)["body"]["AccessToken"]
    try:
        me = visitor.asks("GET", "/auth/me", "200")["body"]
        if (me["email"], me["emailVerified"]) != (person["email"], True):
            fail("GET /auth/me: 200, but for another account")
        visitor.asks("PATCH", "/auth/me", "200", json={"name": "Smoke"})
        use_second_session(visitor, person)
    finally:
        visitor.asks("DELETE", "/auth/me", "200")
        visitor.token = ""
    visitor.asks("POST", "/auth/sign-in", "400 invalid_credentials", json=person)


def use_second_session(visitor: Visitor, person: dict[str, str]) -> None:
    """Sign in once more, as on another device; refresh that session, and sign out of it."""
    tokens = visitor.asks("POST", "/auth/sign-in", "200", json=person)["body"]
    tokens |= visitor.asks("POST", "/auth/refresh", "200", **visitor.session(tokens))["body"]
    ended = visitor.session(tokens)
    visitor.asks("POST", "/auth/sign-out", "200", **ended)
    visitor.asks("POST", "/auth/refresh", "401 invalid_refresh_token", **ended)


def smoke(url: str, origin: str | None, email: str | None, read_code: Callable[[], str]) -> None:
    """Run all steps, or, without `email`, the steps that need no code.

    Raises SmokeError at the first unexpected answer.
    """
    visitor = Visitor(url, origin)
    if origin:
        visitor.may_call()
    requests_without_an_account(visitor)
    address = email or SIMULATOR.format(secrets.token_hex(4))
    person = {"email": address, "password": f"Smoke-{secrets.token_hex(8)}"}
    try:
        session = create_account(visitor, person)
        if email:
            use_account(visitor, person, session, read_code())
        else:
            say(f"An unconfirmed account remains: {address}")
    except (SmokeError, EOFError, KeyboardInterrupt):
        say(f"An account may remain. Use an address other than {address} next time.")
        raise


def fail(line: str) -> NoReturn:
    """Print what is wrong and raise SmokeError."""
    say(f"FAIL  {line}")
    raise SmokeError


def _read_code() -> str:
    return input("The code from the e-mail: ").strip()


def main() -> None:
    """Parse the command line and run the test. Raises SystemExit if it fails."""
    parser = argparse.ArgumentParser(
        prog="make smoke URL=…",
        description="Test a deployed API: create an account, use it and delete it. The API sends "
        "one or two e-mails; enter the code from the latest one.",
        epilog='Pass options in ARGS: make smoke URL=… ARGS="--email you@example.com"',
    )
    parser.add_argument("url", metavar="URL", type=api_url, help="the stack's output ApiUrl")
    parser.add_argument("--email", help="your e-mail address; it must not have an account yet")
    parser.add_argument("--skip-confirm", action="store_true", help="stop where the code is needed")
    parser.add_argument("--origin", help="your front end's origin; check that it may call the API")
    given = parser.parse_args()
    if not (given.skip_confirm or given.email):
        given.email = input("Your e-mail address (without an account yet): ").strip()
    try:
        smoke(given.url, given.origin, None if given.skip_confirm else given.email, _read_code)
    except SmokeError:
        raise SystemExit(1) from None
    except (EOFError, KeyboardInterrupt):
        raise SystemExit("\nInterrupted.") from None
    say("All checks passed.")


if __name__ == "__main__":
    main()
