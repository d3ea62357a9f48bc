"""The canary: what is secret must be in no answer and in no log line."""

import logging
from typing import Self

import httpx

from app.logs import JsonFormatter
from tests.people import Person


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
            for line in self.lines:
                found += [f"{line} holds {s}" for s in (*person.secrets, person.email) if s in line]
            for answer in self._answers:
                # Signing in is what hands out tokens.
                signed_in = answer.status_code == 200 and answer.url.path.endswith("/sign-in")
                secrets = person.secrets if not signed_in else {person.password}
                found += [f"{answer.text} holds {s}" for s in secrets if s in answer.text]
        return found
