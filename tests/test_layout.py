"""The rule of which module may import which, compared with the code."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The modules and libraries that each of our modules may import.
ROUTES = {
    "app.auth": {"app.challenges", "app.dependencies", "app.exceptions", "app.routing"}
    | {"app.schemas", "app.sessions", "fastapi"},
    "app.account": {"app.deletion", "app.dependencies", "app.routing", "app.schemas"}
    | {"app.sessions", "fastapi"},
    "app.google": {"app.dependencies", "app.oauth", "app.routing", "app.schemas"}
    | {"app.sessions", "fastapi", "pydantic"},
    "app.passkeys": {"app.dependencies", "app.routing", "app.schemas", "fastapi"},
    "app.docs": {"app.errors", "app.routing", "app.schemas", "fastapi"},
    "app.health": {"app.routing", "app.schemas", "fastapi"},
}
MAY_IMPORT = {
    "app.handler": {"app.gateway", "app.main", "app.routing", "app.start"},
    "app.start": {"app.strings"},
    "app.strings": set(),
    "app.gateway": {
        "app.errors",
        "app.exception_handlers",
        "app.logs",
        "app.middleware",
        "fastapi",
        "mangum",
    },
    "app.main": {
        *ROUTES,
        "app.cognito",
        "app.exception_handlers",
        "app.logs",
        "app.middleware",
        "app.oauth",
        "app.origins",
        "app.services",
        "app.settings",
        "app.tokens",
        "fastapi",
        "starlette",
    },
    **ROUTES,
    "app.dependencies": {
        "app.cognito",
        "app.exceptions",
        "app.oauth",
        "app.routing",
        "app.tokens",
        "fastapi",
    },
    "app.routing": {"app.who", "fastapi", "starlette"},
    "app.sessions": {"app.exceptions", "app.routing", "app.schemas", "fastapi"},
    "app.who": {"app.claims", "fastapi"},
    "app.schemas": {"app.validation", "pydantic", "pydantic_core"},
    # Cognito
    "app.cognito": {"app.answers", "app.aws", "app.challenges", "app.claims", "app.exceptions"}
    | {"app.failure", "app.logs", "app.passwords", "app.schemas", "app.settings", "app.upstream"}
    | {"app.users", "app.validation"},
    "app.challenges": {"app.exceptions", "app.schemas", "pydantic"},
    "app.users": {"app.schemas"},
    "app.aws": {"app.answers", "app.settings", "app.upstream", "boto3", "botocore"}
    | {"types_boto3_cognito_idp", "urllib3.exceptions"},
    "app.deletion": {"app.cognito", "app.services", "starlette"},
    "app.services": {"app.aws", "app.exceptions", "app.settings", "app.upstream", "fastapi"},
    "app.answers": {"app.exceptions", "app.upstream", "botocore.model"},
    "app.upstream": {"app.exceptions", "urllib3"},
    "app.passwords": {"app.exceptions", "app.validation"},
    "app.validation": {"app.exceptions"},
    "app.tokens": {"app.aws", "app.claims", "app.exceptions", "app.settings", "app.upstream"}
    | {"jwt"},
    "app.claims": set(),
    # The user pool's domain
    "app.oauth": {"app.exceptions", "app.failure", "app.schemas", "app.settings"}
    | {"app.token_endpoint", "pydantic"},
    "app.token_endpoint": {"app.aws", "app.exceptions", "app.schemas", "app.upstream", "pydantic"},
    # Failures
    "app.middleware": {"app.exception_handlers", "app.logs", "fastapi", "starlette"},
    "app.exception_handlers": {"app.errors", "app.exceptions", "app.failure", "app.schemas"}
    | {"botocore.exceptions", "fastapi", "starlette"},
    "app.origins": {"app.exception_handlers", "app.exceptions", "fastapi", "starlette"},
    "app.errors": {"app.exceptions", "app.failure", "fastapi"}
    | {"botocore.exceptions", "botocore.parsers", "urllib3.exceptions"},
    "app.failure": {"app.schemas"},
    "app.exceptions": set(),
    # The environment and the log
    "app.settings": set(),
    "app.logs": set(),
    "app": set(),
}

# Which wing of the local Cognito may import which others. A wing is a package of
# infra/local, or a module at its top.
LOCAL_WINGS: dict[str, set[str]] = {
    "__main__": {"api_process", "demo", "ports", "server", "threaded_server", "pool"},
    "api_process": {"ports", "readiness", "stack", "threaded_server", "pool"},
    "api": {"local_app", "loopback", "readiness"},
    "local_app": {"loopback", "readable_log"},  # the one wing that runs the app
    "readiness": set(),
    "readable_log": set(),
    "demo": {"threaded_server"},
    "ports": {"threaded_server"},
    "server": {
        "access",
        "admin_client",
        "console",
        "failures",
        "loopback",
        "moto_app",
        "stack",
        "threaded_server",
        "services",
        "oauth",
        "operations",
        "pool",
    },
    "threaded_server": set(),
    "services": {"access", "pool"},
    "failures": {"access", "pool"},
    "access": {"loopback"},
    "loopback": set(),
    "admin_client": {"pool"},
    "console": {"operations", "pool"},
    "moto_app": {"operations", "pool"},
    "stack": {"oauth", "pool"},
    "oauth": {"operations", "pool"},
    "operations": {"pool"},
    "pool": set(),
}
LOCAL = ROOT / "infra/local"


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, except Python's own."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            assert node.level == 0, f"{path}: import by the full name"
            whole = node.module == "app"  # from app import errors
            found |= {f"app.{alias.name}" for alias in node.names} if whole else {node.module}
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


def allowed(name: str, rule: set[str]) -> bool:
    """Return whether a rule allows a module by its name, or a library by its first part."""
    ours = name.startswith(("app.", "infra.", "tests."))
    return name in rule or (not ours and name.split(".", maxsplit=1)[0] in rule)


def module_name(path: Path) -> str:
    """Return the name by which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", sorted(ROOT.glob("app/**/*.py")), ids=module_name)
def test_a_module_imports_only_what_the_rule_allows(path: Path) -> None:
    """Dependencies run one way. Only aws.py uses boto3, and only upstream.py urllib3.

    The table names the exceptions of both.
    """
    name = module_name(path)
    assert name in MAY_IMPORT, f"Add {name} to ROUTES or MAY_IMPORT in tests/test_layout.py"
    others = [each for each in imports(path) if not allowed(each, MAY_IMPORT[name])]
    assert others == [], f"Allow it for {name} in tests/test_layout.py, or import it elsewhere"


def test_the_rule_names_only_existing_modules() -> None:
    """A rule about a removed module would mislead its readers."""
    assert set(MAY_IMPORT) <= {module_name(path) for path in ROOT.glob("app/**/*.py")}


# The tests of an example are copied into tests/.
INFRA = [path for path in ROOT.glob("infra/**/*.py") if not path.name.startswith("test_")]


@pytest.mark.parametrize("path", sorted(INFRA), ids=module_name)
def test_infra_does_not_import_the_tests(path: Path) -> None:
    """The service runs on this machine without the tests."""
    assert not {name for name in imports(path) if name.split(".")[0] in ("tests", "pytest")}


TESTS = [path for path in ROOT.glob("tests/**/*.py") if "peers" not in path.parts]


@pytest.mark.parametrize("path", TESTS, ids=module_name)
def test_no_test_file_imports_another(path: Path) -> None:
    """What tests share is in tests/support; fixtures and their types are in conftest.py."""
    imported = {name for name in imports(path) if name.split(".")[0] == "tests"}
    assert [name for name in imported if name.split(".")[-1].startswith("test_")] == []


def test_no_two_test_files_have_the_same_name() -> None:
    """The name in a failure's line then identifies the file."""
    names = [path.name for path in TESTS if path.name not in ("conftest.py", "__main__.py")]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/app/test_*.py")), ids=module_name)
def test_a_test_of_the_app_is_named_after_a_module(path: Path) -> None:
    """Each file is named after the module that it tests, or listed here with its subject."""
    across = {
        "test_cors": "several modules",
        "test_states": "all routes",
        "test_hidden_accounts": "all routes without a token",
        "test_diary": "README",
        "test_first_sign_in": "sign-up and confirm",
        "test_email_codes": "sign-up, email-code and challenge",
    }
    module = path.stem.removeprefix("test_")
    assert (ROOT / "app" / f"{module}.py").exists() or path.stem in across


@pytest.mark.parametrize("module", ROUTES)
def test_every_module_of_routes_has_tests(module: str) -> None:
    """A team's modules need tests, too."""
    path = f"tests/app/test_{module.removeprefix('app.')}.py"
    assert (ROOT / path).exists(), f"Write {path}"


def wing(module: str) -> str:
    """Return the wing of a module of infra.local."""
    return module.removeprefix("infra.local.").split(".")[0]


def local_modules() -> list[Path]:
    """Return every module of infra/local except the package's own `__init__.py`."""
    return sorted(path for path in LOCAL.glob("**/*.py") if path != LOCAL / "__init__.py")


def test_every_module_of_the_local_cognito_is_in_a_wing() -> None:
    """LOCAL_WINGS lists each package and module, and no removed ones."""
    assert {wing(module_name(path)) for path in local_modules()} == set(LOCAL_WINGS)


@pytest.mark.parametrize("path", local_modules(), ids=module_name)
def test_wings_of_the_local_cognito_import_one_way(path: Path) -> None:
    """A wing imports only wings below it. Only `local_app` imports the app."""
    own = wing(module_name(path))
    imported = imports(path)
    wings = {wing(name) for name in imported if name.startswith("infra.local.")}
    assert wings <= LOCAL_WINGS[own] | {own}
    assert own == "local_app" or not {name for name in imported if name.split(".")[0] == "app"}


def test_the_wings_are_listed_from_the_top_to_the_bottom() -> None:
    """Each wing imports only wings listed below it in the dict, so there is no cycle."""
    order = list(LOCAL_WINGS)
    for own, others in LOCAL_WINGS.items():
        assert others <= set(order[order.index(own) + 1 :]), own
