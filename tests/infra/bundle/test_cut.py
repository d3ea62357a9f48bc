"""What the bundle leaves out, and that the app can't tell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bundle.cut import cut_roots
from infra.bundle.make import PLACEHOLDERS

# Prints what a client of Cognito knows: each region's address, and each operation's shapes.
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


def run(program: str, *path: Path) -> str:
    """Run a program on nothing but these folders; give what it prints."""
    command = [sys.executable, "-s", "-S", "-B", "-c", program]
    environment = PLACEHOLDERS | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def site() -> Path:
    """Return where this environment's packages are, whole."""
    import botocore  # noqa: PLC0415 (only to be found)

    return Path(botocore.__file__).parents[1]


def test_a_client_knows_what_the_whole_botocore_does(bundle: Path, site: Path) -> None:
    """Every region's address, and every operation that takes no credentials, are as they were."""
    cut = json.loads(run(CLIENT, bundle))
    assert cut == json.loads(run(CLIENT, site))
    assert len(cut["urls"]) > 20
    assert len(cut["operations"]) > 15


def test_bundle_describes_no_other_service(bundle: Path) -> None:
    """Of AWS's services, Cognito's user pools alone are left."""
    data = bundle / "botocore/data"
    assert [path.name for path in data.iterdir() if path.is_dir()] == ["cognito-idp"]
    partitions = json.loads((data / "endpoints.json").read_text())["partitions"]
    assert {name for partition in partitions for name in partition["services"]} == {"cognito-idp"}


def test_start_up_imports_nothing_that_it_does_not_need(bundle: Path) -> None:
    """An innocent import would be paid for by everybody who signs in first.

    `cryptography` is for the routes that teams add; it is there, but waits until they need it.
    """
    program = "import app.handler, sys; print(*sys.modules)"
    imported = {name.partition(".")[0] for name in run(program, bundle).split()}
    assert {name for name in imported - sys.stdlib_module_names if name[0] != "_"} == {
        "annotated_doc",
        "annotated_types",
        "anyio",
        "app",
        "boto3",
        "botocore",
        "dateutil",
        "fastapi",
        "jmespath",
        "mangum",
        "opentelemetry",
        "pydantic",
        "pydantic_core",
        "s3transfer",
        "six",
        "starlette",
        "typing_extensions",
        "typing_inspection",
        "urllib3",
    }


def test_what_never_runs_is_not_there(bundle: Path) -> None:
    """It would make the bundle larger, and pydantic 1's models would make each start slower."""
    for gone in ("pydantic/v1", "boto3/data", "bin", "cffi", "pycparser"):
        assert not (bundle / gone).exists()


def test_roots_are_amazons(bundle: Path) -> None:
    """The five that AWS's certificates lead to, and no others."""
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


def test_roots_that_are_missing_end_the_build(bundle: Path, tmp_path: Path) -> None:
    """A botocore that lists them otherwise must not ship without them."""
    file = tmp_path / "cacert.pem"
    file.write_text((bundle / "botocore/cacert.pem").read_text().replace("Amazon Root", "A Root"))
    with pytest.raises(SystemExit, match="1 of Amazon's 5 root certificates"):
        cut_roots(file)
