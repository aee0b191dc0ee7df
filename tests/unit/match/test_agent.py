"""A batch of the agent: finished and acknowledged, or neither."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from fakes.news import AT, CATALOGUE, article, subscription
from wirewatch.match.agent import ArticleBatch
from wirewatch.match.matcher import Matcher
from wirewatch.match.metrics import MatchMetrics
from wirewatch.topics.codec import encode


@dataclass
class Message:
    """What Faust hands over, as far as the agent looks at it."""

    value: bytes
    acked: bool = False
    topic: str = "articles"
    partition: int = 0
    offset: int = 0


@dataclass
class Producer:
    """Takes alerts once `open` is set; fails if told to."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    sent: list[Any] = field(default_factory=list)

    async def send_all(self, topic: object, records: list[Any]) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.sent += records


def new_batch(producer: Producer) -> ArticleBatch:
    matcher = Matcher(CATALOGUE)
    matcher.put(subscription("quake"))

    async def never(message: object, error: Exception) -> None:
        raise AssertionError

    metrics = MatchMetrics(CollectorRegistry())
    return ArticleBatch(matcher, producer, metrics, never, lambda: AT)  # type: ignore[arg-type]


def messages() -> list[Message]:
    return [Message(encode(article("quake", id=f"art_{n}"))) for n in range(3)]


async def test_a_finished_batch_is_left_to_faust_to_acknowledge() -> None:
    producer = Producer()
    producer.open.set()
    batch = messages()

    await new_batch(producer).process(batch)

    assert len(producer.sent) == 3
    assert not any(message.acked for message in batch)


async def test_a_cancelled_batch_is_never_acknowledged() -> None:
    batch = messages()
    task = asyncio.create_task(new_batch(Producer()).process(batch))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert all(message.acked for message in batch), "Faust passes over what is acked already"


async def test_closing_waits_for_the_batch_in_hand_and_begins_no_other() -> None:
    producer = Producer()
    agent, first, second = new_batch(producer), messages(), messages()
    working = asyncio.create_task(agent.process(first))
    await asyncio.sleep(0)
    closing = asyncio.create_task(agent.close())
    await asyncio.sleep(0)
    assert not closing.done()

    producer.open.set()
    await asyncio.gather(working, closing)
    await agent.process(second)

    assert len(producer.sent) == 3
    assert not any(message.acked for message in first)
    assert all(message.acked for message in second)


async def test_an_error_of_ours_ends_the_service_and_acknowledges_nothing() -> None:
    producer = Producer(error=RuntimeError("no broker takes it"))
    producer.open.set()
    agent, batch = new_batch(producer), messages()

    with pytest.raises(RuntimeError):
        await agent.process(batch)

    assert all(message.acked for message in batch)
    assert isinstance(agent.failed.exception(), RuntimeError)
