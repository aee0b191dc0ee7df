"""The words of queries by their stems, for each language that articles came in. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np

from wirewatch.index.arrays import Ints, Longs
from wirewatch.text.stem import stems_by

_MERGE_AT = 4096


class StemTable:
    """For one stemming algorithm: which words of queries have a stem other than themselves.

    Compact: a 64-bit hash of the stem and the word's number. That two of a million stems have
    one hash has a chance of 1 in 40 million, and an alert is proved before it is sent.
    """

    def __init__(self, algorithm: str) -> None:
        self._algorithm = algorithm
        self._hashes: Longs = np.empty(0, np.int64)
        self._words: Ints = np.empty(0, np.int32)
        self._recent: dict[int, list[int]] = {}
        self._recent_size = 0

    @property
    def nbytes(self) -> int:
        """Bytes of memory, without what is recent."""
        return int(self._hashes.nbytes + self._words.nbytes)

    def add(
        self, numbers: Sequence[int], spellings: Sequence[str], words: Sequence[str]
    ) -> list[str]:
        """Take in words, as spelled and folded; return the stems of those that have their own."""
        stems = stems_by(spellings, self._algorithm)
        own = [
            (stem, number)
            for stem, number, word in zip(stems, numbers, words, strict=True)
            if stem != word
        ]
        for stem, number in own:
            self._recent.setdefault(hash(stem), []).append(number)
        self._recent_size += len(own)
        if self._recent_size > _MERGE_AT:
            self._merge()
        return [stem for stem, _ in own]

    def _merge(self) -> None:
        pairs = [(stem, number) for stem, found in self._recent.items() for number in found]
        recent = np.asarray(pairs, np.int64).reshape(-1, 2)
        hashes = np.concatenate([self._hashes, recent[:, 0]])
        words = np.concatenate([self._words, recent[:, 1].astype(np.int32)])
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._words = hashes[order], words[order]
        self._recent, self._recent_size = {}, 0

    def words(self, stems: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
        """Yield the numbers of the words that have one of `stems`, and its place among these."""
        hashes = np.fromiter(map(hash, stems), np.int64, len(stems))
        begins = np.searchsorted(self._hashes, hashes)
        ends = np.searchsorted(self._hashes, hashes, side="right")
        for at in np.flatnonzero(ends > begins).tolist():
            yield at, self._words[begins[at] : ends[at]].tolist()
        if self._recent:
            for at, stem in enumerate(hashes.tolist()):
                if stem in self._recent:
                    yield at, self._recent[stem]
