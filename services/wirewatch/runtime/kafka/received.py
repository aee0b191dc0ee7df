"""Records as they are read."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wirewatch.topics.codec import decode
from wirewatch.topics.spec import Record, Topic

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Received(Generic[R]):
    """A record as it was read. `value` is None for a tombstone (the key was deleted).

    `raw` are its bytes, None where this process has just sent it.
    """

    position: Position
    key: str
    value: R | None
    raw: bytes | None = None


def received(topic: Topic[R], message: Any) -> Received[R]:
    """Return aiokafka's `message` as a record of `topic`. Raises DecodeError."""
    value = None if message.value is None else decode(message.value, topic.record)
    key = (message.key or b"").decode("utf-8", "replace")
    return Received(Position(message.partition, message.offset), key, value, message.value)
