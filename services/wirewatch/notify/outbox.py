"""Deliveries at hand: a cache in SQLite of the deliveries topic.

What waits is on disk, not in memory, and nothing here is the truth: the file
may be deleted at any time, the topic holds everything (design section 9).
Questions are asked endpoint by endpoint, along an index: what they cost does
not grow with what waits for others.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, groupby
from pathlib import Path

from wirewatch.runtime.cache_file import CacheFile, change
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.settings import Settings
from wirewatch.topics.codec import decode, encode, known_version
from wirewatch.topics.deliveries import WAITING, Delivery, DeliveryState
from wirewatch.topics.digests import NoticeType

MAX_AGE = timedelta(hours=12)
"""An older cache is rebuilt: the broker drops tombstones after 24 h (delete.retention.ms), and
who did not read one in time would keep what it deleted."""
PAGES_KEPT_KIB = 65_536
"""SQLite's own cache: the upper levels of the indexes of a million deliveries."""
CHECKS = frozenset({NoticeType.ENDPOINT_VERIFY, NoticeType.ENDPOINT_TEST})
"""Notices that ask the endpoint itself something: sent also while others have to wait."""
_LAYOUT = 3
_DELETED = "deleted"
_CHECK = "check"
_SCHEMA = """
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    state TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    part TEXT NOT NULL,
    due_at REAL NOT NULL,
    ended_at REAL,
    record BLOB NOT NULL
);
CREATE INDEX by_endpoint ON deliveries (endpoint_id, due_at) WHERE state = 'pending';
CREATE INDEX by_check ON deliveries (endpoint_id, due_at)
    WHERE state = 'check';
CREATE INDEX by_digest ON deliveries (due_at, endpoint_id, part) WHERE state = 'held';
CREATE INDEX by_subscription ON deliveries (part) WHERE state = 'held';
CREATE INDEX by_end ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX by_partition ON deliveries (partition);
CREATE TABLE progress (
    partition INTEGER PRIMARY KEY,
    next_offset INTEGER NOT NULL,
    saved_at REAL NOT NULL
);
"""
_FILE = CacheFile("outbox", _SCHEMA, known_version(Delivery) * 1000 + _LAYOUT)
_ROWS_AT_ONCE = 2_000
"""Put by one statement: meanwhile other threads run. Nine values each, of 32,766 (SQLite)."""
_ONE_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_ALL = """
INSERT INTO deliveries VALUES {rows}
ON CONFLICT (id) DO UPDATE SET
    partition = excluded.partition, offset = excluded.offset, state = excluded.state,
    endpoint_id = excluded.endpoint_id, part = excluded.part, due_at = excluded.due_at,
    ended_at = excluded.ended_at, record = excluded.record
WHERE excluded.offset > deliveries.offset OR excluded.partition <> deliveries.partition
"""
_PUT = _PUT_ALL.format(rows=_ONE_ROW)
_PUT_MANY = _PUT_ALL.format(rows=", ".join([_ONE_ROW] * _ROWS_AT_ONCE))
_DELETE = "DELETE FROM deliveries WHERE id = ? AND partition = ? AND offset <= ?"
_SAVE_PROGRESS = """
INSERT INTO progress VALUES (?, ?, ?)
ON CONFLICT (partition) DO UPDATE SET
    next_offset = MAX(next_offset, excluded.next_offset), saved_at = excluded.saved_at
"""
_PLACE = "SELECT offset, state FROM deliveries WHERE id = ?"
_WAITING_ROWS = {*WAITING, _CHECK}
_ANY = "SELECT 1 FROM deliveries UNION ALL SELECT 1 FROM progress LIMIT 1"
_DUE = """
SELECT record FROM deliveries
WHERE state = 'pending' AND endpoint_id = ? AND due_at <= ?
    AND id NOT IN (SELECT value FROM json_each(?))
ORDER BY due_at LIMIT ?
"""
_NEXT_DUE = """
SELECT MIN(due_at) FROM deliveries
WHERE state = 'pending' AND endpoint_id = ? AND id NOT IN (SELECT value FROM json_each(?))
"""
_NEXT_CHECK = """
SELECT record FROM deliveries
WHERE state = 'check' AND endpoint_id = ?
    AND id NOT IN (SELECT value FROM json_each(?))
ORDER BY due_at LIMIT 1
"""
_HELD_DUE = """
SELECT endpoint_id, part, due_at FROM deliveries
WHERE state = 'held' AND due_at <= ? ORDER BY due_at, endpoint_id, part LIMIT 1
"""

_Row = tuple[str, int, int, str, str, str, float, float | None, bytes]


@dataclass(frozen=True, slots=True)
class _Run:
    """Records that follow one another: either rows, or keys and places of tombstones."""

    rows: Sequence[_Row] = ()
    gone: Sequence[tuple[str, int, int]] = ()


OnPending = Callable[[str, float, bool], None]
"""Called with endpoint id, due time and whether it is a check when a pending record comes in."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A delivery that ended long ago; `endpoint_id` is what its records are placed by."""

    id: str
    endpoint_id: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for an endpoint: when the first is due, and the first check."""

    endpoint_id: str
    due_at: float | None
    check_due_at: float | None


def outbox_path(settings: Settings, cluster: str) -> Path:
    """Return where this worker keeps its outbox of the Kafka cluster with id `cluster`."""
    return settings.data_dir / "notify" / f"{cluster}-{settings.instance}.sqlite3"


class Outbox:
    """The deliveries of the followed partitions: a projection table (`runtime.projection`).

    Raises Problem if the folder cannot be written or another worker of the
    same name has the file open. A file that is damaged or not an outbox is
    deleted and begun anew, with one warning.
    """

    def __init__(self, path: Path, clock: Clock, on_pending: OnPending | None = None) -> None:
        self._clock = clock
        self._db = _FILE.open(path)
        self._db.execute(f"PRAGMA cache_size = -{PAGES_KEPT_KIB}")
        self._lock = threading.Lock()
        self._is_filling = False
        self._is_broken = False
        self.on_pending = on_pending
        self.on_overtaken: Callable[[Delivery], None] | None = None
        """Called with what somebody wrote as waiting just before this process wrote its
        tombstone: it has to be written again."""
        self._removed: dict[str, tuple[int, int]] = {}
        """Offsets of the last record that was known and of its tombstone, until that is read."""

    def close(self) -> None:
        """Close the file; it stays for the next start."""
        if not self._is_broken:
            self.end_filling()
        self._db.close()

    def begin_filling(self) -> None:
        """Expect very much to be put in, if nothing is there yet; `end_filling` must follow."""
        with self._lock:
            if not self._is_filling and self._db.execute(_ANY).fetchone() is None:
                self._is_filling = True
                _FILE.begin_filling(self._db)

    def end_filling(self) -> None:
        """Be ready for changes that must not be lost by halves."""
        with self._lock:
            if self._is_filling:
                _FILE.end_filling(self._db)
                self._is_filling = False

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
        self.prepare(records)()
        self.tell(records)

    def prepare(self, records: Sequence[Received[Delivery]]) -> Callable[[], None]:
        """Return what does the part of `apply` that takes long; any thread may call it."""
        runs = [_run(run) for _, run in groupby(records, lambda record: record.value is None)]
        ends: dict[int, int] = {}
        for record in records:
            at = record.position
            ends[at.partition] = max(ends.get(at.partition, 0), at.offset + 1)
        return partial(self._store, runs, ends)

    def _store(self, runs: Sequence[_Run], ends: Mapping[int, int]) -> None:
        if not ends:
            return
        now = self._clock().timestamp()
        with self._change() as db:
            for run in runs:
                db.executemany(_DELETE, run.gone)
                _put_all(db, run.rows)
            db.executemany(
                _SAVE_PROGRESS,
                [(partition, end, now) for partition, end in ends.items()],
            )

    def tell(self, records: Sequence[Received[Delivery]]) -> None:
        """Do the rest of `apply`: say what is pending."""
        self._tell(record.value for record in records)
        if self._removed:
            self._tell_overtaken(records)

    def _tell_overtaken(self, records: Sequence[Received[Delivery]]) -> None:
        for record in records:
            last, tombstone = self._removed.get(record.key, (0, -1))
            if record.position.offset == tombstone:
                del self._removed[record.key]
            if record.value is None or record.value.state not in WAITING:
                continue
            if last < record.position.offset < tombstone and self.on_overtaken is not None:
                self.on_overtaken(record.value)

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Change several rows, all or none, while no other thread does."""
        with self._lock:
            self._is_broken = self._is_filling  # without a journal a change cannot be taken back
            with change(self._db) as db:
                yield db
            self._is_broken = False

    def forget(self, partition: int) -> None:
        """Drop everything that came from `partition`."""
        self._removed.clear()
        with self._change() as db:
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
        with self._change() as db:
            _put_all(db, [_row(delivery, at) for delivery, at in sent])
        self._tell(delivery for delivery, _ in sent)

    def _tell(self, deliveries: Iterable[Delivery | None]) -> None:
        if self.on_pending is None:
            return
        for delivery in deliveries:
            if delivery is not None and delivery.state is DeliveryState.PENDING:
                due = delivery.due_at.timestamp()
                self.on_pending(delivery.endpoint_id, due, is_check(delivery))

    def remove(self, delivery_id: str, position: Position) -> None:
        """Take in a tombstone that this process has just sent.

        Its row stays until the tombstone is read: older records of the key may
        still be on their way.
        """
        at = (position.partition, position.offset)
        known = self._db.execute(_PLACE, (delivery_id,)).fetchone()
        overtaken = None
        if known is not None and known[1] in _WAITING_ROWS and known[0] < position.offset:
            overtaken = self.get(delivery_id)  # it was read before this process heard of its own
        self._removed[delivery_id] = (known[0] if known else -1, position.offset)
        row: _Row = (delivery_id, *at, _DELETED, "", "", 0.0, None, b"")
        with self._change() as db:
            db.execute(_PUT, row)
        if overtaken is not None and self.on_overtaken is not None:
            self.on_overtaken(overtaken)

    def keep_only(self, partitions: Collection[int]) -> None:
        """Forget what came from other partitions: it may be left from an earlier run."""
        found = self._db.execute(
            "SELECT DISTINCT partition FROM deliveries UNION SELECT partition FROM progress"
        ).fetchall()
        for (partition,) in found:
            if partition not in partitions:
                self.forget(partition)

    def known(self, ids: Sequence[str]) -> set[str]:
        """Return those of `ids` that are deliveries, waiting or ended."""
        rows = self._db.execute(
            "SELECT id FROM deliveries WHERE id IN (SELECT value FROM json_each(?)) AND state <> ?",
            (json.dumps(ids), _DELETED),
        )
        return {key for (key,) in rows}

    def get(self, delivery_id: str) -> Delivery | None:
        """Return the delivery with this id, waiting or ended; None if there is none."""
        row = self._db.execute(
            "SELECT record FROM deliveries WHERE id = ? AND state <> ?", (delivery_id, _DELETED)
        ).fetchone()
        return None if row is None else decode(row[0], Delivery)

    def due(
        self, endpoint_id: str, now: float, limit: int, *, but: Collection[str] = ()
    ) -> list[Delivery]:
        """Return up to `limit` deliveries to the endpoint that are due, the longest due first.

        None of `but`, and no tests and verifications: those have `next_check`.
        """
        rows = self._db.execute(_DUE, (endpoint_id, now, json.dumps(list(but)), limit))
        return [decode(record, Delivery) for (record,) in rows]

    def next_check(self, endpoint_id: str, *, but: Collection[str] = ()) -> Delivery | None:
        """Return the test or verification of the endpoint that is or was due first, if any is."""
        row = self._db.execute(_NEXT_CHECK, (endpoint_id, json.dumps(list(but)))).fetchone()
        return None if row is None else decode(row[0], Delivery)

    def next_due_at(self, endpoint_id: str, *, but: Collection[str] = ()) -> float | None:
        """Return when the first delivery to the endpoint is or was due, None if there is none."""
        (at,) = self._db.execute(_NEXT_DUE, (endpoint_id, json.dumps(list(but)))).fetchone()
        return None if at is None else float(at)

    def last_due_at(self, endpoint_id: str, latest: float) -> datetime | None:
        """Return when the last delivery to the endpoint is due that is by `latest`, if any is."""
        (at,) = self._db.execute(
            "SELECT MAX(due_at) FROM deliveries "
            "WHERE state = 'pending' AND endpoint_id = ? AND due_at <= ?",
            (endpoint_id, latest),
        ).fetchone()
        return None if at is None else when(at)

    def waiting(self) -> list[Waiting]:
        """Return for every endpoint with pending deliveries when the first of them is due."""
        checks = dict(
            self._db.execute(
                "SELECT endpoint_id, MIN(due_at) FROM deliveries "
                "WHERE state = 'check' GROUP BY endpoint_id"
            ).fetchall()
        )
        others = dict(
            self._db.execute(
                "SELECT endpoint_id, MIN(due_at) FROM deliveries "
                "WHERE state = 'pending' GROUP BY endpoint_id"
            ).fetchall()
        )
        return [Waiting(key, others.get(key), checks.get(key)) for key in others | checks]

    def held_due(self, now: float, limit: int) -> list[Delivery]:
        """Return held deliveries of one endpoint and subscription that are due at one moment.

        The earliest, at most `limit`, in the order they were taken in; empty if none is due.
        """
        first = self._db.execute(_HELD_DUE, (now,)).fetchone()
        if first is None:
            return []
        rows = self._db.execute(
            "SELECT record FROM deliveries WHERE state = 'held' "
            "AND endpoint_id = ? AND part = ? AND due_at = ? ORDER BY offset LIMIT ?",
            (*first, limit),
        )
        return [decode(record, Delivery) for (record,) in rows]

    def held_subscriptions(self) -> list[str]:
        """Return the subscriptions for which something is held."""
        rows = self._db.execute("SELECT DISTINCT part FROM deliveries WHERE state = 'held'")
        return [part for (part,) in rows]

    def held_of(self, subscription_id: str) -> list[Delivery]:
        """Return what is held for the subscription."""
        rows = self._db.execute(
            "SELECT record FROM deliveries WHERE state = 'held' AND part = ?", (subscription_id,)
        )
        return [decode(record, Delivery) for (record,) in rows]

    def count(self, state: DeliveryState) -> int:
        """Return how many deliveries are in `state`, tests and verifications left out.

        Goes through all that are: some 20 ms a million.
        """
        (count,) = self._db.execute(
            "SELECT COUNT(*) FROM deliveries WHERE state = ?", (state,)
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


def is_check(delivery: Delivery) -> bool:
    """Say whether `delivery` asks its endpoint itself something."""
    return delivery.notice is not None and delivery.notice.type in CHECKS


def _run(records: Iterable[Received[Delivery]]) -> _Run:
    """Return records that are all tombstones, or none of them, as they are stored."""
    rows: list[_Row] = []
    gone: list[tuple[str, int, int]] = []
    for record in records:
        if record.value is None:
            # Read in order, so nothing older of this key can come any more.
            gone.append((record.key, record.position.partition, record.position.offset))
        else:
            rows.append(_row(record.value, record.position, record.raw))
    return _Run(rows, gone)


def _put_all(db: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    whole = len(rows) - len(rows) % _ROWS_AT_ONCE
    for start in range(0, whole, _ROWS_AT_ONCE):
        db.execute(_PUT_MANY, [*chain.from_iterable(rows[start : start + _ROWS_AT_ONCE])])
    db.executemany(_PUT, rows[whole:])


def _row(delivery: Delivery, at: Position, raw: bytes | None = None) -> _Row:
    ended_at = None
    if delivery.state not in WAITING:
        ended_at = (delivery.ended_at or delivery.created_at).timestamp()
    state: str = delivery.state
    if delivery.state is DeliveryState.PENDING and is_check(delivery):
        state = _CHECK
    part = delivery.subscription_id if delivery.state is DeliveryState.HELD else ""
    return (
        delivery.id,
        at.partition,
        at.offset,
        state,
        delivery.endpoint_id,
        part,
        delivery.due_at.timestamp(),
        ended_at,
        raw or encode(delivery),
    )


def when(at: float) -> datetime:
    """Return the moment `at`, seconds since 1970."""
    return datetime.fromtimestamp(at, UTC)
