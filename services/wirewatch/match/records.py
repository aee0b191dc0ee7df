"""The subscriptions themselves, on disk: a million of them would be two gigabytes of objects.

An alert needs the subscription that was matched; the index only needs its query. A file that is
only appended to, and where in it the record of each slot stands (12 bytes a slot in memory).
"""

import errno
import os
import weakref
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wirewatch.index.arrays import Growing

_CHUNK_BYTES = 1 << 24
_COPIED_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class KeptRecords:
    """A record file as it was: its size, and where the record of each slot stands."""

    size_bytes: int
    starts: NDArray[np.int64]
    sizes: NDArray[np.int32]


class RecordFile:
    """Bytes by slot, in a file of its own. What is replaced stays in it; a `copy` leaves it out."""

    def __init__(self, path: Path, kept: KeptRecords | None = None) -> None:
        """Begin a new file, or with `kept` go on with one. Raises OSError."""
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        # Who still tells of an article by it reads on after another file has taken its place.
        self._closing = weakref.finalize(self, os.close, self._file)
        self._starts = Growing(np.int64)
        self._sizes = Growing(np.int32)
        self.size_bytes = 0 if kept is None else kept.size_bytes
        if kept is not None:
            self._starts.extend(kept.starts)
            self._sizes.extend(kept.sizes)
        os.ftruncate(self._file, self.size_bytes)
        self.checksum = checksum(path, self.size_bytes)

    def put(self, slots: Sequence[int], records: Sequence[bytes]) -> None:
        """Keep the record of each slot. Raises OSError; then none of them is kept."""
        if not slots:
            return
        data = b"".join(records)
        written = 0
        while written < len(data):
            written += os.pwrite(self._file, memoryview(data)[written:], self.size_bytes + written)
        sizes = np.fromiter(map(len, records), np.int64, len(records))
        count = max(len(self._starts), max(slots) + 1)
        self._starts.resize(count)
        self._sizes.resize(count)
        self._starts.view[list(slots)] = self.size_bytes + np.cumsum(sizes) - sizes
        self._sizes.view[list(slots)] = sizes
        self.size_bytes += len(data)
        self.checksum = zlib.crc32(data, self.checksum)

    def get(self, slot: int) -> bytes:
        """Return the record of a slot. Raises OSError, also where the file was cut short."""
        size = int(self._sizes.view[slot])
        record = os.pread(self._file, size, int(self._starts.view[slot]))
        if len(record) < size:
            raise OSError(errno.EIO, "the file is shorter than it was", str(self.path))
        return record

    def copy(self, path: Path, slots: NDArray[np.int32]) -> "RecordFile":
        """Return a new file with the records of these slots alone, numbered anew from 0.

        May be called in another thread. Raises OSError; then there is no new file.
        """
        copied = RecordFile(path)
        try:
            for start in range(0, len(slots), _COPIED_AT_ONCE):
                some = slots[start : start + _COPIED_AT_ONCE].tolist()
                copied.put(range(start, start + len(some)), [self.get(slot) for slot in some])
        except OSError:
            copied.close()
            path.unlink(missing_ok=True)
            raise
        return copied

    def places(self, slots: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return where the records of these slots stand, and their sizes."""
        return self._starts.view[slots], self._sizes.view[slots]

    def close(self) -> None:
        """Close the file; it stays."""
        self._closing()


def checksum(path: Path, size_bytes: int) -> int:
    """Return the CRC-32 of the first `size_bytes` of a file. Raises OSError."""
    value = 0
    with path.open("rb") as file:
        left = size_bytes
        while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
            value = zlib.crc32(chunk, value)
            left -= len(chunk)
    return value
