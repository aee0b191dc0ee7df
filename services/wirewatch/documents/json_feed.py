"""JSON Feed, 1.0 and 1.1 (jsonfeed.org). Pure.

What has the wrong type is passed over: feeds are written by hand more often than
the standard is read.
"""

import html
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from wirewatch.documents.dates import parse_date
from wirewatch.documents.draft import join
from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import MAX_LISTED, Enclosure, Entry, Format, ParsedFeed
from wirewatch.documents.markup import clip, looks_like_html
from wirewatch.topics.feed_states import FetchReason

MAX_CONTAINERS = 500_000
"""Objects and arrays of a document; a feed has about four to the entry."""
_MARK = b"\xef\xbb\xbf"
_OF_FEEDS = ("home_page_url", "feed_url")
_OF_ITEMS = ("content_html", "content_text", "date_published")

_Object = dict[str, Any]


def read_json_feed(raw: bytes, *, url: str, max_entries: int) -> ParsedFeed:
    """Return the feed that `raw`, UTF-8, holds, of its entries the first `max_entries`.

    Raises DocumentProblem: malformed for what is no JSON or nested too deep,
    not_a_feed for other JSON, too_costly for more structure than feeds have.
    """
    feed = _decoded(raw.removeprefix(_MARK))
    if not isinstance(feed, dict) or not _is_feed(feed):
        raise DocumentProblem(FetchReason.NOT_A_FEED, "the document is JSON, but no JSON Feed")
    authors = _authors(feed)
    items = list(_objects(feed.get("items")))[:max_entries]
    hubs = (_link(hub, "url", url) for hub in _objects(feed.get("hubs")) if _is_websub(hub))
    return ParsedFeed(
        format=Format.JSON,
        title=_title(feed),
        link=_link(feed, "home_page_url", url),
        language=_text(feed, "language"),
        entries=tuple(_entry(item, url, authors) for item in items),
        hubs=_listed(hubs),
        self_url=_link(feed, "feed_url", url),
    )


def _decoded(raw: bytes) -> object:
    if raw.count(b"{") + raw.count(b"[") > MAX_CONTAINERS:
        raise DocumentProblem(
            FetchReason.TOO_COSTLY, f"it has more than {MAX_CONTAINERS} objects and arrays"
        )
    try:
        return msgspec.json.decode(raw)
    except RecursionError as error:
        raise DocumentProblem(FetchReason.MALFORMED, "it is nested too deep") from error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _decoded_forgiving(raw)


def _decoded_forgiving(raw: bytes) -> object:
    """Decode with control characters, halves of emoji and NaN, which some servers write."""
    try:
        return json.loads(raw.decode("utf-8", "replace"), strict=False)
    except json.JSONDecodeError as error:
        raise DocumentProblem(FetchReason.MALFORMED, f"it is no valid JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        words = "it is nested too deep, or a number is too long"
        raise DocumentProblem(FetchReason.MALFORMED, words) from error


def _is_feed(feed: _Object) -> bool:
    if "jsonfeed" in _text(feed, "version"):
        return True
    items = list(_objects(feed.get("items")))[:3]
    return bool(items) and (
        any(key in feed for key in _OF_FEEDS) or any(key in items[0] for key in _OF_ITEMS)
    )


def _is_websub(hub: _Object) -> bool:
    return _text(hub, "type").lower() == "websub"


def _entry(item: _Object, url: str, feed_authors: tuple[str, ...]) -> Entry:
    content = clip(_string(item, "content_html")) or _escaped(_string(item, "content_text"))
    return Entry(
        id=_id(item.get("id")),
        link=_link(item, "url", url) or _link(item, "external_url", url),
        title=_title(item),
        summary=_markup(_string(item, "summary")) or content,
        content=content,
        language=_text(item, "language"),
        authors=_authors(item) or feed_authors,
        categories=_categories(item.get("tags")),
        enclosures=tuple(_enclosures(item, url))[:MAX_LISTED],
        image=_link(item, "image", url) or _link(item, "banner_image", url),
        published_at=_date(item, "date_published"),
        updated_at=_date(item, "date_modified"),
    )


def _objects(value: object) -> Iterator[_Object]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def _string(item: _Object, key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-8", "ignore").decode()


def _text(item: _Object, key: str) -> str:
    return _string(item, key).strip()


def _title(item: _Object) -> str:
    return _markup(_text(item, "title"))


def _markup(text: str) -> str:
    """Return `text`, which the standard calls plain and servers fill with HTML, as HTML."""
    return clip(text) if looks_like_html(text) else _escaped(text)


def _escaped(text: str) -> str:
    return clip(html.escape(clip(text), quote=False))


def _link(item: _Object, key: str, url: str) -> str:
    link = _text(item, key)
    return join(url, link) if link else ""


def _id(value: object) -> str:
    """Return an id as text: the standard asks readers to accept numbers."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _text({"id": value}, "id")


def _authors(item: _Object) -> tuple[str, ...]:
    found = item.get("authors") or item.get("author")
    people = found if isinstance(found, list) else [found]
    return _listed(_author(person) for person in people)


def _author(person: object) -> str:
    if not isinstance(person, dict):
        return _text({"name": person}, "name")
    url = _text(person, "url")
    return _text(person, "name") or (url[7:] if url.startswith("mailto:") else "")


def _categories(value: object) -> tuple[str, ...]:
    tags = value if isinstance(value, list) else [value]
    return _listed(_text({"tag": tag}, "tag") for tag in tags)


def _listed(values: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, values)))[:MAX_LISTED]


def _enclosures(item: _Object, url: str) -> Iterator[Enclosure]:
    for each in _objects(item.get("attachments")):
        if link := _link(each, "url", url):
            yield Enclosure(link, _text(each, "mime_type"), _size(each.get("size_in_bytes")))


def _size(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 2**53 else None


def _date(item: _Object, key: str) -> datetime | None:
    value = item.get(key)
    return parse_date(value) if isinstance(value, str) else None
