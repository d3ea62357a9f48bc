"""The environment variables that the app reads, checked once at start-up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

# What a browser sends in the header Origin: scheme, host, and the port unless it is the default.
# https://datatracker.ietf.org/doc/html/rfc6454#section-6.1
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d+")
_URL = re.compile(r"https?://[\w.:\[\]-]+(?:/\S*)?")
_LOOPBACK = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:/|$)")


_APP_NAME = "Accounts"
_MIN_KEY = 16  # characters
_LONGEST_NAME = 32  # characters; authenticator apps show about 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The app's settings. Tests and other programs can create them directly."""

    client_id: str
    """COGNITO_CLIENT_ID: the app client's id. The client must not have a secret."""

    user_pool_id: str
    """COGNITO_USER_POOL_ID."""

    region: str
    """AWS_REGION: the user pool's region. Lambda sets it to the function's region."""

    allowed_origins: tuple[str, ...] = ()
    """ALLOWED_ORIGINS: browser origins, comma-separated. By default none is allowed."""

    endpoint_url: str | None = None
    """AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: the URL of a Cognito other than AWS's."""

    services_url: str | None = None
    """AWS_ENDPOINT_URL: the URL of AWS services other than AWS's, such as the local ones."""

    jwks_url: str | None = None
    """COGNITO_JWKS_URL: where a local Cognito publishes its keys. Loopback addresses only."""

    hide_existing_accounts: bool = False
    """HIDE_EXISTING_ACCOUNTS: whether sign-up answers for a taken address as for a new one."""

    domain_url: str | None = None
    """COGNITO_DOMAIN_URL: the user pool's domain. Without it, sign-in with Google is off."""

    redirect_uris: tuple[str, ...] = ()
    """REDIRECT_URIS: where a browser may come back to from Google, comma-separated and exact."""

    session_cookie: bool = False
    """SESSION_COOKIE: whether refresh tokens travel in a cookie that no script can read."""

    app_name: str = _APP_NAME
    """APP_NAME: what authenticator apps call the app."""

    log_key: str = field(default="", repr=False)
    """LOG_KEY: the key of the hashes by which the log tells people apart; empty for no hashes."""

    docs: bool = True
    """DOCS: whether the docs page and the OpenAPI document are served."""

    @property
    def issuer(self) -> str:
        """The `iss` claim of the pool's tokens."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.user_pool_id}"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from environment variables.

        Raise SystemExit, whose one line says what to fix, if one has a mistake. Start-up then ends
        without a traceback, under uvicorn and on Lambda.
        """
        required = ("COGNITO_CLIENT_ID", "COGNITO_USER_POOL_ID", "AWS_REGION")
        values = {name: environ.get(name, "").strip() for name in required}
        if missing := [name for name, value in values.items() if not value]:
            raise SystemExit(f"Not started: set {' and '.join(missing)} in the environment.")
        if not _REGION.fullmatch(values["AWS_REGION"]):
            raise SystemExit(
                f"Not started: AWS_REGION is {values['AWS_REGION']!r}, which is not a region."
            )
        return cls(
            client_id=values["COGNITO_CLIENT_ID"],
            user_pool_id=values["COGNITO_USER_POOL_ID"],
            region=values["AWS_REGION"],
            allowed_origins=_origins(environ.get("ALLOWED_ORIGINS", "")),
            endpoint_url=_url(environ, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"),
            services_url=_url(environ, "AWS_ENDPOINT_URL"),
            jwks_url=_loopback(_url(environ, "COGNITO_JWKS_URL")),
            hide_existing_accounts=_yes_or_no(environ, "HIDE_EXISTING_ACCOUNTS", default=False),
            domain_url=_domain(environ.get("COGNITO_DOMAIN_URL", "")),
            redirect_uris=_redirect_uris(environ.get("REDIRECT_URIS", "")),
            session_cookie=_yes_or_no(environ, "SESSION_COOKIE", default=False),
            app_name=_app_name(environ.get("APP_NAME", "").strip() or _APP_NAME),
            log_key=_log_key(environ.get("LOG_KEY", "").strip()),
            docs=_yes_or_no(environ, "DOCS", default=True),
        )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(entry for part in text.split(",") if (entry := part.strip()))


def _origins(listed: str) -> tuple[str, ...]:
    origins = _listed(listed)
    for origin in origins:
        # Browsers never send such an origin, so the only symptom would be a CORS error.
        if not _ORIGIN.fullmatch(origin):
            raise SystemExit(
                f"Not started: {origin!r} in ALLOWED_ORIGINS is not a browser origin. Write "
                "scheme://host or scheme://host:port in lower case, with no path and no final "
                "slash, such as https://app.example.com. Wildcards are not supported."
            )
    return origins


def _url(environ: Mapping[str, str], name: str) -> str | None:
    url = environ.get(name, "").strip()
    if url and not _URL.fullmatch(url):
        raise SystemExit(
            f"Not started: {name} is {url!r}, which is not a URL with http:// or https://."
        )
    return url or None


def _loopback(url: str | None) -> str | None:
    # The keys decide which tokens are valid, so they must not come from another machine.
    if url and not _LOOPBACK.match(url):
        raise SystemExit(
            f"Not started: COGNITO_JWKS_URL is for a Cognito on this machine, but {url!r} is "
            "elsewhere. For a pool in AWS, don't set it: the URL follows from the pool's id."
        )
    return url


def _domain(text: str) -> str | None:
    text = text.strip()
    url = text.removesuffix("/")
    # Authorization codes are sent there, and tokens come back.
    if text and not (_ORIGIN.fullmatch(url) and _is_private(url)):
        raise SystemExit(
            f"Not started: COGNITO_DOMAIN_URL is {text!r}. Write the user pool's domain as "
            "https://host, in lower case and with no path, such as "
            "https://example.auth.eu-west-1.amazoncognito.com. Only on this machine it may be http."
        )
    return url or None


def _redirect_uris(listed: str) -> tuple[str, ...]:
    uris = _listed(listed)
    path = r"(?:/[^\s#*\\]*)?(?:\?[^\s#*\\]*)?"  # and the query
    for uri in uris:
        origin = _ORIGIN.match(uri)
        if not uri.startswith(("https://", "http://")):
            # Any app can claim a scheme of its own, and would get the authorization code.
            # https://datatracker.ietf.org/doc/html/rfc8252#section-8.6
            raise SystemExit(
                f"Not started: {uri!r} in REDIRECT_URIS is not a web address. Write https://host/"
                "path; schemes of apps, such as myapp://, are not supported."
            )
        if not (origin and re.fullmatch(path, uri[origin.end() :]) and _is_private(uri)):
            raise SystemExit(
                f"Not started: {uri!r} in REDIRECT_URIS is not where a browser may come back to. "
                "Write https://host/path, or http:// on this machine, with the host in lower case, "
                "no fragment and no wildcard, exactly as the app client lists it."
            )
        if uri[origin.end() :].partition("?")[0] == "/oauth2/idpresponse":
            raise SystemExit(
                f"Not started: {uri!r} in REDIRECT_URIS is where Google returns to Cognito. It "
                "belongs in Google's console alone. Write a page of your front end here."
            )
    return uris


def _log_key(key: str) -> str:
    # With a key that can be guessed, so can the addresses.
    if key and len(key) < _MIN_KEY:
        raise SystemExit(f"Not started: LOG_KEY must have at least {_MIN_KEY} characters.")
    return key


def _app_name(name: str) -> str:
    # A colon ends the name in what authenticator apps read.
    # https://github.com/google/google-authenticator/wiki/Key-Uri-Format#label
    if ":" in name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise SystemExit(
            f"Not started: APP_NAME is {name!r}. Write at most {_LONGEST_NAME} characters, without "
            "a colon or a line break."
        )
    return name


def _is_private(url: str) -> bool:
    """Return whether a URL is encrypted or stays on this machine."""
    return url.startswith("https://") or bool(_LOOPBACK.match(url))


def _yes_or_no(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(name, "").strip().lower() or str(default).lower()
    if value not in ("true", "false"):
        raise SystemExit(f"Not started: {name} is {value!r}. Set it to true or false.")
    return value == "true"
