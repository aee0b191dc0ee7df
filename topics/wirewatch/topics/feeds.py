"""feeds: what is polled. Compacted, so the topic always holds every feed there is."""

from datetime import datetime

from wirewatch.topics.spec import Cleanup, Record, Topic


class Feed(Record, frozen=True, kw_only=True):
    """A feed that somebody wants watched.

    `language` (BCP 47) speaks for entries that do not say their own; `interval_s`
    replaces the interval that is learned. A paused feed is not polled. With
    `full_text` the body is taken from each article's page. `country` (ISO 3166
    alpha-2) is where the source is at home.
    """

    id: str
    url: str
    title: str = ""
    language: str | None = None
    tags: tuple[str, ...] = ()
    interval_s: int | None = None
    paused: bool = False
    full_text: bool = False
    country: str | None = None
    created_at: datetime
    updated_at: datetime


FEEDS = Topic(
    name="feeds",
    record=Feed,
    key=lambda feed: feed.id,
    key_means="feed id",
    cleanup=Cleanup.COMPACT,
    written_by=("api",),
    read_by=("ingest", "api"),
)
