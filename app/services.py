"""The boto3 clients of other AWS services, for your own routes.

    DynamoDB = Annotated["DynamoDBClient", Depends(aws_client("dynamodb"))]

A client is made when it is first asked for, so signing in costs nothing more. Its region and time
limits are those of the Cognito client. Its requests are signed with the function's role.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from fastapi import Request

from app.aws import make_signed_client
from app.exceptions import ServiceNotListedError
from app.settings import Settings
from app.upstream import TIMEOUT

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
"""The file that lists the services. It isn't in the bundle, which has the listed services only."""


class Services:
    """The clients, by service. One instance serves a process and its threads.

    `timeout` limits a try of a call, in seconds.
    """

    def __init__(self, settings: Settings, timeout: float = TIMEOUT) -> None:
        self._settings = settings
        self._timeout = timeout
        self._clients: dict[str, Any] = {}
        self._lock = Lock()  # boto3 can't make two clients at once

    def client(self, name: str) -> Any:
        """Return the client of a service, such as "dynamodb". Threads may share it.

        Raise botocore's UnknownServiceError if the bundle lacks the service: see `require_listed`.
        """
        with self._lock:
            if name not in self._clients:
                self._clients[name] = make_signed_client(name, self._settings, self._timeout)
            return self._clients[name]


def aws_client(name: str, /) -> Callable[[Request], Any]:
    """Return a dependency that gives a route the client of a service.

    Raise ServiceNotListedError if pyproject.toml doesn't list the service.
    """
    require_listed(name)

    async def client(request: Request) -> Any:
        services: Services = request.app.state.services
        return services.client(name)

    return client


def require_listed(name: str) -> None:
    """Raise ServiceNotListedError if pyproject.toml doesn't list a service.

    So a forgotten one fails on your machine, where botocore has all services. The bundle has no
    pyproject.toml; there, the first use of the service fails.
    """
    if PROJECT.exists():
        import tomllib  # noqa: PLC0415 - Lambda doesn't need it

        listed = tomllib.loads(PROJECT.read_text())["tool"]["accounts"]["aws-services"]
        if name not in listed:
            raise ServiceNotListedError(name)
