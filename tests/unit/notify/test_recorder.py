"""What is written down, in which order, and who hears of it when."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiokafka.errors import MessageSizeTooLargeError
from msgspec.structs import replace

from fakes.notify import FakeLog, settle, until
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.recorder import MOST_AT_ONCE, Entry, Recorder
from wirewatch.runtime.kafka import Position
from wirewatch.topics.alerts import Alert
from wirewatch.topics.attempts import Attempt, Outcome
from wirewatch.topics.codec import decode, encode
from wirewatch.topics.dead_letters import DeadLetter, DeadReason, bury
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoint_states import EndpointState
from wirewatch.topics.spec import MAX_MESSAGE_BYTES, Topic

Make = Callable[..., Delivery]


@pytest.fixture
def outbox(tmp_path: Path, at: datetime) -> object:
    outbox = Outbox(tmp_path / "box", lambda: at)
    yield outbox
    outbox.close()


@pytest.fixture
def log() -> FakeLog:
    return FakeLog(lambda place: 9 if place == "end_elsewhere" else 0)


@pytest.fixture
def recorder(outbox: Outbox, log: FakeLog) -> Recorder:
    recorder = Recorder(outbox, log)
    recorder.partitions = frozenset({0})
    return recorder


@pytest.fixture
async def running(recorder: Recorder) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(recorder.run())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def attempt(at: datetime) -> Attempt:
    return Attempt(
        delivery_id="msg_1",
        alert_id="alert_1",
        subscription_id="sub_1",
        endpoint_id="end_1",
        number=1,
        outcome=Outcome.DEAD,
        started_at=at,
        duration_ms=1,
    )


def letter(at: datetime) -> DeadLetter:
    return bury(
        b"{}",
        service="notify",
        reason=DeadReason.EXHAUSTED,
        detail="",
        topic="deliveries",
        partition=-1,
        offset=-1,
        key="msg_1",
        now=at,
    )


@pytest.mark.usefixtures("running")
async def test_what_tells_of_it_is_safe_before_what_makes_it_count(
    recorder: Recorder, outbox: Outbox, log: FakeLog, make_delivery: Make, at: datetime
) -> None:
    ended = make_delivery("msg_1", state=DeliveryState.DEAD, ended_at=at, alert=None)
    seen: list[Delivery | None] = []
    recorder.add(
        Entry(
            deliveries=(ended,),
            attempt=attempt(at),
            letter=letter(at),
            state=EndpointState(endpoint_id="end_1", changed_at=at),
            done=lambda: seen.append(outbox.get("msg_1")),
        )
    )
    await recorder.flush()

    kinds = [type(one).__name__ for one in log.sent]
    assert sorted(kinds[:3]) == ["Attempt", "DeadLetter", "EndpointState"]
    assert kinds[3:] == ["Delivery"]
    assert seen == [ended], "it is in the outbox when the caller hears of it"


@pytest.mark.parametrize("missing", ["attempts", "dead-letters", "endpoint-states"])
async def test_no_delivery_ends_while_what_tells_of_it_is_not_safe(
    recorder: Recorder, outbox: Outbox, make_delivery: Make, at: datetime, missing: str
) -> None:
    log, away = FakeLog(), asyncio.Event()
    take = log.send_all

    async def send_all(topic: object, records: object) -> object:
        if topic.name == missing:  # type: ignore[attr-defined]
            await away.wait()
        return await take(topic, records)  # type: ignore[arg-type]

    log.send_all = send_all  # type: ignore[method-assign, assignment]
    recorder = Recorder(outbox, log)
    task = asyncio.create_task(recorder.run())
    recorder.add(
        Entry(
            (make_delivery("msg_1"),),
            attempt=attempt(at),
            letter=letter(at),
            state=EndpointState(endpoint_id="end_1", changed_at=at),
        )
    )
    await settle()
    assert log.deliveries() == []

    away.set()
    await recorder.flush()

    assert len(log.deliveries()) == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_entries_are_written_in_the_order_they_came_many_at_a_time(
    recorder: Recorder, running: asyncio.Task[None], log: FakeLog, make_delivery: Make
) -> None:
    done: list[int] = []
    many = 2 * MOST_AT_ONCE + 50
    for number in range(many):
        entry = Entry((make_delivery(f"msg_{number}"),), done=lambda n=number: done.append(n))
        recorder.add(entry)
    assert len(recorder) == many
    await recorder.flush()

    assert [one.id for one in log.sent] == [f"msg_{number}" for number in range(many)]
    assert done == list(range(many))
    assert log.batches == [("deliveries", MOST_AT_ONCE)] * 2 + [("deliveries", 50)]
    assert len(recorder) == 0


async def test_the_last_of_several_records_of_a_delivery_is_the_one_that_counts(
    recorder: Recorder, running: asyncio.Task[None], outbox: Outbox, make_delivery: Make
) -> None:
    for attempts in range(5):
        recorder.add(Entry((make_delivery("msg_1", attempts=attempts),)))
    await recorder.flush()

    found = outbox.get("msg_1")
    assert found is not None
    assert found.attempts == 4


async def test_several_deliveries_of_one_entry_travel_together_and_alone(
    recorder: Recorder, running: asyncio.Task[None], log: FakeLog, make_delivery: Make
) -> None:
    """They must fit into one batch, which is written whole or not at all."""
    together = tuple(make_delivery(f"together_{number}") for number in range(3))
    recorder.add(Entry((make_delivery("a"),)))
    recorder.add(Entry(together))
    recorder.add(Entry((make_delivery("b"),)))
    await recorder.flush()

    assert log.batches == [("deliveries", 2), ("deliveries", 3)]
    assert log.sent[2:] == list(together)


async def test_what_belongs_to_another_worker_is_sent_but_not_kept(
    recorder: Recorder,
    running: asyncio.Task[None],
    outbox: Outbox,
    log: FakeLog,
    make_delivery: Make,
) -> None:
    done: list[str] = []
    elsewhere = make_delivery("msg_2", endpoint_id="end_elsewhere")
    recorder.add(Entry((elsewhere,), done=lambda: done.append("2")))
    await recorder.flush()

    assert log.sent == [elsewhere]
    assert done == ["2"]
    assert outbox.get("msg_2") is None


async def test_while_kafka_is_away_all_waits_and_nothing_is_lost(
    recorder: Recorder,
    running: asyncio.Task[None],
    outbox: Outbox,
    log: FakeLog,
    make_delivery: Make,
) -> None:
    done: list[str] = []
    log.go_away()
    for key in ("msg_1", "msg_2"):
        recorder.add(Entry((make_delivery(key),), done=lambda key=key: done.append(key)))
        await settle()
    flushing = asyncio.create_task(recorder.flush())
    await settle()

    assert (done, log.sent, len(recorder)) == ([], [], 2 + 1)
    assert not flushing.done()
    assert outbox.get("msg_1") is None

    log.come_back()
    await flushing

    assert done == ["msg_1", "msg_2"]
    assert outbox.known(["msg_1", "msg_2"]) == {"msg_1", "msg_2"}


async def test_a_flush_waits_for_what_came_before_it_not_for_what_comes_all_the_time(
    recorder: Recorder, running: asyncio.Task[None], make_delivery: Make
) -> None:
    """Under load there is always something that waits: whoever flushes must not wait for ever."""

    def again() -> None:
        if len(written) < 300:
            written.append("more")
            recorder.add(Entry((make_delivery("busy"),), done=again))

    written: list[str] = []
    again()
    recorder.add(Entry((make_delivery("msg_1"),), done=lambda: written.append("msg_1")))

    await recorder.flush()

    assert "msg_1" in written
    assert len(written) < 300
    await until(lambda: len(written) >= 300)


async def test_with_nothing_to_write_a_flush_is_over(
    recorder: Recorder, running: asyncio.Task[None], log: FakeLog
) -> None:
    await recorder.flush()

    assert log.sent == []


class PickyLog(FakeLog):
    """Takes nothing with a record of `refused`."""

    def __init__(self, refused: Callable[[object], bool]) -> None:
        super().__init__()
        self.refused = refused

    async def send_all(self, topic: Topic[Any], records: Sequence[Any]) -> list[Position]:
        if any(map(self.refused, records)):
            raise MessageSizeTooLargeError("a record of 2000000 bytes")
        return await super().send_all(topic, records)


async def recorded(outbox: Outbox, log: FakeLog, at: datetime, *entries: Entry) -> int:
    """Have `entries` written; return how many deliveries were given up."""
    given_up: list[None] = []
    recorder = Recorder(
        outbox,
        log,
        topic_prefix="ww.",
        clock=lambda: at,
        on_given_up=partial(given_up.append, None),
    )
    recorder.partitions = frozenset({0})
    task = asyncio.create_task(recorder.run())
    for entry in entries:
        recorder.add(entry)
    await asyncio.wait_for(recorder.flush(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return len(given_up)


async def test_one_that_is_too_large_is_ended_and_the_others_are_written(
    outbox: Outbox, make_delivery: Make, alert: Alert, at: datetime
) -> None:
    log = PickyLog(lambda one: isinstance(one, Delivery) and one.id == "b" and one.alert)
    done: list[str] = []
    entries = [
        Entry((make_delivery(key),), attempt=attempt(at), done=partial(done.append, key))
        for key in "abc"
    ]
    with structlog.testing.capture_logs() as lines:
        given_up = await recorded(outbox, log, at, *entries)

    assert done == ["a", "b", "c"]
    assert given_up == 1
    assert len(log.attempts()) == 3, "they were safe already"
    [letter] = log.letters()
    assert (letter.reason, letter.topic, letter.key) == (
        DeadReason.UNREADABLE,
        "ww.deliveries",
        "b",
    )
    assert decode(letter.payload, Delivery).alert == alert
    assert log.last("b") == make_delivery("b", state=DeliveryState.DEAD, ended_at=at, alert=None)
    assert outbox.get("b") == log.last("b")
    assert [outbox.get(key) for key in "ac"] == [make_delivery(key) for key in "ac"]
    [line] = lines
    assert (line["log_level"], line["deliveries"]) == ("error", ["b"])


async def test_a_digest_that_is_too_large_dies_and_what_it_tells_of_has_ended(
    outbox: Outbox, make_delivery: Make, at: datetime
) -> None:
    digest = make_delivery("digest")
    member = make_delivery("m", state=DeliveryState.DIGESTED, told_in="digest", alert=None)
    log = PickyLog(lambda one: one == digest)
    await recorded(outbox, log, at, Entry((make_delivery("a"),)), Entry((digest, member)))

    assert log.batches == [("deliveries", 1), ("dead-letters", 1), ("deliveries", 2)]
    assert log.last("m") == member
    assert outbox.get("digest") == replace(
        digest, state=DeliveryState.DEAD, alert=None, ended_at=at
    )


@pytest.mark.parametrize("kind", [Attempt, DeadLetter, EndpointState])
async def test_an_entry_of_which_something_else_is_too_large_is_ended_too(
    outbox: Outbox, make_delivery: Make, at: datetime, kind: type
) -> None:
    log = PickyLog(lambda one: isinstance(one, kind) and one in refused)
    own = letter(at)
    state = EndpointState(endpoint_id="end_1", changed_at=at)
    refused = [attempt(at), own, state]
    done: list[str] = []
    await recorded(
        outbox,
        log,
        at,
        Entry((make_delivery("a"),)),
        Entry((make_delivery("b"),), attempt(at), own, state, partial(done.append, "b")),
        Entry((make_delivery("c", state=DeliveryState.DELIVERED),), attempt(at), own, state),
    )

    assert done == ["b"]
    assert [each.state for each in map(outbox.get, "abc") if each] == [
        DeliveryState.PENDING,
        DeliveryState.DEAD,
        DeliveryState.DELIVERED,
    ], "what was delivered stays so"
    assert [each.key for each in log.letters() if each != own] == ["b"]


async def test_a_letter_for_the_largest_delivery_fits(
    outbox: Outbox, make_delivery: Make, alert: Alert, at: datetime
) -> None:
    large = make_delivery("b", alert=replace(alert, query="ä" * MAX_MESSAGE_BYTES))
    log = PickyLog(lambda one: len(encode(one)) > MAX_MESSAGE_BYTES)  # type: ignore[arg-type]
    await recorded(outbox, log, at, Entry((large,)))

    assert [one.payload_is_cut for one in log.letters()] == [True]
    assert [one.state for one in log.deliveries()] == [DeliveryState.DEAD]


async def test_what_cannot_be_told_is_given_up_with_a_letter(
    recorder: Recorder,
    running: asyncio.Task[None],
    outbox: Outbox,
    log: FakeLog,
    make_delivery: Make,
) -> None:
    recorder.give_up(make_delivery("a", alert=None), "it tells nothing")
    await recorder.flush()

    assert [(one.key, one.detail) for one in log.letters()] == [("a", "it tells nothing")]
    ended = outbox.get("a")
    assert ended is not None
    assert ended.state is DeliveryState.DEAD
    assert ended.ended_at is not None


async def test_an_unknown_error_ends_it_and_nothing_is_passed_over(
    recorder: Recorder, running: asyncio.Task[None], log: FakeLog, make_delivery: Make
) -> None:
    done: list[str] = []
    log.error = ValueError("a bug")
    recorder.add(Entry((make_delivery("msg_1"),), done=lambda: done.append("msg_1")))

    with pytest.raises(ValueError, match="a bug"):
        await asyncio.wait_for(running, 10)

    assert done == []
