"""A Lambda handler that serves a team's routes with ours, and one that inspects its process.

The tests copy this folder beside the bundle, so that `team.handler` runs as it would on Lambda.
"""

import os
import sys
from importlib.util import find_spec
from typing import Any

from team_routes import erase_notebook, router

from app.handler import app, handler

__all__ = ["handler", "probe"]

app.include_router(router)
app.state.on_account_deleted = (erase_notebook,)


def probe(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the modules that the process can import and the folders that it can write to."""
    root = os.environ["LAMBDA_TASK_ROOT"]
    return {
        "path": sys.path,
        "user": os.geteuid(),
        "importable": [name for name in event["names"] if find_spec(name)],
        "writable": [folder for folder, _, _ in os.walk(root) if os.access(folder, os.W_OK)],
    }
