"""Deliveries at hand, ordered by when they are due: a cache in SQLite of the deliveries topic.

What waits is on disk, not in memory, and nothing here is the truth: the file
may be deleted at any time, the topic holds everything (design section 9).
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wirewatch.runtime.cache_file import CacheFile, change
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.settings import Settings
from wirewatch.topics.codec import decode, encode, known_version
from wirewatch.topics.deliveries import Delivery, DeliveryState

MAX_AGE = timedelta(hours=12)
"""An older cache is rebuilt: the broker drops tombstones after 24 h (delete.retention.ms), and
who did not read one in time would keep what it deleted."""
_LAYOUT = 1
_DELETED = "deleted"
_SCHEMA = """
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    state TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    due_at REAL NOT NULL,
    ended_at REAL,
    attempts INTEGER NOT NULL,
    record BLOB NOT NULL
);
CREATE INDEX by_endpoint ON deliveries (endpoint_id, due_at) WHERE state = 'pending';
CREATE INDEX by_due ON deliveries (due_at) WHERE state = 'pending';
CREATE INDEX by_end ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX by_partition ON deliveries (partition);
CREATE TABLE progress (
    partition INTEGER PRIMARY KEY,
    next_offset INTEGER NOT NULL,
    saved_at REAL NOT NULL
);
"""
_FILE = CacheFile("outbox", _SCHEMA, known_version(Delivery) * 1000 + _LAYOUT)
_PUT = """
INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    partition = excluded.partition, offset = excluded.offset, state = excluded.state,
    endpoint_id = excluded.endpoint_id, due_at = excluded.due_at, ended_at = excluded.ended_at,
    attempts = excluded.attempts, record = excluded.record
WHERE excluded.offset > deliveries.offset OR excluded.partition <> deliveries.partition
"""
_SAVE_PROGRESS = """
INSERT INTO progress VALUES (?, ?, ?)
ON CONFLICT (partition) DO UPDATE SET
    next_offset = MAX(next_offset, excluded.next_offset), saved_at = excluded.saved_at
"""
_WAITING = """
WITH RECURSIVE waiting (endpoint_id) AS (
    SELECT MIN(endpoint_id) FROM deliveries WHERE state = 'pending'
    UNION ALL
    SELECT (SELECT MIN(endpoint_id) FROM deliveries
            WHERE state = 'pending' AND endpoint_id > waiting.endpoint_id)
    FROM waiting WHERE waiting.endpoint_id IS NOT NULL
)
"""
"""The endpoints with pending deliveries, by jumping along the index from one to the next: what it
costs grows with the endpoints, not with the backlog of a dead one."""
_DUE = f"""{_WAITING}
SELECT d.record FROM waiting CROSS JOIN deliveries AS d ON d.rowid IN (
    SELECT one.rowid FROM deliveries AS one
    WHERE one.state = 'pending' AND one.endpoint_id = waiting.endpoint_id AND one.due_at <= ?
        AND one.id NOT IN (SELECT value FROM json_each(?))
    ORDER BY one.due_at LIMIT ?)
WHERE waiting.endpoint_id NOT IN (SELECT value FROM json_each(?))
ORDER BY d.due_at, d.id LIMIT ?
"""  # noqa: S608 - put together from constants
_OLDEST = f"""{_WAITING}
SELECT MIN((SELECT MIN(due_at) FROM deliveries
            WHERE state = 'pending' AND endpoint_id = waiting.endpoint_id))
FROM waiting WHERE waiting.endpoint_id NOT IN (SELECT value FROM json_each(?))
"""  # noqa: S608 - put together from constants

_Row = tuple[str, int, int, str, str, float, float | None, int, bytes]


@dataclass(frozen=True, slots=True)
class Ended:
    """A delivery that ended long ago; `endpoint_id` is what its records are placed by."""

    id: str
    endpoint_id: str


def outbox_path(settings: Settings, cluster: str) -> Path:
    """Return where this worker keeps its outbox of the Kafka cluster with id `cluster`."""
    return settings.data_dir / "notify" / f"{cluster}-{settings.instance}.sqlite3"


class Outbox:
    """The deliveries of the followed partitions: a projection table (`runtime.projection`).

    Raises Problem if the folder cannot be written or another worker of the
    same name has the file open. A file that is damaged or not an outbox is
    deleted and begun anew, with one warning.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._db = _FILE.open(path)

    def close(self) -> None:
        """Close the file; it stays for the next start."""
        self._db.close()

    # What a projection asks of its table

    def resume_at(self, partition: int) -> int | None:
        """Return the offset to read on from.

        None, and everything from the partition is dropped, where that is not
        known or was saved more than MAX_AGE ago.
        """
        row = self._db.execute(
            "SELECT next_offset, saved_at FROM progress WHERE partition = ?", (partition,)
        ).fetchone()
        oldest = (self._clock() - MAX_AGE).timestamp()
        if row is None or row[1] < oldest:
            self.forget(partition)
            return None
        return int(row[0])

    def apply(self, records: Sequence[Received[Delivery]]) -> None:
        """Take in records in the order they were read, and how far that was, together."""
        if not records:
            return
        ends: dict[int, int] = {}
        with change(self._db) as db:
            for record in records:
                at = record.position
                ends[at.partition] = max(ends.get(at.partition, 0), at.offset + 1)
                if record.value is not None:
                    db.execute(_PUT, _row(record.value, at))
                else:
                    # Read in order, so nothing older of this key can come any more.
                    db.execute(
                        "DELETE FROM deliveries WHERE id = ? AND partition = ? AND offset <= ?",
                        (record.key, at.partition, at.offset),
                    )
            now = self._clock().timestamp()
            db.executemany(
                _SAVE_PROGRESS,
                [(partition, end, now) for partition, end in ends.items()],
            )

    def forget(self, partition: int) -> None:
        """Drop everything that came from `partition`."""
        with change(self._db) as db:
            db.execute("DELETE FROM deliveries WHERE partition = ?", (partition,))
            db.execute("DELETE FROM progress WHERE partition = ?", (partition,))

    # What the service does

    def put(self, delivery: Delivery, position: Position) -> None:
        """Take in a record that this process has just sent.

        Unlike `apply` this says nothing about how far the topic was read: there
        may be records before it that are still to be read.
        """
        self.put_all([(delivery, position)])

    def put_all(self, sent: Sequence[tuple[Delivery, Position]]) -> None:
        """Take in records that this process has just sent, together."""
        with change(self._db) as db:
            db.executemany(_PUT, [_row(delivery, at) for delivery, at in sent])

    def remove(self, delivery_id: str, position: Position) -> None:
        """Take in a tombstone that this process has just sent.

        Its row stays until the tombstone is read: older records of the key may
        still be on their way.
        """
        at = (position.partition, position.offset)
        row: _Row = (delivery_id, *at, _DELETED, "", 0.0, None, 0, b"")
        with change(self._db) as db:
            db.execute(_PUT, row)

    def keep_only(self, partitions: Collection[int]) -> None:
        """Forget what came from other partitions: it may be left from an earlier run."""
        found = self._db.execute(
            "SELECT DISTINCT partition FROM deliveries UNION SELECT partition FROM progress"
        ).fetchall()
        for (partition,) in found:
            if partition not in partitions:
                self.forget(partition)

    def knows(self, delivery_id: str) -> bool:
        """Say whether there is a delivery with this id, pending or ended."""
        row = self._db.execute(
            "SELECT 1 FROM deliveries WHERE id = ? AND state <> ?", (delivery_id, _DELETED)
        ).fetchone()
        return row is not None

    def due(
        self,
        now: datetime,
        limit: int,
        *,
        per_endpoint: int,
        except_endpoints: Collection[str] = (),
        except_deliveries: Collection[str] = (),
    ) -> list[Delivery]:
        """Return up to `limit` deliveries that are due, the longest due first.

        At most `per_endpoint` of each endpoint, none of `except_endpoints` and
        none of `except_deliveries`: the backlog of one endpoint hides no other.
        """
        rows = self._db.execute(
            _DUE,
            (
                now.timestamp(),
                json.dumps(list(except_deliveries)),
                per_endpoint,
                json.dumps(list(except_endpoints)),
                limit,
            ),
        )
        return [decode(record, Delivery) for (record,) in rows]

    def next_due_at(self, after: datetime) -> datetime | None:
        """Return when the next delivery after `after` is due, None if there is none."""
        return self._time(
            "SELECT MIN(due_at) FROM deliveries WHERE state = 'pending' AND due_at > ?",
            after.timestamp(),
        )

    def oldest_due_at(self, except_endpoints: Collection[str] = ()) -> datetime | None:
        """Return when the first of all pending deliveries is or was due, None if there is none."""
        return self._time(_OLDEST, json.dumps(list(except_endpoints)))

    def _time(self, query: str, argument: float | str) -> datetime | None:
        (at,) = self._db.execute(query, (argument,)).fetchone()
        return None if at is None else datetime.fromtimestamp(at, UTC)

    def pending_count(self) -> int:
        """Return how many deliveries are pending."""
        (count,) = self._db.execute(
            "SELECT COUNT(*) FROM deliveries WHERE state = 'pending'"
        ).fetchone()
        return int(count)

    def ended_before(self, at: datetime, limit: int) -> list[Ended]:
        """Return up to `limit` deliveries that ended before `at`, the oldest first."""
        rows = self._db.execute(
            "SELECT id, endpoint_id FROM deliveries "
            "WHERE ended_at IS NOT NULL AND ended_at < ? ORDER BY ended_at LIMIT ?",
            (at.timestamp(), limit),
        )
        return [Ended(*row) for row in rows]


def _row(delivery: Delivery, at: Position) -> _Row:
    ended_at = None
    if delivery.state is not DeliveryState.PENDING:
        ended_at = (delivery.ended_at or delivery.created_at).timestamp()
    return (
        delivery.id,
        at.partition,
        at.offset,
        delivery.state,
        delivery.endpoint_id,
        delivery.due_at.timestamp(),
        ended_at,
        delivery.attempts,
        encode(delivery),
    )
