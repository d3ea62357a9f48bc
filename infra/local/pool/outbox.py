"""The mailbox: e-mails go to a list, and each code to the terminal."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.local.pool.records import Journal, Table
from infra.local.pool.store import Store

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

    def __init__(self, journal: Journal, echo: Callable[[str], None] | None = None) -> None:
        self._echo = echo
        self._mails: Table[Mail] = Table(journal)  # the keys are in the order of the e-mails
        self._announced = ""  # the last key

    def send(self, mail: Mail) -> None:
        """Deliver an e-mail."""
        self._mails[f"{int(max(self._mails, default=0)) + 1:012}"] = mail
        if len(self._mails) > CAPACITY:
            del self._mails[min(self._mails)]

    def announce(self) -> None:
        """Show the codes of the e-mails that came since the last time."""
        last, self._announced = self._announced, max(self._mails, default="")
        if self._announced == last or not self._echo:
            return
        for key, mail in sorted(self._mails.items()):
            if key > last:
                # An address may hold control characters; repr keeps them from the terminal.
                to = mail.to if mail.to.isprintable() else repr(mail.to)
                self._echo(f"E-mail to {to}: the code is {mail.code}")

    def clear(self) -> None:
        """Delete every e-mail."""
        self._mails.clear()

    def keep(self, store: Store) -> None:
        """Restore what was sent before a restart, and keep what is sent from now on."""
        self._mails.keep("mails", Mail.to_json, store.load("mails", Mail.from_json))
        self._announced = max(self._mails, default="")

    def to_json(self) -> list[dict[str, str]]:
        """Return every mail, newest last."""
        return [mail.to_json() for _, mail in sorted(self._mails.items())]

    def code_for(self, to: str) -> str:
        """Return the newest code sent to an address, ignoring case, or raise LookupError."""
        for _, mail in sorted(self._mails.items(), reverse=True):
            if mail.to.casefold() == to.casefold():
                return mail.code
        raise LookupError(f"no e-mail was sent to {to}")
