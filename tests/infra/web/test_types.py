"""client.d.ts agrees with the OpenAPI document, and TypeScript accepts it."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.document import documented_codes, our_codes, our_routes, the_document

ROOT = Path(__file__).parents[3]
TYPES = (ROOT / "infra/web/client.d.ts").read_text()
CLIENT = (ROOT / "infra/web/client.js").read_text()
# npm fetches it for this test alone. It is pinned here, as the project has no other npm package.
TYPESCRIPT = "typescript@5.9.3"

SCHEMAS: dict[str, Any] = the_document()["components"]["schemas"]
OPERATIONS = {name: route for name, route in our_routes().items() if name != "GET /health"}


def interface(name: str) -> dict[str, tuple[bool, str]]:
    """Return the fields of an interface: whether each is optional, and its type."""
    found = re.search(rf"export interface {name} {{\n(.*?)\n}}", TYPES, re.DOTALL)
    assert found, f"client.d.ts has no interface {name}"
    members = re.findall(r"^  (\w+)(\??): (.+);$", found[1], re.MULTILINE)
    return {member: (bool(mark), kind) for member, mark, kind in members}


def union(text: str) -> set[str]:
    """Return the strings of a union type."""
    return set(re.findall(r'"(\w+)"', text))


def alias(name: str) -> str:
    """Return the definition of a type alias."""
    found = re.search(rf"export type {name} =\n(.*?)\n\n", TYPES, re.DOTALL)
    assert found, f"client.d.ts has no type {name}"
    return found[1]


def typescript(schema: dict[str, Any]) -> str:
    """Return a schema's type in TypeScript."""
    if "$ref" in schema:
        return name_of(schema)
    if "anyOf" in schema:
        return " | ".join(typescript(each) for each in schema["anyOf"])
    if "const" in schema:
        value = schema["const"]
        return f'"{value}"' if isinstance(value, str) else str(value).lower()
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if schema["type"] == "array":
        items = typescript(schema["items"])
        return f"({items})[]" if " | " in items else f"{items}[]"
    names = {"integer": "number", "object": "Record<string, unknown>"}
    return names.get(schema["type"], schema["type"])


def name_of(schema: dict[str, Any]) -> str:
    """Return the name of the schema that a reference points to."""
    return str(schema["$ref"]).rsplit("/", 1)[1]


def json_of(part: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a request body or a response."""
    schema: dict[str, Any] = part["content"]["application/json"]["schema"]
    return schema


COMMON = union(alias("CommonCode"))
ROUTES = {
    route: {"takes": takes, "gives": gives, "fails": fails}
    for route, takes, gives, fails in re.findall(
        r'^  "([A-Z]+ /[^"]+)": {\n\s+takes: (.+?);\n\s+gives: (.+?);\n\s+fails:\s+(.+?);\n  };$',
        TYPES,
        re.MULTILINE | re.DOTALL,
    )
}


def test_every_route_is_typed() -> None:
    """The types list these routes and no others, and the client has a method for each."""
    assert set(OPERATIONS) - set(ROUTES) == set(), "Add them to infra/web/client.d.ts"
    assert set(ROUTES) == set(OPERATIONS)
    for route in OPERATIONS:
        path = route.split(" ")[1]
        called = re.sub(r"\\{\w+\\}", lambda _: r"\$\{.+?\}", re.escape(path))
        there = re.search(rf'["`]{called}["`]', CLIENT)
        assert there, f"Add a method for {path} to infra/web/client.js"


@pytest.mark.parametrize("route", OPERATIONS)
def test_a_route_takes_gives_and_fails_as_documented(route: str) -> None:
    """The types of the request and of the envelope's body match the document, as do the codes."""
    operation, typed = OPERATIONS[route], ROUTES[route]
    takes = name_of(json_of(operation["requestBody"])) if "requestBody" in operation else None
    assert typed["takes"] == (takes or "undefined")
    answer = SCHEMAS[name_of(json_of(operation["responses"]["200"]))]
    body = answer["properties"].get("body")
    gives = typescript(body).replace("null", "undefined") if body else "undefined"
    assert typed["gives"] == gives
    listed = union(typed["fails"]) | COMMON
    codes = documented_codes(operation)
    assert codes - listed == set(), f"Add them to {route} in infra/web/client.d.ts"
    assert listed == codes


def names_in(part: object) -> set[str]:
    """Return the schemas that a part of the document refers to, directly or indirectly."""
    found = set(re.findall(r"'#/components/schemas/(\w+)'", str(part)))
    return found.union(*(names_in(SCHEMAS[name]) for name in found))


# The client unwraps these envelopes, so callers never see them.
ENVELOPES = {"Done", "SignedUp", "Confirmed", "SignedIn", "GoogleStarted", "HasReset", "Me"} | {
    "MfaSetUp",
    "ChallengeIsSetUp",
    "CodeSent",
    "PasskeyOptions",
    "PasskeySignIn",
    "Passkeys",
}


@pytest.mark.parametrize("name", sorted(names_in(OPERATIONS) - ENVELOPES))
def test_every_field_is_typed(name: str) -> None:
    """The types give each field's name, its type, and whether it is optional."""
    schema = SCHEMAS[name]
    required = schema.get("required", [])
    documented = {
        member: (member not in required, typescript(kind))
        for member, kind in schema["properties"].items()
    }
    assert interface(name) == documented


def test_every_code_is_typed() -> None:
    """The types list all codes of this API, and no others."""
    typed = COMMON.union(*(union(route["fails"]) for route in ROUTES.values()))
    assert typed | (union(alias("Code")) - {"fails"}) == our_codes()


def test_every_code_has_a_next_step() -> None:
    """The client's table has a step for each code, and the types list each step."""
    codes = our_codes()
    table = CLIENT.split("export const NEXT = {")[1].split("};")[0]
    following = dict(re.findall(r'^  (\w+): "(\w+)",$', table, re.MULTILINE))
    assert codes - set(following) == set(), "Add them to NEXT in infra/web/client.js"
    assert set(following) == codes
    assert set(following.values()) == union(alias("Next"))


def test_every_method_is_typed() -> None:
    """The class has the same public members in both files."""
    code = CLIENT.split("export class Client {")[1].split("\n}")[0]
    types = TYPES.split("export class Client {")[1].split("\n}")[0]
    methods = set(re.findall(r"^  (?:async |get )?(\w+)\(", code, re.MULTILINE))
    assert methods == set(re.findall(r"^  (?:readonly )?(\w+)[(:]", types, re.MULTILINE))
    exported = r"^export (?:class|function|const) (\w+)"
    ours = set(re.findall(exported, CLIENT, re.MULTILINE))
    assert ours == set(re.findall(exported, TYPES, re.MULTILINE))


def test_typescript_accepts_the_types(tmp_path: Path) -> None:
    """A team's small program compiles in strict mode, and its deliberate mistakes are errors."""
    if not shutil.which("npm"):
        assert not os.environ.get("CI"), "CI must have npm: apt-get install npm"
        pytest.skip("npm, which fetches TypeScript, is not installed")
    command = ["npm", "exec", "--yes", f"--package={TYPESCRIPT}", "--", "tsc", "--noEmit"]
    options = [
        "--strict",
        "--target",
        "es2022",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
    ]
    done = subprocess.run(
        [*command, *options, str(ROOT / "tests/infra/web/usage.ts")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if "TS" not in done.stdout and done.returncode and not os.environ.get("CI"):
        pytest.skip("npm can't get TypeScript here")
    assert done.returncode == 0, done.stdout + done.stderr
