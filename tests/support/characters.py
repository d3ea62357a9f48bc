"""Characters that people can't see, of every alphabet."""

import sys
import unicodedata

ALL = [chr(number) for number in range(sys.maxunicode + 1)]
BLANKS = [
    each for each in ALL if each.isspace() or unicodedata.category(each) in ("Zs", "Zl", "Zp")
]
UNSEEN = [each for each in ALL if unicodedata.category(each) in ("Cc", "Cf")]
UNSEEN += list("\u115f\u1160\u2800\u3164\uffa0")
"""Controls, characters without a width, and fillers, which Unicode doesn't count as blanks."""
