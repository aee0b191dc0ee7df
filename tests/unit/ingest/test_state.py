"""How a feed's state goes on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from wirewatch.documents.feed import Pace
from wirewatch.ingest import health
from wirewatch.ingest import state as states
from wirewatch.ingest.health import Health
from wirewatch.ingest.schedule import Bounds
from wirewatch.ingest.state import FAILURES_TO_GO_BACK, MOVES_NEEDED, Contents
from wirewatch.topics.feed_states import FeedState, FetchReason
from wirewatch.topics.feeds import Feed
from wirewatch.web.client import Validators
from wirewatch.web.errors import FetchProblem

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FEED = Feed(id="feed_1", url="https://news.example/feed.xml", created_at=NOW, updated_at=NOW)
BOUNDS = Bounds(shortest=5 * MINUTE, longest=HOUR, longest_hint=6 * HOUR)
CONTENTS = Contents(
    digest="d", is_whole=True, title="News", pace=Pace(), gap_s=7200.0, has_new=True
)
NEW_URL = "https://new.example/feed.xml"


def read(state: FeedState, now: datetime = NOW, **changes: object) -> FeedState:
    arguments: dict[str, object] = {
        "validators": Validators('W/"1"', "yesterday"),
        "fresh_for": None,
        "contents": CONTENTS,
    }
    return states.after_success(FEED, state, now, BOUNDS, **(arguments | changes))  # type: ignore[arg-type]


def fail(state: FeedState, reason: FetchReason = FetchReason.TIMEOUT) -> FeedState:
    return states.after_failure(FEED, state, NOW, BOUNDS, FetchProblem(reason, "why"))


def first() -> FeedState:
    return states.first_state(FEED, NOW)


def test_a_new_feed_is_due_at_once() -> None:
    state = states.usable(None, FEED, NOW)

    assert state.next_fetch_at == NOW
    assert health.of(FEED, state) is Health.WAITING


def test_success_keeps_the_validators_exactly_and_learns_how_often_the_feed_changes() -> None:
    state = read(first())

    assert (state.etag, state.last_modified) == ('W/"1"', "yesterday")
    assert (state.title, state.body_digest, state.changed_at) == ("News", "d", NOW)
    assert state.change_gap_s == 7200
    assert 25 * MINUTE < state.next_fetch_at - NOW < 35 * MINUTE
    assert health.of(FEED, state) is Health.OK

    later = read(state, NOW + HOUR)
    assert later.change_gap_s == pytest.approx(0.7 * 7200 + 0.3 * 3600)


def test_a_304_changes_no_more_than_the_times_and_the_validators() -> None:
    before = read(first())
    later = NOW + HOUR
    state = read(before, later, contents=None, validators=Validators('"2"'))

    expected = msgspec.structs.replace(
        before,
        etag='"2"',
        last_modified=None,
        fetched_at=later,
        next_fetch_at=state.next_fetch_at,
    )
    assert state == expected


def test_what_a_publisher_asks_for_is_remembered_over_a_304() -> None:
    pace = Pace(ttl=2 * HOUR, skip_hours=frozenset({3}), skip_days=frozenset({6}))
    before = read(first(), contents=replace(CONTENTS, pace=pace, gap_s=None))
    state = read(before, contents=None)

    assert (state.ttl_s, state.skip_hours, state.skip_days) == (7200, (3,), (6,))
    assert state.next_fetch_at >= NOW + 2 * HOUR


def test_an_interval_of_its_own_is_kept() -> None:
    feed = msgspec.structs.replace(FEED, interval_s=60)
    state = states.after_success(
        feed, first(), NOW, BOUNDS, validators=Validators(), fresh_for=HOUR, contents=CONTENTS
    )

    assert 54 <= (state.next_fetch_at - NOW).total_seconds() <= 66


def test_failures_are_counted_explained_and_forgotten() -> None:
    before = read(first())
    state = fail(fail(before))

    assert (state.failures, state.reason, state.detail) == (2, FetchReason.TIMEOUT, "why")
    assert state.failing_since == NOW
    assert (state.etag, state.body_digest) == (before.etag, before.body_digest)
    assert health.of(FEED, state) is Health.FAILING

    mended = read(state)
    assert (mended.failures, mended.reason, mended.detail, mended.failing_since) == (
        0,
        None,
        "",
        None,
    )


def test_a_feed_that_is_gone_says_so_and_can_come_back() -> None:
    state = fail(read(first()), FetchReason.GONE)

    assert health.of(FEED, state) is Health.GONE
    assert state.next_fetch_at > NOW + timedelta(days=6)
    assert health.of(FEED, read(state)) is Health.OK


def test_a_failing_feed_that_somebody_edits_is_tried_at_once() -> None:
    state = fail(read(first()), FetchReason.GONE)
    edited = msgspec.structs.replace(FEED, updated_at=NOW + MINUTE)

    assert states.usable(state, FEED, NOW + HOUR) == state
    assert states.usable(state, edited, NOW + HOUR).next_fetch_at == NOW + HOUR


def test_a_permanent_redirect_is_believed_after_repeated_success() -> None:
    state = first()
    for _ in range(MOVES_NEEDED - 1):
        state = read(state, moved_to=NEW_URL)
        assert states.address(state) == FEED.url
    state = read(state, moved_to=NEW_URL)

    assert states.address(state) == NEW_URL
    assert states.address(read(state)) == NEW_URL


def test_redirects_that_change_or_stop_are_counted_anew() -> None:
    state = first()
    for _ in range(MOVES_NEEDED - 1):
        state = read(state, moved_to=NEW_URL)
    state = read(state)
    assert state.moves == 0
    for number in range(2 * MOVES_NEEDED):
        state = read(state, moved_to=f"https://new{number % 2}.example/")

    assert states.address(state) == FEED.url


def test_a_feed_that_fails_at_its_new_address_goes_back() -> None:
    state = first()
    for _ in range(MOVES_NEEDED):
        state = read(state, moved_to=NEW_URL)
    for _ in range(FAILURES_TO_GO_BACK):
        assert states.address(state) == NEW_URL
        state = fail(state)

    assert states.address(state) == FEED.url


def test_words_of_a_server_are_cut() -> None:
    problem = FetchProblem(FetchReason.BROKEN, "x" * 10_000)

    assert len(states.after_failure(FEED, first(), NOW, BOUNDS, problem).detail) == 500


def test_a_paused_feed_is_paused_whatever_its_state() -> None:
    assert health.of(msgspec.structs.replace(FEED, paused=True), first()) is Health.PAUSED
