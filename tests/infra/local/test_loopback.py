"""Which hosts and origins are this machine's, at the local Cognito and at the API."""

import pytest

from infra.local.loopback import is_loopback, is_loopback_origin

OURS = [
    "localhost",
    "LocalHost",
    "app.localhost",
    "a-b.c.LOCALHOST",
    "127.0.0.1",
    "127.1.2.3",
    "[::1]",
]
FOREIGN = [
    "",
    ".localhost",
    "localhost.",
    "evillocalhost",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example@localhost",
    "localhost@evil.example",
    "localhost/evil",
    "localhost/",
    "localhost?x",
    "localhost#x",
    "localhost\\evil",
    "localhost evil.example",
    "localhost,evil.example",
    "localhost:1,evil.example",
    "localhost:1:2",
    "localhost:abc",
    "localhost:",
    "localhost:-1",
    "localhost:123456",
    "localhost:\u0661",
    "localhost\n",
    "loc\u0430lhost",
    "2130706433",
    "127.1",
    "10.0.0.1",
    "::1",
    "[::1",
    "[::2]",
    "[localhost]",
    "null",
]


@pytest.mark.parametrize("host", OURS)
@pytest.mark.parametrize("port", ["", ":1", ":65535"])
def test_ours(host: str, port: str) -> None:
    """Every name for this machine counts, with any port and in any letter case."""
    assert is_loopback(host + port)
    for scheme in ("http", "https"):
        assert is_loopback_origin(f"{scheme}://{host}{port}")


@pytest.mark.parametrize("host", FOREIGN)
def test_foreign(host: str) -> None:
    """A text that isn't wholly a host and a port isn't a name for this machine."""
    assert not is_loopback(host)
    assert not is_loopback_origin(f"http://{host}")


@pytest.mark.parametrize("scheme", ["", "//", "ftp://", "file://", "chrome-extension://", "null"])
def test_other_schemes(scheme: str) -> None:
    """A page has an address that begins with http or https."""
    assert not is_loopback_origin(f"{scheme}localhost")
