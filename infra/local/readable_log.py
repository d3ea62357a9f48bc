"""The API's log for people at a terminal. Lambda, and pipes, get JSON from app/logs.py."""

import logging
from typing import TextIO


class ReadableFormatter(logging.Formatter):
    """Formats a request as one line, and each of its further fields as one more."""

    def __init__(self) -> None:
        super().__init__(datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines. Fields come from `extra={"fields": {...}}`."""
        fields = {**getattr(record, "fields", {})}
        first = [self.formatTime(record, self.datefmt)]
        if "route" in fields:
            route = fields.pop("route") or "(no route)"
            first += [fields.pop("method"), route, str(fields.pop("status"))]
            first += [fields.pop("code", ""), f"{fields.pop('durationMs'):.0f} ms"]
            if record.levelno < logging.WARNING and "remedy" not in fields:
                fields.clear()  # nothing to fix
        else:
            first += [record.levelname, record.getMessage()]
        lines = [" ".join(word for word in first if word)]
        lines += [f"  {name}: {value}".rstrip() for name, value in fields.items()]
        return "\n".join(lines)


def handler(stream: TextIO) -> logging.Handler:
    """Return a handler that writes readable lines to `stream`."""
    made = logging.StreamHandler(stream)
    made.setFormatter(ReadableFormatter())
    return made
