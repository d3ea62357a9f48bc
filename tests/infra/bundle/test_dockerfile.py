"""The Dockerfile and .dockerignore, checked without building the image.

test_bundle.py runs the same program as the image's builder, and shows that its result works.
"""

import json
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.runtime_api import HANDLER

ROOT = Path(__file__).parents[3]


class Instruction(NamedTuple):
    """One instruction of the Dockerfile, e.g. COPY, and the rest of its line."""

    name: str
    rest: str


def instructions() -> list[Instruction]:
    """Return the Dockerfile's instructions, without comments and with continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in lines if line.strip()]


def arguments_of(name: str) -> str:
    """Return the arguments of the only instruction with this name."""
    (rest,) = [instruction.rest for instruction in instructions() if instruction.name == name]
    return rest


def copies() -> list[list[str]]:
    """Return the words of each COPY: options, sources, destination."""
    return [shlex.split(rest) for name, rest in instructions() if name == "COPY"]


def sources() -> list[str]:
    """Return every path that is copied from the checkout."""
    return [
        source for words in copies() if not words[0].startswith("--from") for source in words[:-1]
    ]


def is_in_build_context(path: str) -> bool:
    """Return whether .dockerignore lets a path through: the last rule that matches it decides.

    https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        rule = line.removeprefix("!").strip("/")
        parts = path.split("/")
        heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        if any(fnmatch(f"./{head}", rule) or rule in (head, "*") for head in heads):
            sent = line.startswith("!")
    return sent


def test_image_has_a_builder_and_a_final_stage_on_the_same_lambda_base() -> None:
    """Bytecode and compiled wheels fit one Python version, so both stages use the same image."""
    builder, final = [rest.split() for name, rest in instructions() if name == "FROM"]
    assert builder == [*final, "AS", "builder"]
    assert re.fullmatch(r"public\.ecr\.aws/lambda/python:3\.\d+", final[0])


def test_image_is_made_by_the_program_that_the_tests_run() -> None:
    """The builder's only command makes the folder that the final stage copies."""
    *python, folder = arguments_of("RUN").split()
    assert python == ["python", "-m", "infra.bundle"]
    assert ["--from=builder", folder, "${LAMBDA_TASK_ROOT}"] in copies()


def test_image_starts_the_handler_that_the_tests_drive() -> None:
    """CMD names the same handler as the tests."""
    assert json.loads(arguments_of("CMD")) == [HANDLER]


def test_image_does_not_run_as_root() -> None:
    """The final stage sets an unprivileged user by its number."""
    user = int(arguments_of("USER").partition(":")[0])
    assert user > 0
    names = [name for name, _ in instructions()]
    assert names.index("USER") > len(names) - 1 - names[::-1].index("FROM")


@pytest.mark.parametrize("source", sources())
def test_image_copies_only_from_the_build_context(source: str) -> None:
    """Each file and folder that is copied exists, and .dockerignore lets it through."""
    assert (ROOT / source).exists()
    assert is_in_build_context(source.rstrip("/"))


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".local/users.db",
        ".venv/bin/python",
        "README.md",
        "app/__pycache__/handler.cpython-313.pyc",
        "infra/local/__main__.py",
        "requirements-dev.txt",
        "tests/test_dockerfile.py",
    ],
)
def test_build_context_has_nothing_else(path: str) -> None:
    """History, secrets, tests and stale bytecode don't reach the builder."""
    assert not is_in_build_context(path)


def test_build_context_has_everything_in_app() -> None:
    """Files below app/ reach the builder, whatever their folder."""
    assert is_in_build_context("app/handler.py")
    assert is_in_build_context("app/assets/docs.js")
