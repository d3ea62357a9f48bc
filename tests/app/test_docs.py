"""The docs page and its OpenAPI document: behind every gateway, and in a real browser."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from openapi_spec_validator import validate
from playwright.sync_api import Locator, Page, expect

from app.docs import NEXT_STEPS
from app.errors import TABLE
from app.main import create_app
from app.settings import Settings
from infra.local.server import LocalCognito
from tests.conftest import Connect, Publish
from tests.support.browser import NARROW, Browse, Window
from tests.support.document import OF_TEAMS
from tests.support.gateway import WAYS
from tests.support.people import Person
from tests.support.transports import serving

ROOT = Path(__file__).parents[2]
VENDORED = ROOT / "app/assets/swagger-ui"

ROUTES = {
    "sign_up": "/auth/sign-up",
    "resend_code": "/auth/resend-code",
    "confirm": "/auth/confirm",
    "sign_in": "/auth/sign-in",
    "challenge": "/auth/challenge",
    "start_google": "/auth/google/start",
    "finish_google": "/auth/google/finish",
    "refresh": "/auth/refresh",
    "sign_out": "/auth/sign-out",
    "forgot_password": "/auth/forgot-password",
    "reset_password": "/auth/reset-password",
    "change_password": "/auth/change-password",
    "verify_mfa": "/auth/mfa/verify",
}


def test_the_document_has_an_example_of_everything(api: httpx.Client) -> None:
    """Every route has an operation id, a tag and a summary, and every failure an example."""
    document = api.get("/openapi.json").json()
    for operation_id, path in ROUTES.items():
        operation = document["paths"][path]["post"]
        assert operation["operationId"] == operation_id
        assert operation["tags"] == ["auth"]
        assert operation["summary"]
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


def test_the_document_lists_every_failure(api: httpx.Client) -> None:
    """Each code of the table is documented on a route.

    The exceptions are those that any path can return, and those that only a team's routes return.
    """
    document = api.get("/openapi.json").json()
    documented = {
        code
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for described in operation["responses"].values()
        for content in described.get("content", {}).values()  # a 204 has none
        for code in content.get("examples", {})
    }
    undocumented = {row.code for row in TABLE.values()} - documented
    elsewhere = {"not_found", "method_not_allowed", "done"} | OF_TEAMS
    assert undocumented - elsewhere == set(), "Add them to the fails_with of a route in app/"


def test_next_steps_cover_every_code() -> None:
    """NEXT_STEPS has one sentence for each code, and no sentence for a removed code."""
    codes = {row.code for row in TABLE.values()} - {"done"}
    assert codes - NEXT_STEPS.keys() == set(), "Add them to NEXT_STEPS in app/docs.py"
    assert codes == NEXT_STEPS.keys()
    assert all(re.fullmatch(r"[A-Z][^.]+\.", sentence) for sentence in NEXT_STEPS.values())


def test_the_document_of_a_team(settings: Settings, connect: Connect) -> None:
    """A team's routes may answer 201, or 204 without a body, and have parameters in their paths."""
    with connect(settings, team=True) as api:
        document = api.get("/openapi.json").json()
    validate(document)
    routes = document["paths"]
    assert set(routes["/team/notes"]["post"]["responses"]) >= {"201", "500"}
    assert "204" in routes["/team/notes/{number}"]["delete"]["responses"]


def test_the_document_is_valid(api: httpx.Client) -> None:
    """The document matches the OpenAPI specification's own schema."""
    validate(api.get("/openapi.json").json())


@pytest.mark.transports("uvicorn", *WAYS)
def test_the_docs_page_finds_everything(api: httpx.Client) -> None:
    """Every URL in the page works behind any stage or base path, resolved as in a browser."""
    page = api.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 6
    found = [page.url.join(address) for address in addresses if address != "data:,"]
    answers = [api.get(str(url)) for url in found]
    assert {answer.status_code for answer in answers} == {200}
    document = next(answer for answer in answers if answer.url.path.endswith("openapi.json"))
    assert set(ROUTES.values()) <= set(document.json()["paths"])
    # "Try it out" resolves the server's URL against the document's and appends the path.
    (server,) = document.json()["servers"]
    assert str(document.url.join(server["url"])).rstrip("/") == str(api.base_url).rstrip("/")


def test_the_docs_load_only_their_own_files(api: httpx.Client) -> None:
    """The Content-Security-Policy allows no other source and no inline script or style."""
    page = api.get("/docs")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "//" not in policy + page.text
    for name in ("docs.js", "docs.css", "swagger-ui-bundle.js", "swagger-ui.css"):
        assert api.get(f"/docs/{name}").headers["Content-Type"].startswith("text/")


@pytest.mark.parametrize("name", ["nothing.js", "docs.html", "..%2Fdocs.py", "LICENSE", ""])
def test_no_other_file_is_served(api: httpx.Client, name: str) -> None:
    """Only the files in the table of assets are served."""
    answer = api.get(f"/docs/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/docs", "/docs/docs.js", "/openapi.json", "/redoc"])
def test_docs_can_be_turned_off(settings: Settings, connect: Connect, path: str) -> None:
    """With `docs=False`, the page, its files and the document are not found."""
    with connect(replace(settings, docs=False)) as api:
        answer = api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert api.get("/health").status_code == 200


def test_the_document_is_made_at_its_first_request(
    settings: Settings, cognito: LocalCognito
) -> None:
    """Sign-in doesn't generate the document. Once generated, it is cached."""
    app = create_app(settings)
    with serving(app, "rest") as client:
        ada = Person(client, cognito.outbox.code_for)
        ada.is_signed_in()
        assert app.openapi_schema is None
        first = client.get("/openapi.json").text
        made = app.openapi_schema
        assert made
        assert client.get("/openapi.json").text == first
        assert app.openapi_schema is made


@pytest.mark.parametrize(
    ("folder", "package", "licences"),
    [
        (
            "swagger-ui",
            "swagger-ui-dist",
            {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"},
        ),
        ("common-passwords", "@zxcvbn-ts/language-common", {"LICENSE"}),
    ],
)
def test_the_assets_are_unchanged(folder: str, package: str, licences: set[str]) -> None:
    """The assets match their checksums and have the pinned version."""
    vendored = ROOT / "app/assets" / folder
    lines = (vendored / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    assert {path.name for path in vendored.iterdir()} == {*sums, "SHA256SUMS"}
    assert licences <= {*sums}
    for name, digest in sums.items():
        assert hashlib.sha256((vendored / name).read_bytes()).hexdigest() == digest
    lock = json.loads((ROOT / "infra/assets/package-lock.json").read_text())
    version = json.loads((vendored / "package.json").read_text())["version"]
    assert lock["packages"][f"node_modules/{package}"]["version"] == version


# In a browser


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL."""
    return str(httpx.URL(url).join("/")).rstrip("/")


def opened(page: Page, operation_id: str) -> Locator:
    """Open a route on the page and press "Try it out"."""
    route = page.locator(f"#operations-auth-{operation_id}")
    route.locator(".opblock-summary-control").click()
    route.get_by_role("button", name="Try it out").click()
    return route


def tried(page: Page, operation_id: str, **body: str) -> Locator:
    """Call a route from the page and return the answer that the page shows."""
    route = opened(page, operation_id)
    if body:
        route.get_by_role("textbox").fill(json.dumps(body))
    route.get_by_role("button", name="Execute").click()
    answer = route.locator(".live-responses-table")
    expect(answer).to_be_visible()
    return answer


@pytest.mark.transports("http-mapping")
def test_a_person_signs_up_on_the_docs_page(
    browse: Browse, publish: Publish, settings: Settings, cognito: LocalCognito
) -> None:
    """The whole flow works with "Try it out", and `/auth/me` works after "Authorize"."""
    ada = {"email": f"ada.{uuid4().hex}@example.com", "password": "Correct-horse-9"}
    with publish(settings) as url:
        window = browse(origin(url))
        page = window.page
        page.goto(f"{url}/docs")
        expect(tried(page, "sign_up", **ada)).to_contain_text('"statusCode": 200')
        code = cognito.outbox.code_for(ada["email"])
        confirmed = tried(page, "confirm", email=ada["email"], code=code)
        expect(confirmed).to_contain_text('"statusCode": 200')
        signed_in = tried(page, "sign_in", **ada)
        expect(signed_in).to_contain_text("AccessToken")
        body = signed_in.locator(".highlight-code pre").first.inner_text()
        page.get_by_role("button", name="Authorize").click()
        page.locator("#auth-bearer-value").fill(json.loads(body)["body"]["AccessToken"])
        page.get_by_role("button", name="Apply credentials").click()
        page.get_by_role("button", name="Close").click()
        expect(tried(page, "me")).to_contain_text(ada["email"])
    assert all(request.url.startswith(url) for request in window.requests)
    asked = [request.url.removeprefix(url) for request in window.requests]
    assert asked[-4:] == ["/auth/sign-up", "/auth/confirm", "/auth/sign-in", "/auth/me"]


@pytest.mark.transports("uvicorn")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window(
    browse: Browse, publish: Publish, settings: Settings, scheme: str
) -> None:
    """Nothing overflows a wide or a narrow window. Screenshots are kept for review."""
    with publish(settings) as url:
        for name, viewport in (("wide", None), ("narrow", NARROW)):
            size = {"viewport": viewport} if viewport else {}
            window: Window = browse(origin(url), color_scheme=scheme, **size)
            window.page.goto(f"{url}/docs")
            expect(window.page.get_by_role("button", name="Authorize")).to_be_visible()
            window.page.locator("#operations-auth-confirm .opblock-summary-control").click()
            expect(window.page.get_by_text("Send a new code.").first).to_be_visible()
            window.screenshot(f"docs-{name}-{scheme}")
            wider = "document.documentElement.scrollWidth - innerWidth"
            assert window.page.evaluate(wider) <= 0
