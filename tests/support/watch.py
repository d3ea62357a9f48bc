"""The watch for secrets, which must not be in any answer or log line."""

import logging
import re
from typing import Self

import httpx

from app.logs import JsonFormatter
from tests.support.people import Person

# Routes that return tokens, sessions, a code verifier or a second factor's secret.
TOKEN_ROUTES = (
    "/sign-up",
    "/confirm",
    "/sign-in",
    "/challenge",
    "/email-code",
    "/google/start",
    "/google/finish",
    "/refresh",
    "/mfa/setup",
    "/challenge/setup",
)

SHORT = 8  # characters; a code is shorter


class Watch(logging.Handler):
    """A log handler that records answers and log lines, to search them for people's secrets."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []
        self._answers: list[httpx.Response] = []
        self._people: list[Person] = []
        # The app's logger doesn't propagate; all others reach the root logger.
        self._loggers = [logging.getLogger(), logging.getLogger("app")]

    def __enter__(self) -> Self:
        for logger in self._loggers:
            logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        for logger in self._loggers:
            logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Record a log line."""
        self.lines.append(self.format(record))

    def see(self, answer: httpx.Response) -> None:
        """Record an answer."""
        answer.read()
        self._answers.append(answer)

    def over(self, person: Person) -> Person:
        """Watch for a person's secrets, and return the person."""
        self._people.append(person)
        return person

    def leaks(self) -> list[str]:
        """Return which secrets were found where. An e-mail address is a secret only in the log."""
        typed = {secret for person in self._people for secret in person.secrets}
        given = {secret for person in self._people for secret in person.given}
        others, giving = [], []
        for answer in self._answers:
            gives = answer.status_code == 200 and answer.url.path.endswith(TOKEN_ROUTES)
            (giving if gives else others).append(text_of(answer))
        places = {
            "the log": ("\n".join(self.lines), typed | given | {p.email for p in self._people}),
            "an answer": ("\n".join(others), typed | given),
            "an answer that gives tokens": ("\n".join(giving), typed),
        }
        return [
            f"{secret} in {place}"
            for place, (text, secrets) in places.items()
            for secret in secrets_in(without_ids(text), secrets)
        ]


def secrets_in(text: str, secrets: set[str]) -> set[str]:
    """Return the secrets in a text. A six-digit code counts as a word, not as part of a token."""
    words = set(re.findall(r"\w+", text))
    short = {s for s in secrets if len(s) <= SHORT}
    return (short & words) | {s for s in secrets - short if s in text}


def text_of(answer: httpx.Response) -> str:
    """Return an answer's headers and body as text."""
    return f"{answer.headers}\n{answer.text}"


def without_ids(text: str) -> str:
    """Remove UUIDs, whose digits could contain a six-digit code by chance."""
    return re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", text)
