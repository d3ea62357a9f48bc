"""The canary: what is secret must be in no answer and in no log line."""

import logging
import re
from typing import Self

import httpx

from app.logs import JsonFormatter
from tests.people import Person

# What hands out tokens, or a second factor's secret.
GIVING = ("/sign-in", "/challenge", "/refresh", "/mfa/setup")


class Watch(logging.Handler):
    """Keeps what was answered and logged, and the people whose secrets must not be there."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []
        self._answers: list[httpx.Response] = []
        self._people: list[Person] = []
        # The app's logger tells nobody above it; everything else reaches the root.
        self._loggers = [logging.getLogger(), logging.getLogger("app")]

    def __enter__(self) -> Self:
        for logger in self._loggers:
            logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        for logger in self._loggers:
            logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a log line."""
        self.lines.append(self.format(record))

    def see(self, answer: httpx.Response) -> None:
        """Keep an answer."""
        answer.read()
        self._answers.append(answer)

    def over(self, person: Person) -> Person:
        """Watch over somebody's secrets."""
        self._people.append(person)
        return person

    def leaks(self) -> list[str]:
        """Say where something secret was found. The address is secret too, but for answers."""
        found = []
        for person in self._people:
            secrets = person.secrets | person.given | {person.email}
            for line in self.lines:
                found += [f"{line} holds {s}" for s in secrets if s in without_ids(line)]
            for answer in self._answers:
                gives = answer.status_code == 200 and answer.url.path.endswith(GIVING)
                secrets = person.secrets if gives else person.secrets | person.given
                said = f"{answer.headers}\n{answer.text}"
                found += [f"{said} holds {s}" for s in secrets if s in without_ids(said)]
        return found


def without_ids(text: str) -> str:
    """Leave out UUIDs, in whose digits a code of six might stand by chance."""
    return re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", text)
