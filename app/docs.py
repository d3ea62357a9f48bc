"""The docs page, its assets and the OpenAPI document.

The app serves all of it: third-party scripts don't belong on the origin that takes passwords, and
the page works offline. All URLs are relative to the page's own, so it works behind any prefix that
API Gateway adds to the path, even one that events don't mention.
"""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from app.errors import TABLE
from app.routing import FAILS_WITH, Route
from app.schemas import Failed

DESCRIPTION = """\
User accounts for an app, kept by Amazon Cognito: sign-up, e-mail confirmation, sign-in, and
everything else that an account needs.

### The flow

1. **Sign up** with an e-mail address and a password: `POST /auth/sign-up`.
2. **Confirm** with the code from the e-mail: `POST /auth/confirm`. With the `session` that sign-up
   answered, this signs in as well. If no code came, or it expired, get a new one:
   `POST /auth/resend-code`.
3. **Sign in** for tokens: `POST /auth/sign-in`. If it answers 403 `challenge_required`, one more
   step follows: `POST /auth/challenge`.
   **With Google** instead, `POST /auth/google/start` gives the URL to open, and what the browser
   comes back with goes to `POST /auth/google/finish`. This makes the account, too.
   **With a passkey**, `POST /auth/passkeys/sign-in` gives what the browser needs, and what it
   makes goes to `POST /auth/challenge`. To have one, a person who is signed in calls
   `POST /auth/passkeys/start`, then `POST /auth/passkeys`.
4. **Call your API** with the access token, in the header `Authorization: Bearer <AccessToken>`.
   `GET /auth/me` answers whose it is. To try it here, press **Authorize** and paste the token.
5. **Stay signed in**: before the access token expires, `POST /auth/refresh`. If this service keeps
   refresh tokens in a cookie (`SESSION_COOKIE`), they are in no body: the browser sends the cookie.
6. **Sign out** on this device with `POST /auth/sign-out`, or everywhere with
   `POST /auth/sign-out-everywhere`.

If a person has forgotten the password, `POST /auth/forgot-password` e-mails a code, and
`POST /auth/reset-password` sets a new password with it.

### Answers

Every answer is JSON with its own `statusCode`. A failure has a `code` for programs, a `message` for
people, and a `requestId` to quote when you ask for help. Each route lists its codes, and what to do
about each.
"""
TAGS = [
    {"name": "auth", "description": "Everything an account needs, from sign-up to deletion."},
    {"name": "health", "description": "Whether the service runs."},
]
# Relative to the document's own URL: https://spec.openapis.org/oas/v3.1.1.html#server-object
SERVERS = [{"url": ".", "description": "The server that this document came from."}]

NEXT_STEPS = {
    "origin_not_allowed": "Add the page's origin to `ALLOWED_ORIGINS`.",
    "invalid_request": "Correct the fields that `errors` names.",
    "invalid_email": "Ask for another address.",
    "invalid_password": "Show the rule that `errors` names, and ask for another password.",
    "invalid_credentials": "Ask again, and offer to reset the password.",
    "invalid_token": "Refresh the tokens; if that fails, sign in.",
    "reauthentication_required": "Ask the person to sign in again, then repeat the call.",
    "forbidden": "Offer this only to the group's members; a new one refreshes the tokens first.",
    "invalid_refresh_token": "Delete the tokens, and sign in.",
    "refresh_token_reused": "Delete the tokens, and sign in: somebody else may have used them.",
    "invalid_session": "Sign in again, from the first step.",
    "unsupported_challenge": "Send the `challenge` that `challenge_required` named.",
    "challenge_required": "Ask for the fields that `needs` names, and call `/auth/challenge`; for "
    "MFA_SETUP, call `/auth/challenge/setup` before.",
    "code_mismatch": "Ask for the code again, or send a new one.",
    "code_expired": "Send a new code.",
    "already_confirmed": "Continue with sign-in.",
    "email_taken": "Sign in instead, with the password or with Google, or reset the password.",
    "user_not_confirmed": "Ask for the code, and confirm the account.",
    "password_reset_required": "Send a code with `/auth/forgot-password`, and reset the password.",
    "mfa_not_set_up": "Call `/auth/mfa/setup` first.",
    "email_not_sent": "Try again in a few minutes.",
    "passkey_rejected": "Start again; if it never works, the page isn't of `PasskeyDomain`.",
    "passkey_not_supported": "Offer another device.",
    "passkey_not_found": "Offer the other ways to sign in, or list the passkeys again.",
    "too_many_passkeys": "Offer to remove one.",
    "passkeys_not_set_up": "Offer no passkeys, or deploy with `PasskeyDomain`.",
    "google_not_set_up": "Show no button for Google, or set `COGNITO_DOMAIN_URL`.",
    "redirect_not_allowed": "Add the address to `REDIRECT_URIS`, exactly as you send it.",
    "sign_in_cancelled": "Show all ways to sign in again.",
    "email_not_verified": "Ask the person to verify the address at Google, or sign up without it.",
    "google_failed": "Start again with `/auth/google/start`.",
    "signs_in_with_google": "Offer this only if `signsInWith` of `/auth/me` lists `password`.",
    "too_many_requests": "Wait for the seconds in `Retry-After`, then try again.",
    "unavailable": "Wait for the seconds in `Retry-After`, then try again.",
    "rejected": "Show the message: your own Lambda trigger wrote it.",
    "body_too_large": "Send a smaller body.",
    "unsupported_media_type": "Set the header `Content-Type: application/json`.",
    "not_found": "Check the address.",
    "method_not_allowed": "Use a method that the header `Allow` names.",
    "misconfigured": "Give `requestId` to the owner of the service.",
    "internal_error": "Try once more, then give `requestId` to the owner of the service.",
}
"""What a caller does about each code, in one sentence."""

_ASSETS = Path(__file__).parent / "assets"
# Text only: a REST API without binary media types would send an image as base64.
_TYPES = {
    "docs.css": "text/css",
    "docs.js": "text/javascript",
    "swagger-ui/swagger-ui.css": "text/css",
    "swagger-ui/swagger-ui-bundle.js": "text/javascript",
}
_BY_NAME = {path.rpartition("/")[2]: path for path in _TYPES}
# Swagger UI's style sheet contains its icons as data: URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


router = APIRouter(include_in_schema=False, route_class=Route)


@router.get("/docs")
def page() -> HTMLResponse:
    """Return the page. It loads the rest by URLs relative to its own."""
    html = (_ASSETS / "docs.html").read_text("utf-8")
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """Return a script or a style sheet.

    Like every answer it is not cached, so each visit loads 2 MB again; in return, a new release
    never meets an old script.
    """
    if name not in _BY_NAME:
        raise HTTPException(404)
    path = _BY_NAME[name]
    return Response((_ASSETS / path).read_text("utf-8"), media_type=_TYPES[path])


@router.get("/openapi.json")
def openapi(request: Request) -> JSONResponse:
    """Return the document. It is made on the first request, so that no sign-in waits for it."""
    return JSONResponse(document(request.app))


def document(app: FastAPI) -> dict[str, Any]:
    """Return FastAPI's OpenAPI document, with summaries from docstrings and with every failure."""
    made = app.openapi()
    schemas = {**made["components"]["schemas"], **_failure_schemas()}
    paths = {
        path: {method: _describe(operation, schemas) for method, operation in operations.items()}
        for path, operations in made["paths"].items()
    }
    return {**made, "paths": paths, "components": {**made["components"], "schemas": schemas}}


def _failure_schemas() -> dict[str, Any]:
    schema = Failed.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    return {**schema.pop("$defs"), "Failed": schema}


def _describe(operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return an operation, described from the code.

    The summary is the first sentence of the route's docstring, and the description of a success is
    its model's. Each code that the route lists becomes a documented failure.
    """
    summary, _, rest = operation.get("description", operation["summary"]).partition(". ")
    summary = summary.rstrip(".").replace("`", "")  # the page does not render Markdown in summaries
    responses = {**operation["responses"]}
    for status, done in operation["responses"].items():
        if status.startswith("2"):
            schema = done.get("content", {}).get("application/json", {}).get("schema", {})
            model = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
            words = model.get("description", done["description"])
            responses[status] = {**done, "description": words}
    if other := responses.pop("default", None):
        responses |= _failures(*other[FAILS_WITH])
        responses["default"] = {"description": other["description"], "content": _failed()}
    return {**operation, "summary": summary, "description": rest, "responses": responses}


def _failures(*codes: str) -> dict[str, dict[str, Any]]:
    """Return OpenAPI responses for these codes, by status, with an example of each code."""
    # If a code has several rows, the first one is the most general.
    rows = {row.code: row for row in reversed(TABLE.values())}
    if unknown := set(codes) - rows.keys():
        raise LookupError(f"A route fails with {unknown}. Add them to the table in app/errors.py.")
    if unexplained := set(codes) - NEXT_STEPS.keys():
        raise LookupError(f"Add {unexplained} to NEXT_STEPS in app/docs.py.")
    described: dict[str, dict[str, Any]] = {}
    for row in sorted((rows[code] for code in codes), key=lambda row: row.status):
        phrase = f"{HTTPStatus(row.status).phrase}\n"
        status = described.setdefault(
            str(row.status), {"description": phrase, "content": _failed(examples={})}
        )
        status["description"] += f"\n- `{row.code}`: {NEXT_STEPS[row.code]}"
        example = row.body("7c2d9a52-2f4b-4b4e-9d3f-0a1b2c3d4e5f")
        examples = status["content"]["application/json"]["examples"]
        examples[row.code] = {
            "summary": row.code,
            "description": NEXT_STEPS[row.code],
            "value": {**example.model_dump(by_alias=True, exclude_none=True), **row.example},
        }
    return described


def _failed(**more: Any) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": "#/components/schemas/Failed"}, **more}}
