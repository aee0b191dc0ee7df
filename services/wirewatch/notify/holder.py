"""Alerts that were held back are told together when their time has come."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import accumulate

from msgspec.structs import replace

from wirewatch.notify.digest import MAX_DIGEST_BYTES, make_digest
from wirewatch.notify.metrics import Event, NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.pacing import due_under, muted_by
from wirewatch.notify.recorder import Entry, Recorder
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import MAX_BATCH_BYTES, message_of
from wirewatch.topics import DELIVERIES
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import MAX_DIGEST_ALERTS, DigestWhy
from wirewatch.topics.ids import digest_delivery_id
from wirewatch.topics.subscriptions import Pace

TURN_S = 1.0
DIGEST_OVERHEAD_BYTES = 4_096
"""What the record of a digest has beside the digest itself, amply."""


class Holder:
    """Makes digests of what is due.

    A digest and the end of what it tells of are one entry: records of one
    partition that travel together, so either all of them are there or none.
    """

    def __init__(
        self,
        outbox: Outbox,
        recorder: Recorder,
        *,
        pace_of: Callable[[str], Pace],
        metrics: NotifyMetrics,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._recorder = recorder
        self._pace_of = pace_of
        self._metrics = metrics
        self._clock = clock
        self._changed: set[str] = set()

    def pace_changed(self, subscription_id: str) -> None:
        """Note that what is held for the subscription may be due at another time now."""
        self._changed.add(subscription_id)

    def begin(self) -> None:
        """Look at all that is held again: paces may have changed while nobody followed them."""
        self._changed.update(self._outbox.held_subscriptions())

    async def run(self, is_ours: asyncio.Event) -> None:
        """Tell what is due until cancelled, as long as `is_ours` is set."""
        while True:
            await asyncio.sleep(TURN_S)
            await is_ours.wait()
            while is_ours.is_set() and self._changed:
                await self._written(self._put_off(self._changed.pop()))
            while is_ours.is_set():
                due = self._outbox.held_due(self._clock().timestamp(), MAX_DIGEST_ALERTS)
                if not due:
                    break
                await self._written([self._tell_together(due)])

    async def _written(self, groups: Sequence[tuple[Delivery, ...]]) -> None:
        """Return when all groups are in the outbox."""
        if not groups:
            return
        written = asyncio.get_running_loop().create_future()
        for group in groups[:-1]:
            self._recorder.add(Entry(deliveries=group))
        self._recorder.add(Entry(deliveries=groups[-1], done=partial(_set, written)))
        await written

    def _put_off(self, subscription_id: str) -> list[tuple[Delivery, ...]]:
        """Return what is held for the subscription and is due at another time now."""
        now, pace = self._clock(), self._pace_of(subscription_id)
        changed: list[tuple[Delivery, ...]] = []
        for held in self._outbox.held_of(subscription_id):
            why = held.held_for or DigestWhy.SCHEDULE
            due_at = due_under(pace, why, held.due_at, now=now)
            if due_at != held.due_at:
                changed.append((replace(held, due_at=due_at),))
        return changed

    def _tell_together(self, due: Sequence[Delivery]) -> tuple[Delivery, ...]:
        """Return the digest of what is due, and its members as they ended.

        No more of it than fits into one batch; the rest stays due.
        """
        held = self._with_alerts(due)
        if not held:
            return ()
        now, pace = self._clock(), self._pace_of(held[0].subscription_id)
        key, part = self._free_id(held[0])
        held = held[: _how_many_fit(held, key, now)]
        told: list[Delivery] = []
        muted: list[Delivery] = []
        for delivery in held:
            is_muted = delivery.alert is not None and muted_by(delivery.alert, pace)
            (muted if is_muted else told).append(delivery)
        self._metrics.deliveries.labels(Event.MUTED).inc(len(muted))
        self._metrics.deliveries.labels(Event.DIGESTED).inc(len(told))
        ended = tuple(_ended(each, DeliveryState.MUTED, now) for each in muted)
        if not told:
            return ended
        digest = _digest(told, key, part, now)
        members = (_ended(each, DeliveryState.DIGESTED, now, digest.id) for each in told)
        return (digest, *members, *ended)

    def _with_alerts(self, held: Sequence[Delivery]) -> list[Delivery]:
        """Return those that tell something; this program holds no others, and they are given up."""
        for delivery in held:
            if delivery.alert is None:
                self._recorder.give_up(delivery, "a held delivery without its alert")
        return [delivery for delivery in held if delivery.alert is not None]

    def _free_id(self, held: Delivery) -> tuple[str, int]:
        """Return the id of the next digest of this moment, and which part of it that is."""
        part = 1
        while True:
            key = digest_delivery_id(held.subscription_id, held.endpoint_id, held.due_at, part)
            if self._outbox.get(key) is None:
                return key, part
            part += 1


def _digest(held: Sequence[Delivery], key: str, part: int, now: datetime) -> Delivery:
    first = held[0]
    digest = make_digest(
        [delivery.alert for delivery in held if delivery.alert is not None],
        why=first.held_for or DigestWhy.SCHEDULE,
        since=min(delivery.created_at for delivery in held),
        until=now,
        part=part,
    )
    return Delivery(
        id=key, endpoint_id=first.endpoint_id, due_at=now, created_at=now, digest=digest
    )


def _how_many_fit(held: Sequence[Delivery], key: str, now: datetime) -> int:
    """Return how many of `held`, once told in `key`, surely fit into a batch with their digest."""
    ended = (_ended(each, DeliveryState.DIGESTED, now, key) for each in held)
    ends = accumulate(message_of(DELIVERIES, each).size() for each in ended)
    room = MAX_BATCH_BYTES - MAX_DIGEST_BYTES - DIGEST_OVERHEAD_BYTES
    return max(1, sum(end <= room for end in ends))


def _ended(held: Delivery, state: DeliveryState, at: datetime, told_in: str = "") -> Delivery:
    return replace(held, state=state, told_in=told_in, ended_at=at, alert=None, held_for=None)


def _set(written: asyncio.Future[None]) -> None:
    if not written.done():
        written.set_result(None)
