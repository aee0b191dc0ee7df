"""What part a character has in words, as one number a character. Pure.

The numbers are what lets a whole batch of texts be cut into words with a few numpy calls
(`wirewatch.index.batch`); `words.py` cuts one text, and a test holds the two together.
"""

import sys
import unicodedata
from functools import cache
from itertools import chain

import numpy as np
import regex
from numpy.typing import NDArray

from wirewatch.text.fold import fold_character

OTHER, SPACE, WORD, JOINS, UNSPACED, IRREGULAR = range(6)
"""OTHER: punctuation and signs. WORD: a letter or digit, it begins or continues a word. JOINS:
a mark or what is invisible, it only continues a word. UNSPACED: a letter of a script without
spaces, a word of its own. IRREGULAR: what folds to something of another class (`№` to `no`);
`regular.py` writes it out before a text is cut."""

LETTERS_OF_UNSPACED = (
    r"\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}"
    r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
)
"""For a character class of `regex`. By script extensions: `ー` is shared by two of them."""
INVISIBLE = r"\p{Cf}\uFE00-\uFE0F\U000E0100-\U000E01EF\u0640"
"""What folds to nothing: joiners, soft hyphens, directions, variation selectors, the tatweel."""

_RUNS = {
    SPACE: r"\s+",
    WORD: r"[\p{L}\p{N}]+",
    JOINS: rf"[\p{{M}}{INVISIBLE}]+",
    UNSPACED: rf"[[{LETTERS_OF_UNSPACED}]&&[\p{{L}}\p{{M}}\p{{N}}]]+",
}
"""In this order: a later one wins."""
_SURROGATES = range(0xD800, 0xE000)
_FOLDABLE = (range(_SURROGATES.start), range(_SURROGATES.stop, 0x32000), range(0xE0000, 0xE0200))
"""Beyond are signs of scripts that `unicodedata` may not know yet, none of which fold."""


@cache
def character_classes() -> NDArray[np.uint8]:
    """Return the class of every code point, as a table of 0x110000 numbers. Made once, 0.5 s."""
    table = np.full(sys.maxunicode + 1, OTHER, np.uint8)
    for begin, end in [(0, _SURROGATES.start), (_SURROGATES.stop, sys.maxunicode + 1)]:
        text = "".join(map(chr, range(begin, end)))
        for number, pattern in _RUNS.items():
            for run in regex.finditer(pattern, text, regex.VERSION1):
                table[begin + run.start() : begin + run.end()] = number
    for code in chain(*_FOLDABLE):
        character = chr(code)
        if unicodedata.normalize("NFKC", character).casefold() != character and not (
            _keeps_class(table, code, fold_character(character))
        ):
            table[code] = IRREGULAR
    table.flags.writeable = False
    return table


def _keeps_class(table: NDArray[np.uint8], code: int, folded: str) -> bool:
    classes = {int(table[ord(c)]) for c in folded}
    match int(table[code]):
        case 2:  # WORD
            return bool(folded) and table[ord(folded[0])] == WORD and classes <= {WORD, JOINS}
        case 3:  # JOINS
            return classes <= {JOINS}
        case 4:  # UNSPACED
            return len(folded) == 1 and classes == {UNSPACED}
        case _:
            return classes <= {OTHER, SPACE}
