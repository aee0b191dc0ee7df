"""How frequent features are in articles: guessed, then learned. Pure."""

import numpy as np
from numpy.typing import NDArray

from wirewatch.index.arrays import Growing, Words64
from wirewatch.index.segment import Floats

MILLION = 1_000_000
_ENOUGH = 20_000
_EACH = 8
"""After so many articles one batch of so many is counted."""
_TRUST = 2_000
"""Articles after which what was seen counts as much as the guess."""


class Frequencies:
    """Counts the articles that have each feature."""

    def __init__(self) -> None:
        self._seen = Growing(np.uint32)
        self.articles = 0
        self._batches = 0

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self._seen.nbytes

    def note(self, planes: Words64, articles: int) -> None:
        """Count a batch: which features stand in how many of its articles."""
        self._batches += 1
        if self.articles < _ENOUGH or self._batches % _EACH == 0:
            self._seen.resize(max(len(self._seen), len(planes)))
            self._seen.view[: len(planes)] += np.bitwise_count(planes)
            self.articles += articles

    def costs(self, guesses: Floats) -> Floats:
        """Return for each feature how many of a million articles are thought to have it.

        `guesses` are what was thought before any came.
        """
        self._seen.resize(max(len(self._seen), len(guesses)))
        seen = self._seen.view[: len(guesses)].astype(np.float32) * np.float32(MILLION)
        weighed = guesses * np.float32(_TRUST) + seen
        return (weighed / np.float32(_TRUST + self.articles)).astype(np.float32)

    def state(self) -> tuple[NDArray[np.uint32], int]:
        """Return a copy of what was counted, and of how many articles."""
        return self._seen.view.copy(), self.articles

    def restore(self, seen: NDArray[np.uint32], articles: int) -> None:
        """Take in what `state` gave."""
        self._seen = Growing(np.uint32)
        self._seen.extend(seen)
        self.articles = articles
