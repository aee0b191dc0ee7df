"""feed-states: what ingest knows of each feed. Co-partitioned with feeds."""

from datetime import datetime
from enum import StrEnum

import msgspec

from wirewatch.topics.spec import Cleanup, Record, Topic


class FetchReason(StrEnum):
    """Why a fetch failed: a closed list, also the label of the metric."""

    ADDRESS = "address"
    """The address may not be connected to (loopback, private, metadata …)."""
    CONNECT = "connect"
    TIMEOUT = "timeout"
    TLS = "tls"
    HTTP_STATUS = "http_status"
    REDIRECTS = "redirects"
    TOO_LARGE = "too_large"
    NOT_A_FEED = "not_a_feed"
    MALFORMED = "malformed"
    BROKEN = "broken"
    """The transfer broke off, or its encoding was wrong."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """What was last published for an entry: `digest` of its content, `revision` from 1."""

    article_id: str
    digest: str
    revision: int


class FeedState(Record, frozen=True, kw_only=True):
    """The state of polling one feed.

    `etag` and `last_modified` are the validators exactly as the server sent
    them. `seen` remembers what was published, newest last. `failures` counts
    failed fetches in a row; `reason`, `detail` and `failing_since` are set while
    it is above 0.
    """

    feed_id: str
    url: str
    title: str = ""
    etag: str | None = None
    last_modified: str | None = None
    fetched_at: datetime | None = None
    changed_at: datetime | None = None
    next_fetch_at: datetime
    failures: int = 0
    failing_since: datetime | None = None
    reason: FetchReason | None = None
    detail: str = ""
    seen: tuple[Seen, ...] = ()


FEED_STATES = Topic(
    name="feed-states",
    record=FeedState,
    key=lambda state: state.feed_id,
    key_means="feed id",
    cleanup=Cleanup.COMPACT,
    written_by=("ingest",),
    read_by=("ingest", "api"),
)
