"""The doctor's findings: one printed line per check, and a summary."""

from infra.deployed import say


class Findings:
    """Counts of the checks. Each check is printed as soon as it is made."""

    def __init__(self) -> None:
        self._right = self._wrong = self._unknown = 0

    def right(self, line: str) -> None:
        """Print that a setting is right."""
        self._right += 1
        say(f"✓ {line}")

    def wrong(self, line: str) -> None:
        """Print that a setting is wrong, and the fix."""
        self._wrong += 1
        say(f"✗ {line}")

    def unknown(self, line: str) -> None:
        """Print that a check could not be made. It counts as neither right nor wrong."""
        self._unknown += 1
        say(f"? Can't tell: {line}")

    def check(self, line: str, remedy: str, *, right: bool) -> None:
        """Print `line` if it is right, and `remedy` if it is wrong."""
        if right:
            self.right(line)
        else:
            self.wrong(remedy)

    @property
    def status(self) -> int:
        """The exit status: 1 if anything is wrong."""
        return 1 if self._wrong else 0

    @property
    def summary(self) -> str:
        """The last line."""
        total = self._right + self._wrong + self._unknown
        rest = f"{self._unknown} of {total} could not be made (?)."
        if self._wrong:
            failed = f"{self._wrong} of {total} checks failed"
            return f"{failed}, and {rest}" if self._unknown else f"{failed}."
        if self._unknown:
            return f"No check failed, but {rest}"
        return "All checks passed."


def printable(text: str) -> str:
    """Return at most 200 characters of foreign text, with control characters replaced."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:200])
