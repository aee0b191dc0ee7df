"""A batch of the agent: finished and acknowledged, or neither; floods go on beside the batches."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from prometheus_client import CollectorRegistry

from fakes.news import AT, CATALOGUE, article, subscription
from wirewatch.match import agent
from wirewatch.match.agent import ArticleBatch
from wirewatch.match.matcher import Matcher
from wirewatch.match.metrics import MatchMetrics
from wirewatch.match.records import RecordFile
from wirewatch.topics.alerts import Alert
from wirewatch.topics.codec import encode
from wirewatch.topics.dead_letters import DeadReason


@dataclass
class Message:
    """What Faust hands over, as far as the agent looks at it."""

    value: bytes | None
    acked: bool = False
    topic: str = "articles"
    partition: int = 0
    offset: int = 0
    tp: str = "articles-0"


@dataclass
class Producer:
    """Takes alerts of subscriptions that begin with `slow` once `open` is set, others at once.

    Fails if told to, or if an alert is of the subscription `no`.
    """

    open: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    no: str = ""
    slow: str = ""
    sent: list[Alert] = field(default_factory=list)
    most: int = 0
    buried: list[tuple[DeadReason, str]] = field(default_factory=list)

    async def send_all(self, topic: object, records: Sequence[Alert]) -> None:
        if any(each.subscription_id.startswith(self.slow) for each in records):
            await self.open.wait()
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        if self.no in {each.subscription_id for each in records}:
            raise MessageSizeTooLargeError
        self.sent += records
        self.most = max(self.most, len(records))

    async def bury(self, payload: bytes, *, reason: DeadReason, detail: str, **_: Any) -> None:
        self.buried.append((reason, detail))

    def told(self) -> set[str]:
        return {each.article.id for each in self.sent}


@dataclass
class Bench:
    """An agent and what it did."""

    batch: ArticleBatch
    producer: Producer
    matcher: Matcher
    metrics: MatchMetrics


async def never(message: object, error: Exception) -> None:
    raise AssertionError


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    matcher = Matcher(CATALOGUE, RecordFile(tmp_path / "records"))
    matcher.put(subscription("quake"))
    producer, metrics = Producer(), MatchMetrics(CollectorRegistry())
    batch = ArticleBatch(
        lambda: matcher,
        producer,  # type: ignore[arg-type]
        metrics,
        on_unreadable=never,
        clock=lambda: AT,
        release=lambda message: setattr(message, "acked", False),
    )
    return Bench(batch, producer, matcher, metrics)


@pytest.fixture
def floods(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve subscriptions to `deluge` are a flood, sent three at a time."""
    monkeypatch.setattr(agent, "FLOOD", 10)
    monkeypatch.setattr(agent, "SEND_AT_ONCE", 3)
    bench.producer.slow = "flood"
    for number in range(12):
        bench.matcher.put(subscription("deluge", id=f"flood_{number}"))


def messages(*titles: str) -> list[Message]:
    """Return messages; an article's id is its title and its place."""
    return [
        Message(encode(article(title, id=f"{title}_{offset}")), offset=offset)
        for offset, title in enumerate(titles)
    ]


async def soon(condition: Any) -> None:
    """Let others work until `condition` holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - it looks at what others do
            await asyncio.sleep(0)


async def test_a_finished_batch_is_acknowledged(bench: Bench) -> None:
    bench.producer.open.set()
    batch = messages("quake", "quake", "nothing")

    await bench.batch.process(batch)

    assert bench.producer.told() == {"quake_0", "quake_1"}
    assert not any(message.acked for message in batch)


async def test_a_cancelled_batch_is_never_acknowledged(bench: Bench) -> None:
    batch = messages("quake", "quake")
    task = asyncio.create_task(bench.batch.process(batch))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert all(message.acked for message in batch), "Faust passes over what is acked already"


async def test_closing_waits_for_the_batch_in_hand_and_begins_no_other(bench: Bench) -> None:
    first, second = messages("quake", "quake"), messages("quake")
    working = asyncio.create_task(bench.batch.process(first))
    await asyncio.sleep(0)
    closing = asyncio.create_task(bench.batch.close())
    await asyncio.sleep(0)
    assert not closing.done()

    bench.producer.open.set()
    await asyncio.gather(working, closing)
    await bench.batch.process(second)

    assert len(bench.producer.sent) == 2
    assert not any(message.acked for message in first)
    assert all(message.acked for message in second)


async def test_an_error_of_ours_ends_the_service_and_acknowledges_nothing(bench: Bench) -> None:
    bench.producer.error = RuntimeError("no broker takes it")
    bench.producer.open.set()
    batch = messages("quake")

    with pytest.raises(RuntimeError):
        await bench.batch.process(batch)

    assert all(message.acked for message in batch)
    assert isinstance(bench.batch.failed.exception(), RuntimeError)


async def test_a_flood_holds_up_neither_its_batch_nor_the_next(bench: Bench, floods: None) -> None:
    first, second = messages("quake", "deluge", "quake"), messages("nothing", "quake")

    await bench.batch.process(first)
    await bench.batch.process(second)

    assert bench.producer.told() == {"quake_0", "quake_2", "quake_1"}
    assert bench.metrics.floods._value.get() == 1
    assert [message.acked for message in first] == [False, True, True], "they wait for the flood"
    assert all(message.acked for message in second)

    bench.producer.open.set()
    await bench.batch.close()

    ids = [each.subscription_id for each in bench.producer.sent if "flood" in each.subscription_id]
    assert sorted(ids) == sorted(f"flood_{number}" for number in range(12))
    assert bench.producer.most == 3
    assert bench.batch.told == 12
    assert not any(message.acked for message in (*first, *second))
    assert bench.metrics.floods._value.get() == 0


async def test_floods_in_another_partition_hold_no_offset_back(bench: Bench, floods: None) -> None:
    [flood], [other] = messages("deluge"), messages("quake")
    other.tp = "articles-1"

    await bench.batch.process([flood, other])

    assert (flood.acked, other.acked) == (True, False)
    bench.producer.open.set()
    await bench.batch.close()
    assert not flood.acked


async def test_a_flood_goes_on_by_the_matcher_it_was_found_by(
    bench: Bench, floods: None, tmp_path: Path
) -> None:
    await bench.batch.process(messages("deluge"))
    fresh = Matcher(CATALOGUE, RecordFile(tmp_path / "fresh"))
    fresh.put_all([subscription("quake", id=f"fresh_{number}") for number in range(12)])
    bench.batch._matcher = lambda: fresh

    bench.producer.open.set()
    await bench.batch.process(messages("quake"))
    await bench.batch.close()

    told = {(each.article.title, each.subscription_id) for each in bench.producer.sent}
    assert told == {
        *(("deluge", f"flood_{number}") for number in range(12)),
        *(("quake", f"fresh_{number}") for number in range(12)),
    }


async def test_with_too_many_floods_the_batch_waits(
    bench: Bench, floods: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "FLOODS_AT_ONCE", 2)
    working = asyncio.create_task(bench.batch.process(messages("deluge", "deluge", "deluge")))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not working.done()
    assert bench.metrics.floods._value.get() == 2

    bench.producer.open.set()
    await working
    await bench.batch.close()

    assert len(bench.producer.sent) == 36


async def test_an_error_in_a_flood_ends_the_service_and_acknowledges_nothing(
    bench: Bench, floods: None
) -> None:
    bench.producer.error = RuntimeError("no broker takes it")
    bench.producer.open.set()
    batch = messages("deluge", "nothing")

    await bench.batch.process(batch)
    await soon(bench.batch.failed.done)

    assert isinstance(bench.batch.failed.exception(), RuntimeError)
    assert all(message.acked for message in batch)


async def test_closing_in_a_hurry_ends_floods_without_acknowledging(
    bench: Bench, floods: None
) -> None:
    batch = messages("deluge")
    await bench.batch.process(batch)
    closing = asyncio.create_task(bench.batch.close())
    await asyncio.sleep(0)
    closing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await closing

    assert batch[0].acked
    assert not bench.batch.failed.done()
    assert bench.metrics.floods._value.get() == 0


async def test_one_subscription_that_cannot_be_told_of_does_not_hinder_the_others(
    bench: Bench, floods: None
) -> None:
    bench.producer.open.set()
    for key in ("sub_2", "sub_3"):
        bench.matcher.put(subscription("quake", id=key))
    slots = bench.matcher.index.ids.numbers(["sub_2", "flood_5"]).tolist()
    bench.matcher.records.put(slots, [b"no subscription"] * 2)
    batch = messages("quake", "deluge")

    await bench.batch.process(batch)
    await bench.batch.close()

    told = {each.subscription_id for each in bench.producer.sent}
    others = {f"flood_{number}" for number in range(12)} - {"flood_5"}
    assert told == {"sub_1", "sub_3"} | others
    assert [reason for reason, _ in bench.producer.buried] == [DeadReason.MATCH_FAILED] * 2
    assert not any(message.acked for message in batch)


async def test_an_alert_too_large_for_kafka_does_not_hinder_the_others(bench: Bench) -> None:
    bench.producer.open.set()
    bench.matcher.put(subscription("quake", id="sub_2"))
    bench.producer.no = "sub_2"
    batch = messages("quake")

    await bench.batch.process(batch)

    assert [each.subscription_id for each in bench.producer.sent] == ["sub_1"]
    assert not batch[0].acked
    assert not bench.batch.failed.done()


async def test_a_disk_that_cannot_be_read_is_no_fault_of_the_article(bench: Bench) -> None:
    bench.matcher.records.path.write_bytes(b"")
    batch = messages("quake")

    with pytest.raises(OSError, match="shorter"):
        await bench.batch.process(batch)

    assert bench.producer.buried == []
    assert batch[0].acked
    assert isinstance(bench.batch.failed.exception(), OSError)
