"""The ids of queries, and the numbers they have in the index. Pure."""

from collections.abc import Callable, Sequence

import numpy as np

from wirewatch.index.arrays import Growing, HashTable, Ints, Longs, Words64, rows
from wirewatch.index.kernels import kernels


class IdTable:
    """Ids by number. An id that comes again gets a new number; the old one is its no more."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = Growing(np.int64)
        self._table = HashTable()

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return len(self._bytes) + self._ends.nbytes + self._table.nbytes

    def add(self, ids: Sequence[str]) -> Ints:
        """Give each id, none of which comes twice, a number; return the numbers."""
        encoded = [each.encode("utf-8", "surrogatepass") for each in ids]
        begin = len(self)
        sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
        self._ends.extend(len(self._bytes) + np.cumsum(sizes))
        self._bytes += b"".join(encoded)
        numbers = np.arange(begin, len(self), dtype=np.int32)
        self._table.put(_hashes(ids), numbers)
        return numbers

    def numbers(self, ids: Sequence[str]) -> Ints:
        """Return the number of each id, -1 for one that is not there."""
        found: Ints = kernels.find(self._table.keys, self._table.values, _hashes(ids))
        wrong = [at for at, one in enumerate(found.tolist()) if one >= 0 and self[one] != ids[at]]
        found[wrong] = -1
        return found

    def frozen(self) -> Callable[[Ints], tuple[bytes, Longs]]:
        """Note the ids; return what gives those of some numbers, as bytes and their ends."""
        raw, ends = bytes(self._bytes), self._ends.view.copy()

        def chosen(numbers: Ints) -> tuple[bytes, Longs]:
            begins = np.where(numbers > 0, ends[numbers - 1], 0)
            sizes = ends[numbers] - begins
            places, _ = rows(begins, sizes)
            return np.frombuffer(raw, np.uint8)[places].tobytes(), np.cumsum(sizes)

        return chosen

    def adopt(self, raw: bytes, ends: Longs) -> None:
        """Take in the ids of a snapshot; there may be none before."""
        pairs = zip([0, *ends.tolist()], ends.tolist(), strict=False)
        text = [raw[begin:end].decode("utf-8", "surrogatepass") for begin, end in pairs]
        self._bytes += raw
        self._ends.extend(ends)
        self._table.put(_hashes(text), np.arange(len(text), dtype=np.int32))

    def forget(self, ids: Sequence[str]) -> None:
        """Let ids that are there have no number."""
        self._table.put(_hashes(ids), np.full(len(ids), -1, np.int32))

    def __getitem__(self, number: int) -> str:
        ends = self._ends.view
        begin = int(ends[number - 1]) if number else 0
        return self._bytes[begin : int(ends[number])].decode("utf-8", "surrogatepass")


def _hashes(ids: Sequence[str]) -> Words64:
    hashes = np.fromiter(map(hash, ids), np.int64, len(ids)).view(np.uint64)
    return hashes | np.uint64(1)
