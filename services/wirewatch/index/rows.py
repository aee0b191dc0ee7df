"""Rows of words that queries look for: phrases, and words of scripts without spaces. Pure.

Found by their first two words, which a batch is searched for all at once, then verified.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wirewatch.index.arrays import Growing, Ints, Longs, Words64
from wirewatch.index.kernels import kernels

_FILTER_BITS = 22
"""A table of 4 MB says of most pairs that no row begins with them."""
_FILTER_SHIFT = np.uint64(64 - _FILTER_BITS)
_MIX = np.uint64(0x9E3779B97F4A7C15)


class RowTable:
    """Which feature stands for which row of words; words are numbers above 0."""

    def __init__(self) -> None:
        self._pairs: Words64 = np.empty(0, np.uint64)
        self._entries: Ints = np.empty(0, np.int32)
        self._features = Growing(np.int32)
        self._starts = Growing(np.int64)
        self._lengths = Growing(np.int32)
        self._words = Growing(np.int32)
        self._begins: NDArray[np.bool_] = np.zeros(1 << _FILTER_BITS, bool)
        self._recent: dict[tuple[int, ...], int] = {}

    def __len__(self) -> int:
        return len(self._features)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        grown = (self._features, self._starts, self._lengths, self._words)
        fixed = (self._pairs, self._entries, self._begins)
        return sum(g.nbytes for g in grown) + sum(int(f.nbytes) for f in fixed)

    def feature(self, words: Sequence[int]) -> int:
        """Return the feature of this row, 0 if there is none."""
        if found := self._recent.get(tuple(words)):
            return found
        pair = np.uint64((words[0] << 32) | words[1])
        first = int(np.searchsorted(self._pairs, pair))
        while first < len(self._pairs) and self._pairs[first] == pair:
            entry = int(self._entries[first])
            start, length = int(self._starts.view[entry]), int(self._lengths.view[entry])
            if length == len(words) and self._words.view[start : start + length].tolist() == [
                *words
            ]:
                return int(self._features.view[entry])
            first += 1
        return 0

    def add(self, words: Sequence[int], feature: int) -> None:
        """Let `feature` stand for this row, which has at least two words and is not there yet."""
        self._recent[tuple(words)] = feature

    def settle(self) -> None:
        """Make what was added searchable."""
        if not self._recent:
            return
        new = list(self._recent)
        lengths = np.fromiter(map(len, new), np.int32, len(new))
        entries = np.arange(len(self), len(self) + len(new), dtype=np.int32)
        begin = len(self._words)
        self._words.extend(np.fromiter((w for row in new for w in row), np.int32, lengths.sum()))
        self._starts.extend(begin + np.cumsum(lengths) - lengths)
        self._lengths.extend(lengths)
        self._features.extend(np.fromiter(self._recent.values(), np.int32, len(new)))
        fresh = np.fromiter(((row[0] << 32) | row[1] for row in new), np.uint64, len(new))
        self._begins[_filter_place(fresh)] = True
        pairs = np.concatenate([self._pairs, fresh])
        order = np.argsort(pairs, kind="stable")
        self._pairs = pairs[order]
        self._entries = np.concatenate([self._entries, entries])[order]
        self._recent = {}

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of the arrays. Call `settle` before."""
        grown = {"features": self._features, "starts": self._starts, "lengths": self._lengths}
        copies = {name: each.view.copy() for name, each in grown.items()}
        return copies | {"words": self._words.view.copy()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take in what `state` gave; there may be nothing before."""
        self._features.extend(state["features"])
        self._starts.extend(state["starts"])
        self._lengths.extend(state["lengths"])
        self._words.extend(state["words"])
        first = self._words.view[self._starts.view].astype(np.uint64)
        second = self._words.view[self._starts.view + 1].astype(np.uint64)
        pairs = (first << np.uint64(32)) | second
        self._begins[_filter_place(pairs)] = True
        order = np.argsort(pairs, kind="stable").astype(np.int32)
        self._pairs, self._entries = pairs[order], order

    def find(self, words: Ints, positions: Longs) -> tuple[Longs, Ints]:
        """Return where rows begin in a text, and their features. Call `settle` before.

        `words` are the numbers of the text's words (0: no query asks for it), `positions`
        where they stand: words of a row stand one behind the other.
        """
        at, entries = kernels.find_rows(
            words,
            positions,
            self._pairs,
            self._entries,
            self._starts.view,
            self._lengths.view,
            self._words.view,
            self._begins,
            _FILTER_SHIFT,
        )
        return at, self._features.view[entries]


def _filter_place(pairs: Words64) -> Longs:
    return (pairs * _MIX >> _FILTER_SHIFT).astype(np.int64)
