"""The Lambda bundle: what is in it, how it is compiled, and that it runs with nothing else."""

import importlib.metadata
import importlib.util
import json
import marshal
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.bundle.make import PLACEHOLDERS, check_bundle, make_bundle
from infra.bundle.pack import TASK_ROOT, write_zip
from infra.local.server import LocalCognito, LocalPool
from tests.gateway import WAYS, Gateway
from tests.people import Person
from tests.runtime_api import (
    LambdaFunction,
    lambda_function,
    runtime_client_alone,
    settings_of,
)

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "infra.bundle"]


@pytest.fixture
def function(
    bundle: Path, cognito: LocalCognito, pool: LocalPool, tmp_path: Path
) -> Iterator[LambdaFunction]:
    """Start a function that can import the bundle, the runtime client, and nothing else."""
    with lambda_function(
        bundle,
        settings_of(cognito, pool)
        | {"PYTHONPATH": str(runtime_client_alone(tmp_path / "runtime"))},
        output=tmp_path / "log",
        python=(sys.executable, "-s", "-S"),
    ) as function:
        yield function


def canonical(name: str) -> str:
    """Spell a distribution's name as requirements.txt does."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_bundle_holds_what_requirements_txt_pins_and_nothing_else(bundle: Path) -> None:
    """The same distributions in the same versions: no moto, no test library, no web server."""
    pinned = re.findall(
        r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    bundled = importlib.metadata.distributions(path=[str(bundle)])
    assert {(canonical(one.name), one.version) for one in bundled} == set(pinned)
    assert not {"bin", "infra", "tests", "pip", "moto", "httpx", "uvicorn", "pytest"} & {
        path.name for path in bundle.iterdir()
    }


def test_bundle_holds_the_app_as_it_stands(bundle: Path) -> None:
    """Every file of app/ is there, byte for byte."""

    def files(app: Path) -> dict[str, bytes]:
        everything = (path for path in app.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {str(path.relative_to(app)): path.read_bytes() for path in everything}

    assert files(bundle / "app") == files(ROOT / "app")


def test_bundle_can_be_read_by_lambdas_user(bundle: Path) -> None:
    """Whoever made the bundle, with whatever umask: everyone may read it."""
    unreadable = [path for path in bundle.rglob("*") if path.stat().st_mode & 0o444 != 0o444]
    assert unreadable == []


def test_bundle_has_unchecked_bytecode_for_every_module(bundle: Path) -> None:
    """Python takes it without a look at a source or the clock; the app alone has its sources, too.

    https://docs.python.org/3/reference/import.html#pyc-invalidation: bit 0 says "by hash", bit 1
    would say "check the source".
    """
    sources = list(bundle.rglob("*.py"))
    assert {source.relative_to(bundle).parts[0] for source in sources} == {"app"}
    compiled = set(bundle.rglob("*.pyc"))
    assert {Path(importlib.util.cache_from_source(str(source))) for source in sources} <= compiled
    assert len(compiled) > 500
    for file in compiled:
        head = file.read_bytes()[:8]
        assert head == importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little")


def test_bundle_names_its_files_as_they_are_on_lambda(bundle: Path) -> None:
    """A traceback, and the bundle's bytes, don't depend on the folder it was made in."""
    source = bundle / "app/handler.py"
    compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
    assert marshal.loads(compiled[16:]).co_filename == f"{TASK_ROOT}/app/handler.py"  # noqa: S302 (our own bytecode)


def test_bundle_runs_from_its_bytecode(bundle: Path, tmp_path: Path) -> None:
    """With every source of the app made useless, it still imports: no cold start compiles."""
    shutil.copytree(bundle / "app", tmp_path / "app")
    for source in (tmp_path / "app").rglob("*.py"):
        source.write_text("this is no Python")
    program = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(bundle)!r}]; import app.handler"
    command = [sys.executable, "-I", "-S", "-B", "-c", program]
    subprocess.run(command, env=PLACEHOLDERS, check=True)


def test_bundle_serves_the_three_routes_on_its_own(
    function: LambdaFunction, cognito: LocalCognito
) -> None:
    """Under the real runtime client, with nothing else to import, the main job gets done."""
    way = WAYS["rest"]
    gateway = Gateway(lambda event, _: function.invoke(event), way)
    with httpx.Client(transport=gateway, base_url=way.base_url) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.has_an_account()
        assert ada.signs_in().json()["body"]["TokenType"] == "Bearer"


def test_bundle_refuses_a_folder_that_is_in_use(tmp_path: Path) -> None:
    """One clear line, and what was there stays there."""
    (tmp_path / "precious").touch()
    done = subprocess.run(
        [*COMMAND, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path} is not an empty folder: remove it or name another.\n"
    assert (tmp_path / "precious").exists()


def test_bundle_that_cannot_be_imported_is_an_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A dependency missing in the folder ends the build, though it be installed elsewhere."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app/handler.py").write_text("import pydantic\n")
    with pytest.raises(SystemExit, match="bundle doesn't work on its own"):
        check_bundle(tmp_path)
    assert "No module named 'pydantic'" in capfd.readouterr().err


def test_bundle_is_the_same_each_time(bundle: Path, tmp_path: Path) -> None:
    """Made twice, in other places, it has the same bytes; so have its zip and its bill."""
    again = tmp_path / "again/and/elsewhere"
    make_bundle(again)
    for folder, file in ((bundle, tmp_path / "one.zip"), (again, tmp_path / "other.zip")):
        write_zip(folder, file)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()
    assert bill_of(bundle).read_bytes() == bill_of(again).read_bytes()
    times = {path.stat().st_mtime for path in again.rglob("*")}
    assert len(times) == 1


def test_bundle_for_another_processor(tmp_path: Path) -> None:
    """Its compiled parts are that processor's: 0xB7 is ARM's number in an ELF file's head."""
    make_bundle(tmp_path / "bundle", "arm64")
    libraries = list((tmp_path / "bundle").rglob("*.so"))
    assert libraries
    assert {library.read_bytes()[18] for library in libraries} == {0xB7}


def bill_of(folder: Path) -> Path:
    """Return the bill of materials beside a bundle."""
    return folder.with_name(f"{folder.name}.cdx.json")


def test_bill_of_materials_is_valid_and_complete(bundle: Path) -> None:
    """CycloneDX's own library finds nothing wrong, and all that ships is in it, by its hash."""
    text = bill_of(bundle).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    pins = (ROOT / "requirements.txt").read_text()
    *distributions, docs_page = bill["components"]
    named = {(one["name"], one["version"]) for one in distributions}
    assert named == set(re.findall(r"^([\w.-]+)==([\w.]+)", pins, re.MULTILINE))
    assert docs_page["purl"].startswith("pkg:npm/swagger-ui-dist@")
    vendored = (ROOT / "app/assets/swagger-ui/SHA256SUMS").read_text()
    for component in bill["components"]:
        assert component["hashes"][0]["content"] in pins + vendored
        assert component["licenses"][0] != {"license": {"name": "unknown"}}
    requires = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    boto3 = next(reference for reference in requires if reference.startswith("pkg:pypi/boto3@"))
    assert boto3 in requires["cognito-auth"]
    assert [name.partition("@")[0].rpartition("/")[2] for name in requires[boto3]] == [
        "botocore",
        "jmespath",
        "s3transfer",
    ]
