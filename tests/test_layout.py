"""The rule of who may import whom, held against the code."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What each module of ours may import, of ours and from elsewhere.
MAY_IMPORT = {
    "app.handler": {"app.gateway", "app.main", "app.requests", "app.start"},
    "app.start": set(),
    "app.gateway": {"app.answers", "app.errors", "app.logs", "app.middleware", "fastapi", "mangum"},
    "app.main": {
        "app.account",
        "app.answers",
        "app.auth",
        "app.cognito",
        "app.docs",
        "app.logs",
        "app.middleware",
        "app.requests",
        "app.schemas",
        "app.settings",
        "app.tokens",
        "fastapi",
        "starlette",
    },
    "app.docs": {"app.errors", "app.failure", "app.requests", "app.schemas", "fastapi"},
    "app.auth": {"app.cognito", "app.requests", "app.schemas", "fastapi"},
    "app.account": {"app.cognito", "app.requests", "app.schemas", "fastapi"},
    "app.tokens": {"app.cognito", "app.requests", "app.settings", "fastapi", "jwt"},
    "app.requests": {"fastapi"},
    "app.middleware": {"app.answers", "app.logs", "fastapi", "starlette"},
    "app.answers": {"app.errors", "app.failure", "app.schemas", "fastapi", "starlette"},
    "app.errors": {"app.failure", "starlette"},
    "app.failure": {"app.schemas"},
    "app.cognito": {"app.checks", "app.client", "app.logs", "app.schemas", "app.settings"},
    "app.client": {"app.settings", "boto3", "botocore", "types_boto3_cognito_idp"},
    "app.checks": set(),
    "app.schemas": {"pydantic"},
    "app.settings": set(),
    "app.logs": set(),
    "app": set(),
}


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, other than Python's own."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            assert node.level == 0, f"{path}: import by the whole name"
            whole = node.module == "app"  # from app import errors
            found |= {f"app.{alias.name}" for alias in node.names} if whole else {node.module}
    ours = {name for name in found if name.split(".")[0] in ("app", "infra", "tests")}
    others = {name.split(".")[0] for name in found - ours}
    return ours | (others - sys.stdlib_module_names)


def module_name(path: Path) -> str:
    """Return what a file is imported as."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", sorted(ROOT.glob("app/**/*.py")), ids=module_name)
def test_a_module_imports_only_what_the_rule_allows(path: Path) -> None:
    """Dependencies run one way, and only client.py knows botocore."""
    assert imports(path) <= MAY_IMPORT[module_name(path)]


def test_the_rule_names_no_module_that_is_gone() -> None:
    """The rule is read by people: it must speak of what is there."""
    assert set(MAY_IMPORT) == {module_name(path) for path in ROOT.glob("app/**/*.py")}


@pytest.mark.parametrize("path", sorted(ROOT.glob("infra/**/*.py")), ids=module_name)
def test_infra_may_know_the_app_and_nothing_of_the_tests(path: Path) -> None:
    """What runs the service on this machine stands without the tests."""
    assert not {name for name in imports(path) if name.split(".")[0] in ("tests", "pytest")}
