"""The software bill of materials: the bundle's third-party code, as CycloneDX JSON.

Vulnerability scanners read it. It is written without CycloneDX's library, which the image's builder
would have to install, but the tests validate it with that library.
https://cyclonedx.org/docs/1.6/json/
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from infra.bundle.install import canonical

_SELF = "accounts"
_ASSETS = Path(__file__).resolve().parents[2] / "app/assets"
# What is vendored from npm: the folder, and its one file that matters.
_VENDORED = {"swagger-ui": "swagger-ui-bundle.js", "common-passwords": "passwords.txt"}
_NAMESPACE = uuid.UUID("c2a1a2de-5d9c-4c0c-8d29-6f6c2d1b7a55")


def write_sbom(folder: Path, wheels: Mapping[str, str], file: Path) -> None:
    """Write a bill of the distributions in `folder` to `file`.

    `wheels` has each wheel's SHA-256 by distribution name. The same distributions give the same
    bytes.
    """
    found = {canonical(one.name): one for one in distributions(path=[str(folder)])}
    requires = {name: _requires(found[name]) & found.keys() for name in sorted(found)}
    direct = found.keys() - set().union(*requires.values())
    vendored = [_vendored(_ASSETS / folder, file) for folder, file in _VENDORED.items()]
    names = {component["name"] for component in vendored}
    edges = {_SELF: direct | names, **{name: set[str]() for name in sorted(names)}, **requires}
    components = [_component(found[name], wheels[name]) for name in requires] + vendored
    references = {component["name"]: component["bom-ref"] for component in components}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # Unique to these components. The specification doesn't require it to be random.
        "serialNumber": uuid.uuid5(_NAMESPACE, json.dumps(components)).urn,
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": _SELF, "name": _SELF}},
        "components": components,
        "dependencies": [
            {"ref": references.get(name, name), "dependsOn": sorted(map(references.get, needed))}
            for name, needed in edges.items()
        ],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(bill, indent=2) + "\n")


def _requires(one: Distribution) -> set[str]:
    """Return the names that a distribution requires, except for its extras."""
    lines = (line for line in one.requires or () if "extra ==" not in line)
    return {canonical(re.split(r"[^\w.-]", line)[0]) for line in lines}


def _component(one: Distribution, sha256: str) -> dict[str, Any]:
    reference = f"pkg:pypi/{canonical(one.name)}@{one.version}"
    return {
        "type": "library",
        "bom-ref": reference,
        "purl": reference,
        "name": canonical(one.name),
        "version": one.version,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "licenses": [_licence(one)],
    }


def _vendored(folder: Path, file: str) -> dict[str, Any]:
    """Return the component for an npm package in app/assets/, with the hash of one file."""
    about = json.loads((folder / "package.json").read_text())
    reference = f"pkg:npm/{about['name'].replace('@', '%40')}@{about['version']}"
    content = (folder / file).read_bytes()
    return {
        "type": "library",
        "bom-ref": reference,
        "purl": reference,
        "name": about["name"],
        "version": about["version"],
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
        "licenses": [{"expression": about["license"]}],
    }


def _licence(one: Distribution) -> dict[str, Any]:
    """Return a licence from its metadata: an SPDX expression, or else its author's own words."""
    if expression := one.metadata.get_all("License-Expression"):
        return {"expression": expression[0]}
    classifiers = one.metadata.get_all("Classifier") or []
    words = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    return {"license": {"name": [*words, *one.metadata.get_all("License", []), "unknown"][0]}}
