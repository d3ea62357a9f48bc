"""The ids of user pools and app clients.

A stack's ids follow from its name alone, so that no edit of the template changes them. In
CloudFormation, too, they stay the same. Users need that: their sessions are those of an app client,
and their SRP verifiers are made with the pool's id.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from moto.cognitoidp.utils import generate_id

_stack: ContextVar[str | None] = ContextVar("stack", default=None)


@contextmanager
def ids_of(stack: str | None) -> Iterator[None]:
    """Give the pool and the app client that are created in the block the ids of a stack.

    For None, moto chooses them.
    """
    token = _stack.set(stack)
    try:
        yield
    finally:
        _stack.reset(token)


def new_id(strategy: str | None, owner: str, *settings: object) -> str:
    """Return an id for a pool of a region, or for an app client of a pool. Replaces moto's."""
    stack = _stack.get()
    if stack is None:
        return generate_id(strategy, owner, *settings)
    return generate_id("HASH", owner, stack)
