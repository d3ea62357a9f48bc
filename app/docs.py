"""The docs page, its assets and the OpenAPI document, all from the app itself.

Nothing comes from elsewhere: a third party's script has no business on the origin that takes
passwords, and the page is there without a network. All addresses are relative to the page's own, so
that it works behind whatever path API Gateway puts in front, even where no event tells of it.
"""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from app.errors import TABLE
from app.failure import NEXT
from app.requests import FAILS_WITH
from app.schemas import Failed

DESCRIPTION = """\
Accounts for an app's users, kept by Amazon Cognito: sign-up, e-mail confirmation, sign-in, and all
that an account needs from then on.

### The flow

1. **Sign up** with an e-mail address and a password: `POST /auth/sign-up`.
2. **Confirm** with the code that the e-mail brings: `POST /auth/confirm`. None came, or it expired?
   `POST /auth/resend-code`.
3. **Sign in** for tokens: `POST /auth/sign-in`. If it answers 403 `challenge_required`, one more
   step follows: `POST /auth/challenge`.
4. **Call your API** with the access token, in the header `Authorization: Bearer <AccessToken>`.
   `GET /auth/me` says who that is. To try it here, press **Authorize** and paste the token.
5. **Stay signed in**: before the access token expires, `POST /auth/refresh`.
6. **Sign out** on this device with `POST /auth/sign-out`, or everywhere with
   `POST /auth/sign-out-everywhere`.

Who forgot the password asks for a code with `POST /auth/forgot-password` and sets a new one with
`POST /auth/reset-password`.

### Answers

Every answer is JSON with its own `statusCode`. A failure has a `code` for programs, a `message` for
people, and a `requestId` to quote when asking for help; each route lists its codes, and what to do
next.
"""
TAGS = [
    {"name": "auth", "description": "Everything an account needs, in the order of its life."},
    {"name": "health", "description": "Is it there?"},
]
# "." is the folder of the document: https://spec.openapis.org/oas/v3.1.1.html#server-object
SERVERS = [{"url": ".", "description": "Where this document came from."}]

_ASSETS = Path(__file__).parent / "assets"
# Text alone: a REST API without binary media types would pass on an image's base64 as it is.
_TYPES = {
    "docs.css": "text/css",
    "docs.js": "text/javascript",
    "swagger-ui/swagger-ui.css": "text/css",
    "swagger-ui/swagger-ui-bundle.js": "text/javascript",
}
_BY_NAME = {path.rpartition("/")[2]: path for path in _TYPES}
# Swagger UI's style sheet has its icons as data: images.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def routes() -> APIRouter:
    """The page at /docs, its assets below it, and /openapi.json."""
    docs = APIRouter(include_in_schema=False)

    @docs.get("/docs")
    def page() -> HTMLResponse:
        """The page, which loads the rest by addresses relative to its own."""
        html = (_ASSETS / "docs.html").read_text("utf-8")
        return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})

    @docs.get("/docs/{name}")
    def asset(name: str) -> Response:
        """A script or a style sheet.

        Like every answer it is stored nowhere, so each visit costs its 2 MB again; and a new
        release never meets an old script.
        """
        if name not in _BY_NAME:
            raise HTTPException(404)
        path = _BY_NAME[name]
        return Response((_ASSETS / path).read_text("utf-8"), media_type=_TYPES[path])

    @docs.get("/openapi.json")
    def openapi(request: Request) -> JSONResponse:
        """The document. It is made when it is first asked for, so that no sign-in waits for it."""
        return JSONResponse(document(request.app))

    return docs


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, in the words that the code has for itself."""
    made = app.openapi()
    schemas = {**made["components"]["schemas"], **_schemas_of_failures()}
    paths = {
        path: {method: _in_words(operation, schemas) for method, operation in operations.items()}
        for path, operations in made["paths"].items()
    }
    return {**made, "paths": paths, "components": {**made["components"], "schemas": schemas}}


def _schemas_of_failures() -> dict[str, Any]:
    schema = Failed.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    return {**schema.pop("$defs"), "Failed": schema}


def _in_words(operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """An operation whose summary is the first sentence about it, and whose success is its model's.

    FastAPI has the function's name for the one, and "Successful Response" for the other. Its
    failures, which the route has by their codes, are spelled out.
    """
    summary, _, rest = operation.get("description", operation["summary"]).partition(". ")
    summary = summary.rstrip(".").replace("`", "")  # the page shows a summary as it is
    responses = {**operation["responses"]}
    done = responses["200"]
    model = done["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
    words = schemas.get(model, {}).get("description", done["description"])
    responses["200"] = {**done, "description": words}
    if other := responses.pop("default", None):
        responses |= _failures(*other[FAILS_WITH])
        responses["default"] = {"description": other["description"], "content": _failed()}
    return {**operation, "summary": summary, "description": rest, "responses": responses}


def _failures(*codes: str) -> dict[str, dict[str, Any]]:
    """The failures with these codes, by status, with an example of each."""
    # Where a code has several rows, the first one is the plainest.
    rows = {row.code: row for row in reversed(TABLE.values())}
    described: dict[str, dict[str, Any]] = {}
    for row in sorted((rows[code] for code in codes), key=lambda row: row.status):
        phrase = f"{HTTPStatus(row.status).phrase}\n"
        status = described.setdefault(
            str(row.status), {"description": phrase, "content": _failed(examples={})}
        )
        status["description"] += f"\n- `{row.code}`: {NEXT[row.code]}"
        example = row.body("7c2d9a52-2f4b-4b4e-9d3f-0a1b2c3d4e5f")
        examples = status["content"]["application/json"]["examples"]
        examples[row.code] = {
            "summary": row.code,
            "description": NEXT[row.code],
            "value": {**example.model_dump(by_alias=True, exclude_none=True), **row.example},
        }
    return described


def _failed(**more: Any) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": "#/components/schemas/Failed"}, **more}}
