"""How a feed's state goes on after a fetch. Pure."""

from datetime import datetime, timedelta

import msgspec

from wirewatch.ingest import schedule
from wirewatch.ingest.errors import FeedProblem
from wirewatch.topics.feed_states import FeedState, Seen
from wirewatch.topics.feeds import Feed

MAX_DETAIL_CHARS = 500


def first_state(feed: Feed, now: datetime) -> FeedState:
    """Return the state of a feed that was never fetched: it is due at once."""
    return FeedState(feed_id=feed.id, url=feed.url, next_fetch_at=now)


def usable(state: FeedState | None, feed: Feed, now: datetime) -> FeedState:
    """Return `state` if it is of this URL; validators and due time of another one do not count."""
    if state is None:
        return first_state(feed, now)
    if state.url != feed.url:
        return msgspec.structs.replace(first_state(feed, now), seen=state.seen, title=state.title)
    return state


def after_success(
    state: FeedState,
    now: datetime,
    interval: timedelta,
    *,
    etag: str | None,
    last_modified: str | None,
    title: str | None = None,
    seen: tuple[Seen, ...] | None = None,
    changed: bool = False,
) -> FeedState:
    """Return the state after an answer that was read whole, or a 304 (without `seen`)."""
    return msgspec.structs.replace(
        state,
        title=state.title if title is None else title,
        etag=etag,
        last_modified=last_modified,
        fetched_at=now,
        changed_at=now if changed else state.changed_at,
        next_fetch_at=schedule.after_success(state.feed_id, now, interval),
        failures=0,
        failing_since=None,
        reason=None,
        detail="",
        seen=state.seen if seen is None else seen,
    )


def after_failure(
    state: FeedState, now: datetime, interval: timedelta, problem: FeedProblem
) -> FeedState:
    """Return the state after a fetch that failed; validators stay as they were."""
    failures = state.failures + 1
    return msgspec.structs.replace(
        state,
        fetched_at=now,
        next_fetch_at=schedule.after_failure(
            state.feed_id, now, interval, failures=failures, retry_after=problem.retry_after
        ),
        failures=failures,
        failing_since=state.failing_since or now,
        reason=problem.reason,
        detail=problem.detail[:MAX_DETAIL_CHARS],
    )
