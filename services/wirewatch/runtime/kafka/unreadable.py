"""What is done with bytes in a topic that are no record of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from wirewatch.runtime.kafka.producer import Producer
from wirewatch.runtime.logs import get_logger
from wirewatch.topics.codec import DecodeError
from wirewatch.topics.dead_letters import DeadReason

log = get_logger("kafka")

OnUnreadable = Callable[[Any, DecodeError], Awaitable[None]]


def bury_unreadable(producer: Producer, count: Callable[[str], None]) -> OnUnreadable:
    """Return a handler that logs an unreadable record once, counts it and buries it.

    `count` gets the topic's name without prefix: a label of a metric. Where it
    is used for a projection, the same record may be met again after a restart:
    its dead letter has the same id.
    """

    async def handle(message: Any, error: DecodeError) -> None:
        log.warning(
            "unreadable record",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            error=str(error),
        )
        count(producer.bare_name(message.topic))
        await producer.bury(
            message.value or b"",
            reason=DeadReason.UNREADABLE,
            detail=str(error),
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            key=(message.key or b"").decode("utf-8", "replace"),
        )

    return handle
