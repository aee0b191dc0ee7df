"""How a feed's state goes on after a fetch. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from wirewatch.documents.feed import Pace
from wirewatch.ingest import schedule
from wirewatch.ingest.schedule import Bounds, Hints
from wirewatch.topics.feed_states import FeedState, FetchReason
from wirewatch.topics.feeds import Feed
from wirewatch.web.errors import FetchProblem
from wirewatch.web.headers import Validators

MAX_DETAIL_CHARS = 500
MOVES_NEEDED = 5
"""A feed has moved when its server has said so this many times in a row, each time leading to
the feed: one wrong redirect must not send us away for good (miniflux/v2#1387)."""
FAILURES_TO_GO_BACK = 5
"""So many failures at a feed's new address, and its old one is tried again."""
_IN_ONE_STEP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a document said of its feed; not `is_whole` if it was cut off."""

    digest: str
    is_whole: bool
    title: str
    pace: Pace
    gap_s: float | None
    has_new: bool


def first_state(feed: Feed, now: datetime) -> FeedState:
    """Return the state of a feed that was never fetched: it is due at once."""
    return FeedState(feed_id=feed.id, url=feed.url, next_fetch_at=now)


def usable(state: FeedState | None, feed: Feed, now: datetime) -> FeedState:
    """Return `state`; where a feed was changed since, it is due at once and its failures forgotten.

    So whoever resumes or edits a feed sees at once whether it works.
    """
    if state is None or state.url != feed.url:
        return first_state(feed, now)
    if state.fetched_at is not None and state.failures and feed.updated_at > state.fetched_at:
        return msgspec.structs.replace(state, next_fetch_at=min(now, state.next_fetch_at))
    return state


def address(state: FeedState) -> str:
    """Return where the feed is fetched now."""
    return state.location or state.url


def interval_of(feed: Feed, state: FeedState, now: datetime, bounds: Bounds) -> timedelta:
    """Return the time between two fetches: the feed's own, or what was learned."""
    if feed.interval_s:
        return timedelta(seconds=feed.interval_s)
    return schedule.learned_interval(state.change_gap_s, state.changed_at, now, bounds)


def after_success(
    feed: Feed,
    state: FeedState,
    now: datetime,
    bounds: Bounds,
    *,
    validators: Validators,
    fresh_for: timedelta | None,
    moved_to: str = "",
    contents: Contents | None = None,
) -> FeedState:
    """Return the state after a document, or after one that is unchanged (without `contents`).

    One that was cut off is asked for again without validators, as the server would
    say that nothing has changed. If it comes the same again, its publisher means it.
    """
    state = _moved(state, moved_to)
    if contents is not None:
        state = _with_contents(state, contents, now)
        if not contents.is_whole:
            validators, fresh_for = Validators(), None
    hints = Hints(
        ttl=timedelta(seconds=state.ttl_s),
        fresh_for=fresh_for or timedelta(0),
        skip_hours=state.skip_hours,
        skip_days=state.skip_days,
    )
    next_fetch_at = schedule.after_success(
        feed.id,
        now,
        interval_of(feed, state, now, bounds),
        hints=hints,
        bounds=bounds,
        fixed=feed.interval_s is not None,
    )
    return msgspec.structs.replace(
        state,
        etag=validators.etag,
        last_modified=validators.last_modified,
        fetched_at=now,
        next_fetch_at=next_fetch_at,
        failures=0,
        failing_since=None,
        reason=None,
        detail="",
    )


def _with_contents(state: FeedState, contents: Contents, now: datetime) -> FeedState:
    pace = contents.pace
    if state.fetched_at is None:
        state = msgspec.structs.replace(state, change_gap_s=contents.gap_s)
    if contents.has_new:
        state = after_news(state, now)
    ttl = max(pace.ttl or timedelta(0), pace.update_every or timedelta(0))
    return msgspec.structs.replace(
        state,
        title=contents.title,
        body_digest=contents.digest,
        ttl_s=int(ttl.total_seconds()),
        skip_hours=tuple(sorted(pace.skip_hours)),
        skip_days=tuple(sorted(pace.skip_days)),
    )


def after_news(state: FeedState, now: datetime) -> FeedState:
    """Return the state of a feed that has had something new: how often is learned."""
    gap_s = schedule.learned_gap(state.change_gap_s, state.changed_at, now)
    return msgspec.structs.replace(state, changed_at=now, change_gap_s=gap_s)


def _moved(state: FeedState, moved_to: str) -> FeedState:
    """Count permanent redirects; after MOVES_NEEDED the new address is the feed's."""
    if not moved_to or moved_to == address(state):
        if not state.moving_to:
            return state
        return msgspec.structs.replace(state, moving_to="", moves=0)
    moves = state.moves + 1 if state.moving_to == moved_to else 1
    if moves < MOVES_NEEDED:
        return msgspec.structs.replace(state, moving_to=moved_to, moves=moves)
    location = "" if moved_to == state.url else moved_to
    return msgspec.structs.replace(state, location=location, moving_to="", moves=0)


def after_failure(
    feed: Feed, state: FeedState, now: datetime, bounds: Bounds, problem: FetchProblem
) -> FeedState:
    """Return the state after a fetch that failed; validators stay as they were."""
    failures = state.failures + 1
    gone_back = state.location and failures >= FAILURES_TO_GO_BACK
    interval = min(interval_of(feed, state, now, bounds), _IN_ONE_STEP)
    return msgspec.structs.replace(
        state,
        location="" if gone_back else state.location,
        fetched_at=now,
        next_fetch_at=schedule.after_failure(
            feed.id,
            now,
            interval,
            failures=failures,
            retry_after=problem.retry_after,
            gone=problem.reason is FetchReason.GONE,
        ),
        failures=failures,
        failing_since=state.failing_since or now,
        reason=problem.reason,
        detail=problem.detail[:MAX_DETAIL_CHARS],
    )
