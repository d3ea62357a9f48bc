"""The recipes in the READMEs, as changes that a test can apply.

A recipe is the fenced blocks below a heading. A `python` block whose first line is `# path` is a
new file. A `diff` block has hunks below lines `@@ path @@`, without line numbers; the old lines
that they show must be in the file exactly once. A line that ends with `…` matches every line that
starts like it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_HEADING = re.compile(r"^#{2,3} (.*)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(python|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HUNK = re.compile(r"^@@ (\S+) @@\n(.*?)(?=^@@ |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Change:
    """One change to one file."""

    path: str
    lines: tuple[str, ...]
    """Lines as in a diff: their first character is a blank, + or -."""

    def apply(self, folder: Path) -> None:
        """Make the change in a copy of the project.

        Raise AssertionError if the file differs from what the recipe shows.
        """
        file = folder / self.path
        old = [line[1:] for line in self.lines if not line.startswith("+")]
        if not old:
            assert not file.exists(), f"{self.path} already exists"
            file.write_text("".join(f"{line[1:]}\n" for line in self.lines))
            return
        there = file.read_text().splitlines()
        starts = [
            start
            for start in range(len(there))
            if len(there) - start >= len(old)
            and all(map(_shown, old, there[start : start + len(old)]))
        ]
        assert len(starts) == 1, f"{self.path} has these lines {len(starts)} times:\n{old}"
        (start,) = starts
        kept = iter(there[start : start + len(old)])
        new: list[str] = []
        for line in self.lines:
            if line.startswith("+"):
                new.append(line[1:])
            elif line.startswith("-"):
                next(kept)
            else:
                new.append(next(kept))
        there[start : start + len(old)] = new
        file.write_text("\n".join(there) + "\n")


def _shown(line: str, there: str) -> bool:
    return there.startswith(line[:-1]) if line.endswith("…") else there == line


def recipe(document: str, heading: str) -> list[Change]:
    """Return the changes below a heading of a README, up to the next heading."""
    sections = _HEADING.split(document)
    section = sections[sections.index(heading) + 1]
    changes = []
    for language, text in _BLOCK.findall(section):
        if language == "diff":
            changes += [
                Change(path, tuple(hunk.splitlines())) for path, hunk in _HUNK.findall(text)
            ]
        elif text.startswith("# "):
            first, *rest = text.splitlines()
            changes.append(Change(first.removeprefix("# "), tuple(f"+{line}" for line in rest)))
    return changes
