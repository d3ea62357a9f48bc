"""Run the commands in the READMEs, and compare their tables, links and paths with the code."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import TABLE
from tests.support.document import our_codes, our_routes
from tests.support.environment import VARIABLES
from tests.support.gateway import WAYS
from tests.support.ports import free_ports
from tests.support.readme import block

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
KOREAN = (ROOT / "README.ko.md").read_text()
TEMPLATE = (ROOT / "infra/template.yaml").read_text()
DOCUMENTS = sorted(
    path
    for pattern in ("README*.md", "app/**/README.md", "infra/**/README.md", "tests/**/README.md")
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)
FENCED = re.compile(r"^```\w*\n.*?^```$", re.DOTALL | re.MULTILINE)


def name_of(path: Path) -> str:
    """Return a path relative to the repository."""
    return str(path.relative_to(ROOT))


each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start what `make run` starts on free ports, and map the README's URLs to these."""
    api, cognito = free_ports(2)
    store = tmp_path_factory.mktemp("store") / "users.db"
    arguments = ["--port", str(api), "--cognito-port", str(cognito), "--store", str(store)]
    command = [sys.executable, "-m", "infra.local", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert any("curl" in line for line in process.stdout), "it did not start"
            yield {
                "http://localhost:8000": f"http://127.0.0.1:{api}",
                "http://localhost:8001": f"http://127.0.0.1:{cognito}",
            }
        finally:
            process.terminate()
            process.communicate(timeout=30)


def run(command: list[str], text: str, service: dict[str, str]) -> str:
    """Run a block and return its output."""
    for theirs, ours in service.items():
        text = text.replace(theirs, ours)
    environ = os.environ | {"NO_PROXY": "*"}
    done = subprocess.run(
        command, input=text, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_flow_in_curl(service: dict[str, str]) -> None:
    """Each command prints what the comment below it shows."""
    text = block("sh", "API=").replace("curl ", "curl -sS ").replace("\n# {", "; echo\n# {")
    printed = [line for line in run(["bash", "-e"], text, service).splitlines() if line]
    shown = re.findall(r"^# (\{.*)$", text, re.MULTILINE)
    assert len(printed) == len(shown) == 4
    for line, example in zip(printed, shown, strict=True):
        assert json.loads(line)
        start, *rest = example.rstrip("}").replace("...", "…").split("…")
        assert line.startswith(start)
        assert rest == [] or all(part.strip('",') in line for part in rest)


def test_the_flow_in_a_browser(service: dict[str, str]) -> None:
    """The fetch block works in Node.js, with a `prompt` that reads the outbox."""
    if not shutil.which("node"):
        assert not os.environ.get("CI"), "CI must have Node.js"
        pytest.skip("Node.js is not installed")
    prompt = """globalThis.prompt = async () =>
      (await (await fetch("http://localhost:8001/outbox")).json()).at(-1).code;\n"""
    program = prompt + block("js", "const api")
    assert run(["node", "--input-type=module"], program, service) == "Signed in for 3 hours.\n"


def test_every_code_is_in_the_readme() -> None:
    """The table lists every code of this project's routes with its status, and no other."""
    cells = re.findall(r"\| (\d{3}) \| (`[^|]+`) \|", README)
    told = {(status, code) for status, codes in cells for code in re.findall(r"`(\w+)`", codes)}
    rows = {(str(row.status), row.code) for row in TABLE.values() if row.code in our_codes()}
    assert rows - told == set(), "Add them to the table of codes in README.md"
    assert told - rows == set()


def test_every_route_is_in_the_readme() -> None:
    """The table lists every route of this project, and no other."""
    told = set(re.findall(r"`((?:GET|POST|PATCH|DELETE) /[\w/{}-]+)`", README))
    routes = our_routes().keys()
    assert routes - told == set(), "Add them to the table of routes in README.md"
    assert told - routes == {"GET /docs"}


def test_every_setting_is_in_the_readme() -> None:
    """Every setting has a row in the table, and the template passes it to the function."""
    for name in VARIABLES.values():
        assert f"| `{name}` |" in README, f"Add {name} to the settings in README.md"
    # Lambda sets the region; the others are for services on this machine
    elsewhere = {"AWS_REGION", "AWS_ENDPOINT_URL", "COGNITO_JWKS_URL"}
    elsewhere.add("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")
    for name in set(VARIABLES.values()) - elsewhere:
        there = f"          {name}: " in TEMPLATE
        assert there, f"Add {name} to the function's environment in infra/template.yaml"


def test_every_parameter_is_in_the_readme() -> None:
    """The table in infra/README.md lists every parameter of the template, and no other."""
    parameters = TEMPLATE.partition("\nParameters:\n")[2].partition("\nRules:\n")[0]
    names = re.findall(r"^  (\w+):$", parameters, re.MULTILINE)
    document = (ROOT / "infra/README.md").read_text()
    table = document.partition("| parameter |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = re.findall(r"`(\w+)`", " ".join(rows))
    assert set(names) - set(told) == set(), "Add them to the table in infra/README.md"
    assert set(told) - set(names) == set(), "Add them to the Parameters in infra/template.yaml"
    assert sorted(told) == sorted(names)


def test_the_readme_is_short() -> None:
    """A newcomer reads it to the end. Details belong in the README of the folder they are about."""
    assert len(README.splitlines()) <= 220


def commands(document: str) -> list[str]:
    """Return the sh and js blocks without their comments, except for the output they show."""
    blocks = re.findall(r"^```(?:sh|js)\n(.*?)^```$", document, re.DOTALL | re.MULTILINE)
    return [re.sub(r"^# [^{].*\n| // .*", "", text, flags=re.MULTILINE) for text in blocks]


def test_the_korean_readme_has_the_same_commands() -> None:
    """Its blocks, inline commands and URLs are those of README.md."""
    assert len(commands(KOREAN)) == 3
    assert commands(KOREAN) == commands(README)
    for pattern in (r"`(make [^`]+)`", r"http://localhost[^\s)]*"):
        assert set(re.findall(pattern, KOREAN)) == set(re.findall(pattern, before_own_routes()))


def before_own_routes() -> str:
    """Return the part of README.md that README.ko.md translates."""
    return README.partition("\n## Your own routes\n")[0]


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to a document's headings."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_every_link_resolves(document: Path) -> None:
    """Files, images and anchors that a document links to exist."""
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", document.read_text())):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


# A word in backticks is a path if it has a slash after its start, or one of these extensions.
PATH = re.compile(
    r"`([\w.-][\w./-]*/[\w./-]*|[\w-]+\.(?:py|js|ts|css|html|yaml|toml|md|json|svg))`"
)
THEIRS = {"app/diary.py"}
"""The files that the documents tell people to create."""


@each_document
def test_every_path_exists(document: Path) -> None:
    """A path in backticks exists, as seen from the root or from the document's folder."""
    made = tuple(re.findall(r"^/([\w.]+/)$", (ROOT / ".gitignore").read_text(), re.MULTILINE))
    named = set(PATH.findall(FENCED.sub("", document.read_text())))
    lost = [
        name
        for name in named - THEIRS
        if not name.startswith(made)
        and not any((folder / name).exists() for folder in (ROOT, document.parent))
    ]
    assert lost == []


# Folders of a particular machine, and package registries: readers can't use either.
PRIVATE = re.compile(r"(?<![\w.])/(?:home|root|work|tmp|opt|Users)/|pypi\.|pythonhosted\.|npmjs\.")


@each_document
def test_no_document_contains_a_private_place(document: Path) -> None:
    """A document contains no path of a particular machine and no host of a package registry."""
    assert PRIVATE.findall(document.read_text()) == []


@each_document
def test_every_make_target_exists(document: Path) -> None:
    """The targets that a document names are in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|\n|… )make ([a-z-]+)", document.read_text())) <= targets


def test_the_clients_readme_has_its_methods_and_steps() -> None:
    """It lists a method per route, and what to do about each value of `next`."""
    types = (ROOT / "infra/web/client.d.ts").read_text()
    document = (ROOT / "infra/web/README.md").read_text()
    methods = set(re.findall(r"^  (\w+)\(.*\): Promise", types, re.MULTILINE)) - {"fetch"}
    listed = document.partition("one method per route: ")[2].partition(". ")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == methods
    steps = types.partition("export type Next =")[2].partition(";")[0]
    table = document.partition("| `next` |")[2].partition("\n\n")[0]
    rows = "".join(line.split("|")[1] for line in table.splitlines()[2:])
    assert set(re.findall(r"`(\w+)`", rows)) == set(re.findall(r'"(\w+)"', steps))


def test_the_numbers_are_those_of_the_tests() -> None:
    """The READMEs give the numbers of event shapes and guarantees."""
    testing = (ROOT / "tests/README.md").read_text()
    assert f"{len(WAYS)} event shapes" in " ".join(README.split())
    assert f"has {len(WAYS)} shapes" in testing
    checks = "".join(path.read_text() for path in ROOT.glob("tests/deploy/*.py"))
    guarantees = len(re.findall(r'^(?:@guarantee\(|    \("UserPool)', checks, re.MULTILINE))
    assert f"checks {guarantees} guarantees" in testing
