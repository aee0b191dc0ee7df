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
    GONE = "gone"
    """410: the publisher says that it will not come back. Asked again once a week."""
    REDIRECTS = "redirects"
    TOO_LARGE = "too_large"
    NOT_A_FEED = "not_a_feed"
    MALFORMED = "malformed"
    BROKEN = "broken"
    """The transfer broke off, or its encoding was wrong."""
    TOO_COSTLY = "too_costly"
    """Reading it took more CPU time, memory or nesting than one document may."""
    ROBOTS = "robots"
    """robots.txt does not allow it (pages; feeds are offered to be read)."""


class PushState(StrEnum):
    """How far a WebSub subscription is."""

    NONE = "none"
    ASKED = "asked"
    ACTIVE = "active"
    REFUSED = "refused"


class PushLease(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The WebSub subscription of a feed. `lease_until` is when the hub ends it by itself.

    `missed` counts polls in a row that found what should have been pushed.
    """

    hub: str = ""
    topic: str = ""
    state: PushState = PushState.NONE
    asked_at: datetime | None = None
    lease_until: datetime | None = None
    pushed_at: datetime | None = None
    missed: int = 0


class FeedState(Record, frozen=True, kw_only=True):
    """The state of polling one feed; what it has published stands in feed-entries.

    `etag` and `last_modified` are the validators exactly as the server sent
    them. `failures` counts failed fetches in a row; `reason`, `detail` and
    `failing_since` are set while it is above 0. `location` is where the feed
    has moved for good, empty while it is still at `url`; `moving_to` and
    `moves` count how often in a row it was said to have moved there.
    `change_gap_s` is the learned time between two changes.
    """

    feed_id: str
    url: str
    title: str = ""
    etag: str | None = None
    last_modified: str | None = None
    body_digest: str = ""
    fetched_at: datetime | None = None
    changed_at: datetime | None = None
    next_fetch_at: datetime
    failures: int = 0
    failing_since: datetime | None = None
    reason: FetchReason | None = None
    detail: str = ""
    location: str = ""
    moving_to: str = ""
    moves: int = 0
    change_gap_s: float | None = None
    ttl_s: int = 0
    """The least wait the document itself asks for (RSS ttl, sy:update*)."""
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    push: PushLease = PushLease()


FEED_STATES = Topic(
    name="feed-states",
    record=FeedState,
    key=lambda state: state.feed_id,
    key_means="feed id",
    cleanup=Cleanup.COMPACT,
    written_by=("ingest",),
    read_by=("ingest", "api"),
)
