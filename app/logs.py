"""One line of JSON for each thing worth telling, on standard output."""

import json
import logging
import sys
from datetime import UTC, datetime

logger = logging.getLogger("app")


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: when, how grave, what, and the members it was logged with."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Members come from `extra={"members": {...}}`."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "members", {}),
        }
        return json.dumps(line)


def configure() -> None:
    """Send the app's log to standard output, which Lambda takes to CloudWatch. Idempotent."""
    logger.setLevel(logging.INFO)
    logger.propagate = False  # Lambda's own handler would write every line again
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
    # Mangum logs raw paths, in which people put anything.
    logging.getLogger("mangum").setLevel(logging.WARNING)
