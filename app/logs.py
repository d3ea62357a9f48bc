"""The log: one line of JSON per event, on standard output."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

logger = logging.getLogger("app")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: time, level, message, and the record's fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Fields come from `extra={"fields": {...}}`."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line)


def log(level: int, message: str, fields: Mapping[str, Any]) -> None:
    """Log an event, with fields for the line.

    Logger.log would first search the stack for the caller's place, which the line doesn't have.
    """
    if logger.isEnabledFor(level):
        extra = {"fields": fields}
        logger.handle(logger.makeRecord("app", level, "", 0, message, (), None, extra=extra))


def configure() -> None:
    """Send the app's log to standard output, which Lambda sends to CloudWatch. Idempotent."""
    logger.setLevel(logging.INFO)
    logger.propagate = False  # Lambda's own handler would repeat every line
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
    # Mangum logs raw paths, which may contain secrets.
    logging.getLogger("mangum").setLevel(logging.WARNING)
