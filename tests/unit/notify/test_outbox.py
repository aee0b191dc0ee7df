"""The outbox on real SQLite files."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from wirewatch.notify.outbox import Ended, Outbox, outbox_path
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.settings import Settings
from wirewatch.topics.deliveries import Delivery, DeliveryState

Make = Callable[..., Delivery]


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(at: datetime) -> Clock:
    return Clock(at)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notify" / "box.sqlite3"


@pytest.fixture
def outbox(path: Path, clock: Clock) -> Iterator[Outbox]:
    outbox = Outbox(path, clock)
    yield outbox
    outbox.close()


def read(offset: int, delivery: Delivery | str, partition: int = 0) -> Received[Delivery]:
    """Return a record as the projection reads it; a string is the key of a tombstone."""
    at = Position(partition, offset)
    if isinstance(delivery, str):
        return Received(at, delivery, None)
    return Received(at, delivery.id, delivery)


def due(outbox: Outbox, at: datetime, limit: int = 100, per_endpoint: int = 100) -> list[str]:
    return [one.id for one in outbox.due(at, limit, per_endpoint=per_endpoint)]


def test_what_is_due_comes_in_order_and_whole(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    late = make_delivery("msg_late", due_at=at - timedelta(hours=1))
    now = make_delivery("msg_now")
    later = make_delivery("msg_later", due_at=at + timedelta(seconds=1))
    done = make_delivery("msg_done", state=DeliveryState.DELIVERED, ended_at=at, alert=None)
    outbox.apply([read(n, one) for n, one in enumerate([later, now, done, late])])

    assert outbox.due(at, 10, per_endpoint=10) == [late, now]
    assert outbox.due(at, 1, per_endpoint=10) == [late]
    assert outbox.pending_count() == 3
    assert outbox.oldest_due_at() == late.due_at
    assert outbox.next_due_at(at) == later.due_at
    assert outbox.next_due_at(later.due_at) is None
    assert outbox.knows("msg_done")
    assert not outbox.knows("msg_other")


def test_one_endpoint_hides_no_other(outbox: Outbox, make_delivery: Make, at: datetime) -> None:
    dead = [
        make_delivery(f"dead_{n}", endpoint_id="a", due_at=at - timedelta(hours=2, seconds=-n))
        for n in range(50)
    ]
    fine = [make_delivery(f"fine_{n}", endpoint_id="b") for n in range(3)]
    outbox.apply([read(n, one) for n, one in enumerate(dead + fine)])

    assert due(outbox, at, limit=5, per_endpoint=2) == ["dead_0", "dead_1", "fine_0", "fine_1"]
    found = outbox.due(
        at, 5, per_endpoint=2, except_endpoints=["a"], except_deliveries={"fine_0": 1}
    )
    assert [one.id for one in found] == ["fine_1", "fine_2"]
    assert outbox.oldest_due_at() == at - timedelta(hours=2)
    assert outbox.oldest_due_at(["a"]) == at
    assert outbox.oldest_due_at(["a", "b"]) is None


def test_an_empty_outbox(outbox: Outbox, at: datetime) -> None:
    assert due(outbox, at) == []
    assert outbox.next_due_at(at) is None
    assert outbox.oldest_due_at() is None
    assert outbox.pending_count() == 0
    assert outbox.resume_at(0) is None
    outbox.apply([])
    outbox.put_all([])


def test_an_older_offset_is_ignored(outbox: Outbox, make_delivery: Make, at: datetime) -> None:
    outbox.put(make_delivery("msg_1", attempts=2), Position(0, 7))

    outbox.apply([read(5, make_delivery("msg_1")), read(6, make_delivery("msg_1", attempts=1))])

    [found] = outbox.due(at, 1, per_endpoint=1)
    assert found.attempts == 2


def test_a_tombstone_wins_over_what_is_older_whichever_way_it_comes(
    outbox: Outbox, make_delivery: Make
) -> None:
    one, two = make_delivery("msg_1"), make_delivery("msg_2")
    outbox.apply([read(0, one), read(1, two), read(2, "msg_1")])
    outbox.remove("msg_2", Position(0, 9))
    outbox.apply([read(5, two)])

    assert not outbox.knows("msg_1")
    assert not outbox.knows("msg_2")
    outbox.apply([read(9, "msg_2"), read(10, two)])
    assert outbox.knows("msg_2")


def test_a_tombstone_read_late_does_not_delete_what_is_newer(
    outbox: Outbox, make_delivery: Make
) -> None:
    outbox.put(make_delivery("msg_1"), Position(0, 9))

    outbox.apply([read(4, "msg_1")])

    assert outbox.knows("msg_1")


def test_a_restart_goes_on_where_the_topic_was_read_to(
    path: Path, clock: Clock, make_delivery: Make, at: datetime
) -> None:
    first = Outbox(path, clock)
    first.apply([read(3, make_delivery("msg_1")), read(8, make_delivery("msg_2", attempts=1))])
    first.apply([read(2, make_delivery("msg_3"), partition=5)])
    first.put(make_delivery("msg_4"), Position(0, 20))  # sent, not read: others may be before it
    first.close()

    second = Outbox(path, clock)

    assert (second.resume_at(0), second.resume_at(5), second.resume_at(1)) == (9, 3, None)
    assert sorted(due(second, at)) == ["msg_1", "msg_2", "msg_3", "msg_4"]
    second.close()


def test_reading_old_records_again_does_not_turn_progress_back(
    outbox: Outbox, make_delivery: Make
) -> None:
    outbox.apply([read(8, make_delivery("msg_1"))])
    outbox.apply([read(3, make_delivery("msg_0"))])

    assert outbox.resume_at(0) == 9


def test_an_old_cache_is_rebuilt(outbox: Outbox, clock: Clock, make_delivery: Make) -> None:
    outbox.apply([read(3, make_delivery("msg_1"))])
    clock.now += timedelta(hours=12)
    assert outbox.resume_at(0) == 4

    clock.now += timedelta(seconds=1)

    assert outbox.resume_at(0) is None
    assert not outbox.knows("msg_1")


def test_forgetting_a_partition_leaves_the_others(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    for partition in (0, 1, 2):
        outbox.apply([read(3, make_delivery(f"msg_{partition}"), partition)])

    outbox.forget(1)
    assert due(outbox, at) == ["msg_0", "msg_2"]
    assert (outbox.resume_at(0), outbox.resume_at(1)) == (4, None)

    outbox.keep_only({2, 3})
    assert due(outbox, at) == ["msg_2"]
    assert (outbox.resume_at(0), outbox.resume_at(2)) == (None, 4)


def test_ended_deliveries_are_listed_when_they_are_old(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    ages = {"msg_new": 1, "msg_old": 31, "msg_older": 40}
    ended = [
        make_delivery(
            name,
            endpoint_id=f"end_{days}",
            state=DeliveryState.DEAD,
            ended_at=at - timedelta(days=days),
            alert=None,
        )
        for name, days in ages.items()
    ]
    waiting = make_delivery("msg_waiting", created_at=at - timedelta(days=50))
    outbox.apply([read(n, one) for n, one in enumerate([*ended, waiting])])

    found = outbox.ended_before(at - timedelta(days=30), 10)

    assert found == [Ended("msg_older", "end_40"), Ended("msg_old", "end_31")]
    outbox.remove("msg_older", Position(0, 10))
    assert outbox.ended_before(at - timedelta(days=30), 10) == [Ended("msg_old", "end_31")]


def test_a_batch_is_taken_in_as_a_whole_or_not_at_all(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    good, bad = read(0, make_delivery("msg_1")), read(1, make_delivery("msg_2", endpoint_id=None))

    with pytest.raises(sqlite3.IntegrityError):
        outbox.apply([good, bad])

    assert not outbox.knows("msg_1")
    assert outbox.resume_at(0) is None
    outbox.apply([good])
    assert due(outbox, at) == ["msg_1"]


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    db.close()


def cut_in_half(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def scribbled(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xa5" * (len(raw) - 4096)
    path.write_bytes(raw)


def not_a_database(path: Path) -> None:
    path.write_text("nobody expects a text file here " * 100)


@pytest.mark.parametrize("spoil", [foreign, cut_in_half, scribbled, not_a_database])
def test_a_damaged_or_foreign_file_is_rebuilt_with_one_warning(
    path: Path,
    clock: Clock,
    make_delivery: Make,
    at: datetime,
    spoil: Callable[[Path], None],
) -> None:
    first = Outbox(path, clock)
    first.apply([read(n, make_delivery(f"msg_{n}")) for n in range(50)])
    first.close()
    if spoil is foreign:
        path.unlink()
    spoil(path)

    with structlog.testing.capture_logs() as lines:
        second = Outbox(path, clock)

    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "a cache cannot be read, rebuilding it")
    ]
    assert (second.pending_count(), second.resume_at(0)) == (0, None)
    second.apply([read(0, make_delivery("msg_1"))])
    assert due(second, at) == ["msg_1"]
    second.close()


def test_a_second_worker_of_the_same_name_is_told_so(
    outbox: Outbox, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wirewatch.runtime.cache_file.LOCK_WAIT_S", 0.0)

    with pytest.raises(Problem) as caught:
        Outbox(path, clock)

    assert str(caught.value) == (
        f"The outbox {path} is in use by another worker: "
        "give each worker its own WIREWATCH_INSTANCE."
    )


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Problem, match=r"^The outbox .* cannot be used .*: set WIREWATCH_DATA_DIR"):
        Outbox(tmp_path / "file" / "box.sqlite3", clock)


def test_the_file_is_named_after_cluster_and_worker(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, instance="notify-0")

    assert outbox_path(settings, "abc") == tmp_path / "notify" / "abc-notify-0.sqlite3"
