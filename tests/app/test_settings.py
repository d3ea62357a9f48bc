"""Settings: how they are read, and how mistakes are reported."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import app
from app.settings import Settings

COMPLETE = {
    "COGNITO_CLIENT_ID": "1example23456789",
    "COGNITO_USER_POOL_ID": "eu-west-1_EXAMPLE",
    "AWS_REGION": "eu-west-1",
}


def test_only_three_settings_are_required() -> None:
    """By default, no origin is allowed and AWS's own endpoint is used."""
    assert Settings.from_environ(COMPLETE) == Settings(
        client_id="1example23456789", user_pool_id="eu-west-1_EXAMPLE", region="eu-west-1"
    )


def test_every_setting_is_used() -> None:
    """The app's code reads every setting."""
    sources = "".join(path.read_text() for path in Path(app.__path__[0]).glob("*.py"))
    for field in fields(Settings):
        used = re.search(rf"\b(?:settings|self)\.{field.name}\b", sources)
        assert used, f"Nothing in app/ reads settings.{field.name}"


def test_every_setting_is_read() -> None:
    """Origins are separated by commas; blanks around values are ignored."""
    endpoint = "http://localhost:8001"
    settings = Settings.from_environ(
        COMPLETE
        | {
            "ALLOWED_ORIGINS": " https://app.example.com, http://localhost:5173 ,",
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": f" {endpoint} ",
            "AWS_ENDPOINT_URL": "http://localhost:9000",
            "COGNITO_JWKS_URL": f"{endpoint}/keys",
            "HIDE_EXISTING_ACCOUNTS": "True",
            "SESSION_COOKIE": "true",
            "APP_NAME": " 우리 일기 ",
            "COGNITO_DOMAIN_URL": " https://example.auth.eu-west-1.amazoncognito.com/ ",
            "REDIRECT_URIS": " https://app.example.com/, http://localhost:5173/back?from=google ,",
            "DOCS": "false",
        }
    )
    assert settings.jwks_url == "http://localhost:8001/keys"
    assert settings.hide_existing_accounts
    assert settings.session_cookie
    assert settings.app_name == "우리 일기"
    assert settings.domain_url == "https://example.auth.eu-west-1.amazoncognito.com"
    assert settings.redirect_uris == (
        "https://app.example.com/",
        "http://localhost:5173/back?from=google",
    )
    assert not settings.docs
    assert settings.allowed_origins == ("https://app.example.com", "http://localhost:5173")
    assert settings.endpoint_url == endpoint
    assert settings.services_url == "http://localhost:9000"


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_setting_is_named_at_start_up(name: str, value: str | None) -> None:
    """An empty setting counts as missing. One line names it."""
    environ = {key: text for key, text in COMPLETE.items() if key != name}
    if value is not None:
        environ[name] = value
    with pytest.raises(SystemExit) as stopped:
        Settings.from_environ(environ)
    assert str(stopped.value) == f"Not started: set {name} in the environment."


def test_all_missing_settings_are_named_at_once() -> None:
    """One message names all the missing settings."""
    with pytest.raises(SystemExit, match=r"set COGNITO_CLIENT_ID and .* and AWS_REGION in the"):
        Settings.from_environ({})


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/login",
        "https://App.example.com",
        "https://*.example.com",
        "ftp://app.example.com",
        "https://app.example.com\nhttps://evil.example",
    ],
)
def test_an_invalid_origin_is_refused_at_start_up(origin: str) -> None:
    """An accepted one would show up only as a puzzling CORS error."""
    with pytest.raises(SystemExit, match="in ALLOWED_ORIGINS is not a browser origin"):
        Settings.from_environ(COMPLETE | {"ALLOWED_ORIGINS": f"https://ok.example,{origin}"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_REGION", "eu_west 1", "AWS_REGION is 'eu_west 1', which is not a region."),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "localhost", "is not a URL"),
        ("AWS_ENDPOINT_URL", "localhost:8001", "is not a URL"),
        ("COGNITO_JWKS_URL", "localhost:8001", "is not a URL"),
        ("COGNITO_JWKS_URL", "https://evil.example/keys", "is elsewhere"),
        ("COGNITO_JWKS_URL", "http://127.0.0.1.evil.example/keys", "is elsewhere"),
        ("COGNITO_JWKS_URL", "http://[::1/keys", "is elsewhere"),
        ("COGNITO_JWKS_URL", "http://localhost@evil.example/keys", "is not a URL"),
        ("COGNITO_DOMAIN_URL", "example.auth.eu-west-1.amazoncognito.com", "as https://host"),
        ("COGNITO_DOMAIN_URL", "http://auth.example.com", "as https://host"),
        ("COGNITO_DOMAIN_URL", "http://localhost.example.com:8001", "as https://host"),
        ("COGNITO_DOMAIN_URL", "https://auth.example.com/oauth2", "with no path"),
        ("COGNITO_DOMAIN_URL", "https://auth.example.com//", "with no path"),
        ("COGNITO_DOMAIN_URL", "https://auth.example.com?x=1", "with no path"),
        ("COGNITO_DOMAIN_URL", "https://Auth.example.com", "in lower case"),
        ("COGNITO_DOMAIN_URL", "https://user@auth.example.com", "as https://host"),
        ("COGNITO_DOMAIN_URL", "/", "as https://host"),
        ("REDIRECT_URIS", "myapp://callback", "schemes of apps, such as myapp://"),
        ("REDIRECT_URIS", "com.example.app:/callback", "schemes of apps"),
        ("REDIRECT_URIS", "javascript:alert(1)", "is not a web address"),
        ("REDIRECT_URIS", "/callback", "is not a web address"),
        ("REDIRECT_URIS", "//app.example.com/", "is not a web address"),
        ("REDIRECT_URIS", "app.example.com", "is not a web address"),
        ("REDIRECT_URIS", "http://app.example.com/", "or http:// on this machine"),
        ("REDIRECT_URIS", "http://localhost.example.com/", "or http:// on this machine"),
        ("REDIRECT_URIS", "http://127.0.0.1@evil.example/", "or http:// on this machine"),
        ("REDIRECT_URIS", "https://user:word@app.example.com/", "is not where a browser"),
        ("REDIRECT_URIS", "https://App.example.com/", "in lower case"),
        ("REDIRECT_URIS", "https://app.example.com/#google", "no fragment"),
        ("REDIRECT_URIS", "https://app.example.com#", "no fragment"),
        ("REDIRECT_URIS", "https://app.example.com/*", "no wildcard"),
        ("REDIRECT_URIS", "https://*.example.com/", "no wildcard"),
        ("REDIRECT_URIS", "https://", "is not where a browser"),
        ("REDIRECT_URIS", "https:///callback", "is not where a browser"),
        ("REDIRECT_URIS", "https://app.example.com\\@evil.example", "is not where a browser"),
        ("APP_NAME", "A: B", "without a colon or a line break."),
        ("APP_NAME", "A\nB", "without a colon or a line break."),
        ("APP_NAME", "x" * 33, "Write at most 32 characters"),
        ("SESSION_COOKIE", "yes", "Set it to true or false."),
        ("LOG_KEY", "0123456789abcde", "LOG_KEY must have at least 16 characters."),
        ("REDIRECT_URIS", "https://app.example.com/a b", "is not where a browser"),
        # https://github.com/aws-amplify/amplify-js/issues/11881
        ("REDIRECT_URIS", "https://a.example/oauth2/idpresponse", "a page of your front end"),
        ("REDIRECT_URIS", "https://a.example/oauth2/idpresponse?a", "a page of your front end"),
        ("HIDE_EXISTING_ACCOUNTS", "perhaps", "Set it to true or false."),
        ("DOCS", "off", "Set it to true or false."),
    ],
)
def test_an_invalid_setting_is_refused_at_start_up(name: str, value: str, said: str) -> None:
    """One line names the setting and says what is wrong."""
    with pytest.raises(SystemExit) as stopped:
        Settings.from_environ(COMPLETE | {name: value})
    line = str(stopped.value)
    assert name in line
    assert said in line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["COGNITO_DOMAIN_URL", "REDIRECT_URIS"])
def test_google_is_off_by_default(name: str) -> None:
    """An empty variable counts as unset: the template leaves both empty by default."""
    assert Settings.from_environ(COMPLETE | {name: " "}) == Settings.from_environ(COMPLETE)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:8443/Sign-In/back?from=google&x=%20",
        "https://app.example.com?from=google",
        "http://localhost:3000/",
        "http://127.0.0.1:5173",
        "http://[::1]:5173/",
    ],
)
def test_redirect_uris_are_unchanged(uri: str) -> None:
    """Settings keep each URI verbatim, as Cognito compares each character."""
    settings = Settings.from_environ(COMPLETE | {"REDIRECT_URIS": f"{uri},https://b.example"})
    assert settings.redirect_uris == (uri, "https://b.example")


@pytest.mark.parametrize("url", ["http://localhost:8001", "http://127.0.0.1:8001/", "http://[::1]"])
def test_a_domain_on_this_machine(url: str) -> None:
    """A local Cognito's domain may use http://."""
    settings = Settings.from_environ(COMPLETE | {"COGNITO_DOMAIN_URL": url})
    assert settings.domain_url == url.removesuffix("/")


@pytest.mark.parametrize("origin", ["http://[::1]:5173", "http://127.0.0.1:8080", "https://a-b.io"])
def test_every_kind_of_origin_is_accepted(origin: str) -> None:
    """An origin may contain an IP address or a port."""
    assert Settings.from_environ(COMPLETE | {"ALLOWED_ORIGINS": origin}).allowed_origins == (
        origin,
    )
