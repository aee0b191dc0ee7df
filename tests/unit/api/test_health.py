"""How a feed does, in words."""

from datetime import UTC, datetime, timedelta

import pytest

from wirewatch.api.health import _WORDS, HealthState, feed_health
from wirewatch.topics.feed_states import FeedState, FetchReason, PushLease, PushState
from wirewatch.topics.feeds import Feed

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def feed(**changes):
    fields = {"id": "f", "url": "https://news.example/feed", "created_at": NOW, "updated_at": NOW}
    return Feed(**(fields | changes))


def state(**changes):
    fields = {
        "url": "https://news.example/feed",
        "fetched_at": NOW - 3 * MINUTE,
        "next_fetch_at": NOW + 5 * MINUTE,
    }
    return FeedState(feed_id="f", **(fields | changes))


def failing(reason, detail="", **changes):
    fields = {"failures": 3, "failing_since": NOW - 90 * MINUTE}
    return state(reason=reason, detail=detail, **(fields | changes))


OK = "ok; fetched 3 minutes ago, again in 5 minutes"
TRIES = "3 failed fetches since 2026-03-01 10:30 UTC; retried in 5 minutes"


@pytest.mark.parametrize(
    ("found", "word", "text"),
    [
        (None, "waiting", "waits for its first fetch"),
        (state(fetched_at=None), "waiting", "waits for its first fetch"),
        (state(), "ok", OK),
        (
            state(changed_at=NOW - timedelta(hours=23)),
            "ok",
            OK,
        ),
        (
            state(changed_at=NOW - timedelta(days=3)),
            "ok",
            "unchanged since 2026-02-26 12:00 UTC; fetched 3 minutes ago, again in 5 minutes",
        ),
        (
            state(push=PushLease(state=PushState.ACTIVE), location="https://new.example/feed"),
            "ok",
            f"{OK}; pushed by its hub; moved to https://new.example/feed",
        ),
        (
            failing(FetchReason.HTTP_STATUS, "403 Forbidden"),
            "failing",
            f"refused: 403 Forbidden from news.example; {TRIES}",
        ),
        (
            failing(FetchReason.TIMEOUT, "no whole answer in 30 s"),
            "failing",
            f"no answer in time from news.example (no whole answer in 30 s); {TRIES}",
        ),
        (
            failing(FetchReason.GONE, "410 Gone", location="https://new.example/feed"),
            "gone",
            f"gone: 410 Gone from new.example; {TRIES}",
        ),
        (
            failing(None, failures=1, failing_since=None, url="https://["),
            "failing",
            "the answer of its host broke off; 1 failed fetch; retried in 5 minutes",
        ),
    ],
)
def test_health_is_said_in_words(found, word, text):
    health = feed_health(feed(), found, NOW)

    assert (health.state, health.text) == (HealthState(word), text)


def test_a_paused_feed_is_paused_however_it_did():
    health = feed_health(feed(paused=True), failing(FetchReason.TLS), NOW)

    assert health.state is HealthState.PAUSED
    assert health.text == "paused: it is not fetched until it is resumed"


def test_there_are_words_for_every_reason():
    assert set(_WORDS) == set(FetchReason)
