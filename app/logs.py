"""The log: one line of JSON per event, on standard output."""

import json
import logging
import sys
from datetime import UTC, datetime

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
