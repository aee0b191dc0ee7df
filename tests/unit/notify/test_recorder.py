"""What is written down, in which order, and who hears of it when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest

from fakes.notify import FakeLog, settle, until
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.recorder import MOST_AT_ONCE, Entry, Recorder
from wirewatch.topics.attempts import Attempt, Outcome
from wirewatch.topics.dead_letters import DeadLetter, DeadReason, bury
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoint_states import EndpointState

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


async def test_a_record_that_no_broker_takes_ends_it_and_is_not_passed_over(
    recorder: Recorder, running: asyncio.Task[None], log: FakeLog, make_delivery: Make
) -> None:
    done: list[str] = []
    log.error = ValueError("too large")
    recorder.add(Entry((make_delivery("msg_1"),), done=lambda: done.append("msg_1")))

    with pytest.raises(ValueError, match="too large"):
        await asyncio.wait_for(running, 10)

    assert done == []
