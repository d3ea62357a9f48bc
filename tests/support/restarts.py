"""A local Cognito on a store, which a test stops and starts again."""

import resource
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


@contextmanager
def no_space(size: int) -> Iterator[None]:
    """Have the system refuse to make any file of this process larger than this, in bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
