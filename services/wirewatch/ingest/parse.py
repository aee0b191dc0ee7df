"""The bytes of a feed to entries, by feedparser. Pure.

RSS and Atom in all their versions. What is only a little ill-formed is read; what
was cut off on its way is not, because its validators must not be kept.
"""

import io
import re
from calendar import timegm
from dataclasses import dataclass
from datetime import UTC, datetime
from time import struct_time
from typing import Any

import feedparser

from wirewatch.ingest.errors import FeedProblem
from wirewatch.topics.feed_states import FetchReason

_ROOT_END = re.compile(
    rb"</\s*(?:\w+:)?(?:rss|feed|rdf)\s*>\s*(?:<!--.*?-->\s*)*\Z", re.IGNORECASE | re.DOTALL
)
_ROOT = re.compile(rb"<\s*(?:\w+:)?(?:rss|feed|rdf)\b", re.IGNORECASE)
_HEAD_BYTES = 4_096
_TAIL_BYTES = 4_096
MAX_ENTRY_CHARS = 1_000_000
"""HTML of one entry beyond this is left out before it is made plain."""
MAX_LISTED = 50
"""Authors and categories of one entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it came. Title, summary and content may be HTML; times are aware UTC."""

    id: str = ""
    link: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    language: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    published_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed document. `entries` are in its own order."""

    title: str
    language: str
    entries: tuple[Entry, ...]


def parse_feed(body: bytes, *, content_type: str, url: str, max_entries: int) -> ParsedFeed:
    """Return the feed that `body` holds, of its entries the first `max_entries`.

    `content_type` is the header as it came (its charset counts, RFC 7303); `url`
    resolves relative links, and ids that are no URL: give the one that does not
    change. Raises FeedProblem: not_a_feed or malformed.
    """
    headers = {"content-type": content_type, "content-location": url}
    parsed = feedparser.parse(
        io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=True
    )
    _require_feed(parsed, body)
    return ParsedFeed(
        title=str(parsed.feed.get("title", "")),
        language=str(parsed.feed.get("language", "")),
        entries=tuple(_entry(entry) for entry in parsed.entries[:max_entries]),
    )


def _require_feed(parsed: Any, body: bytes) -> None:
    if not body.strip():
        raise FeedProblem(FetchReason.NOT_A_FEED, "the document is empty")
    if not parsed.version and not parsed.entries:
        kind = "an HTML page" if b"<html" in body[:_HEAD_BYTES].lower() else "not RSS or Atom"
        raise FeedProblem(FetchReason.NOT_A_FEED, f"the document is {kind}")
    problem = parsed.get("bozo_exception")
    if not parsed.bozo or isinstance(problem, feedparser.CharacterEncodingOverride):
        return
    if not parsed.entries:
        raise FeedProblem(FetchReason.MALFORMED, _words(problem))
    if _ROOT.search(body[:_HEAD_BYTES]) and not _ROOT_END.search(body[-_TAIL_BYTES:]):
        raise FeedProblem(FetchReason.MALFORMED, f"the document is cut off: {_words(problem)}")


def _words(problem: Any) -> str:
    return (str(problem) or type(problem).__name__).splitlines()[0][:200]


def _entry(entry: Any) -> Entry:
    # dict.get: feedparser's own get answers with the published time, and a warning.
    values = (str(part.get("value", "")) for part in entry.get("content", ()))
    content = max(values, key=len, default="")
    detail = entry.get("title_detail", {})
    return Entry(
        id=str(entry.get("id", "")),
        link=str(entry.get("link", "")),
        title=str(entry.get("title", ""))[:MAX_ENTRY_CHARS],
        summary=str(entry.get("summary", ""))[:MAX_ENTRY_CHARS],
        content=content[:MAX_ENTRY_CHARS],
        language=str(detail.get("language") or entry.get("language") or ""),
        authors=_names(entry.get("authors", ()), "name"),
        categories=_names(entry.get("tags", ()), "term"),
        published_at=_time(entry.get("published_parsed")),
        updated_at=_time(dict.get(entry, "updated_parsed")),
    )


def _names(values: Any, key: str) -> tuple[str, ...]:
    names = (str(value.get(key) or "").strip() for value in values)
    return tuple(dict.fromkeys(filter(None, names)))[:MAX_LISTED]


def _time(parsed: struct_time | None) -> datetime | None:
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC)
    except (OverflowError, ValueError, OSError):
        return None
