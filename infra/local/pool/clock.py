"""A clock that people and tests can advance. Codes, tokens and lockouts all read it."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """The machine's clock plus what was added by `advance`: `ahead`, in seconds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return time.time() + self.ahead

    def iso(self) -> str:
        """Return the time as ISO 8601 in UTC, such as 2026-01-31T12:00:00.000+00:00."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds")

    def advance(self, step: float | timedelta) -> None:
        """Advance by a number of seconds or a timedelta. Raises ValueError if it is negative."""
        seconds = step.total_seconds() if isinstance(step, timedelta) else step
        if seconds < 0:
            raise ValueError("time only moves forward")
        self.ahead += seconds

    def reset(self) -> None:
        """Return to the machine's time. Only for when nothing is left that knows a later one."""
        self.ahead = 0.0
