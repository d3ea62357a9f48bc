"""Uploads by a form, with the policy that the form's maker has signed (presigned POST).

The policy is enforced as S3 does. The signature isn't checked: any credentials are good here.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.local.services.errors import S3Error

# Fields that no condition needs to name. Also free are those that begin with x-ignore-.
FREE = {"policy", "x-amz-signature", "file", "signature", "awsaccesskeyid"}
DENIED = "Invalid according to Policy: "


@dataclass(frozen=True)
class Upload:
    """A form's file, and where and how it wants to be kept."""

    bucket: str
    fields: Mapping[str, str]
    """The form's fields by their names in lower case."""
    filename: str
    body: bytes

    @property
    def key(self) -> str:
        """The object's key."""
        return self.fields["key"].replace("${filename}", self.filename)

    @property
    def headers(self) -> dict[str, str]:
        """The object's headers."""
        kept = ("content-type", "cache-control", "content-disposition", "content-encoding")
        return {
            name: value
            for name, value in self.fields.items()
            if name in kept or name.startswith("x-amz-meta-")
        }


def check(upload: Upload, now: datetime) -> None:
    """Raise S3Error unless the form's policy allows the upload now."""
    if "key" not in upload.fields:
        raise S3Error(400, "InvalidArgument", "Bucket POST must contain a field named 'key'.")
    if "policy" not in upload.fields or "x-amz-signature" not in upload.fields:
        raise S3Error(403, "AccessDenied", "Access Denied")
    expires, conditions = _read(upload.fields["policy"])
    if expires <= now:
        raise S3Error(403, "AccessDenied", f"{DENIED}Policy expired.")
    values = {**upload.fields, "bucket": upload.bucket, "key": upload.key}
    covered = set()
    for kind, name, wanted in conditions:
        if kind == "content-length-range":
            _check_size(len(upload.body), int(name), int(wanted))
            continue
        covered.add(name)
        if not MATCHES[kind](values.get(name, ""), str(wanted)):
            shown = json.dumps([kind, f"${name}", wanted])
            raise S3Error(403, "AccessDenied", f"{DENIED}Policy Condition failed: {shown}")
    extra = {name for name in upload.fields if not name.startswith("x-ignore-")} - covered - FREE
    if extra:
        raise S3Error(
            403, "AccessDenied", f"{DENIED}Extra input fields: {', '.join(sorted(extra))}"
        )


def _starts_with(value: str, wanted: str) -> bool:
    # S3 splits a list of types, and each must match. An empty text matches anything.
    return all(part.startswith(wanted) for part in value.split(","))


MATCHES: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "starts-with": _starts_with,
}


def _check_size(size: int, least: int, most: int) -> None:
    if size > most:
        text = "Your proposed upload exceeds the maximum allowed size"
        raise S3Error(400, "EntityTooLarge", text)
    if size < least:
        text = "Your proposed upload is smaller than the minimum allowed size"
        raise S3Error(400, "EntityTooSmall", text)


def _read(policy: str) -> tuple[datetime, list[tuple[str, str, Any]]]:
    """Return when a policy expires, and its conditions: their kind, field and value."""
    try:
        document = json.loads(base64.b64decode(policy, validate=True))
        expires = datetime.fromisoformat(document["expiration"])
        conditions = [each for one in document["conditions"] for each in _conditions(one)]
        return expires.replace(tzinfo=expires.tzinfo or UTC), conditions
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        text = "Invalid Policy: Invalid JSON or conditions."
        raise S3Error(400, "InvalidPolicyDocument", text) from error


def _conditions(one: Any) -> Iterator[tuple[str, str, Any]]:
    if isinstance(one, dict):
        for name, value in one.items():
            yield "eq", name.lower(), value
        return
    kind, name, value = one
    kind = kind.lower()
    if kind == "content-length-range":
        yield kind, str(int(name)), int(value)
    elif kind in MATCHES and name.startswith("$"):
        yield kind, name[1:].lower(), value
    else:
        raise ValueError(kind)
