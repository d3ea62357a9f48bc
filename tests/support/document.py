"""The OpenAPI document, and a check that an answer agrees with it."""

import re
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from app.docs import document
from app.main import create_app
from app.settings import Settings

ANYWHERE = {"not_found", "method_not_allowed", "origin_not_allowed"}
"""The codes for paths and methods that the document doesn't list."""

OF_TEAMS = {"forbidden"}
"""The codes that this project offers to a team's routes, and its own don't answer."""


@cache
def the_document() -> dict[str, Any]:
    """Return the document, made once per process: no setting changes it."""
    return document(create_app(Settings(client_id="x", user_pool_id="x", region="eu-west-1")))


@cache
def our_routes() -> dict[str, dict[str, Any]]:
    """Return this project's operations by name, without those that a team has added."""
    return {
        f"{method.upper()} {path}": operation
        for path, operations in the_document()["paths"].items()
        for method, operation in operations.items()
        if path == "/health" or path.startswith("/auth/")
    }


def documented_codes(operation: dict[str, Any]) -> set[str]:
    """Return the codes that the document lists for an operation."""
    return {
        code
        for response in operation["responses"].values()
        for code in response.get("content", {}).get("application/json", {}).get("examples", {})
    }


def our_codes() -> set[str]:
    """Return the codes of this project's routes, of unknown paths and methods, and for teams."""
    return (ANYWHERE | OF_TEAMS).union(*map(documented_codes, our_routes().values()))


@cache
def _validator(*pointer: str) -> Draft202012Validator:
    """Return a validator for the schema at this place in the document."""
    resource = DRAFT202012.create_resource(the_document())
    registry = Registry().with_resource("urn:document", resource)
    parts = (part.replace("~", "~0").replace("/", "~1") for part in pointer)
    return Draft202012Validator({"$ref": f"urn:document#/{'/'.join(parts)}"}, registry=registry)


def _template_of(path: str) -> str:
    """Return the document's path for a request's path: /notes/{id} for /notes/7."""
    for template in the_document()["paths"]:
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
            return str(template)
    return path


def check(answer: httpx.Response, prefix: str) -> None:
    """Fail if an answer differs from the document; `prefix` precedes the app's paths in its URL."""
    path = unquote(answer.url.path).removeprefix(prefix)
    method = answer.request.method.lower()
    if method == "options" or path == "/openapi.json" or path.partition("/docs")[0] == "":
        return  # preflights and the documentation itself
    path = _template_of(path)
    if method == "head":
        assert answer.content == b""
        return  # the headers are GET's
    operation = the_document()["paths"].get(path, {}).get(method)
    body = answer.json() if answer.content else None
    if operation is None:
        assert body["code"] in ANYWHERE, f"{method} {path} answered {body}"
        _validator("components", "schemas", "Failed").validate(body)
        return
    status = str(answer.status_code)
    assert status in operation["responses"], f"{method} {path} has no {status}: {body}"
    content = ("content", "application/json")
    if "content" in operation["responses"][status]:
        _validator("paths", path, method, "responses", status, *content, "schema").validate(body)
    if answer.is_error:
        examples = operation["responses"][status]["content"]["application/json"]["examples"]
        assert body["code"] in examples, f"{method} {path} has no {status} {body['code']}"
