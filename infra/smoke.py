"""Try a deployed API, as a front end would: `make smoke URL=https://…/v1`.

It holds the answers to what the README says of them, through the life of one account. It deletes
the account at the end, unless nobody could confirm it.
"""

import argparse
import secrets
from collections.abc import Callable
from typing import Any, NoReturn

import httpx

TIMEOUT = 30  # seconds; API Gateway itself gives up after 29
MAX_BODY = 16 * 1024
# Takes every e-mail and shows it to nobody; a label makes each address another one.
# https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
SIMULATOR = "success+{}@simulator.amazonses.com"


class SmokeError(Exception):
    """An answer that is not as it should be. What is wrong with it has been told already."""


class Visitor:
    """A browser without a page: it knows how every answer must look."""

    def __init__(self, url: str, origin: str | None) -> None:
        self.http = httpx.Client(base_url=url, timeout=TIMEOUT)
        self.origin = origin
        self.token = ""
        """The access token, once there is one."""

    def asks(
        self, method: str, path: str, expected: str, json: object = None, **more: Any
    ) -> dict[str, Any]:
        """Ask, hold the answer to `expected` ("200", "400 code_mismatch"), and return its JSON.

        Of several, separated by " or ", any will do. Raises SmokeError when it is none of them, or
        when one of the headers is not as on every answer.
        """
        headers = more.pop("headers", {})
        if self.origin:
            headers["Origin"] = self.origin
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = self._send(method, path, json=json, headers=headers, **more)
        envelope = _envelope(answer)
        got = f"{answer.status_code} {envelope.get('code', '')}".strip()
        step = f"{method} {path}: {got}"
        if got not in expected.split(" or "):
            request = envelope.get("requestId", "?")
            fail(f"{step} instead of {expected} (request {request})")
        for problem in self._problems(answer, envelope):
            fail(f"{step}, but {problem}")
        say(f"ok    {step}")
        return envelope

    def may_call(self) -> None:
        """Ask as a browser does before a page's first call. Raises SmokeError if it is refused."""
        asked = {
            "Origin": str(self.origin),
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        answer = self._send("OPTIONS", "/auth/sign-in", headers=asked)
        if answer.headers.get("access-control-allow-origin") != self.origin:
            fail(f"{self.origin} may not call: add it to the parameter AllowedOrigins")
        say(f"ok    OPTIONS /auth/sign-in: {self.origin} may call")

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self.http.request(method, path, **more)
        except httpx.HTTPError as error:
            fail(f"{method} {path}: no answer came ({error})")

    def _problems(self, answer: httpx.Response, envelope: dict[str, Any]) -> list[str]:
        """What is wrong with the parts that every answer has."""
        expected = {
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        }
        if self.origin:
            expected["access-control-allow-origin"] = self.origin
        wrong = [
            f"{name} is {answer.headers.get(name)!r} instead of {value!r}"
            for name, value in expected.items()
            if answer.headers.get(name) != value
        ]
        if answer.url.scheme == "https" and "strict-transport-security" not in answer.headers:
            wrong.append("strict-transport-security is missing")
        if envelope.get("statusCode") != answer.status_code:
            wrong.append(f"its statusCode is {envelope.get('statusCode')}")
        if answer.is_error and envelope.get("requestId") != answer.headers.get("x-request-id"):
            wrong.append("requestId is not that of X-Request-Id")
        return wrong


def _envelope(answer: httpx.Response) -> dict[str, Any]:
    try:
        envelope = answer.json()
    except ValueError:
        envelope = None
    if not isinstance(envelope, dict) or "statusCode" not in envelope:
        fail(
            f"{answer.request.method} {answer.url} was answered {answer.status_code} by something "
            "else than this service. The address is the stack's output ApiUrl, with the stage."
        )
    return envelope


def strangers_are_told_what_is_wrong(visitor: Visitor) -> None:
    """Every answer that needs no account."""
    route = "/auth/sign-in"
    plain = {"Content-Type": "text/plain"}
    visitor.asks("GET", "/health", "200")
    visitor.asks("GET", "/no-such-page", "404 not_found")
    visitor.asks("GET", route, "405 method_not_allowed")
    visitor.asks("POST", route, "415 unsupported_media_type", content=b"{}", headers=plain)
    visitor.asks("POST", route, "413 body_too_large", json={"email": "x" * MAX_BODY})
    visitor.asks("POST", route, "400 invalid_request", content=b"{")
    visitor.asks("POST", route, "400 invalid_request", json={"email": "ada@example.com"})
    visitor.asks("GET", "/auth/me", "401 invalid_token")


def account_is_made(visitor: Visitor, person: dict[str, str]) -> None:
    """Up to the point where the code is needed."""
    visitor.asks("POST", "/auth/sign-in", "400 invalid_credentials", json=person)
    visitor.asks("POST", "/auth/sign-up", "400 invalid_email", json=person | {"email": "ada"})
    visitor.asks("POST", "/auth/sign-up", "400 invalid_password", json=person | {"password": "x"})
    visitor.asks("POST", "/auth/sign-up", "200", json=person)
    # 200 with HIDE_EXISTING_ACCOUNTS
    visitor.asks("POST", "/auth/sign-up", "409 email_taken or 200", json=person)
    visitor.asks("POST", "/auth/sign-in", "403 user_not_confirmed", json=person)
    visitor.asks("POST", "/auth/confirm", "400 code_mismatch", json=person | {"code": "wrong"})


def account_lives(visitor: Visitor, person: dict[str, str], code: str) -> None:
    """From its confirmation on, until it is deleted."""
    visitor.asks("POST", "/auth/confirm", "200", json=person | {"code": code})
    again = "409 already_confirmed or 400 code_mismatch"  # the latter with HIDE_EXISTING_ACCOUNTS
    visitor.asks("POST", "/auth/confirm", again, json=person | {"code": code})
    wrong = person | {"password": "wrong"}
    visitor.asks("POST", "/auth/sign-in", "400 invalid_credentials", json=wrong)
    visitor.token = visitor.asks("POST", "/auth/sign-in", "200", json=person)["body"]["AccessToken"]
    try:
        me = visitor.asks("GET", "/auth/me", "200")["body"]
        if (me["email"], me["emailVerified"]) != (person["email"], True):
            fail("GET /auth/me: 200, but it is somebody else")
        a_session_is_renewed_and_ended(visitor, person)
    finally:
        visitor.asks("DELETE", "/auth/me", "200")
        visitor.token = ""
    visitor.asks("POST", "/auth/sign-in", "400 invalid_credentials", json=person)


def a_session_is_renewed_and_ended(visitor: Visitor, person: dict[str, str]) -> None:
    """As on another device."""
    token = visitor.asks("POST", "/auth/sign-in", "200", json=person)["body"]["RefreshToken"]
    fresh = visitor.asks("POST", "/auth/refresh", "200", json={"refreshToken": token})["body"]
    mine = {"refreshToken": fresh["RefreshToken"]}
    visitor.asks("POST", "/auth/sign-out", "200", json=mine)
    visitor.asks("POST", "/auth/refresh", "401 invalid_refresh_token", json=mine)


def smoke(url: str, origin: str | None, email: str | None, read_code: Callable[[], str]) -> None:
    """Do all of it; without an e-mail address, what can be done without a code.

    Raises SmokeError at the first answer that is not as it should be.
    """
    visitor = Visitor(url, origin)
    if origin:
        visitor.may_call()
    strangers_are_told_what_is_wrong(visitor)
    address = email or SIMULATOR.format(secrets.token_hex(4))
    person = {"email": address, "password": f"Smoke-{secrets.token_hex(8)}"}
    try:
        account_is_made(visitor, person)
        if email:
            account_lives(visitor, person, read_code())
        else:
            say(f"An unconfirmed account is left: {address}")
    except (SmokeError, EOFError, KeyboardInterrupt):
        say(f"An account may be left. Take another address than {address} the next time.")
        raise


def fail(line: str) -> NoReturn:
    """Tell what is wrong, and end it: SmokeError."""
    say(f"FAIL  {line}")
    raise SmokeError


def say(line: str) -> None:
    """Tell how far it is."""
    print(line, flush=True)  # noqa: T201 (it is a command's output)


def _read_code() -> str:
    return input("The code from the e-mail: ").strip()


def main() -> None:
    """Read the command line and try it. Raises SystemExit with what is wrong."""
    parser = argparse.ArgumentParser(
        prog="make smoke URL=…",
        description="Try a deployed API through the life of one account. It sends one or two "
        "e-mails, and asks for the code in one of them.",
        epilog='Options are given as ARGS, as in make smoke URL=… ARGS="--email you@example.com"',
    )
    parser.add_argument("url", metavar="URL", help="the stack's output ApiUrl")
    parser.add_argument("--email", help="an address of yours that has no account yet")
    parser.add_argument("--skip-confirm", action="store_true", help="end where a code is needed")
    parser.add_argument("--origin", help="your front end's, to try that it may call")
    given = parser.parse_args()
    if not given.url.startswith(("http://", "https://")):
        parser.error("URL is the stack's output ApiUrl, and begins with https://")
    if not (given.skip_confirm or given.email):
        given.email = input("An e-mail address of yours that has no account yet: ").strip()
    try:
        smoke(given.url, given.origin, None if given.skip_confirm else given.email, _read_code)
    except SmokeError:
        raise SystemExit(1) from None
    except (EOFError, KeyboardInterrupt):
        raise SystemExit("\nEnded before the end.") from None
    say("All is well.")


if __name__ == "__main__":
    main()
