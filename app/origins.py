"""Which pages may call the service: CORS, and a refusal of every other page's requests."""

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from app.exception_handlers import exception_handler
from app.exceptions import OriginNotAllowedError

# They tell every page the same and change nothing, so monitors on other pages may ask them.
_OPEN = ("/health", "/openapi.json", "/docs")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# What a host and a port consist of, and their greatest length. Other text may be a secret.
_HOST = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]")
_LONGEST = 253 + len(":65535")


class OriginMiddleware(CORSMiddleware):
    """CORS that also refuses requests of foreign pages, before their bodies are read.

    A page is foreign if its origin is neither allowed nor the service's own. CORS alone keeps it
    from reading answers, but carries out requests that need no preflight: a foreign page could
    sign people up. The refusal has no CORS headers, because a foreign page may not read it either.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None or self.is_allowed_origin(origin) or _is_own(origin, scope, headers):
            return await super().__call__(scope, receive, send)
        is_preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if not is_preflight and _is_open(scope):
            return await super().__call__(scope, receive, send)
        request = Request(scope)
        response: Response = await exception_handler(request, OriginNotAllowedError())
        request.state.log["origin"] = _for_the_log(origin)
        return await response(scope, receive, send)


def _is_own(origin: str, scope: Scope, headers: Headers) -> bool:
    """Return whether a page comes from where the request went, such as the docs page."""
    return _comparable(origin) == _comparable(f"{scope['scheme']}://{headers.get('host', '')}")


def _for_the_log(origin: str) -> str:
    """Return an origin, or what stands for a stranger's text that isn't one."""
    scheme, separator, host = origin.partition("://")
    is_name = scheme.isascii() and scheme.replace("-", "").isalnum() and separator
    is_host = host.isascii() and not set(host) - _HOST and len(host) <= _LONGEST
    return origin if origin == "null" or (is_name and is_host) else "(not an origin)"


def _comparable(origin: str) -> str:
    """Return an origin as browsers write it: in lower case, without the scheme's default port."""
    origin = origin.lower().removesuffix(":")
    return origin.removesuffix(_DEFAULT_PORTS.get(origin.partition("://")[0], ""))


def _is_open(scope: Scope) -> bool:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return path in _OPEN or path.startswith("/docs/")
