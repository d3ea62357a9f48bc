"""`make run`, as a newcomer runs it: in a terminal, in a clone, until Ctrl-C."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pexpect
import pytest

from tests.support.ports import free_ports

# A terminal's `make run` starts several times, beside other busy processes.
pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[1]
ADA = {"email": "ada@example.com", "password": "Correct-horse-9"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a copy of the repository's tracked files, so that your own users stay as they are."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    for name in filter(None, listed.split("\0")):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return tmp_path


@contextmanager
def make_run(clone: Path, *arguments: str) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Run `make run` in a terminal, yield the API and the mailbox, and end it with Ctrl-C."""
    ports = free_ports(2)
    command = ["run", f"PORT={ports[0]}", f"COGNITO_PORT={ports[1]}", *arguments]
    # The tests' own virtual environment, which is up to date, and no AWS settings
    command += [f"PYTHON={sys.executable}", f"VENV={sys.prefix}"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    terminal = pexpect.spawn("make", command, cwd=clone, env=environ, encoding="utf-8", timeout=110)
    try:
        for line in (f"localhost:{ports[0]}/docs", f"localhost:{ports[1]}/", "curl"):
            terminal.expect_exact(line)
        with (
            httpx.Client(base_url=f"http://127.0.0.1:{ports[0]}", timeout=30) as api,
            httpx.Client(base_url=f"http://127.0.0.1:{ports[1]}") as mailbox,
        ):
            yield api, mailbox
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert "Traceback" not in str(terminal.before)
        # The program exits normally; make itself may end by the signal
        assert terminal.exitstatus == 0 or terminal.signalstatus == signal.SIGINT
    finally:
        terminal.close(force=True)


def is_there(api: httpx.Client, path: str) -> bool:
    """Return whether the running API has a route; it has none while it restarts."""
    try:
        return api.get(path).status_code == 200
    except httpx.TransportError:
        return False


def test_users_survive_until_a_fresh_start(clone: Path) -> None:
    """Users survive a change to the code and a restart; FRESH=1 removes them."""
    with make_run(clone) as (api, mailbox):
        assert api.post("/auth/sign-up", json=ADA).status_code == 200
        with (clone / "app/docs.py").open("a") as module:
            module.write("\n\n@router.get('/changed')\ndef changed() -> str: return 'yes'\n")
        while not is_there(api, "/changed"):
            pass  # the change is live within a second or two; pytest's timeout is the limit
        code = mailbox.get("/outbox").json()[-1]["code"]
        assert api.post("/auth/confirm", json=ADA | {"code": code}).status_code == 200
    with make_run(clone) as (api, _):
        assert api.post("/auth/sign-in", json=ADA).status_code == 200
    with make_run(clone, "FRESH=1") as (api, mailbox):
        assert api.post("/auth/sign-in", json=ADA).json()["code"] == "invalid_credentials"
        assert mailbox.get("/outbox").json() == []


@pytest.mark.skipif(not os.environ.get("CI"), reason="it downloads packages: set CI=true")
def test_what_make_run_installs_is_enough(clone: Path) -> None:
    """A newcomer's first `make run` installs nothing that only tests need, and all works."""
    with make_run(clone, "VENV=.venv") as (api, mailbox):
        assert api.post("/auth/sign-up", json=ADA).status_code == 200
        code = mailbox.get("/outbox").json()[-1]["code"]
        assert api.post("/auth/confirm", json=ADA | {"code": code}).status_code == 200
        assert api.post("/auth/sign-in", json=ADA).status_code == 200
    assert not (clone / ".venv/bin/pytest").exists()


def imports(path: Path) -> set[str]:
    """Return the top-level modules that a file imports when it runs."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
        nodes += ast.iter_child_nodes(node)
    return {name.partition(".")[0] for name in found} - sys.stdlib_module_names - {"app", "infra"}


distributions = cache(packages_distributions)  # it reads every package's files
INFRA = sorted(path for path in ROOT.glob("infra/**/*.py") if "examples" not in path.parts)


@pytest.mark.parametrize("path", INFRA, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_need_only_what_make_run_installs(path: Path) -> None:
    """`make run`, smoke, doctor, bundle and package import nothing that only tests need."""
    text = (ROOT / "requirements-run.txt").read_text()
    pinned = set(re.findall(r"^([\w-]+)==", text, re.MULTILINE))
    found = distributions()
    for name in imports(path):
        names = {one.lower().replace("_", "-") for one in found[name]}
        assert names & pinned, f"Add {name}'s package to the group `run` in pyproject.toml"


def test_a_python_that_is_too_old(clone: Path) -> None:
    """The message names the required version and how to select it; nothing is created."""
    old = clone / "old-python"
    old.write_text(
        "#!/bin/sh\nexec "
        + sys.executable
        + ' -c "import sys; sys.version_info = (3, 9); exec(sys.argv[1])" "$2"\n'
    )
    old.chmod(0o755)
    ended = subprocess.run(
        ["make", "test", f"PYTHON={old}", "VENV=.venv"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert "Python 3.11 or newer is needed" in ended.stderr
    assert not (clone / ".venv").exists()
