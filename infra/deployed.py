"""Helpers that `make smoke` and `make doctor` use to call a deployed API."""

import argparse
from typing import Any

import httpx

TIMEOUT = 30  # seconds; API Gateway times out after 29


class NotThisServiceError(Exception):
    """An answer from something other than this service. The message contains the fix."""


def api_url(text: str) -> str:
    """Return the URL from the command line. Raise ArgumentTypeError if it is invalid."""
    try:
        valid = httpx.URL(text).scheme in ("http", "https")
    except httpx.InvalidURL:  # for example a copied URL with an ellipsis
        valid = False
    if not valid:
        raise argparse.ArgumentTypeError(
            "it must be the stack's output ApiUrl, which starts with https://"
        )
    return text


def envelope(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON body. Raise NotThisServiceError if another service answered."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict) or "statusCode" not in found:
        raise NotThisServiceError(
            f"{answer.request.method} {answer.url}: got {answer.status_code} from something other "
            "than this service. Use the stack's output ApiUrl, which includes the stage."
        )
    return found


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 (the output of a command)
