"""The environment variables that the app reads, taken from the docstrings in app/settings.py."""

import re
from dataclasses import fields
from pathlib import Path

import app.settings
from app.settings import Settings

_DOCUMENTED = re.findall(r'"""([A-Z_]+)[:.]', Path(app.settings.__file__).read_text())

VARIABLES = dict(zip((field.name for field in fields(Settings)), _DOCUMENTED, strict=True))
"""The environment variable of each setting."""


def environ_of(settings: Settings) -> dict[str, str]:
    """Return the environment variables from which the app reads these settings."""
    values = {VARIABLES[field.name]: getattr(settings, field.name) for field in fields(Settings)}
    return {name: _written(value) for name, value in values.items() if value is not None}


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
