"""Feeds that are XML only by intention, by feedparser. Pure.

Slow, so only for what nothing else reads, and never for what it is slow on.
"""

import html
import io
import re
from calendar import timegm
from collections.abc import Iterable
from datetime import UTC, datetime
from time import struct_time
from typing import Any

from wirewatch.documents.draft import join
from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import (
    MAX_ENTRY_CHARS,
    MAX_LISTED,
    Enclosure,
    Entry,
    Format,
    ParsedFeed,
)
from wirewatch.documents.limits import (
    MAX_ATTRIBUTES,
    MAX_FORGIVING_BYTES,
    MAX_FORGIVING_TAGS,
)
from wirewatch.documents.markup import TEXT
from wirewatch.documents.people import name_of
from wirewatch.topics.feed_states import FetchReason

_ENTRY = re.compile(rb"<(?:[A-Za-z][\w-]*:)?(?:item|entry)[\s>]", re.IGNORECASE)
_TAG = re.compile(rb"<[A-Za-z](?:[^\"'>]|\"[^\"]*\"|'[^']*')*+")


def read_forgiving(text: bytes, *, url: str, max_entries: int) -> ParsedFeed:
    """Return the feed in `text`, UTF-8. Raises DocumentProblem: not_a_feed or too_costly."""
    import feedparser  # noqa: PLC0415 - takes long to import, and is seldom needed

    text = _first_entries(text, max_entries)
    _require_cheap(text)
    # Without a location: it would make ids absolute too. Links are made so below.
    headers = {"content-type": "application/xml; charset=utf-8"}
    parsed = feedparser.parse(
        io.BytesIO(text), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    if not parsed.version and not parsed.entries:
        raise DocumentProblem(FetchReason.NOT_A_FEED, "it is not RSS, Atom or JSON Feed")
    feed = parsed.feed
    is_rss = not parsed.version.startswith("atom")
    return ParsedFeed(
        format=Format.RSS if is_rss else Format.ATOM,
        title=_markup(feed, "title"),
        link=_absolute(feed.get("link"), url),
        language=str(feed.get("language", "")),
        entries=tuple(_entry(entry, url, is_rss=is_rss) for entry in parsed.entries[:max_entries]),
        hubs=_links(feed, "hub", url)[:MAX_LISTED],
        self_url=next(iter(_links(feed, "self", url)), ""),
    )


def _first_entries(text: bytes, max_entries: int) -> bytes:
    """Return `text` up to the end of its last entry that counts; the rest would only cost."""
    for number, match in enumerate(_ENTRY.finditer(text)):
        if number == max_entries:
            return text[: match.start()]
    return text


def _require_cheap(text: bytes) -> None:
    if len(text) > MAX_FORGIVING_BYTES:
        raise _too_costly("larger", f"{MAX_FORGIVING_BYTES} bytes")
    if text.count(b"<") > MAX_FORGIVING_TAGS:
        raise _too_costly("of more", f"{MAX_FORGIVING_TAGS} tags")
    for tag in _TAG.findall(text):
        if len(tag) > 2 * MAX_ATTRIBUTES and tag.count(b"=") > MAX_ATTRIBUTES:
            raise _too_costly("with a tag of more", f"{MAX_ATTRIBUTES} attributes")


def _too_costly(how: str, limit: str) -> DocumentProblem:
    return DocumentProblem(FetchReason.TOO_COSTLY, f"it is ill-formed, and {how} than {limit}")


def _links(context: Any, rel: str, url: str) -> tuple[str, ...]:
    links = (link for link in context.get("links", ()) if link.get("rel") == rel)
    return tuple(filter(None, (_absolute(link.get("href"), url) for link in links)))


def _absolute(link: Any, url: str) -> str:
    return join(url, str(link).strip()) if link else ""


def _link(entry: Any, url: str) -> str:
    """Return an entry's link; feedparser takes any id for one, where there is none."""
    link = str(entry.get("feedburner_origlink") or entry.get("link") or "")
    is_id = link == dict.get(entry, "id") and not link.startswith(("http://", "https://"))
    return "" if is_id and ("/" not in link or " " in link) else _absolute(link, url)


def _entry(entry: Any, url: str, *, is_rss: bool) -> Entry:
    # dict.get: feedparser's own get answers with the published time, and a warning.
    values = [_value(part) for part in entry.get("content", ())]
    published = _time(dict.get(entry, "published_parsed"))
    updated = _time(dict.get(entry, "updated_parsed"))
    detail = entry.get("title_detail", {})
    return Entry(
        id=str(dict.get(entry, "id", "")),
        link=_link(entry, url),
        title=_markup(entry, "title"),
        summary=_markup(entry, "summary"),
        content=max(values, key=len, default=""),
        language=str(detail.get("language") or entry.get("language") or ""),
        authors=_names(_author(author) for author in entry.get("authors", ())),
        categories=_names(str(tag.get("term") or "") for tag in entry.get("tags", ())),
        enclosures=tuple(
            _enclosure(link, url)
            for link in entry.get("enclosures", ())[:MAX_LISTED]
            if link.get("href")
        ),
        published_at=published or updated if is_rss else published,
        updated_at=updated,
    )


def _markup(context: Any, key: str) -> str:
    detail = context.get(f"{key}_detail")
    return _value(detail) if detail else str(context.get(key) or "")[:MAX_ENTRY_CHARS]


def _value(detail: Any) -> str:
    text = str(detail.get("value") or "")[:MAX_ENTRY_CHARS]
    return html.escape(text, quote=False) if detail.get("type") == TEXT else text


def _author(author: Any) -> str:
    return name_of(str(author.get("name") or author.get("email") or ""))


def _enclosure(link: Any, url: str) -> Enclosure:
    length = str(link.get("length") or "")
    return Enclosure(
        url=_absolute(link["href"], url),
        type=str(link.get("type") or ""),
        length=int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None,
    )


def _names(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (value.strip() for value in values))))[:MAX_LISTED]


def _time(parsed: struct_time | None) -> datetime | None:
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC)
    except (OverflowError, ValueError, OSError):
        return None
