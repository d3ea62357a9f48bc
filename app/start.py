"""What makes a cold start short: how the app is imported on Lambda, and nowhere else.

How much dearer a start would be without each lever is measured by `make bench ARGS=--levers`, in
instructions to the first answered sign-in.
"""

import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import ModuleType
from typing import Any

_MODELS = "fastapi.openapi.models"


@contextmanager
def quickly() -> Iterator[None]:
    """Import the app in this block, once per process."""
    # What is imported stays. To look through it for garbage again and again would cost 5 %; the
    # freeze spares every later collection the same.
    gc.disable()
    # FastAPI has some 40 pydantic models that make the OpenAPI document, and do nothing else.
    # To build them would cost 18 %, so it waits until the document is asked for.
    sys.modules[_MODELS] = _StandIns(_MODELS)
    try:
        yield
    finally:
        del sys.modules[_MODELS]
        gc.freeze()
        gc.enable()


def after_restore(forget: Callable[[], object]) -> None:
    """Have this called whenever Lambda wakes a copy of the process from its snapshot (SnapStart).

    The copy believes in connections that its original had; the other end knows nothing of them.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        # Part of Lambda's runtime; nowhere else are there snapshots
        hooks = importlib.import_module("snapshot_restore_py")
        hooks.register_after_restore(forget)


class _StandIns(ModuleType):
    """The module for now: it has whatever class is imported from it."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)  # what the import system asks of any module
        return _StandIn(name, (), {})


class _StandIn(type):
    """A class for now: the model of that name, as soon as it is looked at."""

    def __call__(cls, *args: Any, **kwargs: Any) -> "_Instance":
        return _Instance(cls, args, kwargs)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.model(), name)

    def model(cls) -> Any:
        """Return the real class."""
        return getattr(importlib.import_module(_MODELS), cls.__name__)


class _Instance:
    """An instance for now: FastAPI makes some at import, such as what HTTPBearer is documented by.

    It passes for the real one with isinstance, and has its attributes.
    """

    def __init__(self, class_: _StandIn, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._made_by = class_, args, kwargs

    @cached_property
    def _real(self) -> Any:
        class_, args, kwargs = self._made_by
        return class_.model()(*map(_real, args), **{name: _real(kwargs[name]) for name in kwargs})

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _real(value: Any) -> Any:
    return value._real if type(value) is _Instance else value  # noqa: SLF001 (our own)
