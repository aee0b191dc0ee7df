"""How a feed does, in words that a person acts on. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

from wirewatch.api.words import ago, ahead, count
from wirewatch.topics.feed_states import FeedState, FetchReason, PushState
from wirewatch.topics.feeds import Feed

STILL_AFTER = timedelta(hours=24)
"""A feed without a new entry for so long is called unchanged, not ok."""

_WORDS = {
    FetchReason.ADDRESS: "not allowed: {detail}",
    FetchReason.CONNECT: "no connection to {host}",
    FetchReason.TIMEOUT: "no answer in time from {host}",
    FetchReason.TLS: "the certificate of {host} is not trusted",
    FetchReason.HTTP_STATUS: "refused: {detail} from {host}",
    FetchReason.GONE: "gone: {detail} from {host}",
    FetchReason.REDIRECTS: "sent in circles by {host}",
    FetchReason.TOO_LARGE: "too large",
    FetchReason.NOT_A_FEED: "not a feed",
    FetchReason.MALFORMED: "unreadable",
    FetchReason.BROKEN: "the answer of {host} broke off",
    FetchReason.TOO_COSTLY: "too costly to read",
    FetchReason.ROBOTS: "not allowed by the robots.txt of {host}",
}
_SAYS_ENOUGH = {FetchReason.ADDRESS, FetchReason.HTTP_STATUS, FetchReason.GONE}
"""Reasons whose words hold the detail already."""


class HealthState(StrEnum):
    """How a feed does."""

    OK = "ok"
    FAILING = "failing"
    GONE = "gone"
    WAITING = "waiting"
    PAUSED = "paused"


class HealthView(msgspec.Struct, frozen=True, kw_only=True):
    """How a feed does, also in words."""

    state: HealthState
    text: str
    failures: int = 0
    failing_since: datetime | None = None
    reason: FetchReason | None = None
    fetched_at: datetime | None = None
    changed_at: datetime | None = None
    next_fetch_at: datetime | None = None


def feed_health(feed: Feed, state: FeedState | None, now: datetime) -> HealthView:
    """Say how `feed` does; `state` is None before ingest has taken it up."""
    if feed.paused:
        return HealthView(
            state=HealthState.PAUSED, text="paused: it is not fetched until it is resumed"
        )
    if state is not None and state.failures:
        gone = state.reason is FetchReason.GONE
        return _view(state, HealthState.GONE if gone else HealthState.FAILING, _failing(state, now))
    if state is None or state.fetched_at is None:
        return HealthView(state=HealthState.WAITING, text="waits for its first fetch")
    return _view(state, HealthState.OK, _well(state, state.fetched_at, now))


def _view(state: FeedState, word: HealthState, text: str) -> HealthView:
    return HealthView(
        state=word,
        text=text,
        failures=state.failures,
        failing_since=state.failing_since,
        reason=state.reason,
        fetched_at=state.fetched_at,
        changed_at=state.changed_at,
        next_fetch_at=state.next_fetch_at,
    )


def _well(state: FeedState, fetched_at: datetime, now: datetime) -> str:
    """Say `ok` or `unchanged since …`, when it was and is fetched, and what is special."""
    still = state.changed_at is not None and now - state.changed_at > STILL_AFTER
    word = f"unchanged since {_minute(state.changed_at)}" if still else "ok"
    fetched = f"fetched {ago(fetched_at, now)}, again {ahead(state.next_fetch_at, now)}"
    pushed = "pushed by its hub" if state.push.state is PushState.ACTIVE else ""
    moved = f"moved to {state.location}" if state.location else ""
    return "; ".join(filter(None, (word, fetched, pushed, moved)))


def _failing(state: FeedState, now: datetime) -> str:
    """Say why, since when, and when it is tried again."""
    reason = state.reason or FetchReason.BROKEN
    detail = state.detail.rstrip(".")
    why = _WORDS[reason].format(detail=detail or "an error", host=_host(state))
    if detail and reason not in _SAYS_ENOUGH:
        why += f" ({detail})"
    tries = count(state.failures, "failed fetch", "failed fetches")
    since = f" since {_minute(state.failing_since)}" if state.failing_since else ""
    return f"{why}; {tries}{since}; retried {ahead(state.next_fetch_at, now)}"


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


def _host(state: FeedState) -> str:
    try:
        return urlsplit(state.location or state.url).hostname or "its host"
    except ValueError:
        return "its host"
