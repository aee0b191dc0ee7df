"""How a feed does, in one word: the label of a metric. Pure."""

from enum import StrEnum

from wirewatch.topics.feed_states import FeedState, FetchReason
from wirewatch.topics.feeds import Feed


class Health(StrEnum):
    """The closed list. The API says it in words (`api/health.py`)."""

    OK = "ok"
    FAILING = "failing"
    GONE = "gone"
    WAITING = "waiting"
    """It was not fetched yet."""
    PAUSED = "paused"


def of(feed: Feed, state: FeedState | None) -> Health:
    """Return how `feed` does."""
    if feed.paused:
        return Health.PAUSED
    if state is not None and state.failures:
        return Health.GONE if state.reason is FetchReason.GONE else Health.FAILING
    return Health.WAITING if state is None or state.fetched_at is None else Health.OK
