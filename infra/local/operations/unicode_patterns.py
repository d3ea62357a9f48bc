r"""Regular expressions with Unicode properties such as \p{L}, which Python's `re` lacks."""

import re
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import groupby

# What matters in a pattern: an escape, a property, and where a character class begins and ends.
TOKENS = re.compile(r"\\([pP])\{(\w+)\}|\\.|\[\^?\]?|\]|[^\\\[\]]+", re.DOTALL)


@cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    r"""Compile a pattern that may contain `\p{…}` or `\P{…}` with a general category.

    Raises ValueError for a property that is not a general category, such as `\p{IsGreek}`.
    """
    return re.compile(translate(pattern))


def translate(pattern: str) -> str:
    """Replace every Unicode property of a pattern by the characters that have it."""
    translated = []
    in_class = False
    for token in TOKENS.finditer(pattern):
        text = token[0]
        if token[2]:
            members = class_members(token[2], negated=token[1] == "P")
            text = members if in_class else f"[{members}]"
        elif text.startswith("["):
            in_class = True
        elif text == "]":
            in_class = False
        translated.append(text)
    return "".join(translated)


@cache
def class_members(category: str, *, negated: bool = False) -> str:
    """Return the ranges of a general category, such as L or Lu, for use between brackets."""
    ranges = [
        (first, last)
        for name, first, last in category_runs()
        if name.startswith(category) is not negated
    ]
    if not ranges or len(ranges) == len(category_runs()):
        raise ValueError(f"{category} is not a Unicode general category")
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in merge(ranges))


@cache
def category_runs() -> tuple[tuple[str, int, int], ...]:
    """Return all of Unicode as runs of one category: its name, first and last code point."""
    categories = map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))
    runs: list[tuple[str, int, int]] = []
    first = 0
    for category, group in groupby(categories):
        length = sum(1 for _ in group)
        runs.append((category, first, first + length - 1))
        first += length
    return tuple(runs)


def merge(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join ascending ranges that touch."""
    merged: list[tuple[int, int]] = []
    for first, last in ranges:
        if merged and merged[-1][1] + 1 == first:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged
