"""The files that the bundle leaves out, which the app doesn't need."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bundle.cut import cut_roots, cut_service_data
from infra.bundle.make import PLACEHOLDERS

ROOT = Path(__file__).parents[3]

# Prints the data of a Cognito client: each region's address, and each operation's shapes.
CLIENT = """
import json, boto3
from botocore import UNSIGNED
from botocore.config import Config
session = boto3.Session()
def client(region):
    return session.client("cognito-idp", region, config=Config(signature_version=UNSIGNED))
def shape(it):
    return it and {"required": it.required_members, "members": {
        name: [member.type_name, member.metadata] for name, member in it.members.items()}}
partitions = session.get_available_partitions()
regions = [region for partition in partitions
           for region in session.get_available_regions("cognito-idp", partition)]
model = client("eu-west-1").meta.service_model
operations = {}
for name in model.operation_names:
    operation = model.operation_model(name)
    if operation.auth_type == "none":
        errors = [error.name for error in operation.error_shapes]
        operations[name] = [operation.http, shape(operation.input_shape),
                            shape(operation.output_shape), errors]
urls = {region: client(region).meta.endpoint_url for region in regions}
print(json.dumps({"urls": urls, "operations": operations}, sort_keys=True))
"""


def run(program: str, *path: Path, argument: Path | str = "") -> str:
    """Run a program that can import from these folders only; return its output."""
    command = [sys.executable, "-s", "-S", "-B", "-c", program, str(argument)]
    environment = PLACEHOLDERS | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def site() -> Path:
    """Return the folder of this environment's packages, from which nothing is cut."""
    import botocore  # noqa: PLC0415 (only for its path)

    return Path(botocore.__file__).parents[1]


def test_a_client_is_the_same_as_with_all_of_botocore(bundle: Path, site: Path) -> None:
    """Every region's address and every operation that needs no credentials are unchanged."""
    cut = json.loads(run(CLIENT, bundle))
    assert cut == json.loads(run(CLIENT, site))
    assert len(cut["urls"]) > 20
    assert len(cut["operations"]) > 15


def test_bundle_describes_no_other_service(bundle: Path) -> None:
    """Cognito user pools are the only AWS service left."""
    data = bundle / "botocore/data"
    assert [path.name for path in data.iterdir() if path.is_dir()] == ["cognito-idp"]
    partitions = json.loads((data / "endpoints.json").read_text())["partitions"]
    assert {name for partition in partitions for name in partition["services"]} == {"cognito-idp"}


# Prints what clients of three services need: their addresses, operations, paginators and waiters.
CLIENTS = """
import json, sys, boto3, botocore.session
from botocore.loaders import Loader
core = botocore.session.Session()
core.register_component("data_loader", Loader([sys.argv[1]], include_default_search_paths=False))
session = boto3.Session("key", "secret", botocore_session=core)
known = {}
for service in ("dynamodb", "s3", "stepfunctions"):
    client = session.client(service, "eu-west-1")
    known[service] = [
        client.meta.endpoint_url, session.get_available_regions(service),
        [client.can_paginate(name) for name in client.meta.method_to_api_mapping],
        sorted(client.meta.method_to_api_mapping), client.waiter_names,
        [one.name for one in client.meta.service_model.client_context_parameters]]
print(json.dumps(known))
"""


def test_services_of_a_team_are_kept(site: Path, tmp_path: Path) -> None:
    """Their clients are the same as with all of botocore; all other services go."""
    data = tmp_path / "data"
    shutil.copytree(site / "botocore/data", data)
    cut_service_data(data, ["dynamodb", "s3", "stepfunctions"])
    kept = {path.name for path in data.iterdir() if path.is_dir()}
    assert kept == {"cognito-idp", "dynamodb", "s3", "stepfunctions"}
    cut = json.loads(run(CLIENTS, site, argument=data))
    assert cut == json.loads(run(CLIENTS, site, argument=site / "botocore/data"))
    assert len(cut["stepfunctions"][1]) > 20  # regions: "states" in botocore's list of endpoints
    assert any(cut["s3"][2])
    assert "table_exists" in cut["dynamodb"][4]


def test_a_service_that_does_not_exist_ends_the_build(tmp_path: Path) -> None:
    """A misspelt name would fail only on Lambda. Nothing is removed."""
    (tmp_path / "dynamodb").mkdir()
    with pytest.raises(SystemExit, match=r"no service 'dynamo'\. Did you mean 'dynamodb'\?"):
        cut_service_data(tmp_path, ["dynamo"])
    assert (tmp_path / "dynamodb").exists()


def test_start_up_imports_only_what_it_needs(bundle: Path) -> None:
    """A needless import would slow down every cold start.

    `boto3` and `cryptography` are for the routes that teams add. They ship, but are imported only
    for them.
    """
    program = "import app.handler, sys; print(*sys.modules)"
    imported = {name.partition(".")[0] for name in run(program, bundle).split()}
    assert {name for name in imported - sys.stdlib_module_names if name[0] != "_"} == {
        "annotated_doc",
        "annotated_types",
        "anyio",
        "app",
        "botocore",
        "dateutil",
        "fastapi",
        "jmespath",
        "mangum",
        "opentelemetry",
        "pydantic",
        "pydantic_core",
        "six",
        "starlette",
        "typing_extensions",
        "typing_inspection",
        "urllib3",
    }


# Prints the OpenAPI document, and a schema with a field of almost every kind.
DOCUMENT = """
import json, datetime, decimal, enum, typing, uuid
import typing_extensions
from pydantic import BaseModel, Field, HttpUrl
from app.docs import document
from app.main import create_app
class Colour(enum.Enum):
    RED = "red"
class Pair(typing_extensions.TypedDict):
    left: int
class Everything(BaseModel):
    text: str = Field(max_length=3, pattern="a+")
    number: decimal.Decimal | float | None
    when: datetime.datetime | datetime.date | datetime.timedelta
    url: HttpUrl
    id: uuid.UUID
    colours: dict[Colour, list[tuple[Pair, int]]]
    choice: typing.Literal["a", "b"]
    call: tuple[int, ...]
print(json.dumps([document(create_app()), Everything.model_json_schema()], sort_keys=True))
"""


def test_types_without_their_annotations_work_the_same(bundle: Path, site: Path) -> None:
    """The TypedDicts of pydantic_core have no fields, and FastAPI's annotations are text."""
    assert run(DOCUMENT, bundle) == run(DOCUMENT, site, ROOT)
    program = """
from pydantic_core import core_schema
from fastapi import FastAPI
print(core_schema.ModelSchema.__annotations__, type(FastAPI.get.__annotations__["path"]).__name__)
"""
    assert run(program, bundle) == "{} str\n"
    # Python 3.14 leaves annotations unread by itself.
    assert sys.version_info >= (3, 14) or run(program, site).endswith(" _AnnotatedAlias\n")


def test_code_that_never_runs_is_left_out(bundle: Path) -> None:
    """It would make the bundle larger, and pydantic 1's models would slow down each start."""
    for gone in ("pydantic/v1", "boto3/data", "bin", "cffi", "pycparser"):
        assert not (bundle / gone).exists()


def test_only_amazons_root_certificates_are_left(bundle: Path) -> None:
    """The bundle keeps the five roots of AWS's certificates, and no others."""
    text = (bundle / "botocore/cacert.pem").read_text()
    labels = [line for line in text.splitlines() if line.startswith("# Label: ")]
    assert sorted(labels) == [
        '# Label: "Amazon Root CA 1"',
        '# Label: "Amazon Root CA 2"',
        '# Label: "Amazon Root CA 3"',
        '# Label: "Amazon Root CA 4"',
        '# Label: "Starfield Services Root Certificate Authority - G2"',
    ]
    assert text.count("BEGIN CERTIFICATE") == text.count("END CERTIFICATE") == 5


def test_missing_root_certificates_end_the_build(bundle: Path, tmp_path: Path) -> None:
    """If a botocore release renames them, the bundle must not ship without them."""
    file = tmp_path / "cacert.pem"
    file.write_text((bundle / "botocore/cacert.pem").read_text().replace("Amazon Root", "A Root"))
    with pytest.raises(SystemExit, match="1 of Amazon's 5 root certificates"):
        cut_roots(file)
