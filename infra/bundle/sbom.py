"""The software bill of materials: what third-party code is in the bundle, as CycloneDX JSON.

Scanners take it to tell which known vulnerabilities the function has. Made by hand from pip's own
report: the library for it would have to be installed in the image's builder. The tests validate
what is made here with that library.
https://cyclonedx.org/docs/1.6/json/
"""

import json
import re
import uuid
from pathlib import Path
from typing import Any

_NAMESPACE = uuid.UUID("c2a1a2de-5d9c-4c0c-8d29-6f6c2d1b7a55")
_SELF = "cognito-auth"


def write_sbom(installed: list[dict[str, Any]], file: Path) -> None:
    """Write the bill of what pip reports as installed. The same report gives the same bytes."""
    components = sorted((_component(one) for one in installed), key=lambda one: str(one["name"]))
    references = {component["name"]: component["bom-ref"] for component in components}
    direct = [references[_name(one)] for one in installed if one["requested"]]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # A number is asked for that no other bill has, but not that it be made by chance.
        "serialNumber": uuid.uuid5(_NAMESPACE, json.dumps(components)).urn,
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": _SELF, "name": _SELF}},
        "components": components,
        "dependencies": [
            {"ref": _SELF, "dependsOn": sorted(direct)},
            *(
                {"ref": references[_name(one)], "dependsOn": _requires(one, references)}
                for one in sorted(installed, key=_name)
            ),
        ],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(bill, indent=2) + "\n")


def _name(one: dict[str, Any]) -> str:
    return re.sub(r"[-_.]+", "-", one["metadata"]["name"]).lower()


def _component(one: dict[str, Any]) -> dict[str, Any]:
    metadata = one["metadata"]
    reference = f"pkg:pypi/{_name(one)}@{metadata['version']}"
    return {
        "type": "library",
        "bom-ref": reference,
        "purl": reference,
        "name": _name(one),
        "version": metadata["version"],
        "hashes": [{"alg": "SHA-256", "content": one["download_info"]["archive_info"]["hashes"]["sha256"]}],
        "licenses": [_licence(metadata)],
    }


def _licence(metadata: dict[str, Any]) -> dict[str, Any]:
    """As the metadata has it: an SPDX expression, or whatever words its author chose."""
    if expression := metadata.get("license_expression"):
        return {"expression": expression}
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in metadata.get("classifier", ())
        if line.startswith("License :: ")
    ]
    words = (classifiers or [metadata.get("license") or "unknown"])[0]
    return {"license": {"name": words.splitlines()[0]}}


def _requires(one: dict[str, Any], references: dict[str, str]) -> list[str]:
    """What it requires of what is here; extras that nobody asked for are not."""
    lines = (line for line in one["metadata"].get("requires_dist", ()) if "extra ==" not in line)
    names = {re.split(r"[^\w.-]", line)[0] for line in lines}
    known = {re.sub(r"[-_.]+", "-", name).lower() for name in names} & references.keys()
    return sorted(references[name] for name in known)
