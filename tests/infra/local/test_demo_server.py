"""The demo page's server, which serves only its own files, under a strict policy."""

from collections.abc import Iterator

import httpx
import pytest

from infra.local.demo import WEB, Demo

API = "http://localhost:8000"


@pytest.fixture
def demo() -> Iterator[httpx.Client]:
    """Return a client of a demo page on a free port."""
    with (
        Demo(0, API, "http://localhost:8001/") as demo,
        httpx.Client(base_url=demo.url, trust_env=False) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/demo.css", "text/css"),
        ("/demo.js", "text/javascript"),
        ("/client.js", "text/javascript"),
        ("/texts.js", "text/javascript"),
        ("/config.js", "text/javascript"),
    ],
)
def test_its_files(demo: httpx.Client, path: str, kind: str) -> None:
    """Each file has its type, and a policy: the page may call the API and the local S3."""
    answer = demo.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"].split("; ")
    s3 = "http://127.0.0.1:8001 http://localhost:8001"
    assert {"default-src 'none'", "script-src 'self'", f"connect-src {API} {s3}"} <= set(policy)
    assert not any("unsafe" in part or "*" in part for part in policy)


def test_the_page_gets_the_apis_address(demo: httpx.Client) -> None:
    """The address is in a module, because the policy forbids inline scripts."""
    assert f'export const API = "{API}";' in demo.get("/config.js").text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/../local/server.py",
        "/..%2flocal%2fserver.py",
        "/%2e%2e/local/server.py",
        "//etc/passwd",
        "/screenshots",
        "/client.d.ts",
        "/client.js/",
        "/.hidden.js%00",
    ],
)
def test_no_other_files(demo: httpx.Client, path: str) -> None:
    """A path is only compared with the names of known files."""
    raw = httpx.Request("GET", demo.base_url.copy_with(raw_path=path.encode()))
    assert demo.send(raw).status_code == 404


def test_only_get_and_head_are_allowed(demo: httpx.Client) -> None:
    """A POST is answered with 405."""
    answer = demo.post("/", content="x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert demo.head("/").text == ""


def test_an_edit_is_live(demo: httpx.Client) -> None:
    """Files are read at each request, and browsers don't store them."""
    answer = demo.get("/demo.js")
    assert answer.text == (WEB / "demo.js").read_text()
    assert answer.headers["cache-control"] == "no-store"


def test_a_taken_port_raises() -> None:
    """`make run` catches the error and prints what to do."""
    with Demo(0, API, "x") as one:
        port = int(one.url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="in use"):
            Demo(port, API, "x")
