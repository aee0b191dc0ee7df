"""A batch of articles cut into words, all at once with numpy. Pure.

The words of a batch are rows of numbers: which word it is (by a 64-bit hash of its letters and
of the language's stemming), where it stands, in which text. `wirewatch.text.words` says what a
word is; a property test holds the two together.
"""

import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wirewatch.index.arrays import Longs, Words64
from wirewatch.index.kernels import kernels
from wirewatch.text.classes import character_classes
from wirewatch.text.regular import regular
from wirewatch.topics.alerts import Field

_SEED = np.uint64(secrets.randbits(64))
"""Drawn anew in each process: nobody can write two words of one hash on purpose, and by chance
a million words have two of one hash once in 40 million runs."""
_END = "\0"
_article = attrgetter("article")


class Text(NamedTuple):
    """A text of an article: `article` is its number in the batch.

    `searched` says whether a leaf without a field is looked for in it.
    """

    article: int
    field: Field
    part: int
    text: str
    algorithm: str
    searched: bool


def texts_of(texts: Sequence[Text], article: int) -> range:
    """Return the numbers of an article's texts; `texts` are in the order of their articles."""
    first = bisect_left(texts, article, key=_article)
    return range(first, bisect_right(texts, article, first, key=_article))


@dataclass(frozen=True, slots=True)
class Cut:
    """The words of some texts, text by text.

    For each word: its hash, its `starts` and `ends` in `joined`, its position in its text,
    whether it is a character of a script without spaces. Words of text i are those from
    `bounds[i]` to `bounds[i + 1]`. Between texts positions are more than one apart.
    """

    texts: Sequence[Text]
    joined: str
    offsets: Sequence[int]
    hashes: Words64
    starts: Longs
    ends: Longs
    positions: Longs
    unspaced: NDArray[np.bool_]
    bounds: Longs

    def written(self, tokens: Longs) -> list[str]:
        """Return words as they are written."""
        spans = zip(self.starts[tokens].tolist(), self.ends[tokens].tolist(), strict=True)
        return [self.joined[start:end] for start, end in spans]


@cache
def salt(algorithm: str) -> np.uint64:  # noqa: ARG001 - one for each, by the cache
    """Return what tells words of one language's stemming from those of another's."""
    return np.uint64(secrets.randbits(64))


def cut(texts: Iterable[Text]) -> Cut:
    """Return the words of `texts`."""
    kept = list(texts)
    regular_ones, found, joined, offsets = _cut(kept)
    if not regular_ones:
        kept = [_regular(text) for text in kept]
        _, found, joined, offsets = _cut(kept)
    hashes, starts, ends, positions, unspaced, bounds = found
    return Cut(kept, joined, offsets, hashes, starts, ends, positions, unspaced, bounds)


def _cut(texts: Sequence[Text]) -> tuple[bool, Sequence[Any], str, list[int]]:
    codes, joined, offsets = _join(texts)
    salts = np.asarray([salt(text.algorithm) for text in texts], np.uint64)
    at = np.asarray(offsets, np.int64)
    is_regular, *found = kernels.words(codes, character_classes(), at, salts, _SEED)
    return is_regular, found, joined, offsets


def _join(texts: Sequence[Text]) -> tuple[NDArray[np.uint32], str, list[int]]:
    joined = _END.join([text.text for text in texts]) + _END
    offsets, at = [], 0
    for text in texts:
        offsets.append(at)
        at += len(text.text) + 1
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    return codes, joined, offsets


def _regular(text: Text) -> Text:
    return text._replace(text=regular(text.text)[0])
