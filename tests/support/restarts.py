"""A local Cognito on a store, which a test stops and starts again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.pool.store import Store
from infra.local.server import LocalCognito
from tests.support.contract import Contract


@contextmanager
def started(
    file: Path, name: str | None = None, *, fresh: bool = False, **settings: Any
) -> Iterator[Contract]:
    """Run a local Cognito on a store for the length of a `with` block.

    `settings` are arguments of `create_pool`.
    """
    with Store(file, fresh=fresh) as store, LocalCognito(store=store) as cognito:
        yield Contract(cognito.create_pool(name, **settings), cognito)
