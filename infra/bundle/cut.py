"""Remove files that the app never uses from the bundle.

The percentages are how much more a start would cost without the cut, in instructions up to the
first answered sign-in. `make bench ARGS=--optimisations` measures them.
"""

import ast
import gzip
import json
import re
import shutil
from collections.abc import Callable, Collection
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

SERVICE = "cognito-idp"
POSTPONED = [f"fastapi.{name}" for name in ("applications", "param_functions", "params", "routing")]
"""The modules whose annotations are left as text."""


def cut(folder: Path, services: Collection[str] = ()) -> None:
    """Remove what the app doesn't use from the packages installed in `folder`.

    `services` are the AWS services that a team's own routes use. Raises SystemExit for one that
    botocore doesn't have.
    """
    drop_what_never_runs(folder)
    cut_service_data(folder / "botocore/data", services)
    cut_roots(folder / "botocore/cacert.pem")
    cut_typed_dicts(folder / "pydantic_core/core_schema.py")
    for name in POSTPONED:
        postpone_annotations(folder / f"{name.replace('.', '/')}.py")


def drop_what_never_runs(folder: Path) -> None:
    """Remove commands, test suites, and what the app never imports.

    Most of *.dist-info stays. It has the entry points that opentelemetry, which FastAPI imports,
    needs to find its parts, and the licences, which every copy must include. RECORD is removed,
    because it would list files that are gone.
    """
    never = ["bin", "*/tests", "*/py.typed", "**/*.pyi", "*.dist-info/RECORD"]
    never += ["*.dist-info/INSTALLER", "*.dist-info/REQUESTED"]
    # Descriptions of other services' resources, for boto3's older interface.
    never += ["boto3/data", "boto3/examples"]
    # FastAPI imports pydantic 1's models if they exist, but works without them (6 %).
    never += ["pydantic/v1"]
    # cffi and pycparser generate bindings. cryptography ships its own, and needs only
    # _cffi_backend, an extension module outside both packages.
    never += ["cffi", "pycparser", "pycparser-*.dist-info"]
    for pattern in never:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def cut_service_data(data: Path, services: Collection[str]) -> None:
    """Reduce botocore's service models to what the app's clients read (19 %).

    Remove the other 400 services (20 MB), the documentation in what is left, and Cognito's
    operations that require AWS credentials: the app calls those that don't.
    """
    for name in services:
        if not (data / name).is_dir():
            near = get_close_matches(name, [path.name for path in data.iterdir()], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SystemExit(
                f"aws-services in pyproject.toml: botocore has no service {name!r}.{hint}"
            )
    for service in data.iterdir():
        if service.is_dir() and service.name not in {SERVICE, *services}:
            shutil.rmtree(service)
    prefixes = set()  # services' names in endpoints.json, such as "states" for "stepfunctions"
    for file in sorted(data.glob("*/*/*")):
        is_cognito = file.parents[1].name == SERVICE
        if file.name in ("service-2.json", "service-2.json.gz"):
            prefixes.add(_read(file)["metadata"]["endpointPrefix"])
            _rewrite(file, _without_signed_operations if is_cognito else _undocumented)
        elif file.name.startswith("endpoint-rule-set-"):
            _rewrite(file, lambda rules: rules)
        elif is_cognito or file.name.startswith("examples-"):
            file.unlink()  # the app doesn't use Cognito's paginators and waiters
    _rewrite(data / "endpoints.json", partial(_only, prefixes))


def _rewrite(file: Path, change: Callable[[Any], Any]) -> None:
    """Rewrite a JSON file without blanks or gzip: the bundle is compressed as a whole."""
    value = change(_read(file))
    file.unlink()
    plain = file.with_suffix("") if file.suffix == ".gz" else file
    plain.write_text(json.dumps(value, separators=(",", ":")))


def _read(file: Path) -> Any:
    content = file.read_bytes()
    return json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)


def _only(prefixes: Collection[str], endpoints: dict[str, Any]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in prefixes}
    return endpoints


def _without_signed_operations(model: dict[str, Any]) -> Any:
    operations = {
        name: operation
        for name, operation in model["operations"].items()
        if operation.get("authtype") == "none"
    }
    shapes: dict[str, Any] = {}
    _collect(operations, model["shapes"], shapes)
    return _undocumented({**model, "operations": operations, "shapes": shapes})


def _collect(part: Any, shapes: dict[str, Any], found: dict[str, Any]) -> None:
    """Add to `found` every shape that this part of the model refers to, even indirectly."""
    if isinstance(part, list):
        for member in part:
            _collect(member, shapes, found)
    elif isinstance(part, dict):
        name = part.get("shape")
        if isinstance(name, str) and name not in found:
            found[name] = shapes[name]
            _collect(shapes[name], shapes, found)
        for member in part.values():
            _collect(member, shapes, found)


def _undocumented(part: Any) -> Any:
    """Return a part of a model without documentation, except where botocore reads it."""
    if isinstance(part, list):
        return [_undocumented(member) for member in part]
    if isinstance(part, dict):
        return {
            name: member if name == "clientContextParams" else _undocumented(member)
            for name, member in part.items()
            if not (name == "documentation" and isinstance(member, str))
        }
    return part


def cut_typed_dicts(file: Path) -> None:
    """Remove the fields of a module's TypedDicts, which only type checkers read (2 %).

    Python resolves each field's type when it creates the class; pydantic_core has 78 classes.
    """
    module = ast.parse(file.read_text())
    for part in module.body:
        if isinstance(part, ast.ClassDef) and any(map(_is_typed_dict, part.bases)):
            part.body = [ast.Pass()]
    file.write_text(ast.unparse(module))


def _is_typed_dict(base: ast.expr) -> bool:
    return isinstance(base, ast.Name) and base.id == "TypedDict"


def postpone_annotations(file: Path) -> None:
    """Leave a module's annotations as text (3 %). Python 3.14 does so by itself.

    FastAPI's own parameters have pages of documentation in theirs, which nobody reads at run time.
    """
    file.write_text(f"from __future__ import annotations\n{file.read_text()}")


def cut_roots(file: Path) -> None:
    """Keep only Amazon's root certificates, which AWS's own certificates lead to (20 %).

    Each new connection would otherwise read all 120 or so. Upgrading botocore updates them. Raises
    SystemExit if botocore's file doesn't have all five.
    https://www.amazontrust.com/repository/
    """
    blocks = re.findall(r"# Issuer:.*?-----END CERTIFICATE-----\n", file.read_text(), re.DOTALL)
    ours = re.compile(r"# Subject: CN=(?:Amazon Root CA|Starfield Services Root Certificate)")
    kept = [block for block in blocks if ours.search(block)]
    known = 5
    if len(kept) < known:
        raise SystemExit(f"Found only {len(kept)} of Amazon's {known} root certificates in {file}.")
    file.write_text("\n".join(kept))
