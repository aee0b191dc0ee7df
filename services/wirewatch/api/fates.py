"""What became of each delivery, told by its attempts and its records. Pure.

Attempts say how it went, the records of the outbox how it stands. Either may
be known alone: attempts are at hand for all endpoints, records are read back.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from wirewatch.topics.alerts import Alert
from wirewatch.topics.attempts import Attempt, AttemptReason, Outcome
from wirewatch.topics.deliveries import WAITING, Delivery
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.subscriptions import Subscription

MAX_FATES = 100_000
"""Deliveries held in one reading."""


class Fate(StrEnum):
    """Where a delivery stands, as far as it is known."""

    PENDING = "pending"
    """It is to be attempted, for the first time or once more."""
    HELD = "held"
    DELIVERED = "delivered"
    DEAD = "dead"
    DIGESTED = "digested"
    MUTED = "muted"
    UNTRIED = "untried"
    """Its alert was found and no attempt was made: it waits, is held back, or was muted."""


_BY_OUTCOME = {
    Outcome.DELIVERED: Fate.DELIVERED,
    Outcome.RETRY: Fate.PENDING,
    Outcome.DEAD: Fate.DEAD,
}


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery and how its last attempt went.

    `at` is when it last moved: its last attempt, or else when it came to be.
    `attempts` is the number of its last attempt; `status`, `reason`, `detail`
    and `to` are of that one. `next_attempt_at` is null where none is planned.
    Names and titles are empty where they are not known any more.
    """

    id: str
    endpoint_id: str
    endpoint_url: str
    subscription_id: str
    subscription_name: str
    alert_id: str
    title: str
    state: Fate
    at: datetime
    attempts: int
    status: int | None
    reason: AttemptReason | None
    detail: str
    to: str
    next_attempt_at: datetime | None


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Part of the list, newest first. Where `complete` is false, `note` says what is missing."""

    items: tuple[DeliveryView, ...]
    next: str | None = None
    complete: bool = True
    note: str = ""


class TriedView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a delivery, with the start of the answer."""

    number: int
    started_at: datetime
    duration_ms: int
    to: str
    outcome: Outcome
    reason: AttemptReason | None
    detail: str
    status: int | None
    request_bytes: int
    response_bytes: int
    response_head: str
    next_attempt_at: datetime | None


class DeliveryDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with its attempts, oldest first; see `DeliveryPage` for `complete`."""

    delivery: DeliveryView
    attempts: tuple[TriedView, ...]
    complete: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What things are called, for people."""

    endpoints: Mapping[str, Endpoint]
    subscriptions: Mapping[str, Subscription]
    titles: Mapping[str, str]
    """By alert id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """As much of an alert as tells where a delivery came from."""

    alert_id: str
    endpoint_id: str
    subscription_id: str
    title: str
    found_at: datetime


@dataclass(slots=True)
class Fates:
    """Deliveries as they turn up in attempts, alerts and records, in whatever order."""

    last: dict[str, Attempt] = field(default_factory=dict)
    records: dict[str, Delivery] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    _subscription_ids: dict[str, str] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """Whether no more deliveries are to be held."""
        return max(len(self.last), len(self.records), len(self.origins)) >= MAX_FATES

    def tried(self, attempts: Iterable[Attempt]) -> None:
        """Take attempts in; of each delivery the last is kept, without the answer's head."""
        for attempt in attempts:
            known = self.last.get(attempt.delivery_id)
            if known is None or attempt.number >= known.number:
                self.last[attempt.delivery_id] = replace(attempt, response_head="")

    def recorded(self, deliveries: Iterable[Delivery]) -> None:
        """Take records in, in the order they were written; what is told is not kept."""
        for delivery in deliveries:
            if delivery.subscription_id:
                self._subscription_ids[delivery.id] = delivery.subscription_id
            bare = replace(delivery, alert=None, digest=None, notice=None)
            self.records[delivery.id] = bare

    def found(self, alerts: Iterable[Alert]) -> None:
        """Take alerts in; each is a delivery, also where it was not tried."""
        for alert in alerts:
            self.origins[delivery_id(alert.id, alert.endpoint_id)] = Origin(
                alert_id=alert.id,
                endpoint_id=alert.endpoint_id,
                subscription_id=alert.subscription_id,
                title=alert.article.title,
                found_at=alert.found_at,
            )

    def views(self, names: Names) -> Iterator[DeliveryView]:
        """Say of each delivery what is known, in no order."""
        for key in self.last.keys() | self.records.keys() | self.origins.keys():
            yield self.view(key, names)

    def view(self, key: str, names: Names) -> DeliveryView:
        """Say what is known of one delivery, which has to be known."""
        attempt, record, origin = self.last.get(key), self.records.get(key), self.origins.get(key)
        source = origin or attempt or record
        if source is None:
            raise KeyError(key)
        subscription = origin or attempt
        subscription_id = (
            subscription.subscription_id if subscription else self._subscription_ids.get(key, "")
        )
        named = names.subscriptions.get(subscription_id)
        endpoint = names.endpoints.get(source.endpoint_id)
        return DeliveryView(
            id=key,
            endpoint_id=source.endpoint_id,
            endpoint_url=endpoint.url if endpoint else "",
            subscription_id=subscription_id,
            subscription_name=named.name if named else "",
            alert_id=source.alert_id,
            title=origin.title if origin else names.titles.get(source.alert_id, ""),
            state=_state(attempt, record),
            at=_at(attempt, record, origin),
            attempts=max(attempt.number if attempt else 0, record.attempts if record else 0),
            status=attempt.status if attempt else None,
            reason=attempt.reason if attempt else None,
            detail=attempt.detail if attempt else "",
            to=attempt.to if attempt else "",
            next_attempt_at=_next(attempt, record),
        )


def _state(attempt: Attempt | None, record: Delivery | None) -> Fate:
    # What is newer counts. They are written together, so one that is behind was read earlier.
    if record is not None and (attempt is None or record.attempts >= attempt.number):
        return Fate(record.state)
    return Fate.UNTRIED if attempt is None else _BY_OUTCOME[attempt.outcome]


def _at(attempt: Attempt | None, record: Delivery | None, origin: Origin | None) -> datetime:
    if attempt is not None:
        return attempt.started_at
    if record is not None:
        return record.ended_at or record.created_at
    if origin is None:
        raise KeyError("nothing is known")
    return origin.found_at


def _next(attempt: Attempt | None, record: Delivery | None) -> datetime | None:
    if record is not None and (attempt is None or record.attempts >= attempt.number):
        return (record.not_before or record.due_at) if record.state in WAITING else None
    return attempt.next_attempt_at if attempt else None


def at_hand(attempts: Collection[Attempt], alerts: Iterable[Alert], *, holds_all: bool) -> Fates:
    """Return the deliveries that what is at hand tells of.

    An alert without an attempt is one that was not tried only if its attempt
    would still be at hand: where all are (`holds_all`), or where one to the same
    endpoint is that was over before the alert was found.
    """
    fates = Fates()
    fates.tried(attempts)
    over: dict[str, datetime] = {}
    for attempt in attempts:
        ended_at = attempt.started_at + timedelta(milliseconds=attempt.duration_ms)
        over[attempt.endpoint_id] = min(over.get(attempt.endpoint_id, ended_at), ended_at)
    for alert in alerts:
        since = over.get(alert.endpoint_id)
        key = delivery_id(alert.id, alert.endpoint_id)
        is_held = since is not None and alert.found_at >= since
        if key in fates.last or holds_all or is_held:
            fates.found([alert])
    return fates
