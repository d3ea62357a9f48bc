"""The canary: what is secret must be in no answer and in no log line."""

import logging
import re
from typing import Self

import httpx

from app.logs import JsonFormatter
from tests.support.people import Person

# What hands out tokens, or a second factor's secret.
GIVING = ("/sign-in", "/challenge", "/refresh", "/mfa/setup")

SHORT = 8  # characters; a code is shorter


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
        """Say which secrets were found where. An address is secret too, but for answers."""
        typed = {secret for person in self._people for secret in person.secrets}
        given = {secret for person in self._people for secret in person.given}
        others, giving = [], []
        for answer in self._answers:
            gives = answer.status_code == 200 and answer.url.path.endswith(GIVING)
            (giving if gives else others).append(said(answer))
        places = {
            "the log": ("\n".join(self.lines), typed | given | {p.email for p in self._people}),
            "an answer": ("\n".join(others), typed | given),
            "an answer that gives tokens": ("\n".join(giving), typed),
        }
        return [
            f"{secret} in {place}"
            for place, (text, secrets) in places.items()
            for secret in found(secrets, without_ids(text))
        ]


def found(secrets: set[str], text: str) -> set[str]:
    """The secrets that stand in a text; a code of six digits as a word, not amid a token."""
    words = set(re.findall(r"\w+", text))
    short = {s for s in secrets if len(s) <= SHORT}
    return (short & words) | {s for s in secrets - short if s in text}


def said(answer: httpx.Response) -> str:
    """An answer, headers and all."""
    return f"{answer.headers}\n{answer.text}"


def without_ids(text: str) -> str:
    """Leave out UUIDs, in whose digits a code of six might stand by chance."""
    return re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", text)
