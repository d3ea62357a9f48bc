"""The local services with a table and a bucket, from one run to the next."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest

from infra.local.pool.store import Store
from infra.local.server import LocalCognito
from tests.support.resources import BUCKET, TABLE, client, template_with


@dataclass
class Services:
    """The table and the bucket of a running local Cognito, and clients for them."""

    cognito: LocalCognito
    table: str
    bucket: str
    dynamodb: Any = field(init=False)
    s3: Any = field(init=False)

    def __post_init__(self) -> None:
        self.dynamodb = client("dynamodb", self.cognito.url)
        self.s3 = client("s3", self.cognito.url)

    def put(self, id_: str, **more: Any) -> None:
        """Write an item of Ada's."""
        item = {"owner": {"S": "ada"}, "id": {"S": id_}} | more
        self.dynamodb.put_item(TableName=self.table, Item=item)

    def items(self) -> list[Any]:
        """Return all items, in the order of their ids."""
        items = self.dynamodb.scan(TableName=self.table)["Items"]
        return sorted(items, key=lambda item: str(item["id"]))

    def ids(self) -> list[str]:
        """Return the ids of all items."""
        return [item["id"]["S"] for item in self.items()]

    def objects(self) -> dict[str, bytes]:
        """Return the bucket's objects."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        keys = [each["Key"] for each in listed]
        return {key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}


class Start(Protocol):
    """A function that starts the local Cognito on the test's file, and ends the one before."""

    printed: list[str]
    """What it printed for the person at the terminal."""

    def __call__(self, *, fresh: bool = False, resources: str = TABLE + BUCKET) -> Services:
        """Start it with a template that has these resources."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where everything is kept."""
    return tmp_path / "users.db"


@pytest.fixture
def start(file: Path) -> Iterator[Start]:
    """Return a function that starts the local Cognito, again and again."""
    name = f"kept-{uuid4()}"
    printed: list[str] = []
    with ExitStack() as running:

        def start(*, fresh: bool = False, resources: str = TABLE + BUCKET) -> Services:
            running.close()
            store = running.enter_context(Store(file, fresh=fresh))
            cognito = LocalCognito(store=store, echo=printed.append)
            pool = cognito.create_pool(name, template=template_with(file.parent, resources))
            running.enter_context(cognito)
            return Services(cognito, pool.variables["PAGES_TABLE"], pool.variables["PAGES_BUCKET"])

        start.printed = printed  # type: ignore[attr-defined]
        yield start  # type: ignore[misc]


@pytest.fixture
def services(start: Start) -> Services:
    """Return the services of a local Cognito that has just started."""
    return start()
