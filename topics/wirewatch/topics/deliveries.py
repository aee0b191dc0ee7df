"""deliveries: the outbox of notify. Co-partitioned with alerts."""

from datetime import datetime
from enum import StrEnum

from wirewatch.topics.alerts import Alert
from wirewatch.topics.digests import Digest, DigestWhy, Notice, Telling
from wirewatch.topics.spec import Cleanup, Record, Topic


class DeliveryState(StrEnum):
    """Where a delivery stands. `pending` is the only state that leads to attempts."""

    PENDING = "pending"
    HELD = "held"
    """It waits for the digest that will tell of it."""
    DELIVERED = "delivered"
    DEAD = "dead"
    DIGESTED = "digested"
    """A digest tells of it: `told_in`."""
    MUTED = "muted"
    """Its source or story was muted: nobody is told."""


WAITING = frozenset({DeliveryState.PENDING, DeliveryState.HELD})
"""States that a delivery can leave by itself."""


class Delivery(Record, frozen=True, kw_only=True):
    """One alert on its way to one endpoint. `id` is its `webhook-id`.

    A digest or a notice stands in the place of the alert where that is what is
    told; `alert_id` is empty then. `attempts` counts the attempts that were made.
    What is told is dropped once the delivery has ended; the ended record stays
    as the memory that drops repeats until `notify` forgets it.

    `due_at` is its turn: when it may next be tried, and while it is held when
    its digest is due. Where order is strict it stays what it was, and
    `not_before` says when the next attempt may be made. `resend_id` is the last
    request to send it again that was followed, and `attempts_before` how many
    attempts had been made until then: the schedule begins anew after them.
    """

    id: str
    endpoint_id: str
    alert_id: str = ""
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    due_at: datetime
    not_before: datetime | None = None
    created_at: datetime
    ended_at: datetime | None = None
    alert: Alert | None = None
    digest: Digest | None = None
    notice: Notice | None = None
    held_for: DigestWhy | None = None
    told_in: str = ""
    resend_id: str = ""
    attempts_before: int = 0

    @property
    def telling(self) -> Telling | None:
        """What is to be told; None once it has ended."""
        return self.alert or self.digest or self.notice

    @property
    def subscription_id(self) -> str:
        """The subscription it is told for, empty for a notice or once it has ended."""
        told = self.alert or self.digest
        return told.subscription_id if told else ""


DELIVERIES = Topic(
    name="deliveries",
    record=Delivery,
    key=lambda delivery: delivery.id,
    key_means="delivery id",
    placed_by=lambda delivery: delivery.endpoint_id,
    placed_by_means="endpoint id",
    cleanup=Cleanup.COMPACT,
    written_by=("notify", "api"),
    read_by=("notify", "api"),
)
