"""Where the words of a text stand, by the letters, marks and digits of Unicode. Pure.

Scripts that are written without spaces have no words that could be told apart without a
dictionary: there each character counts as a word, and what is looked for is a row of them.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import regex

from wirewatch.text.classes import INVISIBLE, LETTERS_OF_UNSPACED, WORD, character_classes
from wirewatch.text.regular import regular

_U = LETTERS_OF_UNSPACED
_TOKEN = regex.compile(
    rf"(?P<unspaced>[[{_U}]&&[\p{{L}}\p{{M}}\p{{N}}]])"
    rf"|[[\p{{L}}\p{{N}}]--[{_U}{INVISIBLE}]][[\p{{L}}\p{{M}}\p{{N}}{INVISIBLE}]--[{_U}]]*",
    regex.VERSION1,
)
_UNSPACED = regex.compile(rf"[[{_U}]&&[\p{{L}}\p{{M}}\p{{N}}]]", regex.VERSION1)
_NO_BREAK = regex.compile(rf"[\s\p{{M}}{INVISIBLE}]*", regex.VERSION1)
"""What may stand between two characters of a row: a line end is no end of a Chinese word."""

Span = tuple[int, int]


class Token(NamedTuple):
    """A word, or a character of a script without spaces.

    `text` is as written (what is irregular written out), `start` and `end` count code points
    of the original. `position` counts words from 0; where punctuation parts two characters
    of a script without spaces one number is left out, so that they are not a row.
    """

    text: str
    start: int
    end: int
    position: int
    is_unspaced: bool


def tokens(text: str) -> list[Token]:
    """Return the words of `text`, in order."""
    plain, starts = regular(text)
    found: list[Token] = []
    position = -1
    last_unspaced = -1
    for match in _TOKEN.finditer(plain):
        begin, end = match.span()
        unspaced = match.lastindex is not None
        position += 1
        if unspaced and last_unspaced >= 0 and not _NO_BREAK.fullmatch(plain, last_unspaced, begin):
            position += 1
        last_unspaced = end if unspaced else -1
        first, last = (begin, end) if starts is None else (starts[begin], starts[end - 1] + 1)
        found.append(Token(match.group(), first, last, position, unspaced))
    return found


_ALPHABETS_END = 0x590
"""Latin, Greek, Cyrillic and Armenian letters stand before."""


@cache
def _letters() -> frozenset[str]:
    return frozenset(
        map(chr, np.flatnonzero(character_classes()[:_ALPHABETS_END] == WORD).tolist())
    )


def is_one_word(text: str) -> bool:
    """Say of a text, quickly, whether it is one word; some that are one are not seen to be."""
    return text.isalnum() and (text.isascii() or _letters().issuperset(text))


def is_unspaced(text: str) -> bool:
    """Say whether `text` has a character of a script without spaces."""
    return _UNSPACED.search(text) is not None


def has_word(text: str) -> bool:
    """Say whether there is anything in `text` that can be looked for."""
    return is_one_word(text) or _TOKEN.search(regular(text)[0]) is not None
