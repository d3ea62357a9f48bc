"""The recipes of README.md and app/README.md, applied to a copy of the project.

After each recipe, style, types and the tests that it can break pass there. If a step is left out,
a check fails and names the forgotten file.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.browser import executable
from tests.support.recipes import Change, recipe

# The first test of a process fills mypy's cache, beside other busy processes
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[1]
OWN_ROUTES = recipe((ROOT / "README.md").read_text(), "Your own routes")
APP = (ROOT / "app/README.md").read_text()


@dataclass(frozen=True)
class Recipe:
    """A recipe's changes, and the changes that must precede them."""

    changes: list[Change]
    after: list[Change]


RECIPES = {
    "own routes": Recipe(OWN_ROUTES, after=[]),
    "operation": Recipe(recipe(APP, "A route that calls another Cognito operation"), after=[]),
    "code": Recipe(recipe(APP, "A code of your own"), after=OWN_ROUTES),
    "setting": Recipe(recipe(APP, "A setting"), after=OWN_ROUTES),
}
LAYOUT, ERRORS = "tests/test_layout.py", "tests/app/test_errors.py"
README, SETTINGS = "tests/test_readme.py", "tests/app/test_settings.py"
DOCS, CODES = "tests/app/test_docs.py", "tests/infra/web/test_types.py"
TRANSPORTS = "tests/support/test_transports.py"
# What finds each forgotten step, in the order of the recipe: a command, or a file of tests
FOUND_BY = {
    "own routes": [LAYOUT, "lint", "lint", LAYOUT],
    "operation": [LAYOUT, LAYOUT, "lint", "lint", "types", ERRORS, LAYOUT],
    "code": ["types", CODES, CODES, "lint", "lint", DOCS, "lint", LAYOUT],
    "setting": ["types", TRANSPORTS, SETTINGS, README, README, "deploy", README, README, "deploy"],
}
STEPS = [
    pytest.param(name, step, check, id=f"{name}-{step}-{change.path}")
    for name, recipe in RECIPES.items()
    for step, (change, check) in enumerate(zip(recipe.changes, FOUND_BY[name], strict=True))
]
# What names a file: a place in ruff's or mypy's output, or an assertion's message.
NAMED = r"^\s*--> {path}:|^{path}:\d+: error|^E .*\b(?:Add|Allow|Read|Write)\b.*{path}"
# Messages that are clear without the name of the file.
CLEAR = {
    ("own routes", "app/diary.py"): "cannot import name 'diary' from 'app'",
    ("operation", "app/verification.py"): "cannot import name 'verification' from 'app'",
    ("operation", "app/cognito.py"): '"Cognito" has no attribute "send_verification"',
    ("code", "app/exceptions.py"): 'Module "app.exceptions" has no attribute "DiaryFullError"',
    ("code", "app/diary.py"): NAMED + "|^E .*Add them to the fails_with of a route",
    ("setting", "app/main.py"): "Nothing in app/ reads settings.diary",
}
# Other tests need a browser, or don't depend on a team's routes, codes or settings.
TESTS = [LAYOUT, README, ERRORS, DOCS, SETTINGS, TRANSPORTS, CODES, "tests/infra/web/test_demo.py"]


@dataclass(frozen=True)
class Copy:
    """A copy of the project, and the commands of its Makefile."""

    folder: Path

    def lint(self) -> str:
        """Run `make lint` and return its output if it fails."""
        ruff = f"{sys.prefix}/bin/ruff"
        return self.run(ruff, "check", ".") + self.run(ruff, "format", "--check", ".")

    def types(self) -> str:
        """Run `make types` and return its output if it fails."""
        return self.run(f"{sys.prefix}/bin/mypy")

    def test(self, *files: str) -> str:
        """Run tests without a browser and the bundle, and return their output if one fails."""
        command = [sys.executable, "-m", "pytest", "-q", *files]
        unmoved = "not flow and not typescript and not docs_page"
        return self.run(*command, "-m", "not browser and not bundle", "-k", unmoved)

    def deploy_check(self, *more: str, only: str = "holds and (settings or published)") -> str:
        """Run a part of `make deploy-check`, and return its output if it fails."""
        found = sorted(ROOT.glob(".venv*-template/bin/python"))
        if not found:
            assert not os.environ.get("CI"), "CI must run `make deploy-check` first"
            pytest.skip("run `make deploy-check` once: it makes the environment for this test")
        command = [str(found[-1]), "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", "."]
        checks = [f"tests/deploy/{name}" for name in ("check_template.py", *more)]
        return self.run(*command, "--noconftest", *checks, "-k", only)

    def run(self, *command: str) -> str:
        """Run a command and return its output if it fails."""
        # Leave out pytest's variables for its own processes, and one that slows the second run.
        ours = ("PYTEST_", "TESTS_SHARED_FOLDER", "PYTHONDONTWRITEBYTECODE")
        environ = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        done = subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr if done.returncode else ""


def tracked() -> list[str]:
    """Return the names of all tracked files."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    return [*filter(None, listed.split("\0"))]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a shared copy of the tracked files. The tools' caches in it save most time."""
    folder = tmp_path_factory.mktemp("project")
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    if (cache := ROOT / ".mypy_cache").exists():
        shutil.copytree(cache, folder / ".mypy_cache")
    return folder


@pytest.fixture
def change(folder: Path) -> Iterator[Callable[[list[Change]], Copy]]:
    """Return a function that makes changes in the copy, and undo them after the test."""
    changed: set[str] = set()

    def change(changes: list[Change]) -> Copy:
        for each in changes:
            changed.add(each.path)
            each.apply(folder)
        return Copy(folder)

    yield change
    for path in changed:
        if (ROOT / path).exists():
            shutil.copy2(ROOT / path, folder / path)
        else:
            (folder / path).unlink(missing_ok=True)


Make = Callable[[list[Change]], Copy]


@pytest.mark.parametrize("names", ["own routes, code, setting", "operation"])
def test_recipes_break_nothing(names: str, change: Make) -> None:
    """Style, types, tests and the deployment check still pass."""
    changes = [each for name in names.split(", ") for each in RECIPES[name].changes]
    copy = change(changes)
    own = [each.path for each in changes if each.path.startswith("tests/app/")]
    assert copy.lint() == ""
    assert copy.types() == ""
    assert copy.test(*TESTS, *own) == ""
    assert copy.deploy_check() == ""


@pytest.mark.parametrize(("name", "step", "check"), STEPS)
def test_a_forgotten_step_is_named(name: str, step: int, check: str, change: Make) -> None:
    """The output of lint, types or a test names the file to change."""
    changes = RECIPES[name].changes
    copy = change([*RECIPES[name].after, *changes[:step], *changes[step + 1 :]])
    path = changes[step].path
    words = CLEAR.get((name, path), NAMED).replace("{path}", re.escape(path))
    commands = {"lint": copy.lint, "types": copy.types, "deploy": copy.deploy_check}
    printed = commands[check]() if check in commands else copy.test(check)
    assert re.search(words, printed, re.MULTILINE), f"{check} does not print {words}:\n{printed}"


def test_the_diary_can_be_added(tmp_path: Path) -> None:
    """The commands of its README add it, and everything passes, also in the bundle and Chromium."""
    for name in tracked():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    document = (ROOT / "infra/examples/diary/README.md").read_text()
    commands = document.partition("```text\n")[2].partition("make run\n")[0]
    subprocess.run(["bash", "-ec", commands], cwd=tmp_path, check=True)
    copy = Copy(tmp_path)
    modules = ["tests/app/test_entries.py", "tests/infra/web/test_diary_page.py"]
    assert copy.lint() == ""
    assert copy.types() == ""
    assert copy.test(*TESTS, modules[0]) == ""
    assert copy.deploy_check("check_ci_role.py", only="holds or ci_role") == ""
    marks = "bundle or browser" if executable() else "bundle"
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-n", "2", *modules, "-m", marks]
    assert copy.run(*pytest_) == ""


def test_a_code_of_an_auth_route_is_listed_in_more_places(change: Make) -> None:
    """Tests name each place: this project's README, client and demo list all its codes."""
    route = '@router.post("/sign-out-everywhere", responses=fails_with("invalid_token"))'
    listed = Change("app/auth.py", (f"-{route}", f"+{route[:-2]}, 'diary_full'))"))
    copy = change([*RECIPES["code"].after, *RECIPES["code"].changes, listed])
    printed = copy.test(README, CODES, "tests/infra/web/test_demo.py")
    for place in (
        "README.md",
        "infra/web/client.js",
        "infra/web/client.d.ts",
        "infra/web/texts.js",
    ):
        assert re.search(f"Add them to .* in {place}", printed), place
