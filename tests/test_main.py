"""The app as a whole: CORS, the OpenAPI document, the docs page, a start that fails."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.errors import TABLE
from app.settings import Settings
from tests.faulty import FaultyCognito
from tests.gateway import WAYS
from tests.people import ORIGIN, Person, open_door

ROUTES = {
    "sign_up": "/auth/sign-up",
    "resend_code": "/auth/resend-code",
    "confirm": "/auth/confirm",
    "sign_in": "/auth/sign-in",
    "challenge": "/auth/challenge",
    "refresh": "/auth/refresh",
    "sign_out": "/auth/sign-out",
    "forgot_password": "/auth/forgot-password",
    "reset_password": "/auth/reset-password",
    "change_password": "/auth/change-password",
    "verify_mfa": "/auth/mfa/verify",
}


def test_health(settings: Settings) -> None:
    """It answers in the one shape, and asks nobody; nor does a preflight."""
    with (
        FaultyCognito() as upstream,
        open_door("rest", replace(settings, endpoint_url=upstream.url)) as api,
    ):
        answer = api.get("/health")
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        assert api.options("/auth/sign-in", headers=asked).status_code == 200
    assert (answer.status_code, answer.json()) == (200, {"statusCode": 200})
    assert upstream.calls == []


@pytest.mark.parametrize("door", ["uvicorn", "rest"])
def test_an_allowed_origin_reads_every_answer(api: httpx.Client, ada: Person) -> None:
    """A refusal as well as a success, with the headers that a browser hides unless told."""
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


def test_a_foreign_origin_reads_none(api: httpx.Client, ada: Person) -> None:
    """Neither by name nor by a wildcard."""
    api.headers["Origin"] = "https://evil.example"
    for answer in (ada.signs_up(), ada.signs_up(), api.get("/nowhere")):
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("door", ["uvicorn", "rest", "http", "function-url"])
def test_a_preflight_is_answered_and_remembered(api: httpx.Client) -> None:
    """The browser may send JSON and a token, and needn't ask again for two hours."""
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
    "asked",
    [
        {"Origin": "https://evil.example"},
        {"Access-Control-Request-Method": "PUT"},
        {"Access-Control-Request-Headers": "X-Other"},
    ],
)
def test_a_preflight_that_asks_for_more_is_refused(
    api: httpx.Client, asked: dict[str, str]
) -> None:
    """What isn't offered isn't granted."""
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"} | asked
    assert api.options("/auth/sign-in", headers=headers).status_code == 400


def test_the_document_has_an_example_of_everything(api: httpx.Client) -> None:
    """Every route has its operation id, tag, summary, and each failure an example of its own."""
    document = api.get("/openapi.json").json()
    for operation_id, path in ROUTES.items():
        operation = document["paths"][path]["post"]
        assert operation["operationId"] == operation_id
        assert operation["tags"] == ["auth"]
        assert operation["description"]
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        assert document["components"]["schemas"][reference.rsplit("/", 1)[1]]["example"]
        assert "422" not in operation["responses"]
        for status, described in operation["responses"].items():
            if status in ("200", "default"):
                continue
            for code, example in described["content"]["application/json"]["examples"].items():
                assert example["value"]["code"] == code
                assert example["value"]["statusCode"] == int(status)
                assert ("errors" in example["value"]) == code.startswith("invalid_") or (
                    code in {"invalid_credentials", "invalid_token", "invalid_session"}
                    or code == "invalid_refresh_token"
                )
                assert ("session" in example["value"]) == (code == "challenge_required")


def test_the_document_tells_of_every_failure(api: httpx.Client) -> None:
    """Every code of the table is documented on some route, but for those that any address has."""
    document = api.get("/openapi.json").json()
    documented = {
        code
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for described in operation["responses"].values()
        for code in described["content"]["application/json"].get("examples", {})
    }
    anywhere = {"not_found", "method_not_allowed", "done"}
    assert {row.code for row in TABLE.values()} - documented == anywhere


# Behind an HTTP API's mapping on a custom domain, payload 2.0 tells nowhere what the browser's path
# began with.
@pytest.mark.parametrize("door", ["uvicorn", *(way for way in WAYS if "http-mapping" not in way)])
def test_the_docs_page_finds_the_document(api: httpx.Client) -> None:
    """Behind any stage or base path: the address in the page, resolved as a browser does."""
    page = api.get("/docs")
    assert page.status_code == 200
    (address,) = (line.split("'")[1] for line in page.text.splitlines() if "url: '" in line)
    found = page.url.join(address)
    assert str(found).startswith(str(api.base_url))
    document = api.get(str(found)).json()
    assert set(ROUTES.values()) <= set(document["paths"])
    # "Try it out" puts the server's address before the path.
    server = document.get("servers", [{"url": "/"}])[0]["url"]
    assert str(found.join(server)).rstrip("/") == str(api.base_url).rstrip("/")


def start(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Start uvicorn as the README does; port 0 so that it disturbs nobody."""
    return subprocess.run(
        [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", "0"],
        env={"PATH": os.environ["PATH"]} | environ,
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_missing_setting_ends_start_up_with_one_line() -> None:
    """No traceback: the line is the whole of what there is to say."""
    ended = start({"COGNITO_CLIENT_ID": "1example", "AWS_REGION": "eu-west-1"})
    assert ended.returncode == 1
    assert ended.stderr.strip() == "Not started: set COGNITO_USER_POOL_ID in the environment."
    assert ended.stdout == ""


def test_the_document_is_not_made_before_it_is_asked_for(api: httpx.Client, ada: Person) -> None:
    """Nobody who signs in waits for it, and once made it is the same."""
    ada.signs_up()
    first, second = (json.dumps(api.get("/openapi.json").json()) for _ in range(2))
    assert first == second
