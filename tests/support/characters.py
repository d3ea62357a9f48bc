"""Characters that people can't see, of every alphabet."""

import sys
import unicodedata

ALL = [chr(number) for number in range(sys.maxunicode + 1)]
BLANKS = [
    each for each in ALL if each.isspace() or unicodedata.category(each) in ("Zs", "Zl", "Zp")
]
UNSEEN = list("\u115f\u1160\u180e\u200b\u200c\u200d\u2060\u2800\u3164\ufeff\uffa0")
"""Fillers, and characters without a width, which Unicode doesn't count as blanks."""
