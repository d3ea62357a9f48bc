"""Where refresh tokens travel: in bodies or, with SESSION_COOKIE=true, in a cookie.

No script can read the cookie, so an injected one can't take the session away with it. A browser
sends the cookie only to this host, and only from pages of the same site. The routes that read it
accept only pages of an allowed origin or of the service's own.
"""

from http.cookies import SimpleCookie

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from app.exceptions import OriginNotAllowedError
from app.routing import missing_field
from app.schemas import Refresh, Tokens

# The prefix makes browsers refuse the cookie from another host, such as a subdomain's, and without
# TLS. https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3
NAME = "__Host-refresh"
# Seconds: 400 days, the longest that browsers keep a cookie. Cognito ends the token itself earlier.
MAX_AGE = 400 * 24 * 60 * 60


def deliver(request: Request, tokens: Tokens) -> Tokens:
    """Return the tokens that belong into the body, and set the cookie, if there is one."""
    if request.app.state.session_cookie and tokens.refresh_token:
        _set(request, tokens.refresh_token, MAX_AGE)
        return tokens.model_copy(update={"refresh_token": None})
    return tokens


def refresh_token(request: Request, body: Refresh) -> str | None:
    """Return the refresh token of a request. None: there is no cookie.

    Raise OriginNotAllowedError if the cookie counts and the request doesn't say which page it comes
    from, and RequestValidationError if the body counts and lacks the token.
    """
    if request.app.state.session_cookie:
        # OriginMiddleware has refused every wrong origin. A browser always sends one with POST.
        if "origin" not in request.headers:
            raise OriginNotAllowedError
        return request.cookies.get(NAME) or None
    if body.refresh_token is None:
        raise RequestValidationError([missing_field("refreshToken")])
    return body.refresh_token


def forget(request: Request) -> None:
    """Remove the cookie, whatever the answer will be."""
    if request.app.state.session_cookie:
        _set(request, "", 0)


def _set(request: Request, value: str, max_age: int) -> None:
    """Have RequestContextMiddleware set the cookie."""
    cookie = SimpleCookie({NAME: value})
    cookie[NAME] |= {
        "path": "/",
        "max-age": max_age,
        "secure": True,
        "httponly": True,
        "samesite": "Strict",
    }
    request.state.cookie = cookie[NAME].OutputString()
