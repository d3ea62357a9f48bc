"""What makes a cold start fast. Only handler.py, so only Lambda, imports the app this way.

`make bench ARGS=--optimisations` measures what each optimisation saves, in instructions up to the
first answered sign-in.
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

from app.strings import compiled_strings

_MODELS = "fastapi.openapi.models"


@contextmanager
def fast_import() -> Iterator[None]:
    """Import the app in this block, once per process."""
    # Imported objects stay, so searching them for garbage would be wasted: 6 % more. The freeze
    # excludes them from every later collection.
    gc.disable()
    # FastAPI has about 40 pydantic models whose only use is the OpenAPI document. Building them
    # makes a start 26 % longer, so they are built when the document is first asked for.
    sys.modules[_MODELS] = _LazyModels(_MODELS)
    # The bundle has no pydantic.v1, which FastAPI would look for with every field. This is how
    # Python notes that a module is missing.
    sys.modules["pydantic.v1"] = None  # type: ignore[assignment]
    try:
        with compiled_strings():
            yield
    finally:
        del sys.modules[_MODELS]
        gc.freeze()
        gc.enable()


def around_snapshot(before: Callable[[], object], after: Callable[[], object]) -> None:
    """If Lambda takes a snapshot of this process (SnapStart), run `before` now, and `after` later.

    Nobody waits for what is done before the snapshot. After each restore, connections that were
    open then are dead.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        before()
        # This module is part of Lambda's runtime
        hooks = importlib.import_module("snapshot_restore_py")
        hooks.register_after_restore(after)


class _LazyModels(ModuleType):
    """Replaces the module of models. It returns a lazy class for every name."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)  # the import system looks these up
        return _LazyClass(name, (), {})


class _LazyClass(type):
    """Stands for the model of the same name, which is imported on the first attribute access."""

    def __call__(cls, *args: Any, **kwargs: Any) -> "_LazyInstance":
        return _LazyInstance(cls, args, kwargs)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.model(), name)

    def model(cls) -> Any:
        """Return the real class."""
        return getattr(importlib.import_module(_MODELS), cls.__name__)


class _LazyInstance:
    """Stands for a model's instance, with its attributes and for isinstance().

    FastAPI creates some when it is imported, such as HTTPBearer's documentation.
    """

    def __init__(self, class_: _LazyClass, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
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
    return value._real if type(value) is _LazyInstance else value  # noqa: SLF001 (our own)
