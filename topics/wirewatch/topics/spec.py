"""What a topic is: its name, its record, its key and how the broker keeps it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False, gc=False):
    """The base of everything that travels: frozen, validated when decoded, versioned.

    `version` grows when a change could not be read by older code. A reader
    refuses a version it does not know, so nothing is half understood. Records are trees: the
    garbage collector need not look for rings in them (`gc=False`), which held up alerts.
    """

    version: int = 1


R = TypeVar("R", bound=Record)


class Cleanup(StrEnum):
    """How the broker cleans a topic up."""

    COMPACT = "compact"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Topic(Generic[R]):
    """One topic of the flow. `name` is without the configurable prefix.

    `key` gives a record's key, `placed_by` the value that chooses its partition:
    topics placed by the same value with the same number of partitions are
    co-partitioned. `key_means`, `written_by` and `read_by` are documentation.
    """

    name: str
    record: type[R]
    key: Callable[[R], str]
    key_means: str
    cleanup: Cleanup
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    placed_by: Callable[[R], str] | None = None
    placed_by_means: str = ""
    retention: timedelta | None = None
    partitions: int | None = None
    """None: as many as the installation says (WIREWATCH_TOPIC_PARTITIONS)."""

    def place(self, record: R) -> str:
        """Return the value whose hash chooses the partition of `record`."""
        return (self.placed_by or self.key)(record)

    def full_name(self, prefix: str) -> str:
        """Return the topic's name on the broker."""
        return prefix + self.name

    def config(self) -> dict[str, str]:
        """Return the topic settings that the broker must hold (Kafka topic configs)."""
        config = {"cleanup.policy": str(self.cleanup), "max.message.bytes": str(MAX_MESSAGE_BYTES)}
        if self.retention is not None:
            config["retention.ms"] = str(int(self.retention.total_seconds() * 1000))
        return config


MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's own default limit of one message; every record is cut to fit below it."""
