"""Sitemaps, with Google's extensions for news and images, and indexes of them. Pure.

The local names decide: prefixes and namespaces are often wrong, and where an
element stands says enough.
"""

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wirewatch.documents.dates import parse_date
from wirewatch.documents.draft import join
from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import MAX_LISTED, Entry, Format, ParsedFeed
from wirewatch.documents.markup import clip, looks_like_html
from wirewatch.topics.feed_states import FetchReason

MAX_SITEMAPS = 50
"""Documents of an index; the newest hold what is new."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def read_sitemap(root: Any, *, url: str, max_entries: int) -> ParsedFeed:
    """Return the sitemap in the element `root`: the newest `max_entries`, the newest first.

    What has no date stands last, in its own order. Pages without the news extension
    are entries without a title; their lastmod is `updated_at`. Raises DocumentProblem,
    not_a_feed, for any other document.
    """
    match _local(root):
        case "urlset":
            return _read_pages(root, url, max_entries)
        case "sitemapindex":
            return ParsedFeed(format=Format.SITEMAP_INDEX, sitemaps=_sitemaps(root, url))
        case name:
            raise DocumentProblem(
                FetchReason.NOT_A_FEED, f"the document is XML, but no feed: it is a <{name[:40]}>"
            )


def _local(element: Any) -> str:
    name: str = element.tag
    return name.rpartition("}")[2].rpartition(":")[2].lower()


def _text(element: Any) -> str:
    return "".join(element.itertext()).strip() if len(element) else (element.text or "").strip()


def _parts(element: Any) -> Iterator[tuple[str, Any]]:
    for child in element.iterchildren("*"):  # no comments
        yield _local(child), child


def _texts(element: Any) -> dict[str, str]:
    """Return the texts of the children by name, of each the first."""
    texts: dict[str, str] = {}
    for name, child in _parts(element):
        texts.setdefault(name, _text(child))
    return texts


@dataclass(slots=True)
class _Page:
    """One <url>, or one <sitemap>. Addresses are absolute."""

    loc: str = ""
    updated_at: datetime | None = None
    published_at: datetime | None = None
    news: dict[str, str] = field(default_factory=dict)
    publication: dict[str, str] = field(default_factory=dict)
    image: str = ""

    @property
    def newness(self) -> datetime:
        return self.published_at or self.updated_at or _NEVER


def _pages(root: Any, name_of_page: str, url: str) -> list[_Page]:
    """Return the pages that have an address, the newest first."""
    pages = [_page(element, url) for name, element in _parts(root) if name == name_of_page]
    return sorted((page for page in pages if page.loc), key=lambda page: page.newness, reverse=True)


def _page(element: Any, url: str) -> _Page:
    page = _Page()
    for name, child in _parts(element):
        if name == "loc":
            page.loc = page.loc or _absolute(url, _text(child))
        elif name == "lastmod":
            page.updated_at = page.updated_at or parse_date(_text(child))
        elif name == "news":
            _read_news(page, child)
        elif name == "image":
            page.image = page.image or _absolute(url, _texts(child).get("loc", ""))
    return page


def _absolute(url: str, link: str) -> str:
    """Return `link` as the address of a page; empty where it is none."""
    joined = join(url, link) if link else ""
    return joined if joined.startswith(("http://", "https://")) else ""


def _read_news(page: _Page, element: Any) -> None:
    page.news = _texts(element)
    page.published_at = parse_date(page.news.get("publication_date", ""))
    for name, child in _parts(element):
        if name == "publication":
            page.publication = _texts(child)


def _read_pages(root: Any, url: str, max_entries: int) -> ParsedFeed:
    pages = _pages(root, "url", url)[:max_entries]
    return ParsedFeed(
        format=Format.SITEMAP,
        title=_markup(_first(pages, "name")),
        language=_first(pages, "language"),
        entries=tuple(_entry(page) for page in pages),
    )


def _first(pages: list[_Page], key: str) -> str:
    return next((value for page in pages if (value := page.publication.get(key))), "")


def _entry(page: _Page) -> Entry:
    keywords = (word.strip() for word in page.news.get("keywords", "").split(","))
    return Entry(
        link=page.loc,
        title=_markup(page.news.get("title", "")),
        language=page.publication.get("language", ""),
        categories=tuple(dict.fromkeys(filter(None, keywords)))[:MAX_LISTED],
        image=page.image,
        published_at=page.published_at,
        updated_at=page.updated_at,
    )


def _markup(text: str) -> str:
    """Return `text`, which is plain and was sometimes escaped twice, as HTML."""
    return clip(text if looks_like_html(text) else html.escape(clip(text), quote=False))


def _sitemaps(root: Any, url: str) -> tuple[str, ...]:
    urls = (page.loc for page in _pages(root, "sitemap", url))
    return tuple(dict.fromkeys(urls))[:MAX_SITEMAPS]
