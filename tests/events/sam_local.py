"""Write sam-local.json: events as the event constructor of `sam local start-api` makes them.

It isn't part of the tests, which need no aws-sam-cli. tests/README.md says how to run it.
"""

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

from samcli.lib.providers.provider import Api
from samcli.local.apigw.local_apigw_service import LocalApigwService
from samcli.local.apigw.route import Route

SIGN_IN = '{"email": "ada@example.com", "password": "Correct-horse-9"}'
# The method, the path, the body and its type.
REQUESTS = [
    ("POST", "/auth/sign-in", SIGN_IN, "application/json"),
    ("POST", "/auth/sign-in", SIGN_IN, None),
    ("POST", "/auth/sign-out-everywhere", "", "application/x-www-form-urlencoded"),
    ("GET", "/auth/me", None, None),
    ("HEAD", "/health", None, None),
    ("GET", "/docs?from=sam&from=again", None, None),
    ("GET", "/docs/docs.css", None, None),
    ("GET", "/no%20such%2Fpage", None, None),
    ("GET", "/", None, None),
]
# The API's kind, its payload version and its routes.
APIS = {
    "REST": (Route.API, None, ["/", "/{proxy+}"]),
    "REST, a resource per route": (Route.API, None, ["/auth/{step}", "/{proxy+}", "/"]),
    "HTTP 1.0": (Route.HTTP, "1.0", ["/", "/{proxy+}"]),
    "HTTP 1.0, default route": (Route.HTTP, "1.0", ["$default"]),
    "HTTP 2.0": (Route.HTTP, "2.0", ["/", "/{proxy+}"]),
    "HTTP 2.0, default route": (Route.HTTP, "2.0", ["$default"]),
}


class Runner:
    """Stands for Docker: it keeps the event and answers 200."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def is_debugging(self) -> bool:
        """Answer SAM's question."""
        return False

    def invoke(self, _function: str, event: str, *, stdout: Any, **_: Any) -> None:
        """Keep the event."""
        self.events.append(json.loads(event))
        stdout.write_str('{"statusCode": 200, "body": ""}')


def events(kind: str, version: str | None, paths: list[str]) -> list[dict[str, Any]]:
    """Return the events of all REQUESTS to an API with these routes."""
    api = Api(routes=[Route("auth", path, ["ANY"], kind, version) for path in paths])
    api.stage_name = "auth"  # SAM puts it in front of no path, although it looks like one
    runner = Runner()
    service = LocalApigwService(api, runner, port=3000, host="127.0.0.1", stderr=StringIO())
    service.create()
    client = service._app.test_client()  # noqa: SLF001 - SAM starts it itself
    for method, path, body, declared in REQUESTS:
        headers = {"Host": "127.0.0.1:3000", "Authorization": "Bearer x.y.z"}
        client.open(path, method=method, data=body, content_type=declared, headers=headers)
    return runner.events


def main() -> None:
    """Write the file, one event a line."""
    made = [{"api": name, "event": event} for name, api in APIS.items() for event in events(*api)]
    lines = ",\n".join(json.dumps(each) for each in made)
    Path(__file__).with_name("sam-local.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    sys.exit(main())
