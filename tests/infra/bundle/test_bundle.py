"""The Lambda bundle: its files, its bytecode, and that it runs without anything else."""

import importlib.metadata
import importlib.util
import json
import marshal
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.bundle.install import TAGS
from infra.bundle.make import PLACEHOLDERS, check_bundle, make_bundle
from infra.bundle.pack import TASK_ROOT, write_zip

# A bundle is made in 20 seconds, or in a minute beside other busy processes.
pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "infra.bundle"]


def shipped_pins() -> set[tuple[str, str]]:
    """Return the names and versions that requirements.txt pins and the bundle keeps."""
    text = (ROOT / "requirements.txt").read_text()
    pins = re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)
    return {(name, version) for name, version in pins if name != "pycparser"}  # see cut.py


def canonical(name: str) -> str:
    """Spell a distribution's name as requirements.txt does."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_bundle_holds_what_requirements_txt_pins_and_nothing_else(bundle: Path) -> None:
    """The same distributions in the same versions: no moto, no test library, no web server."""
    bundled = importlib.metadata.distributions(path=[str(bundle)])
    assert {(canonical(one.name), one.version) for one in bundled} == shipped_pins()
    assert not {"bin", "infra", "tests", "pip", "moto", "httpx", "uvicorn", "pytest"} & {
        path.name for path in bundle.iterdir()
    }


def test_bundle_holds_the_app_unchanged(bundle: Path) -> None:
    """The bundle has every file of app/, byte for byte, except its README.md."""

    def files(app: Path) -> dict[str, bytes]:
        everything = (path for path in app.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {str(path.relative_to(app)): path.read_bytes() for path in everything}

    source = files(ROOT / "app")
    del source["README.md"]
    assert files(bundle / "app") == source


def test_bundle_can_be_read_by_lambdas_user(bundle: Path) -> None:
    """Everyone can read the bundle, whatever the umask of the user who made it."""
    unreadable = [path for path in bundle.rglob("*") if path.stat().st_mode & 0o444 != 0o444]
    assert unreadable == []


def test_bundle_has_unchecked_bytecode_for_every_module(bundle: Path) -> None:
    """Python uses it without checking source files or times; only the app has its sources too.

    https://docs.python.org/3/reference/import.html#pyc-invalidation: bit 0 means "by hash", bit 1
    would mean "check the source".
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
    """Tracebacks and the bundle's bytes don't depend on the folder that it was made in."""
    source = bundle / "app/handler.py"
    compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
    assert marshal.loads(compiled[16:]).co_filename == f"{TASK_ROOT}/app/handler.py"  # noqa: S302 (our own bytecode)


def test_bundle_runs_from_its_bytecode(bundle: Path, tmp_path: Path) -> None:
    """The app still imports when its sources are broken, so no cold start compiles anything."""
    shutil.copytree(bundle / "app", tmp_path / "app")
    for source in (tmp_path / "app").rglob("*.py"):
        source.write_text("this isn't Python")
    program = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(bundle)!r}]; import app.handler"
    command = [sys.executable, "-I", "-S", "-B", "-c", program]
    subprocess.run(command, env=PLACEHOLDERS, check=True)


# Modules that can't be imported because the bundle lacks what they need. They belong to packages
# that it does need.
NOT_IMPORTABLE = {
    "anyio._backends._trio": "another event loop: trio",
    "anyio.pytest_plugin": "for tests",
    "boto3.crt": "another HTTP client: awscrt",
    "botocore.crt.auth": "likewise",
    "s3transfer.crt": "likewise",
    "botocore.docs.translator": "makes botocore's own documentation",
    "dateutil.tz.win": "for Windows",
    "dateutil.tzwin": "for Windows",
    "fastapi.__main__": "a command, which wants fastapi[standard]",
    "fastapi.templating": "pages from templates: jinja2",
    "starlette.templating": "likewise",
    "fastapi.testclient": "for tests",
    "starlette.testclient": "for tests",
    "pydantic.mypy": "for a type checker",
    "starlette.middleware.sessions": "signed cookies: itsdangerous",
    "urllib3.contrib.emscripten": "for Python in a browser",
    "urllib3.contrib.emscripten.connection": "likewise",
    "urllib3.contrib.emscripten.fetch": "likewise",
    "urllib3.contrib.emscripten.request": "likewise",
    "urllib3.contrib.emscripten.response": "likewise",
    "urllib3.contrib.pyopenssl": "another TLS library",
    "urllib3.contrib.socks": "SOCKS proxies",
    "urllib3.http2.connection": "HTTP/2: h2",
}
# Prints the modules of a folder that can't be imported, each with its error.
IMPORT_ALL = """
import importlib, importlib.machinery, json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(folder))
endings = sorted(importlib.machinery.all_suffixes(), key=len, reverse=True)
failed = {}
for file in sorted(folder.rglob("*")):
    ending = next((ending for ending in endings if file.name.endswith(ending)), None)
    if ending and file.parent.name != "__pycache__":
        name = ".".join(file.relative_to(folder).parts).removesuffix(ending)
        try:
            importlib.import_module(name.removesuffix(".__init__"))
        except BaseException as error:
            failed[name.removesuffix(".__init__")] = repr(error)
print(json.dumps(failed))
"""


def test_every_module_of_the_bundle_can_be_imported(bundle: Path) -> None:
    """Each module imports from the bundle alone, so nothing that it needs was removed."""
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORT_ALL, str(bundle)]
    done = subprocess.run(command, env=PLACEHOLDERS, stdout=subprocess.PIPE, text=True, check=True)
    failed = json.loads(done.stdout.splitlines()[-1])  # some modules print when imported
    assert {name: failed[name] for name in failed.keys() - NOT_IMPORTABLE.keys()} == {}
    assert NOT_IMPORTABLE.keys() - failed.keys() == set(), "can be imported: remove these"


@pytest.mark.skipif(sys.platform != "linux", reason="ldd is for Linux")
def test_every_extension_module_finds_its_libraries(bundle: Path) -> None:
    """A missing system library would break only imports that no other test makes."""
    extensions = list(bundle.rglob("*.so"))
    assert {path.name.partition(".")[0] for path in extensions} == {
        "_cffi_backend",
        "_pydantic_core",
        "_rust",
    }
    for path in extensions:
        found = subprocess.run(["ldd", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        assert "not found" not in found, f"{path}: {found}"


def test_bundle_without_an_extension_module_is_an_error(
    bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The build verifies a token, because only that needs cryptography, which needs this file."""
    broken = shutil.copytree(bundle, tmp_path / "bundle")
    (extension,) = broken.glob("_cffi_backend.*.so")
    extension.unlink()
    with pytest.raises(SystemExit, match="bundle doesn't work on its own"):
        check_bundle(broken)
    assert "_cffi_backend" in capfd.readouterr().err


def test_bundle_refuses_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    """The build ends with one clear line and leaves the folder's files alone."""
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
    """A dependency that is missing in the folder ends the build, even if installed elsewhere."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app/handler.py").write_text("import pydantic\n")
    with pytest.raises(SystemExit, match="bundle doesn't work on its own"):
        check_bundle(tmp_path)
    assert "No module named 'pydantic'" in capfd.readouterr().err


def test_bundle_is_the_same_each_time(bundle: Path, tmp_path: Path) -> None:
    """Two builds in different folders give the same zip and the same bill of materials."""
    again = tmp_path / "again/and/elsewhere"
    make_bundle(again)
    for folder, file in ((bundle, tmp_path / "one.zip"), (again, tmp_path / "other.zip")):
        write_zip(folder, file)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()
    assert bill_of(bundle).read_bytes() == bill_of(again).read_bytes()
    times = {path.stat().st_mtime for path in again.rglob("*")}
    assert len(times) == 1


def test_bundle_for_another_processor(bundle: Path, tmp_path: Path) -> None:
    """The bundle can't run here, so its files must be marked as that processor's.

    What is compiled from strings is the same for every processor, and comes from one for this one.
    0xB7 is ARM's number in an ELF header. A wheel lists its platforms, and an extension module's
    name has its Python version and platform.
    """
    folder = tmp_path / "bundle"
    make_bundle(folder, "arm64")
    tags = [
        tag
        for wheel in folder.glob("*.dist-info/WHEEL")
        for tag in re.findall(r"^Tag: \S+-\S+-(\S+)$", wheel.read_text(), re.MULTILINE)
    ]
    assert len(tags) > 20
    assert {tag for tag in tags if tag != "any"} <= set(TAGS["arm64"]) | {"manylinux_2_17_aarch64"}
    libraries = list(folder.rglob("*.so"))
    assert len(libraries) == 3
    python = f"cpython-{sys.version_info.major}{sys.version_info.minor}-aarch64-linux-gnu"
    for library in libraries:
        assert library.read_bytes()[18] == 0xB7
        assert library.name.partition(".")[2] in {f"{python}.so", "abi3.so"}
    assert (folder / "strings.bin").read_bytes() == (bundle / "strings.bin").read_bytes()


def bill_of(folder: Path) -> Path:
    """Return the bill of materials beside a bundle."""
    return folder.with_name(f"{folder.name}.cdx.json")


def test_bill_of_materials_is_valid_and_complete(bundle: Path) -> None:
    """CycloneDX's own validator accepts it, and it lists everything that ships, with hashes."""
    text = bill_of(bundle).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    pins = (ROOT / "requirements.txt").read_text()
    *distributions, docs_page, passwords = bill["components"]
    named = {(one["name"], one["version"]) for one in distributions}
    assert named == shipped_pins()
    assert docs_page["purl"].startswith("pkg:npm/swagger-ui-dist@")
    assert passwords["purl"].startswith("pkg:npm/%40zxcvbn-ts/language-common@")
    sums = (ROOT / "app/assets").glob("*/SHA256SUMS")
    vendored = "".join(each.read_text() for each in sums)
    for component in bill["components"]:
        assert component["hashes"][0]["content"] in pins + vendored
        assert component["licenses"][0] != {"license": {"name": "unknown"}}
    requires = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    boto3 = next(reference for reference in requires if reference.startswith("pkg:pypi/boto3@"))
    assert boto3 in requires["accounts"]
    assert [name.partition("@")[0].rpartition("/")[2] for name in requires[boto3]] == [
        "botocore",
        "jmespath",
        "s3transfer",
    ]
