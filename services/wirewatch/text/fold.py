"""Fold a text: width, case, accents. What was folded can be traced back to the original.

Folding is done a character at a time, so that each folded character knows the
original one it came from. Articles are in NFC when they get here.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

STRIPPED_MARKS_BELOW = 0x0900
"""Marks are dropped where they are accents or vowel points (Latin, Greek, Cyrillic, Hebrew,
Arabic: all below this code point), and kept where they are letters (Devanagari and beyond)."""
_LETTERS = str.maketrans(
    {
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ٱ": "ا",  # alef with hamza, madda, wasla
        "ى": "ي",
        "ی": "ي",
        "ک": "ك",
        "ة": "ه",
        "ۀ": "ه",  # Persian and final forms
        "ё": "е",
        "ı": "i",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ħ": "h",  # no decomposition in Unicode
    }
)
_TATWEEL = "\u0640"


def _is_invisible(character: str) -> bool:
    """Say whether it is a joiner, soft hyphen, direction mark, variation selector or tatweel."""
    return (
        unicodedata.category(character) == "Cf"
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
        or character == _TATWEEL
    )


@dataclass(frozen=True, slots=True)
class Folded:
    """A text and its folded form.

    `starts[i]` is the index in `original` of the character that `folded[i]`
    came from; one more entry at the end holds `len(original)`.
    """

    original: str
    folded: str
    starts: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of `original` that `folded[start:end]` came from."""
        first = self.starts[start]
        last = self.starts[end - 1] + 1
        while last < len(self.original) and unicodedata.combining(self.original[last]):
            last += 1
        return first, last


@lru_cache(maxsize=65_536)
def fold_character(character: str) -> str:
    """Return the folded form of one character: none, one or several characters."""
    if _is_invisible(character):
        return ""
    folded = unicodedata.normalize("NFKC", character).casefold()
    kept = "".join(c for c in unicodedata.normalize("NFKD", folded) if not _is_accent(c))
    return unicodedata.normalize("NFC", kept).translate(_LETTERS)


def _is_accent(character: str) -> bool:
    return ord(character) < STRIPPED_MARKS_BELOW and unicodedata.combining(character) != 0


class _Table(dict[int, str]):
    """What `str.translate` asks, filled as characters are met; at most one entry a code point."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = fold_character(chr(code))
        return folded


_TABLE = _Table()


def folded(text: str) -> str:
    """Return the folded form of `text`, without the way back."""
    return text.lower() if text.isascii() else text.translate(_TABLE)


def folded_each(words: Sequence[str]) -> list[str]:
    """Return the folded form of each word, in one go; no word may have a line end."""
    return folded("\n".join(words)).split("\n") if words else []


def fold(text: str) -> Folded:
    """Return `text` folded, traceable to the original."""
    if text.isascii():
        return Folded(text, text.lower(), range(len(text) + 1))
    result = text.translate(_TABLE)
    sizes = list(map(len, map(_TABLE.__getitem__, map(ord, text))))
    if sizes.count(1) == len(sizes):
        return Folded(text, result, range(len(text) + 1))
    starts = [index for index, size in enumerate(sizes) for _ in range(size)]
    return Folded(text, result, [*starts, len(text)])
