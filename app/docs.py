"""The docs page, its assets and the OpenAPI document, all from the app itself.

Nothing comes from elsewhere: a third party's script has no business on the origin that takes
passwords, and the page is there without a network. All addresses are relative to the page's own, so
that it works behind whatever path API Gateway puts in front, even where no event tells of it.
"""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

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
    schemas = made["components"]["schemas"]
    paths = {
        path: {method: _in_words(operation, schemas) for method, operation in operations.items()}
        for path, operations in made["paths"].items()
    }
    return {**made, "paths": paths}


def _in_words(operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """An operation whose summary is the first sentence about it, and whose success is its model's.

    FastAPI has the function's name for the one, and "Successful Response" for the other.
    """
    summary, _, rest = operation.get("description", operation["summary"]).partition(". ")
    summary = summary.rstrip(".").replace("`", "")  # the page shows a summary as it is
    done = operation["responses"]["200"]
    model = done["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
    words = schemas.get(model, {}).get("description", done["description"])
    responses = {**operation["responses"], "200": {**done, "description": words}}
    return {**operation, "summary": summary, "description": rest, "responses": responses}
