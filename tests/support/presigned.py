"""Presigned forms, and their upload as a browser sends it."""

from collections.abc import Mapping
from typing import Any, Protocol

import httpx

KEY = "recordings/ada/1"
SILENCE = b"\x1aE\xdf\xa3" + b"\x00" * 96
CONDITIONS: list[Any] = [
    ["content-length-range", 1, 200],
    ["starts-with", "$Content-Type", "audio/"],
]


class HasBucket(Protocol):
    """A bucket, and a client for it."""

    bucket: str
    s3: Any


def form(services: HasBucket, expires: int = 60, key: str = KEY, **fields: str) -> dict[str, Any]:
    """Return a presigned form for one key, an audio type and up to 200 bytes."""
    made: dict[str, Any] = services.s3.generate_presigned_post(
        services.bucket,
        key,
        Fields=fields,
        Conditions=[*CONDITIONS, *({name: value} for name, value in fields.items())],
        ExpiresIn=expires,
    )
    return made


def upload(
    made: dict[str, Any],
    body: bytes = SILENCE,
    headers: Mapping[str, str] | None = None,
    **fields: str,
) -> httpx.Response:
    """Send a form as a browser does. Fields replace those of the form."""
    files = {"file": ("recording.webm", body, "application/octet-stream")}
    all_fields = made["fields"] | {"Content-Type": "audio/webm;codecs=opus"} | fields
    return httpx.post(made["url"], data=all_fields, files=files, headers=headers)
