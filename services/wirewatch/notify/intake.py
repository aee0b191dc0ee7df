"""Alerts become deliveries: each one once, however often its alert comes."""

from collections.abc import Sequence
from typing import Protocol

from wirewatch.notify.metrics import Event, NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import Position
from wirewatch.topics import DELIVERIES
from wirewatch.topics.alerts import Alert
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.spec import Topic


class DeliveryLog(Protocol):
    """Takes deliveries (`runtime.kafka.Producer`)."""

    async def send_all(self, topic: Topic[Delivery], records: Sequence[Delivery]) -> list[Position]:
        """Send `records` together; return their positions once they are safe."""


class Intake:
    """Takes alerts in. Only when `accept` has returned may their offsets be committed."""

    def __init__(
        self, outbox: Outbox, log: DeliveryLog, metrics: NotifyMetrics, clock: Clock
    ) -> None:
        self._outbox = outbox
        self._log = log
        self._metrics = metrics
        self._clock = clock

    async def accept(self, alerts: Sequence[Alert], partitions: set[int]) -> int:
        """Make pending deliveries of what is new; return how many.

        They are in the topic when this returns, and those of `partitions` (the
        ones this worker owns) in the outbox. An alert whose delivery is known is dropped.
        """
        new = self._new(alerts)
        positions = await self._log.send_all(DELIVERIES, new)
        sent = zip(new, positions, strict=True)
        self._outbox.put_all([(one, at) for one, at in sent if at.partition in partitions])
        self._count(len(new), len(alerts) - len(new))
        return len(new)

    def _new(self, alerts: Sequence[Alert]) -> list[Delivery]:
        now = self._clock()
        new: dict[str, Delivery] = {}
        for alert in alerts:
            known = delivery_id(alert.id, alert.endpoint_id)
            if not self._outbox.knows(known):
                new[known] = Delivery(
                    id=known,
                    endpoint_id=alert.endpoint_id,
                    alert_id=alert.id,
                    due_at=now,
                    created_at=now,
                    alert=alert,
                )
        return list(new.values())

    def _count(self, accepted: int, repeated: int) -> None:
        self._metrics.deliveries.labels(Event.ACCEPTED).inc(accepted)
        self._metrics.deliveries.labels(Event.REPEATED).inc(repeated)
