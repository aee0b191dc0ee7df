"""Records on disk: a cache that may be lost, is never ahead, and is one worker's alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wirewatch.runtime.disk_table import MAX_AGE, DiskTable
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.kafka import Position, Received
from wirewatch.topics import FEED_ENTRIES
from wirewatch.topics.feed_entries import FeedEntries

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def entries(feed: str, packed: bytes = b"1") -> FeedEntries:
    return FeedEntries(feed_id=feed, layout=1, packed=packed)


def read(feed: str, offset: int, packed: bytes | None = b"1", partition: int = 0):
    value = None if packed is None else entries(feed, packed)
    return Received(Position(partition, offset), feed, value)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ingest" / "cache.sqlite3"


def open_table(path: Path, clock: Clock) -> DiskTable[FeedEntries]:
    return DiskTable(path, FEED_ENTRIES, clock)


def test_the_newest_record_of_a_key_counts_in_whatever_order_it_comes(path, clock) -> None:
    table = open_table(path, clock)
    table.put(entries("a", b"mine"), Position(0, 7))
    table.apply([read("a", 3, b"old"), read("b", 4)])

    assert table.get("a") == entries("a", b"mine")
    assert table.get("b") == entries("b")
    assert table.get("c") is None
    assert table.resume_at(0) == 5
    table.close()


def test_what_was_deleted_is_gone_and_does_not_come_back(path, clock) -> None:
    table = open_table(path, clock)
    table.apply([read("a", 1), read("a", 2, None)])
    table.put(entries("b"), Position(0, 5))
    table.remove("b", Position(0, 6))
    table.apply([read("b", 5)])

    assert table.get("a") is table.get("b") is None
    table.close()


def test_it_is_there_after_a_restart_and_reads_on_where_it_was(path, clock) -> None:
    table = open_table(path, clock)
    table.apply([read("a", 1), read("b", 9, partition=2)])
    table.close()
    table = open_table(path, clock)

    assert table.get("a") == entries("a")
    assert (table.resume_at(0), table.resume_at(2), table.resume_at(1)) == (2, 10, None)
    table.close()


def test_a_cache_that_is_too_old_to_have_seen_every_tombstone_is_rebuilt(path, clock) -> None:
    table = open_table(path, clock)
    table.apply([read("a", 1)])
    clock.now += MAX_AGE + timedelta(seconds=1)

    assert table.resume_at(0) is None
    assert table.get("a") is None
    table.close()


def test_partitions_that_are_anothers_now_are_forgotten(path, clock) -> None:
    table = open_table(path, clock)
    table.apply([read("a", 1), read("b", 1, partition=1)])
    table.keep_only({1})

    assert table.get("a") is None
    assert table.get("b") is not None
    table.close()


def test_a_file_that_is_garbage_is_begun_anew(path, clock) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    table = open_table(path, clock)

    assert table.resume_at(0) is None
    table.close()


def test_two_workers_of_one_name_are_told_so(path, clock, monkeypatch) -> None:
    monkeypatch.setattr("wirewatch.runtime.cache_file.LOCK_WAIT_S", 0.0)
    table = open_table(path, clock)
    table.apply([read("a", 1)])

    with pytest.raises(Problem, match=r"in use by another worker: .* WIREWATCH_INSTANCE"):
        open_table(path, clock)
    table.close()
