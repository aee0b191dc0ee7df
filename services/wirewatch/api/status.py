"""How the whole does, counted. Pure: records and the time come in, numbers go out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from wirewatch.api.health import HealthState, feed_health
from wirewatch.api.views import AlertView
from wirewatch.topics.alerts import Alert, Field, Proof
from wirewatch.topics.attempts import Attempt, Outcome
from wirewatch.topics.dead_letters import DeadLetter
from wirewatch.topics.endpoint_states import EndpointState, disabled_by
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.feed_states import FeedState
from wirewatch.topics.feeds import Feed
from wirewatch.topics.subscriptions import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What is known at one moment. States are by feed or endpoint id, counts by minute."""

    feeds: Sequence[Feed] = ()
    feed_states: Mapping[str, FeedState] = field(default_factory=dict)
    subscriptions: Sequence[Subscription] = ()
    endpoints: Sequence[Endpoint] = ()
    endpoint_states: Mapping[str, EndpointState] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()
    attempts: Sequence[Attempt] = ()
    dead_letters: Sequence[DeadLetter] = ()
    articles_per_minute: tuple[int, ...] = ()
    alerts_per_minute: tuple[int, ...] = ()


class FeedCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Feeds by health."""

    ok: int
    failing: int
    gone: int
    waiting: int
    paused: int


class UseCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What is in use, and what is paused or disabled."""

    active: int
    resting: int


class MinuteCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What came in the last hour; `per_minute` has 60 counts, oldest first, this minute last."""

    last_hour: int
    per_minute: tuple[int, ...]


class DeliveryCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Recent deliveries by how their last attempt ended."""

    delivered: int
    retrying: int
    dead: int


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """How the whole does at one moment. `dead_letters` counts recent ones by reason."""

    at: datetime
    feeds: FeedCounts
    subscriptions: UseCounts
    endpoints: UseCounts
    articles: MinuteCounts
    alerts: MinuteCounts
    deliveries: DeliveryCounts
    dead_letters: dict[str, int]


def status_of(held: Holdings, now: datetime) -> StatusView:
    """Count what is held."""
    health = Counter(
        feed_health(feed, held.feed_states.get(feed.id), now).state for feed in held.feeds
    )
    reasons = {letter.id: str(letter.reason) for letter in held.dead_letters}
    return StatusView(
        at=now,
        feeds=FeedCounts(
            ok=health[HealthState.OK],
            failing=health[HealthState.FAILING],
            gone=health[HealthState.GONE],
            waiting=health[HealthState.WAITING],
            paused=health[HealthState.PAUSED],
        ),
        subscriptions=_use(s.paused for s in held.subscriptions),
        endpoints=_use(
            e.paused or disabled_by(e, held.endpoint_states.get(e.id)) is not None
            for e in held.endpoints
        ),
        articles=_minutes(held.articles_per_minute),
        alerts=_minutes(held.alerts_per_minute),
        deliveries=count_deliveries(held.attempts),
        dead_letters=dict(sorted(Counter(reasons.values()).items())),
    )


def _use(resting: Iterable[bool]) -> UseCounts:
    counts = Counter(resting)
    return UseCounts(active=counts[False], resting=counts[True])


def _minutes(counts: tuple[int, ...]) -> MinuteCounts:
    return MinuteCounts(last_hour=sum(counts), per_minute=counts)


def count_deliveries(attempts: Iterable[Attempt]) -> DeliveryCounts:
    """Count deliveries by the outcome of the last attempt that is known of each."""
    last: dict[str, Attempt] = {}
    for attempt in attempts:
        known = last.get(attempt.delivery_id)
        if known is None or attempt.number >= known.number:
            last[attempt.delivery_id] = attempt
    outcomes = Counter(attempt.outcome for attempt in last.values())
    return DeliveryCounts(
        delivered=outcomes[Outcome.DELIVERED],
        retrying=outcomes[Outcome.RETRY],
        dead=outcomes[Outcome.DEAD],
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text, marked where it proves a match."""

    text: str
    marked: bool = False


def mark(text: str, spans: Iterable[tuple[int, int]]) -> tuple[Piece, ...]:
    """Return `text` in pieces, `spans` (start, end in code points) marked.

    Spans may overlap and come in any order; what lies outside the text is left out.
    """
    pieces: list[Piece] = []
    at = 0
    for start, end in sorted(spans):
        begin, stop = max(start, at), min(end, len(text))
        if stop <= begin:
            continue
        if begin > at:
            pieces.append(Piece(text[at:begin]))
        pieces.append(Piece(text[begin:stop], marked=True))
        at = stop
    if at < len(text):
        pieces.append(Piece(text[at:]))
    return tuple(pieces)


def marked_title(alert: AlertView) -> tuple[Piece, ...]:
    """Return the article's title, marked where it proves the match."""
    proofs = (proof for proof in alert.proofs if proof.field is Field.TITLE)
    return mark(alert.article.title, ((proof.start, proof.end) for proof in proofs))


def marked_snippets(proofs: Sequence[Proof], most: int) -> tuple[tuple[Piece, ...], ...]:
    """Return the first `most` different snippets that do not come from the title, marked."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for proof in proofs:
        if proof.field is not Field.TITLE:
            spans.setdefault(proof.snippet, []).append((proof.mark_start, proof.mark_end))
    return tuple(mark(text, places) for text, places in list(spans.items())[:most])
