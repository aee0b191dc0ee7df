"""Alerts become deliveries: each one once, however often its alert comes."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from wirewatch.notify.lanes import TICK
from wirewatch.notify.ledger import Ledger
from wirewatch.notify.metrics import Event, NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.paces import AT_ONCE
from wirewatch.notify.pacing import Hold, Mute, Window, decide, next_window
from wirewatch.notify.put_off import PutOff
from wirewatch.notify.recorder import Entry, Recorder
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.logs import get_logger
from wirewatch.topics.alerts import Alert
from wirewatch.topics.deliveries import WAITING, Delivery, DeliveryState
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.subscriptions import Pace

AT_A_TIME = 100
"""Alerts taken in before others have a turn: some milliseconds."""
CROWD = 16
"""Alerts of one article that are taken in as they come."""
WINDOWS_KEPT = 100_000
"""Hours of subscriptions that limit what they are told in one; the oldest are forgotten, and
after a restart all of which nothing is held."""
WARNED_KEPT = 1_000

log = get_logger("notify")


class Ways(Protocol):
    """Where deliveries go on (`notify.dispatcher.Dispatcher`)."""

    def accept(
        self, delivery: Delivery, receipt: tuple[int, int], *, is_late: bool = False
    ) -> None:
        """Take in the delivery of an alert that stands at `receipt` of its topic."""

    def waiting(self, article_id: str) -> int:
        """Return how many alerts of the article wait for their first attempt."""

    def may_pass(self, endpoint_id: str) -> bool:
        """Say whether others' alerts may go before one for this endpoint."""

    def is_in_hand(self, endpoint_id: str, delivery_id: str) -> bool:
        """Say whether an attempt at the delivery is under way, or it waits in memory alone."""

    async def room(self) -> None:
        """Return when more alerts may be taken in."""


class Intake:
    """Takes alerts in. The ledger says which of their offsets may be committed.

    Of an article with very many alerts some are taken in at once and all others `put_off`:
    others' alerts stand behind them. Where order is strict none is.
    """

    def __init__(
        self,
        outbox: Outbox,
        recorder: Recorder,
        ledger: Ledger,
        ways: Ways,
        put_off: PutOff,
        *,
        pace_of: Callable[[str], Pace],
        metrics: NotifyMetrics,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._recorder = recorder
        self._ledger = ledger
        self._ways = ways
        self._put_off = put_off
        self._pace_of = pace_of
        self._metrics = metrics
        self._clock = clock
        self._windows: OrderedDict[tuple[str, str], Window] = OrderedDict()
        self._warned: set[str] = set()
        self._later: list[Received[Alert]] = []
        """Requests to send again what is under way just now."""
        self._writing: dict[str, str] = {}
        """Deliveries on their way into the outbox, with the resend that was followed."""
        self._forgetting: set[str] = set()
        """Deliveries whose tombstones are on their way."""
        self._last = datetime.min.replace(tzinfo=clock().tzinfo)

    async def accept(self, records: Sequence[Received[Alert]]) -> None:
        """Make deliveries of what is new. An alert whose delivery is known is dropped."""
        for record in records:
            self._ledger.take(record.position.partition, record.position.offset)
        records, self._later = [*self._later, *self._without_crowds(records)], []
        await self._take_all(records, is_late=False)

    async def accept_late(self, records: Sequence[Received[Alert]]) -> None:
        """Make deliveries of alerts that were put off."""
        await self._take_all(records, is_late=True)

    async def _take_all(self, records: Sequence[Received[Alert]], *, is_late: bool) -> None:
        self._metrics.put_off.set(len(self._put_off))
        await asyncio.sleep(0)  # also where nothing is left of them: the next ones may be at hand
        for start in range(0, len(records), AT_A_TIME):
            await self._ways.room()
            self._take(records[start : start + AT_A_TIME], is_late=is_late)
            await asyncio.sleep(0)

    def lost(self, places: Sequence[Position]) -> None:
        """Hold up no commits for alerts that were put off and are no longer in their topic."""
        log.warning("alerts that were put off are no longer there", count=len(places))
        for at in places:
            self._ledger.done(at.partition, at.offset)

    def _without_crowds(self, records: Sequence[Received[Alert]]) -> list[Received[Alert]]:
        """Return what of `records` is taken in now; the rest is put off."""
        coming: Counter[str] = Counter()
        taken = []
        for record in records:
            alert = record.value
            if alert is None or not self._may_wait(alert, coming):
                taken.append(record)
            else:
                self._put_off.put(alert.article.id, record.position)
        return taken

    def _may_wait(self, alert: Alert, coming: Counter[str]) -> bool:
        """Say whether others' alerts go before this one; `coming` counts those of its article."""
        article = alert.article.id
        if not self._put_off.has(article):
            coming[article] += 1
            if coming[article] + self._ways.waiting(article) <= CROWD:
                return False
        may_pass = not alert.resend_id and self._ways.may_pass(alert.endpoint_id)
        return may_pass and not self._put_off.is_full()

    def forget(self) -> None:
        """Forget the requests that have to wait: the partitions were given up."""
        self._later.clear()

    @contextmanager
    def forgetting(self, key: str) -> Iterator[bool]:
        """Say whether the delivery, which has ended, may be forgotten.

        What comes to send it again meanwhile has to wait.
        """
        held = self._outbox.get(key)
        if key in self._writing or held is None or held.state in WAITING:
            yield False
            return
        self._forgetting.add(key)
        try:
            yield True
        finally:
            self._forgetting.discard(key)

    def _take(self, records: Sequence[Received[Alert]], *, is_late: bool) -> None:
        found: list[tuple[str, Received[Alert], Alert]] = []
        for record in records:
            if record.value is None:  # unreadable, and buried already
                self._ledger.done(*_receipt(record))
            else:
                alert = record.value
                found.append((delivery_id(alert.id, alert.endpoint_id), record, alert))
        known = self._outbox.known([key for key, _, _ in found])
        for key, record, alert in found:
            event = self._take_one(key, record, alert, is_known=key in known, is_late=is_late)
            if event is not None:
                self._metrics.deliveries.labels(event).inc()
            known.add(key)

    def _take_one(
        self, key: str, record: Received[Alert], alert: Alert, *, is_known: bool, is_late: bool
    ) -> Event | None:
        """Take in an alert; return what it counts as, None if it has to wait."""
        is_in_hand = self._ways.is_in_hand(alert.endpoint_id, key)
        if alert.resend_id and (is_in_hand or key in self._forgetting):
            # What the attempt comes to, or the tombstone, would be written over it.
            self._later.append(record)
            return None
        if self._writing.get(key) == alert.resend_id:
            # The first of them holds the offset, but not where the partition was given up
            # and came back meanwhile.
            self._recorder.add(Entry(done=partial(self._ledger.done, *_receipt(record))))
            return Event.REPEATED
        if alert.resend_id and not self._is_followed(key, alert):
            self._send_again(key, alert, _receipt(record))
            return Event.RESENT
        if alert.resend_id or is_known or is_in_hand or key in self._writing:
            self._ledger.done(*_receipt(record))
            return Event.REPEATED
        self._take_new(key, alert, _receipt(record), is_late=is_late)
        return Event.ACCEPTED

    def _is_followed(self, key: str, alert: Alert) -> bool:
        held = self._outbox.get(key)
        return held is not None and held.resend_id == alert.resend_id

    def _next_moment(self) -> datetime:
        """Return now, but later than the last time."""
        self._last = max(self._clock(), self._last + TICK)
        return self._last

    def _take_new(self, key: str, alert: Alert, receipt: tuple[int, int], *, is_late: bool) -> None:
        now = self._next_moment()
        delivery = Delivery(
            id=key,
            endpoint_id=alert.endpoint_id,
            alert_id=alert.id,
            due_at=now,
            created_at=now,
            alert=alert,
        )
        pace = self._pace_of(alert.subscription_id)
        if pace is AT_ONCE:
            self._ways.accept(delivery, receipt, is_late=is_late)
        else:
            self._take_paced(delivery, alert, pace, receipt, is_late=is_late)

    def _take_paced(
        self,
        delivery: Delivery,
        alert: Alert,
        pace: Pace,
        receipt: tuple[int, int],
        *,
        is_late: bool,
    ) -> None:
        now = delivery.created_at
        window_key = (alert.subscription_id, alert.endpoint_id)
        decision = decide(alert, pace, self._windows.get(window_key), now=now)
        if isinstance(decision, Mute):
            self._metrics.deliveries.labels(Event.MUTED).inc()
            ended = replace(delivery, state=DeliveryState.MUTED, ended_at=now, alert=None)
            self._write(ended, receipt)
        elif isinstance(decision, Hold):
            self._warn(decision.detail)
            self._metrics.deliveries.labels(Event.HELD).inc()
            held = replace(
                delivery, state=DeliveryState.HELD, due_at=decision.until, held_for=decision.why
            )
            self._write(held, receipt)
        else:
            if pace.most_per_hour is not None:
                self._count(window_key, now)
            self._ways.accept(delivery, receipt, is_late=is_late)

    def _warn(self, detail: str) -> None:
        """Say once what is wrong with a pace: a time zone that this machine does not know."""
        if detail and detail not in self._warned and len(self._warned) < WARNED_KEPT:
            self._warned.add(detail)
            log.warning("a pace cannot be kept as it is", detail=detail)

    def _count(self, key: tuple[str, str], now: datetime) -> None:
        self._windows[key] = next_window(self._windows.pop(key, None), now)
        if len(self._windows) > WINDOWS_KEPT:
            self._windows.popitem(last=False)

    def _send_again(self, key: str, alert: Alert, receipt: tuple[int, int]) -> None:
        """Make the delivery pending once more, its attempts numbered on."""
        held = self._outbox.get(key)
        now = self._next_moment()
        attempts = held.attempts if held else 0
        again = Delivery(
            id=key,
            endpoint_id=alert.endpoint_id,
            alert_id=alert.id,
            attempts=attempts,
            attempts_before=attempts,
            due_at=now,
            created_at=now,
            alert=alert,
            resend_id=alert.resend_id,
        )
        self._write(again, receipt)

    def _write(self, delivery: Delivery, receipt: tuple[int, int]) -> None:
        self._writing[delivery.id] = delivery.resend_id

        def done() -> None:
            if self._writing.get(delivery.id) == delivery.resend_id:
                del self._writing[delivery.id]
            self._ledger.done(*receipt)

        self._recorder.add(Entry(deliveries=(delivery,), done=done))


def _receipt(record: Received[Alert]) -> tuple[int, int]:
    return record.position.partition, record.position.offset
