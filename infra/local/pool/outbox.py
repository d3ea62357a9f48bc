"""The mailbox: e-mails go to a list, and each code to the terminal."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# Enough for a day of development, and few enough to show on one page.
CAPACITY = 500


@dataclass(frozen=True)
class Mail:
    """One e-mail; `code` repeats the code in its text, for programs to read."""

    to: str
    subject: str
    text: str
    code: str
    sent_at: str

    def to_json(self) -> dict[str, str]:
        """Return what /outbox shows."""
        return {
            "to": self.to,
            "subject": self.subject,
            "text": self.text,
            "code": self.code,
            "sentAt": self.sent_at,
        }

    @classmethod
    def from_json(cls, mail: dict[str, str]) -> "Mail":
        """Return the mail that `to_json` wrote. Raises KeyError if it didn't."""
        return cls(mail["to"], mail["subject"], mail["text"], mail["code"], mail["sentAt"])


class Outbox:
    """The last e-mails sent, newest last; past `CAPACITY` the oldest are dropped."""

    def __init__(self, echo: Callable[[str], None] | None = None) -> None:
        self._mails: deque[Mail] = deque(maxlen=CAPACITY)
        self._echo = echo

    def send(self, mail: Mail) -> None:
        """Deliver at once."""
        self._mails.append(mail)
        if self._echo:
            # An address may hold control characters; repr keeps them from reaching the terminal.
            to = mail.to if mail.to.isprintable() else repr(mail.to)
            self._echo(f"E-mail to {to}: the code is {mail.code}")

    def clear(self) -> None:
        """Delete every e-mail."""
        self._mails.clear()

    def restore(self, mails: Iterable[Mail]) -> None:
        """Put back what was sent before a restart, without announcing it again."""
        self._mails.extend(mails)

    def to_json(self) -> list[dict[str, str]]:
        """Return every mail, newest last."""
        return [mail.to_json() for mail in list(self._mails)]

    def code_for(self, to: str) -> str:
        """Return the newest code sent to an address, ignoring case, or raise LookupError."""
        for mail in reversed(list(self._mails)):
            if mail.to.casefold() == to.casefold():
                return mail.code
        raise LookupError(f"no e-mail was sent to {to}")
