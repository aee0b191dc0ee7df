"""A feed as it was read, whatever format it came in. Pure values.

Every reader (XML, JSON Feed, sitemap) makes these, and nothing else knows the formats.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_ENTRY_CHARS = 1_000_000
"""Markup of one field of an entry; what is beyond is left out."""
MAX_LISTED = 100
"""Authors, categories, enclosures of one entry; hubs of a feed."""


class Format(StrEnum):
    """What kind of document a feed is."""

    RSS = "rss"
    ATOM = "atom"
    JSON = "json"
    SITEMAP = "sitemap"
    SITEMAP_INDEX = "sitemap-index"


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that belongs to an entry. `url` is absolute; `length` is in bytes."""

    url: str
    type: str = ""
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it came.

    `id` is what the publisher calls it (guid, atom:id), stripped, not made
    absolute; empty where there is none. `link`, `image` and the enclosures are
    absolute. `title`, `summary` and `content` are HTML: what was plain text is
    escaped, so that `plain_text` can be used on all of them. `summary` and
    `content` are both empty, equal or different, as the feed has it. Times are
    aware UTC, None where there is none or it is not a time. `language` is as
    written, also inherited (xml:lang); empty where only the feed could say.
    """

    id: str = ""
    link: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    language: str = ""
    authors: tuple[str, ...] = ()
    """Names; an e-mail address only where there is no name."""
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    image: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a publisher asks to be fetched.

    `ttl` and `update_every` (sy:updatePeriod and sy:updateFrequency) are least
    waits; in `skip_hours` (0 to 23, UTC) and `skip_days` (Monday is 0) nothing new comes.
    """

    ttl: timedelta | None = None
    update_every: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed document. `entries` are in its own order; `title` is HTML, links are absolute.

    `hubs` and `self_url` are what WebSub needs; `sitemaps` are the documents a
    sitemap index names, newest first. A document that is not `is_whole` was cut
    off; `entries` are those before that.
    """

    format: Format
    title: str = ""
    link: str = ""
    language: str = ""
    entries: tuple[Entry, ...] = ()
    pace: Pace = Pace()
    hubs: tuple[str, ...] = ()
    self_url: str = ""
    sitemaps: tuple[str, ...] = ()
    is_whole: bool = True
