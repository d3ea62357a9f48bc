"""The app as a whole: CORS, its name, and a start that fails."""

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.support.faulty import FaultyCognito, Fine
from tests.support.people import ORIGIN, Person

ROOT = Path(__file__).parents[2]


@pytest.mark.transports("uvicorn", "rest")
def test_an_allowed_origin_reads_every_answer(api: httpx.Client, ada: Person) -> None:
    """Failures are readable too, with headers that a browser hides unless they are exposed."""
    api.headers["Origin"] = ORIGIN
    answers = [
        ada.signs_up(),  # 200
        ada.signs_up(email=""),  # 400
        ada.signs_in(),  # 403
        api.get("/nowhere"),  # 404
        api.get("/auth/sign-up"),  # 405
        ada.signs_up(),  # 409
        api.post("/auth/sign-up", content="x" * 20_000),  # 413
        api.post("/auth/sign-up", content="x", headers={"Content-Type": "text/plain"}),  # 415
    ]
    assert [a.status_code for a in answers] == [200, 400, 403, 404, 405, 409, 413, 415]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Expose-Headers"] == "X-Request-Id, Retry-After"
        assert answer.headers["Vary"] == "Origin"


def test_a_foreign_origin_reads_no_answer(api: httpx.Client, ada: Person) -> None:
    """No answer allows the origin, by name or by wildcard."""
    api.headers["Origin"] = "https://evil.example"
    for answer in (ada.signs_up(), ada.signs_up(), api.get("/nowhere")):
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.transports("uvicorn", "rest", "http", "function-url")
def test_a_preflight_is_answered_and_cached(api: httpx.Client) -> None:
    """The browser may send JSON and a token, and may cache the answer for two hours."""
    answer = api.options(
        "/auth/sign-in",
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Access-Control-Request-Method": "PUT"}, 400),
        ({"Access-Control-Request-Headers": "X-Other"}, 400),
    ],
)
def test_a_preflight_that_asks_for_more_is_refused(
    api: httpx.Client, asked: dict[str, str], status: int
) -> None:
    """A preflight for another origin, method or header is refused."""
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"} | asked
    assert api.options("/auth/sign-in", headers=headers).status_code == status


def test_the_product_has_one_name(settings: Settings, bundle: Path) -> None:
    """pyproject.toml, the document's title, user agent and bill of materials have the same name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    name = project["name"]
    with FaultyCognito() as upstream:
        upstream.behave(Fine())
        app = create_app(replace(settings, endpoint_url=upstream.url))
        app.state.cognito.forgot_password("ada@example.com")
        assert upstream.headers[0]["User-Agent"].startswith(f"{name} ")
    assert app.title.lower() == name
    bill = json.loads(bundle.with_name(f"{bundle.name}.cdx.json").read_text())
    assert bill["metadata"]["component"]["name"] == name


def start(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Start uvicorn as the README does, but on any free port (0)."""
    return subprocess.run(
        [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", "0"],
        env={"PATH": os.environ["PATH"]} | environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_missing_setting_ends_start_up_with_one_line() -> None:
    """The line is the whole output, without a traceback."""
    ended = start({"COGNITO_CLIENT_ID": "1example", "AWS_REGION": "eu-west-1"})
    assert ended.returncode == 1
    assert ended.stderr.strip() == "Not started: set COGNITO_USER_POOL_ID in the environment."
    assert ended.stdout == ""
