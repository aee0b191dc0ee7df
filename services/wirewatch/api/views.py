"""What the API shows: records as they are told to a client. Pure.

The views are the contract of the REST API; the command line reads them with
the same types. Those of endpoints are in `endpoint_views`.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from wirewatch.api.health import HealthView, feed_health
from wirewatch.topics.alerts import Alert, ArticleDigest, NamedEntity, Proof
from wirewatch.topics.attempts import Attempt, AttemptReason, Outcome
from wirewatch.topics.dead_letters import DeadLetter, DeadReason
from wirewatch.topics.endpoints import ENDPOINTS
from wirewatch.topics.feed_states import FeedState
from wirewatch.topics.feeds import Feed
from wirewatch.topics.subscriptions import Pace, Subscription

V = TypeVar("V")

_ENDPOINT_ID = re.compile(rb'"endpoint_id":"([^"]*)"')

MAX_PAYLOAD_HEAD_BYTES = 2_048
"""As much of a dead letter's payload is kept at hand and shown."""


class Page(msgspec.Struct, Generic[V], frozen=True):
    """Part of a list. `next` is the value of `after` that leads on, null at the end."""

    items: tuple[V, ...]
    next: str | None = None


class FeedView(msgspec.Struct, frozen=True, kw_only=True):
    """A feed. `title` is the one it was given, or else the one it gives itself.

    `moved_to` is where it is fetched now, since its server said for good that it moved.
    """

    id: str
    url: str
    title: str
    language: str | None
    tags: tuple[str, ...]
    interval_s: int | None
    paused: bool
    full_text: bool
    country: str | None
    moved_to: str | None
    health: HealthView
    created_at: datetime
    updated_at: datetime


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """A standing query, who is told and when. A snooze that is over is shown as none."""

    id: str
    name: str
    query: str
    endpoint_ids: tuple[str, ...]
    tags: tuple[str, ...]
    paused: bool
    language: str
    pace: Pace = Pace()
    created_at: datetime
    updated_at: datetime


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """An alert and the endpoints that are told."""

    id: str
    subscription_id: str
    subscription_name: str
    query: str
    tags: tuple[str, ...]
    article: ArticleDigest
    proofs: tuple[Proof, ...]
    entities: tuple[NamedEntity, ...]
    found_at: datetime
    endpoint_ids: tuple[str, ...]


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was made to deliver an alert."""

    delivery_id: str
    alert_id: str
    subscription_id: str
    endpoint_id: str
    number: int
    outcome: Outcome
    reason: AttemptReason | None
    detail: str
    status: int | None
    response_head: str
    started_at: datetime
    duration_ms: int
    next_attempt_at: datetime | None


class DeadLetterView(msgspec.Struct, frozen=True, kw_only=True):
    """What was given up. `payload_head` is the start of it, empty where it could hold a secret."""

    id: str
    service: str
    reason: DeadReason
    detail: str
    topic: str
    partition: int
    offset: int
    key: str
    payload_head: str
    died_at: datetime


def feed_view(feed: Feed, state: FeedState | None, now: datetime) -> FeedView:
    """Return what is shown of `feed`."""
    return FeedView(
        id=feed.id,
        url=feed.url,
        title=feed.title or (state.title if state else ""),
        language=feed.language,
        tags=feed.tags,
        interval_s=feed.interval_s,
        paused=feed.paused,
        full_text=feed.full_text,
        country=feed.country,
        moved_to=(state.location or None) if state else None,
        health=feed_health(feed, state, now),
        created_at=feed.created_at,
        updated_at=feed.updated_at,
    )


def subscription_view(subscription: Subscription, now: datetime) -> SubscriptionView:
    """Return what is shown of `subscription`."""
    view = msgspec.convert(subscription, SubscriptionView, from_attributes=True)
    return msgspec.structs.replace(view, pace=pace_at(view.pace, now))


def pace_at(pace: Pace, now: datetime) -> Pace:
    """Return `pace` without a snooze that is over."""
    if pace.snoozed_until is None or pace.snoozed_until > now:
        return pace
    return msgspec.structs.replace(pace, snoozed_until=None)


def alert_views(alerts: Iterable[Alert]) -> list[AlertView]:
    """Return the alerts, newest first, each once: a record stands for one endpoint of it."""
    together: dict[str, list[Alert]] = {}
    for alert in alerts:
        together.setdefault(alert.id, []).append(alert)
    views = [_alert_view(records) for records in together.values()]
    return sorted(views, key=lambda view: view.found_at, reverse=True)


def _alert_view(records: Sequence[Alert]) -> AlertView:
    alert = records[0]
    return AlertView(
        id=alert.id,
        subscription_id=alert.subscription_id,
        subscription_name=alert.subscription_name,
        query=alert.query,
        tags=alert.tags,
        article=alert.article,
        proofs=alert.proofs,
        entities=alert.entities,
        found_at=alert.found_at,
        endpoint_ids=tuple(sorted({record.endpoint_id for record in records})),
    )


def attempt_views(attempts: Iterable[Attempt]) -> list[AttemptView]:
    """Return the attempts, newest first."""
    views = [msgspec.convert(a, AttemptView, from_attributes=True) for a in attempts]
    return sorted(views, key=lambda view: view.started_at, reverse=True)


def dead_letter_views(letters: Iterable[DeadLetter]) -> list[DeadLetterView]:
    """Return the dead letters, newest first, each once: a repeat has the same id."""
    first: dict[str, DeadLetter] = {}
    for letter in sorted(letters, key=lambda each: each.died_at):
        first.setdefault(letter.id, letter)
    views = [_dead_letter_view(letter) for letter in first.values()]
    return sorted(views, key=lambda view: view.died_at, reverse=True)


def endpoint_in(letter: DeadLetter) -> str | None:
    """Return the endpoint that the record was for, None where it names none.

    It stands near the start, and quotes in a text are escaped: a cut payload will do.
    """
    found = _ENDPOINT_ID.search(letter.payload)
    return found[1].decode("utf-8", "replace") if found else None


def _dead_letter_view(letter: DeadLetter) -> DeadLetterView:
    may_hold_secret = letter.topic.endswith(ENDPOINTS.name)
    head = b"" if may_hold_secret else letter.payload[:MAX_PAYLOAD_HEAD_BYTES]
    return DeadLetterView(
        id=letter.id,
        service=letter.service,
        reason=letter.reason,
        detail=letter.detail,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        key=letter.key,
        payload_head=head.decode("utf-8", "replace"),
        died_at=letter.died_at,
    )
