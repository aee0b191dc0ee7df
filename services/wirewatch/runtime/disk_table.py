"""Records of a compacted topic on disk, by key: a projection's table where memory is too small.

The file may be deleted at any time: the topic holds everything.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Generic, TypeVar

from wirewatch.runtime.cache_file import CacheFile, change
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import Position, Received
from wirewatch.topics.codec import decode, encode, known_version
from wirewatch.topics.spec import Record, Topic

R = TypeVar("R", bound=Record)

MAX_AGE = timedelta(hours=12)
"""An older cache is rebuilt: the broker drops tombstones after 24 h (delete.retention.ms), and
who did not read one in time would keep what it deleted."""
_LAYOUT = 1
_SCHEMA = """
CREATE TABLE records (
    key TEXT PRIMARY KEY,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    record BLOB
) WITHOUT ROWID;
CREATE INDEX by_partition ON records (partition);
CREATE TABLE progress (
    partition INTEGER PRIMARY KEY,
    next_offset INTEGER NOT NULL,
    saved_at REAL NOT NULL
);
"""
_PUT = """
INSERT INTO records VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    partition = excluded.partition, offset = excluded.offset, record = excluded.record
WHERE excluded.offset > records.offset OR excluded.partition <> records.partition
"""
_SAVE_PROGRESS = """
INSERT INTO progress VALUES (?, ?, ?)
ON CONFLICT (partition) DO UPDATE SET
    next_offset = MAX(next_offset, excluded.next_offset), saved_at = excluded.saved_at
"""


class DiskTable(Generic[R]):
    """The newest record of each key, in a file that one worker has (`runtime.projection.Table`).

    Raises Problem if the folder cannot be written or another worker of the
    same name has the file open.
    """

    def __init__(self, path: Path, topic: Topic[R], clock: Clock) -> None:
        self._topic = topic
        self._clock = clock
        version = known_version(topic.record) * 1000 + _LAYOUT
        self._db = CacheFile(f"cache of {topic.name}", _SCHEMA, version).open(path)

    def close(self) -> None:
        """Close the file; it stays for the next start."""
        self._db.close()

    def resume_at(self, partition: int) -> int | None:
        """Return the offset to read on from.

        None, and everything from the partition is dropped, where that is not
        known or was saved more than MAX_AGE ago.
        """
        row = self._db.execute(
            "SELECT next_offset, saved_at FROM progress WHERE partition = ?", (partition,)
        ).fetchone()
        if row is None or row[1] < (self._clock() - MAX_AGE).timestamp():
            self.forget(partition)
            return None
        return int(row[0])

    def apply(self, records: Sequence[Received[R]]) -> None:
        """Take in records in the order they were read, and how far that was, together."""
        if not records:
            return
        ends: dict[int, int] = {}
        for record in records:
            at = record.position
            ends[at.partition] = max(ends.get(at.partition, 0), at.offset + 1)
        now = self._clock().timestamp()
        with change(self._db) as db:
            db.executemany(_PUT, [_row(record) for record in records])
            db.executemany(_SAVE_PROGRESS, [(p, end, now) for p, end in ends.items()])

    def put(self, record: R, position: Position) -> None:
        """Take in a record that this process has just sent.

        Unlike `apply` this says nothing about how far the topic was read.
        """
        self._db.execute(_PUT, _row(Received(position, self._topic.key(record), record)))

    def remove(self, key: str, position: Position) -> None:
        """Take in a tombstone that this process has just sent."""
        self._db.execute(_PUT, _row(Received(position, key, None)))

    def get(self, key: str) -> R | None:
        """Return the record of `key`, None if there is none."""
        row = self._db.execute("SELECT record FROM records WHERE key = ?", (key,)).fetchone()
        return None if row is None or row[0] is None else decode(row[0], self._topic.record)

    def forget(self, partition: int) -> None:
        """Drop everything that came from `partition`."""
        with change(self._db) as db:
            db.execute("DELETE FROM records WHERE partition = ?", (partition,))
            db.execute("DELETE FROM progress WHERE partition = ?", (partition,))

    def keep_only(self, partitions: Collection[int]) -> None:
        """Forget what came from other partitions: it may be left from an earlier run."""
        found = self._db.execute("SELECT partition FROM progress").fetchall()
        for (partition,) in found:
            if partition not in partitions:
                self.forget(partition)


def _row(record: Received[R]) -> tuple[str, int, int, bytes | None]:
    value = None if record.value is None else encode(record.value)
    return (record.key, record.position.partition, record.position.offset, value)
