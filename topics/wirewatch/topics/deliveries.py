"""deliveries: the outbox of notify. Co-partitioned with alerts."""

from datetime import datetime
from enum import StrEnum

from wirewatch.topics.alerts import Alert
from wirewatch.topics.spec import Cleanup, Record, Topic


class DeliveryState(StrEnum):
    """Where a delivery stands. `pending` is the only state that leads to attempts."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Delivery(Record, frozen=True, kw_only=True):
    """One alert on its way to one endpoint. `id` is its `webhook-id`.

    `attempts` counts the attempts that were made. `alert` is dropped once the
    delivery has ended; the ended record stays as the memory that drops repeats
    until `notify` forgets it.
    """

    id: str
    endpoint_id: str
    alert_id: str
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None = None
    alert: Alert | None = None


DELIVERIES = Topic(
    name="deliveries",
    record=Delivery,
    key=lambda delivery: delivery.id,
    key_means="delivery id",
    placed_by=lambda delivery: delivery.endpoint_id,
    placed_by_means="endpoint id",
    cleanup=Cleanup.COMPACT,
    written_by=("notify",),
    read_by=("notify",),
)
