"""Group commit, with a client that shows which batches it is given."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed

from wirewatch.runtime.kafka import producer as producer_module
from wirewatch.runtime.kafka.batches import (
    MAX_BATCH_BYTES,
    Batches,
    Message,
    groups_of,
    partition_of,
)

PLACE = ("articles", 0)


class Batch:
    def __init__(self) -> None:
        self.keys: list[str] = []

    def append(self, *, timestamp: None, key: bytes, value: bytes | None) -> object:
        self.keys.append(key.decode())
        return object()

    def close(self) -> None:
        pass


class Client:
    """Keeps each batch until the test answers for it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.answers: list[asyncio.Future[Any]] = []

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, name: str, *, partition: int) -> asyncio.Future[Any]:
        self.batches.append(batch.keys)
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    def answer(self, number: int, offset: int) -> None:
        self.answers[number].set_result(type("Sent", (), {"offset": offset}))


def group(*keys: str, size: int = 10) -> list[Message]:
    return [Message(key.encode(), key, b"x" * size) for key in keys]


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_is_sent_while_a_batch_is_under_way_goes_together_with_the_next():
    client = Client()
    batches = Batches(client, 0)
    one = batches.send(*PLACE, group("a", "b"))
    two = batches.send(*PLACE, group("c"))
    await turns()
    assert client.batches == [["a", "b", "c"]]
    three = batches.send(*PLACE, group("d"))
    four = batches.send(*PLACE, group("e", "f"))
    await turns()
    assert len(client.batches) == 1
    client.answer(0, 100)
    await turns()
    assert client.batches[1:] == [["d", "e", "f"]]
    client.answer(1, 103)
    assert await asyncio.gather(one, two, three, four) == [100, 102, 103, 104]


async def test_partitions_do_not_wait_for_one_another():
    client = Client()
    batches = Batches(client, 0)
    batches.send("articles", 0, group("a"))
    await turns()
    batches.send("articles", 1, group("b"))
    await turns()
    assert client.batches == [["a"], ["b"]]


async def test_a_group_is_never_torn_apart():
    client = Client()
    batches = Batches(client, 0)
    batches.send(*PLACE, group("a", size=MAX_BATCH_BYTES // 2))
    batches.send(*PLACE, group("b", "c", size=MAX_BATCH_BYTES // 3))
    await turns()
    assert client.batches == [["a"]]
    client.answer(0, 0)
    await turns()
    assert client.batches[1:] == [["b", "c"]]


async def test_records_wait_for_others_as_long_as_they_may():
    client = Client()
    batches = Batches(client, 0.001)
    batches.send(*PLACE, group("a"))
    await turns()
    batches.send(*PLACE, group("b"))
    await asyncio.sleep(0.01)
    assert client.batches == [["a", "b"]]


async def test_a_failure_is_told_to_all_that_went_together_and_to_no_other():
    client = Client()
    batches = Batches(client, 0)
    one, two = batches.send(*PLACE, group("a")), batches.send(*PLACE, group("b"))
    await turns()
    three = batches.send(*PLACE, group("c"))
    client.answers[0].set_exception(KafkaError("away"))
    await turns()
    client.answer(1, 7)
    for failed in (one, two):
        with pytest.raises(KafkaError, match="away"):
            await failed
    assert await three == 7


async def test_one_that_is_too_large_does_not_take_the_others_with_it():
    client = Client()
    batches = Batches(client, 0)
    one, two = batches.send(*PLACE, group("a")), batches.send(*PLACE, group("b"))
    await turns()
    client.answers[0].set_exception(MessageSizeTooLargeError())
    await turns()
    client.answers[1].set_exception(MessageSizeTooLargeError())
    await turns()
    client.answer(2, 5)
    with pytest.raises(MessageSizeTooLargeError):
        await one
    assert await two == 5
    assert client.batches == [["a", "b"], ["a"], ["b"]]


async def test_after_close_everything_has_failed():
    client = Client()
    batches = Batches(client, 0)
    one = batches.send(*PLACE, group("a"))
    await turns()
    two = batches.send(*PLACE, group("b"))
    await batches.close()
    for failed in (one, two, batches.send(*PLACE, group("c"))):
        with pytest.raises(ProducerClosed):
            await failed


async def test_flush_waits_for_what_waits_and_a_sender_may_be_cancelled():
    client = Client()
    batches = Batches(client, 0)
    one = batches.send(*PLACE, group("a"))
    await turns()
    batches.send(*PLACE, group("b"))
    one.cancel()
    flushed = asyncio.create_task(batches.flush())
    client.answer(0, 0)
    await turns()
    assert not flushed.done()
    client.answer(1, 1)
    await flushed


def test_messages_are_grouped_by_partition_and_by_what_fits_into_a_batch():
    messages = group(*"abcdef", size=MAX_BATCH_BYTES // 3)
    groups = groups_of(messages, 2)
    assert sorted(n for _, numbers in groups for n in numbers) == list(range(6))
    for partition, numbers in groups:
        assert {partition_of(messages[n].place, 2) for n in numbers} == {partition}
        assert sum(messages[n].size() for n in numbers) <= MAX_BATCH_BYTES


async def test_what_was_not_even_begun_has_failed_after_close():
    batches = Batches(Client(), 0)
    offset = batches.send(*PLACE, group("a"))
    batches._hand_over()
    await batches.close()
    with pytest.raises(ProducerClosed):
        await offset


async def test_a_client_that_does_not_stop_in_time_is_ended_before_its_senders_hear_of_it(
    monkeypatch,
):
    monkeypatch.setattr(producer_module, "CLOSE_LIMIT_S", 0.05)
    ended: list[str] = []

    class Stuck(Client):
        def __init__(self) -> None:
            super().__init__()
            self._sender = SimpleNamespace(sender_task=asyncio.create_task(asyncio.sleep(3_600)))
            self.client = SimpleNamespace(close=self._close)

        async def _close(self) -> None:
            ended.append(f"closed, told: {offset.done()}")

    client = Stuck()
    batches = Batches(client, 0)
    offset = batches.send(*PLACE, group("a"))
    await turns()
    await producer_module._Link(client, batches).close()
    assert ended == ["closed, told: False"]
    assert client._sender.sender_task.cancelled()
    with pytest.raises(ProducerClosed):
        await offset
