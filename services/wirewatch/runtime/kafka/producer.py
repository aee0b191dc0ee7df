"""Sending records: a caller gets on once every in-sync replica has them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from wirewatch.runtime.clock import Clock, utc_now
from wirewatch.runtime.kafka.batches import (
    MAX_BATCH_BYTES,
    TOO_LARGE,
    Batches,
    Message,
    groups_of,
    message_of,
)
from wirewatch.runtime.kafka.connecting import start_with_patience
from wirewatch.runtime.kafka.received import Position
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics.dead_letters import DEAD_LETTERS, DeadReason, bury
from wirewatch.topics.spec import MAX_MESSAGE_BYTES, Record, Topic

R = TypeVar("R", bound=Record)

LINGER_MS = 5
SEND_RETRY_S = 1.0
CLOSE_LIMIT_S = 5.0
"""How long connecting anew, or sending what is left before a stop, may take."""

log = get_logger("kafka")


@dataclass(frozen=True, slots=True)
class _Link:
    """A client with the batches that are sent by it."""

    client: Any
    batches: Batches

    async def send(self, name: str, messages: list[Message]) -> list[Any]:
        """Return for each message its position as the broker tells it, or what went wrong."""
        results: list[Any] = [None] * len(messages)
        try:
            partitions = len(await self.client.partitions_for(name))
            groups = groups_of(messages, partitions)
        except (KafkaError, AssertionError) as error:
            return [error] * len(messages)
        sent = [
            self.batches.send(name, partition, [messages[number] for number in numbers])
            for partition, numbers in groups
        ]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        for (partition, numbers), answer in zip(groups, answers, strict=True):
            for place, number in enumerate(numbers):
                if isinstance(answer, BaseException):
                    results[number] = answer
                else:
                    results[number] = Position(partition, answer + place)
        return results

    async def close(self) -> None:
        """Send what waits and disconnect; with Kafka away what is left is not waited for.

        Whoever sent that is told so only when this client can write it no more: it will be
        sent again by another one, and an older record must not come after a newer.
        """
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await self.batches.flush()
                await self.client.stop()
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError
            log.debug("a client did not stop in time", error=repr(error))
            await self._end()
        finally:
            await self.batches.close()

    async def _end(self) -> None:
        """Disconnect at once: `stop` would wait for what cannot be sent, or was broken off."""
        sender = self.client._sender  # noqa: SLF001 - no public way
        sending = None if sender is None else sender.sender_task
        if sending is not None:
            sending.cancel()
        await self.client.client.close()
        if sending is not None:
            await asyncio.wait([sending], timeout=CLOSE_LIMIT_S)


class Producer:
    """Sends records and returns when they are safe (idempotent, acks=all)."""

    def __init__(
        self,
        settings: Settings,
        service: str,
        clock: Clock = utc_now,
        *,
        linger_ms: int = LINGER_MS,
    ) -> None:
        """`linger_ms` is how long a record may wait for others to be sent with."""
        self._settings = settings
        self._service = service
        self._clock = clock
        self._linger_ms = linger_ms
        self._link: _Link | None = None
        self._renewing = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises BrokerProblem when Kafka does not answer in time."""

        async def connect() -> None:
            link = self._make()
            try:
                await link.client.start()
            except BaseException:
                await link.client.stop()
                raise
            self._link = link

        await start_with_patience(connect, self._settings)

    def _make(self) -> _Link:
        client = AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap,
            client_id=f"{self._service}-{self._settings.instance}",
            enable_idempotence=True,
            acks="all",
            compression_type="zstd",
            max_request_size=MAX_MESSAGE_BYTES,
            max_batch_size=MAX_BATCH_BYTES,
        )
        return _Link(client, Batches(client, self._linger_ms / 1000))

    async def stop(self) -> None:
        """Send what is buffered and disconnect."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    def bare_name(self, full_name: str) -> str:
        """Return a topic's name without the prefix of this installation."""
        return full_name.removeprefix(self._settings.topic_prefix)

    async def send(self, topic: Topic[R], record: R) -> Position:
        """Send `record` and return its position once every in-sync replica has it.

        While Kafka is away this waits and tries again, so a caller that commits
        afterwards loses nothing. Raises KafkaError only for a record that no
        broker will take (too large).
        """
        return (await self.send_all(topic, (record,)))[0]

    async def send_all(self, topic: Topic[R], records: Iterable[R]) -> list[Position]:
        """Send `records` together; return their positions in order. Else as `send`.

        Those of one partition that fit into MAX_BATCH_BYTES are written in one
        go: all of them or none.
        """
        return await self._send(topic, [message_of(topic, record) for record in records])

    async def delete(self, topic: Topic[R], key: str, place: str | None = None) -> Position:
        """Send a tombstone for `key`; `place` where the topic is placed by another value."""
        return (await self._send(topic, [Message(key.encode(), place or key, None)]))[0]

    async def bury(
        self,
        payload: bytes,
        *,
        reason: DeadReason,
        detail: str,
        topic: str,
        key: str,
        partition: int = -1,
        offset: int = -1,
    ) -> None:
        """Send a dead letter for `payload`, which stands at this position of `topic`."""
        letter = bury(
            payload,
            service=self._service,
            reason=reason,
            detail=detail,
            topic=topic,
            partition=partition,
            offset=offset,
            key=key,
            now=self._clock(),
        )
        await self.send(DEAD_LETTERS, letter)

    async def _send(self, topic: Topic[R], messages: list[Message]) -> list[Position]:
        name = topic.full_name(self._settings.topic_prefix)
        sent: dict[int, Position] = {}
        warned = False
        while len(sent) < len(messages):
            link = self._link
            if link is None:
                raise RuntimeError("the producer is not started")
            left = [number for number in range(len(messages)) if number not in sent]
            results = await link.send(name, [messages[number] for number in left])
            failed: BaseException | None = None
            for number, result in zip(left, results, strict=True):
                if isinstance(result, BaseException):
                    failed = _worse(failed, result)
                else:
                    sent[number] = result
            if failed is not None:
                if not warned:
                    log.warning("send failed, trying again", topic=name, error=repr(failed))
                warned = True
                await self._renew(link)
                await asyncio.sleep(SEND_RETRY_S)
        return [sent[number] for number in range(len(messages))]

    async def _renew(self, broken: _Link) -> None:
        """Replace a failed client: an idempotent one can stay stuck (aiokafka#1017).

        Only a client that has connected takes its place: one that has not waits
        for ever. While there is none to be had the broken one stays.
        """
        async with self._renewing:
            if self._link is not broken:
                return
            fresh = self._make()
            try:
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await fresh.client.start()
            except (KafkaError, OSError) as error:
                log.debug("reconnecting failed", error=repr(error))
                await fresh.close()
                return
            if self._link is not broken:  # stopped meanwhile
                await fresh.close()
                return
            self._link = fresh
            await broken.close()


def _worse(one: BaseException | None, other: BaseException) -> BaseException:
    """Return the error to act on. Raises what trying again cannot mend."""
    if isinstance(other, TOO_LARGE) or not isinstance(other, KafkaError | AssertionError):
        raise other
    return one or other
