"""articles: every entry of every feed, made clean and comparable."""

from datetime import datetime, timedelta

import msgspec

from wirewatch.topics.spec import Cleanup, Record, Topic

MAX_TITLE_CHARS = 1_000
MAX_LEAD_CHARS = 5_000
MAX_BODY_CHARS = 100_000
"""At most 400 KB of UTF-8, well below the message limit of the broker."""


class Enclosure(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A file that belongs to an article. `type` is a media type, `length` is in bytes."""

    url: str
    type: str = ""
    length: int | None = None


class Article(Record, frozen=True, kw_only=True):
    """An article, as plain text in Unicode NFC: offsets into its fields count code points.

    `id` is derived from feed and entry id and stays the same when the entry is
    edited; `revision` then grows from 1. `published_at` is aware UTC; where
    the feed gave none it is the fetch time and `published_is_guess` is set.
    `story_id` is shared by articles about the same event. `language` is BCP 47,
    `und` where it is not known; `language_is_guess` says that nobody declared it.
    `url` is canonical: without what only tracks readers.
    """

    id: str
    story_id: str
    revision: int = 1
    feed_id: str
    feed_title: str = ""
    url: str
    title: str
    lead: str = ""
    body: str = ""
    language: str = "und"
    language_is_guess: bool = False
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    source: str = ""
    """The host the article lives on, without `www.`"""
    source_name: str = ""
    """What the source calls itself."""
    source_country: str = ""
    """ISO 3166 alpha-2, upper case: the feed's, or that of its top level domain."""
    image: str = ""
    enclosures: tuple[Enclosure, ...] = ()
    full_text: bool = False
    """Whether `body` was taken from the article's page."""
    published_at: datetime
    published_is_guess: bool = False
    updated_at: datetime | None = None
    fetched_at: datetime


ARTICLES = Topic(
    name="articles",
    record=Article,
    key=lambda article: article.story_id,
    key_means="story id",
    cleanup=Cleanup.DELETE,
    retention=timedelta(days=30),
    written_by=("ingest",),
    read_by=("match", "api"),
)
