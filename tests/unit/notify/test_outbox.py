"""The outbox on real SQLite files."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.notify import FakeClock
from wirewatch.notify import outbox as outbox_module
from wirewatch.notify.outbox import Ended, Outbox, Waiting, outbox_path, when
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.settings import Settings
from wirewatch.topics.codec import encode
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import DigestWhy, Notice, NoticeType

Make = Callable[..., Delivery]
HOUR = timedelta(hours=1)


@pytest.fixture
def clock(at: datetime) -> FakeClock:
    return FakeClock(at)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notify" / "box.sqlite3"


@pytest.fixture
def outbox(path: Path, clock: FakeClock) -> Iterator[Outbox]:
    outbox = Outbox(path, clock)
    yield outbox
    outbox.close()


def read(offset: int, delivery: Delivery | str, partition: int = 0) -> Received[Delivery]:
    """Return a record as the projection reads it; a string is the key of a tombstone."""
    at = Position(partition, offset)
    if isinstance(delivery, str):
        return Received(at, delivery, None)
    return Received(at, delivery.id, delivery, encode(delivery))


def due(outbox: Outbox, at: datetime, endpoint_id: str = "end_1", limit: int = 100) -> list[str]:
    return [one.id for one in outbox.due(endpoint_id, at.timestamp(), limit)]


def test_what_is_due_to_an_endpoint_comes_in_order_and_whole(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    late = make_delivery("msg_late", due_at=at - HOUR)
    now = make_delivery("msg_now")
    later = make_delivery("msg_later", due_at=at + timedelta(microseconds=1))
    done = make_delivery("msg_done", state=DeliveryState.DELIVERED, ended_at=at, alert=None)
    held = make_delivery("msg_held", state=DeliveryState.HELD, due_at=at - HOUR)
    other = make_delivery("msg_other", endpoint_id="end_2", due_at=at - 2 * HOUR)
    all_ = [later, now, done, held, other, late]
    outbox.apply([read(n, one) for n, one in enumerate(all_)])

    assert outbox.due("end_1", at.timestamp(), 10) == [late, now]
    assert outbox.due("end_1", at.timestamp(), 1) == [late]
    assert outbox.due("end_1", at.timestamp(), 10, but={"msg_late"}) == [now]
    assert outbox.due("end_3", at.timestamp(), 10) == []
    assert outbox.next_due_at("end_1") == late.due_at.timestamp()
    assert outbox.next_due_at("end_1", but=["msg_late", "msg_now"]) == later.due_at.timestamp()
    assert outbox.next_due_at("end_1", but=["msg_late", "msg_now", "msg_later"]) is None
    assert outbox.get("msg_done") == done
    assert outbox.get("msg_none") is None
    assert outbox.known(["msg_done", "msg_none", "msg_held"]) == {"msg_done", "msg_held"}


def test_deliveries_of_one_microsecond_after_the_other_keep_their_order(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    ids = [f"msg_{number}" for number in range(50)]
    for number, key in reversed(list(enumerate(ids))):
        due_at = at + timedelta(microseconds=number)
        outbox.put(make_delivery(key, due_at=due_at), Position(0, 100 - number))

    assert due(outbox, at + HOUR) == ids


def check(key: str, at: datetime, kind: NoticeType = NoticeType.ENDPOINT_TEST) -> Delivery:
    notice = Notice(type=kind, endpoint_id="end_1", at=at)
    return Delivery(id=key, endpoint_id="end_1", due_at=at, created_at=at, notice=notice)


def test_tests_and_verifications_are_found_apart_from_the_rest(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    test = check("msg_test", at + HOUR)
    verify = check("msg_verify", at + 2 * HOUR, NoticeType.ENDPOINT_VERIFY)
    told = check("msg_told", at - HOUR, NoticeType.ENDPOINT_DISABLED)
    all_ = [make_delivery("msg_1"), verify, test, told]
    outbox.apply([read(n, one) for n, one in enumerate(all_)])

    assert outbox.next_check("end_1") == test
    assert outbox.next_check("end_1", but=["msg_test"]) == verify
    assert outbox.next_check("end_1", but=["msg_test", "msg_verify"]) is None
    assert outbox.next_check("end_2") is None
    assert due(outbox, at + 9 * HOUR) == ["msg_told", "msg_1"]
    assert outbox.next_due_at("end_1", but=["msg_told", "msg_1"]) is None
    outbox.put(replace(test, state=DeliveryState.DELIVERED, ended_at=at), Position(0, 9))
    assert outbox.next_check("end_1") == verify


def test_who_waits_is_told_endpoint_by_endpoint(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    all_ = [
        make_delivery("a", due_at=at + HOUR),
        make_delivery("b", due_at=at - HOUR),
        make_delivery("c", endpoint_id="end_2"),
        make_delivery("d", endpoint_id="end_3", state=DeliveryState.HELD),
        make_delivery("e", endpoint_id="end_4", state=DeliveryState.DEAD, ended_at=at),
        check("f", at + 3 * HOUR),
        replace(check("g", at), endpoint_id="end_5"),
    ]
    outbox.apply([read(n, one) for n, one in enumerate(all_)])

    assert sorted(outbox.waiting(), key=lambda one: one.endpoint_id) == [
        Waiting("end_1", (at - HOUR).timestamp(), (at + 3 * HOUR).timestamp()),
        Waiting("end_2", at.timestamp(), None),
        Waiting("end_5", None, at.timestamp()),
    ]


def test_what_is_held_comes_by_endpoint_subscription_and_moment(
    outbox: Outbox, make_delivery: Make, at: datetime, delivery: Delivery
) -> None:
    def held(key: str, due_at: datetime = at, endpoint_id: str = "end_1") -> Delivery:
        return make_delivery(
            key,
            endpoint_id=endpoint_id,
            state=DeliveryState.HELD,
            held_for=DigestWhy.QUIET,
            due_at=due_at,
        )

    early = held("early", at - HOUR)
    all_ = [held("a2"), held("b", endpoint_id="end_2"), early, held("later", at + HOUR), held("a1")]
    outbox.apply([read(n, one) for n, one in enumerate(all_)])
    now = at.timestamp()

    def next_ids(limit: int = 10) -> list[str]:
        found = outbox.held_due(now, limit)
        for one in found:
            ended = make_delivery(
                one.id, state=DeliveryState.DIGESTED, endpoint_id=one.endpoint_id, ended_at=at
            )
            outbox.put(ended, Position(0, 100))
        return [one.id for one in found]

    assert {one.id for one in outbox.held_of("sub_1")} == {one.id for one in all_}
    assert outbox.held_of("sub_2") == []
    assert next_ids() == ["early"]
    assert next_ids(limit=1) == ["a2"], "in the order they were taken in"
    assert next_ids() == ["a1"]
    assert next_ids() == ["b"]
    assert next_ids() == []
    assert outbox.count(DeliveryState.HELD) == 1


def test_what_is_held_for_a_subscription_is_found_without_looking_at_all_that_is_held(
    outbox: Outbox,
) -> None:
    """At a start every subscription with a pace is asked for."""
    plan = outbox._db.execute(
        "EXPLAIN QUERY PLAN SELECT record FROM deliveries WHERE state = 'held' AND part = ?", ("s",)
    ).fetchall()

    assert ["SEARCH" in row[3] for row in plan] == [True], plan


@pytest.mark.parametrize(
    ("query", "given"),
    [(outbox_module._DUE, ("e", 1.0, "[]", 1)), (outbox_module._NEXT_DUE, ("e", "[]"))],
)
def test_questions_about_an_endpoint_go_along_the_index(
    outbox: Outbox, query: str, given: tuple[object, ...]
) -> None:
    plan = [row[3] for row in outbox._db.execute(f"EXPLAIN QUERY PLAN {query}", given)]

    assert plan[0].startswith("SEARCH deliveries USING INDEX by_endpoint (endpoint_id=?")
    assert not any("TEMP B-TREE" in step for step in plan), plan


def test_an_empty_outbox(outbox: Outbox, at: datetime) -> None:
    assert due(outbox, at) == []
    assert outbox.next_due_at("end_1") is None
    assert outbox.next_check("end_1") is None
    assert outbox.waiting() == []
    assert outbox.held_due(at.timestamp(), 1) == []
    assert outbox.known([]) == set()
    assert outbox.count(DeliveryState.PENDING) == 0
    assert outbox.resume_at(0) is None
    outbox.apply([])
    outbox.put_all([])


def test_who_asked_hears_of_each_pending_delivery_that_comes_in(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    heard: list[tuple[str, float, bool]] = []
    outbox.apply([read(0, make_delivery("before"))])
    outbox.on_pending = lambda *told: heard.append(told)

    ended = make_delivery("ended", state=DeliveryState.DEAD, ended_at=at)
    held = make_delivery("held", state=DeliveryState.HELD)
    outbox.apply([read(1, make_delivery("a")), read(2, ended), read(3, "before"), read(4, held)])
    outbox.put(check("b", at + HOUR), Position(0, 5))
    outbox.put_all([(make_delivery("c", endpoint_id="end_2"), Position(0, 6))])

    now = at.timestamp()
    assert heard == [("end_1", now, False), ("end_1", now + 3_600, True), ("end_2", now, False)]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from([*DeliveryState, "gone", "forget", "remove"]),
        ),
        max_size=40,
    )
)
def test_the_tally_is_right_whatever_came_in(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]]
) -> None:
    at = datetime.fromisoformat("2026-11-23T09:00:00+00:00")
    outbox = Outbox(tmp_path_factory.mktemp("box") / "box", lambda: at)
    states: dict[str, str] = {}
    for offset, (number, what) in enumerate(steps):
        key = f"msg_{number}"
        if what == "forget":
            outbox.forget(0)
            states.clear()
        elif what in ("gone", "remove"):
            if what == "gone":
                outbox.apply([read(offset, key)])
            else:
                outbox.remove(key, Position(0, offset))
            states.pop(key, None)
        else:
            one = Delivery(
                id=key, endpoint_id="e", state=DeliveryState(what), due_at=at, created_at=at
            )
            outbox.put(one, Position(0, offset))
            states[key] = what
    for state in (DeliveryState.PENDING, DeliveryState.HELD):
        assert outbox.count(state) == list(states.values()).count(state)
    assert outbox.known([f"msg_{n}" for n in range(6)]) == set(states)
    outbox.close()


def test_a_moment_and_its_seconds(at: datetime) -> None:
    assert when(at.timestamp()) == at


def test_an_older_offset_is_ignored(outbox: Outbox, make_delivery: Make, at: datetime) -> None:
    outbox.put(make_delivery("msg_1", attempts=2), Position(0, 7))

    outbox.apply([read(5, make_delivery("msg_1")), read(6, make_delivery("msg_1", attempts=1))])

    [found] = outbox.due("end_1", at.timestamp(), 1)
    assert found.attempts == 2


def test_a_tombstone_wins_over_what_is_older_whichever_way_it_comes(
    outbox: Outbox, make_delivery: Make
) -> None:
    one, two = make_delivery("msg_1"), make_delivery("msg_2")
    outbox.apply([read(0, one), read(1, two), read(2, "msg_1")])
    outbox.remove("msg_2", Position(0, 9))
    outbox.apply([read(5, two)])

    assert outbox.get("msg_1") is None
    assert outbox.get("msg_2") is None
    outbox.apply([read(9, "msg_2"), read(10, two)])
    assert outbox.get("msg_2") is not None


def test_a_tombstone_read_late_does_not_delete_what_is_newer(
    outbox: Outbox, make_delivery: Make
) -> None:
    outbox.put(make_delivery("msg_1"), Position(0, 9))

    outbox.apply([read(4, "msg_1")])

    assert outbox.get("msg_1") is not None


def test_a_restart_goes_on_where_the_topic_was_read_to(
    path: Path, clock: FakeClock, make_delivery: Make, at: datetime
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


def test_an_old_cache_is_rebuilt(outbox: Outbox, clock: FakeClock, make_delivery: Make) -> None:
    outbox.apply([read(3, make_delivery("msg_1"))])
    clock.now += timedelta(hours=12)
    assert outbox.resume_at(0) == 4

    clock.now += timedelta(seconds=1)

    assert outbox.resume_at(0) is None
    assert outbox.get("msg_1") is None


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

    assert outbox.get("msg_1") is None
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
    clock: FakeClock,
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
    assert (second.count(DeliveryState.PENDING), second.resume_at(0)) == (0, None)
    second.apply([read(0, make_delivery("msg_1"))])
    assert due(second, at) == ["msg_1"]
    second.close()


def test_a_second_worker_of_the_same_name_is_told_so(
    outbox: Outbox, path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wirewatch.runtime.cache_file.LOCK_WAIT_S", 0.0)

    with pytest.raises(Problem) as caught:
        Outbox(path, clock)

    assert str(caught.value) == (
        f"The outbox {path} is in use by another worker: "
        "give each worker its own WIREWATCH_INSTANCE."
    )


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Problem, match=r"^The outbox .* cannot be used .*: set WIREWATCH_DATA_DIR"):
        Outbox(tmp_path / "file" / "box.sqlite3", clock)


def test_the_file_is_named_after_cluster_and_worker(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, instance="notify-0")

    assert outbox_path(settings, "abc") == tmp_path / "notify" / "abc-notify-0.sqlite3"


def test_more_than_one_statement_takes_are_taken_in_in_their_order(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    ids = [f"msg_{number:04}" for number in range(4_500)]
    first = [read(n, make_delivery(key, due_at=at)) for n, key in enumerate(ids)]
    # Changed in the same lot, once more in a later one, and some deleted between.
    again = [read(10_000 + n, make_delivery(key, attempts=1)) for n, key in enumerate(ids[::2])]
    gone = [read(20_000 + n, key) for n, key in enumerate(ids[:10])]
    last = [read(30_000, make_delivery(ids[0], attempts=7))]
    told: list[str] = []
    outbox.on_pending = lambda endpoint_id, _due_at, _check: told.append(endpoint_id)

    outbox.prepare([*first, *again, *gone, *last])()
    assert told == []
    outbox.tell([*first, *again, *gone, *last])

    assert len(told) == len(first) + len(again) + len(last)
    held = {one.id: one.attempts for one in outbox.due("end_1", at.timestamp(), 10_000)}
    assert held == {ids[0]: 7} | {key: 1 - n % 2 for n, key in enumerate(ids) if n >= 10}
    assert outbox.resume_at(0) == 30_001


def killed(path: Path, outbox: Outbox, clock: FakeClock, folder: Path) -> Outbox:
    """Return an outbox on the file as a kill would leave it now."""
    left = folder / "left"
    left.mkdir()
    for file in path.parent.iterdir():
        (left / file.name).write_bytes(file.read_bytes())
    return Outbox(left / path.name, clock)


def test_a_file_whose_filling_was_broken_off_is_begun_anew(
    path: Path, outbox: Outbox, clock: FakeClock, make_delivery: Make, tmp_path: Path
) -> None:
    outbox.begin_filling()
    outbox.apply([read(n, make_delivery(f"msg_{n}")) for n in range(3_000)])
    with structlog.testing.capture_logs() as lines:
        again = killed(path, outbox, clock, tmp_path)

    assert again.resume_at(0) is None
    assert again.known(["msg_1"]) == set()
    [line] = lines
    assert (line["log_level"], line["error"]) == ("warning", "its filling was broken off")
    again.close()


def test_a_file_that_was_filled_stays(
    path: Path, outbox: Outbox, clock: FakeClock, make_delivery: Make, tmp_path: Path
) -> None:
    outbox.begin_filling()
    outbox.apply([read(n, make_delivery(f"msg_{n}")) for n in range(3_000)])
    outbox.end_filling()
    outbox.apply([read(3_000, make_delivery("msg_last"))])
    again = killed(path, outbox, clock, tmp_path)

    assert again.resume_at(0) == 3_001
    assert again.known(["msg_1", "msg_last"]) == {"msg_1", "msg_last"}
    assert again._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    again.close()


def test_who_is_closed_while_it_is_filled_goes_on_where_it_was(
    path: Path, outbox: Outbox, clock: FakeClock, make_delivery: Make
) -> None:
    outbox.begin_filling()
    outbox.apply([read(0, make_delivery("msg_1"))])
    outbox.close()
    again = Outbox(path, clock)

    assert again.resume_at(0) == 1
    again.begin_filling()  # there is something in it: what comes has a journal
    assert again._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    again.close()


def test_a_change_that_failed_while_it_was_filled_is_not_taken_for_sound(
    path: Path, outbox: Outbox, clock: FakeClock, make_delivery: Make
) -> None:
    """Without a journal the half of it that was written cannot be taken back."""
    outbox.begin_filling()
    bad = [read(0, make_delivery("msg_1")), read(1, make_delivery("msg_2", endpoint_id=None))]
    with pytest.raises(sqlite3.IntegrityError):
        outbox.apply(bad)
    outbox.close()
    again = Outbox(path, clock)

    assert again.resume_at(0) is None
    assert again.known(["msg_1"]) == set()
    again.close()


def test_filling_ends_after_what_another_thread_writes(outbox: Outbox, make_delivery: Make) -> None:
    """SQLite leaves the journal as it is, and says nothing, while a change is under way."""
    outbox.begin_filling()
    with outbox._change():
        ending = threading.Thread(target=outbox.end_filling)
        ending.start()
        ending.join(0.05)
        assert ending.is_alive()
    ending.join(10)

    assert outbox._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
