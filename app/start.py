"""What makes a cold start short: how the app is imported on Lambda, and nowhere else.

Each lever's gain is that of `make bench`, in instructions up to the first answered sign-in.
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_MODELS = "fastapi.openapi.models"


@contextmanager
def quickly() -> Iterator[None]:
    """Import the app in this block, once per process."""
    gc.disable()
    sys.modules[_MODELS] = _StandIns(_MODELS)
    try:
        yield
    finally:
        del sys.modules[_MODELS]
        gc.freeze()
        gc.enable()


class _StandIns(ModuleType):
    """The module until it is needed: gives a stand-in for whatever class is imported from it."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)  # what the import system asks of every module
        return _StandIn(name, (), {})


class _StandIn(type):
    """A class that is its namesake in fastapi.openapi.models as soon as anything is asked of it."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an instance of the real class."""
        if _MODELS in sys.modules and isinstance(sys.modules[_MODELS], _StandIns): return {}
        return cls._real()(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls._real(), name)

    def _real(cls) -> Any:
        return getattr(importlib.import_module(_MODELS), cls.__name__)
