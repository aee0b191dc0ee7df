"""Arrays that grow, ragged rows, and a hash table, all on numpy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Words64 = NDArray[np.uint64]

_LOAD = 0.5
"""A hash table is kept at most half full: then a look-up takes 1.5 probes."""
_FIRST_CAPACITY = 1024


class Growing:
    """An array that is appended to; `view` is what is in it."""

    def __init__(self, dtype: type[np.generic], fill: int = 0) -> None:
        self._fill = fill
        self._data: NDArray[Any] = np.full(_FIRST_CAPACITY, fill, dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def view(self) -> NDArray[Any]:
        """The values, as a view: not to be kept over a change of size."""
        return self._data[: self._size]

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self._data.nbytes)

    def resize(self, size: int) -> None:
        """Make it `size` long; what is new has the fill value."""
        if size > len(self._data):
            grown = np.full(max(size, len(self._data) * 5 // 4 + 16), self._fill, self._data.dtype)
            grown[: self._size] = self._data[: self._size]
            self._data = grown
        self._size = size

    def extend(self, values: Any) -> None:
        """Append `values`."""
        begin = self._size
        self.resize(begin + len(values))
        self._data[begin : self._size] = values


def rows(starts: NDArray[Any], counts: NDArray[Any]) -> tuple[Longs, Longs]:
    """Return the places of ragged rows one after another, and which row each belongs to.

    Row i has the places `starts[i]` to `starts[i] + counts[i] - 1`.
    """
    total = int(counts.sum())
    owner = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    return np.arange(total) + np.repeat(starts - (ends - counts), counts), owner


class HashTable:
    """From 64-bit hashes to numbers, many at once. The hash 0 is not to be used.

    Open addressing; `kernels.find` looks up.
    """

    def __init__(self) -> None:
        self._clear(_FIRST_CAPACITY)

    def _clear(self, capacity: int) -> None:
        self.keys: Words64 = np.zeros(capacity, np.uint64)
        self.values: Ints = np.full(capacity, -1, np.int32)
        self._mask = np.int64(capacity - 1)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.keys.nbytes + self.values.nbytes)

    def put(self, hashes: Words64, values: Ints) -> None:
        """Set the numbers of hashes, each of which comes once."""
        needed = self._used + len(hashes)
        if needed > len(self.keys) * _LOAD:
            self._grow(needed)
        slots = self._home(hashes)
        left = np.arange(len(hashes))
        while left.size:
            keys = self.keys[slots[left]]
            own = left[keys == hashes[left]]
            self.values[slots[own]] = values[own]
            free = left[keys == 0]
            # Of several that want one free slot the last written has it.
            self.keys[slots[free]] = hashes[free]
            won = free[self.keys[slots[free]] == hashes[free]]
            self.values[slots[won]] = values[won]
            self._used += len(won)
            placed = np.zeros(len(hashes), bool)
            placed[own] = placed[won] = True
            left = left[~placed[left]]
            slots[left] = (slots[left] + 1) & self._mask

    def _home(self, hashes: Words64) -> Longs:
        return (hashes >> np.uint64(20)).astype(np.int64) & self._mask

    def _grow(self, needed: int) -> None:
        keys, values = self.keys, self.values
        capacity = 1 << int(needed / _LOAD * 1.2).bit_length()
        self._clear(capacity)
        full = keys != 0
        self.put(keys[full], values[full])
