"""What an article says, in at most 212 bytes that can be compared. Pure.

A signature holds the words of title and lead, two bytes each, and the keys by which
like ones are found. Whole sets of words were chosen over MinHash and SimHash values:
titles and leads are so short that nothing has to be sampled, and differing names and
numbers can be weighed, which a sampled sketch cannot say. Figures of all methods:
tests/documents/stories/README.md.

    byte 0      layout
    byte 1..3   how many plain words, names and numbers there are
    byte 4..    KEYS keys, 8 bytes each; fewer words have the last one again
    then        the words, 2 bytes each, little endian: 16 bits of a hash
"""

import re
import struct
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

import regex

from wirewatch.ingest.dateline import without_dateline, without_outlet
from wirewatch.text.fold import fold

LAYOUT = 1
MAX_TITLE_TOKENS = 24
MAX_LEAD_TOKENS = 48
MIN_TOKENS = 5
"""With fewer words than this in title and lead together nothing can be judged."""

KEYS = 8
"""The least hashes of two words in a row (a bottom-k sketch, Broder 1997): texts that share a
third of these have one of eight in common 24 times of 25."""
KEY_NUMBERS = struct.Struct(f"<{KEYS}Q")
HEAD = struct.Struct("<4B")
WORDS_AT = HEAD.size + KEY_NUMBERS.size

_PLAIN, _NAME, _NUMBER = 1, 2, 3
"""Kinds of words, the lowest two bits of a token. A name is a word with a capital."""
_KINDS = 3
_MIX = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio: multiplying spreads a number over all bits (Knuth, 6.4)."""

LEAD_CHARS = 400
TITLE_CHARS = 300
"""As much of each is looked at."""
STEM_CHARS = 6
"""A word counts by its beginning: organise and organize, Москва and Москве are one."""
TITLE_CASE_SHARE = 0.7
"""Where so many words of a title have a capital, capitals tell no names."""
CACHED_WORDS = 131_072

_DIGITS = r"\d+(?:[.,٫٬]\d+)*"
_ASCII_PIECE = re.compile(rf"{_DIGITS}|[A-Za-z]+")
_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Hangul}"
)
_PIECE = regex.compile(
    rf"{_DIGITS}|[{_UNSPACED}ー々]+|[[\p{{L}}\p{{M}}]--[{_UNSPACED}]]+", regex.VERSION1
)
_FIRST_UNSPACED = "\u0e00"
"""No script that is cut into n-grams begins before Thai."""
_GRAM_CHARS = (
    ("\u0e00", "\u0fff", 4),  # Thai, Lao, Tibetan: an alphabet
    ("\u1000", "\u109f", 4),  # Burmese
    ("\u1100", "\u11ff", 2),  # Hangul
    ("\u1780", "\u17ff", 4),  # Khmer
    ("\u2e80", "\ud7ff", 2),  # Han, kana, Hangul
    ("\uf900", "\ufaff", 2),
    ("\U00020000", "\U0003ffff", 2),
)
_LIGHT_CHARS = (("\u007f", 3), ("\u04ff", 2), ("\u08ff", 2), ("\u0dff", 2))
"""Up to this character words of so few letters say nothing: the, на, من, के."""


def signature(title: str, lead: str) -> bytes:
    """Return what `stories.StoryIndex` compares articles by, of their plain texts.

    The same on every machine. Empty if there is too little to judge by (`Live`,
    `Weather`): such an article is its own story.
    """
    words = _tokens(without_outlet(_normal(title[:TITLE_CHARS])), MAX_TITLE_TOKENS)
    if len(words) > 2 and sum(t & _KINDS == _NAME for t in words) > TITLE_CASE_SHARE * len(words):
        words = [t - (_NAME - _PLAIN) if t & _KINDS == _NAME else t for t in words]
    text = _tokens(without_dateline(_normal(lead[:LEAD_CHARS])), MAX_LEAD_TOKENS)
    tokens = words + text
    if len(set(tokens)) < MIN_TOKENS:
        return b""
    return _packed(tokens)


def _packed(tokens: list[int]) -> bytes:
    kinds: dict[int, int] = {}
    for token in tokens:  # a word that is a name anywhere is one
        word, kind = token >> 2, token & _KINDS
        if kinds.get(word, 0) < kind:
            kinds[word] = kind
    plain = [word for word, kind in kinds.items() if kind == _PLAIN]
    names = [word for word, kind in kinds.items() if kind == _NAME]
    numbers = [word for word, kind in kinds.items() if kind == _NUMBER]
    head = HEAD.pack(LAYOUT, len(plain), len(names), len(numbers))
    return head + _keys(tokens) + struct.pack(f"<{len(kinds)}H", *plain, *names, *numbers)


def _keys(tokens: list[int]) -> bytes:
    words = [token >> 2 for token in tokens]
    pairs = {((one << 16 | other) * _MIX) >> 24 & 0xFFFFFFFFFF for one, other in pairwise(words)}
    least = sorted(pairs)[:KEYS]
    return KEY_NUMBERS.pack(*least, *least[-1:] * (KEYS - len(least)))


def _normal(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _tokens(text: str, most: int) -> list[int]:
    """Return the first `most` different tokens of `text` in their order."""
    if text.isascii():
        found: Iterable[int] = map(_word, _ASCII_PIECE.findall(text))
    else:
        found = _mixed(_PIECE.findall(text))
    unique = dict.fromkeys(found)
    unique.pop(0, None)
    return list(unique)[:most]


def _mixed(pieces: Iterable[str]) -> Iterable[int]:
    for piece in pieces:
        size = _gram_chars(piece[0]) if piece[0] >= _FIRST_UNSPACED else 0
        if size == 0:
            yield _word(piece)
        else:
            for start in range(max(len(piece) - size + 1, 1)):
                yield _gram(piece[start : start + size])


@lru_cache(maxsize=4096)
def _gram_chars(character: str) -> int:
    """Return how long the n-grams of this character's script are; 0 if it has words."""
    for first, last, size in _GRAM_CHARS:
        if first <= character <= last:
            return size
    return 0


@lru_cache(maxsize=CACHED_WORDS)
def _gram(piece: str) -> int:
    return _token(fold(piece).folded, _PLAIN)


@lru_cache(maxsize=CACHED_WORDS)
def _word(word: str) -> int:
    """Return the token of a word, 0 if it says nothing."""
    if word[0].isdecimal():
        return _token(_plain_number(word), _NUMBER)
    if not word[0].isupper() and len(word) <= _light_chars(max(word)):
        return 0
    if len(word) == 1:
        return 0
    return _token(fold(word).folded[:STEM_CHARS], _NAME if word[0].isupper() else _PLAIN)


def _light_chars(highest: str) -> int:
    return next((chars for last, chars in _LIGHT_CHARS if highest <= last), 0)


def _plain_number(number: str) -> str:
    """Return a number as everybody would write it: 1,799 and 1.799 as 1799, ٥٫٤ as 5.4."""
    digits = "".join(str(unicodedata.decimal(c, ".")) for c in number)
    head, *groups = digits.split(".")
    if groups and all(len(group) == 3 for group in groups):
        return head + "".join(groups)
    return digits


def _token(text: str, kind: int) -> int:
    return (crc32(text.encode("utf-8", "surrogatepass")) & 0x3FFFC) | kind
