"""The README's code blocks, for the tests that run them."""

import re
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(language: str, first_words: str) -> str:
    """Return the one fenced block of README.md that starts with these words."""
    (found,) = (
        text
        for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
        if text.startswith(first_words)
    )
    return found
