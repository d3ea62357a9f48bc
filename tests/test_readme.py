"""The README is true: its commands are run, its tables held against the code."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from app.errors import DONE, TABLE
from app.main import create_app
from app.settings import Settings
from tests.ports import free_ports

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
TEMPLATE = (ROOT / "infra/template.yaml").read_text()


def block(language: str, first_words: str) -> str:
    """Take the one fenced block that begins with these words."""
    (found,) = (
        text
        for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
        if text.startswith(first_words)
    )
    return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What `make run` starts, on free ports and with users of its own: README's address to ours."""
    api, cognito = free_ports(2)
    store = tmp_path_factory.mktemp("store") / "users.json"
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
    """Run a block and give what it prints."""
    for theirs, ours in service.items():
        text = text.replace(theirs, ours)
    environ = os.environ | {"NO_PROXY": "*"}
    done = subprocess.run(
        command, input=text, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_flow_in_curl(service: dict[str, str]) -> None:
    """Each command prints what the comment below it says."""
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
    """The same by fetch, in Node.js; the person at the prompt is us."""
    if not shutil.which("node"):
        assert not os.environ.get("CI"), "CI must have Node.js"
        pytest.skip("Node.js is not installed")
    prompt = """globalThis.prompt = async () =>
      (await (await fetch("http://localhost:8001/outbox")).json()).at(-1).code;\n"""
    program = prompt + block("js", "const api")
    assert run(["node", "--input-type=module"], program, service) == "Signed in for 3 hours.\n"


def test_every_code_is_in_the_readme() -> None:
    """With its status, and none is left over from yesterday."""
    told = set(re.findall(r"\| (\d{3}) \| `(\w+)` \|", README))
    assert told == {(str(row.status), row.code) for row in TABLE.values() if row is not DONE}


def test_every_route_is_in_the_readme() -> None:
    """And no other."""
    app = create_app(Settings(client_id="x", user_pool_id="x", region="eu-west-1"))
    paths = app.openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path in paths for method in paths[path]}
    told = set(re.findall(r"`((?:GET|POST|DELETE) /[\w/-]+)`", README))
    assert told - {"GET /docs"} == routes


def test_every_setting_is_in_the_readme() -> None:
    """As a row of its table, and in the template."""
    docs = re.findall(r'"""([A-Z_]+)[:.]', (ROOT / "app/settings.py").read_text())
    assert len(docs) == len(fields(Settings))
    for name in docs:
        assert f"| `{name}` |" in README
    # Lambda sets the region; the last two are for Cognitos of other kinds than AWS's
    elsewhere = {"AWS_REGION", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "COGNITO_JWKS_URL"}
    for name in set(docs) - elsewhere:
        assert f"          {name}: " in TEMPLATE


def test_every_parameter_is_in_the_readme() -> None:
    """In the table of the section on deployment."""
    parameters = TEMPLATE.partition("\nParameters:\n")[2].partition("\nRules:\n")[0]
    names = re.findall(r"^  (\w+):$", parameters, re.MULTILINE)
    table = README.partition("| parameter |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(names)


def test_every_file_that_the_readme_names_is_there() -> None:
    """Nobody is sent looking for what was moved."""
    named = set(re.findall(r"\b(?:app|infra|tests|\.ci)/[\w./]*", README))
    assert [name for name in named if not (ROOT / name).exists()] == ["app/diary.py"]  # theirs
    modules = {f"app/{path.name}" for path in (ROOT / "app").glob("*.py")} - {"app/__init__.py"}
    assert modules <= named


def test_the_chart_is_of_the_measurement_that_the_readme_shows() -> None:
    """Both are taken over together."""
    found = re.search(r"make bench, [\d-]+, Python [\d.]+ on \w+", README)
    assert found
    assert found[0] in (ROOT / "tests/bench/chart.svg").read_text()


def test_every_make_target_that_the_readme_names_is_there() -> None:
    """Likewise."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|\n)make ([a-z-]+)", README)) <= targets
