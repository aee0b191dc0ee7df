"""dead-letters: what was given up, why, and where it came from."""

from datetime import datetime, timedelta
from enum import StrEnum

from wirewatch.topics.ids import dead_letter_id
from wirewatch.topics.spec import Cleanup, Record, Topic

MAX_PAYLOAD_BYTES = 262_144
"""A larger payload is cut; base64 and the other fields still fit into one message."""


class DeadReason(StrEnum):
    """Why something was given up: a closed list, also the label of the metric."""

    UNREADABLE = "unreadable"
    """The bytes are not the record that the topic holds."""
    MATCH_FAILED = "match_failed"
    """Matching this article failed again and again."""
    EXHAUSTED = "exhausted"
    """Every attempt of the schedule failed."""
    REJECTED = "rejected"
    """The receiver said that it never wants it (410), or the address is forbidden."""
    DISABLED = "disabled"
    """Its endpoint is disabled."""
    NO_ENDPOINT = "no_endpoint"


class DeadLetter(Record, frozen=True, kw_only=True):
    """A record that was given up. `payload` is its bytes as they stood in `topic`.

    `partition` and `offset` say where it stands (offset -1: a record made by
    this service itself, such as a delivery). `topic` is the full name.
    """

    id: str
    service: str
    reason: DeadReason
    detail: str = ""
    topic: str
    partition: int
    offset: int
    key: str = ""
    payload: bytes = b""
    payload_is_cut: bool = False
    died_at: datetime


def bury(
    payload: bytes,
    *,
    service: str,
    reason: DeadReason,
    detail: str,
    topic: str,
    partition: int,
    offset: int,
    key: str,
    now: datetime,
) -> DeadLetter:
    """Return the dead letter for `payload`; the same position and reason give the same id."""
    return DeadLetter(
        id=dead_letter_id(topic, partition, offset, reason if offset >= 0 else f"{reason} {key}"),
        service=service,
        reason=reason,
        detail=detail[:2000],
        topic=topic,
        partition=partition,
        offset=offset,
        key=key,
        payload=payload[:MAX_PAYLOAD_BYTES],
        payload_is_cut=len(payload) > MAX_PAYLOAD_BYTES,
        died_at=now,
    )


DEAD_LETTERS = Topic(
    name="dead-letters",
    record=DeadLetter,
    key=lambda letter: letter.id,
    key_means="dead letter id",
    cleanup=Cleanup.DELETE,
    retention=timedelta(days=90),
    written_by=("ingest", "match", "notify", "api"),
    read_by=("api",),
)
