"""The text of an article out of its web page, by trafilatura. Pure.

What the page says of itself (times, language) is read here, as trafilatura knows
days without a time and guesses them from the text.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from itertools import islice
from types import ModuleType
from typing import Any

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from wirewatch.documents.charset import to_utf8
from wirewatch.documents.dates import parse_date
from wirewatch.documents.draft import join
from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import MAX_LISTED
from wirewatch.documents.plain import plain_text
from wirewatch.documents.tags import ATTRIBUTES, attributes, require_few_attributes
from wirewatch.topics.articles import MAX_BODY_CHARS, MAX_TITLE_CHARS
from wirewatch.topics.feed_states import FetchReason

MAX_PAGE_BYTES = 5_000_000
MAX_TAGS = 40_000
"""Tags of a page, which cost most of the time; pages of news have one or two thousand."""
_MAX_SAID = 2_000
_MAX_NAME_CHARS = 200

_SAID = re.compile(rf"<(html|link|meta|time)(?=[\s/])({ATTRIBUTES})>", re.IGNORECASE)
_LINKED_DATA = re.compile(r'"(date(?:Published|Modified))"\s{0,20}:\s{0,20}"([^"]{4,60})"')
_MARKUP = re.compile("html|xml", re.IGNORECASE)
_PUBLISHED = (
    "article:published_time", "datepublished", "og:article:published_time", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.issued", "dc.date", "pubdate", "publishdate",
    "date",
)  # fmt: skip
_UPDATED = (
    "article:modified_time",
    "datemodified",
    "og:updated_time",
    "dcterms.modified",
    "last-modified",
)
"""Where a page says its times, the surest first."""
_ODD = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    OverflowError,
    RecursionError,
    etree.LxmlError,
)
"""What trafilatura raises on pages that it was not made for."""


@dataclass(frozen=True, slots=True)
class PageText:
    """An article as its page has it. All is plain text; addresses are absolute.

    `language` is as written. What the page does not say is empty, or None. A
    `published_at` that is only a day is midnight UTC.
    """

    title: str
    body: str
    language: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    authors: tuple[str, ...] = ()
    image: str = ""
    canonical_url: str = ""


def read_page(html: bytes, *, content_type: str, url: str) -> PageText:
    """Return the article on the page `html` (decompressed) at `url`.

    Raises DocumentProblem: too_large or too_costly for what would take too long,
    not_a_feed where there is no article to be read.
    """
    if len(html) > MAX_PAGE_BYTES:
        raise DocumentProblem(
            FetchReason.TOO_LARGE, f"the page has more than {MAX_PAGE_BYTES} bytes"
        )
    if content_type and not _MARKUP.search(content_type):
        raise _no_article()
    text = to_utf8(html, content_type).decode().replace("\0", "")
    if text.count("<") > MAX_TAGS:
        raise DocumentProblem(FetchReason.TOO_COSTLY, f"the page has more than {MAX_TAGS} tags")
    require_few_attributes(text)
    found = _extracted(text, url)
    title = _plain(found.title, MAX_TITLE_CHARS) if found else ""
    body = _body(found.text, title) if found else ""
    if not body:
        raise _no_article()
    said = _said(text)
    return PageText(
        title=title,
        body=body,
        language=said.get("lang") or said.get("og:locale") or "",
        published_at=_first_date(said, _PUBLISHED) or parse_date(found.date or ""),
        updated_at=_first_date(said, _UPDATED),
        authors=_authors(found.author),
        image=_absolute(url, found.image),
        canonical_url=_absolute(url, said.get("canonical") or said.get("og:url")),
    )


def _no_article() -> DocumentProblem:
    return DocumentProblem(FetchReason.NOT_A_FEED, "no article text on the page")


def _extracted(text: str, url: str) -> Any:
    """Return what trafilatura finds, None if it finds nothing."""
    parser = HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False, huge_tree=False
    )
    try:
        tree = document_fromstring(text.encode(), parser=parser)
        return _trafilatura().bare_extraction(
            tree,
            url=url,
            favor_precision=True,
            include_comments=False,
            include_formatting=False,
            with_metadata=True,
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except _ODD:
        return None


@cache
def _trafilatura() -> ModuleType:
    """Return trafilatura, which takes half a second to import, made silent."""
    import trafilatura  # noqa: PLC0415

    for name in ("trafilatura", "htmldate", "courlan", "readability", "justext"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return trafilatura


def _body(text: str | None, title: str) -> str:
    """Return `text` without the headline, which stands above many articles."""
    first, _, rest = (text or "").partition("\n")
    return _plain(rest if _plain(first, MAX_TITLE_CHARS) == title else text, MAX_BODY_CHARS)


def _plain(text: str | None, limit: int) -> str:
    return plain_text(escape(text or "", quote=False), limit)


def _said(text: str) -> dict[str, str]:
    """Return what the page says of itself, by the names that it uses, in lower case."""
    said: dict[str, str] = {}
    for name, value in (*islice(_tagged(text), _MAX_SAID), *_linked_data(text)):
        if name and value.strip():
            said.setdefault(name.lower(), value.strip())
    return said


def _tagged(text: str) -> Iterator[tuple[str, str]]:
    for match in _SAID.finditer(text, 0, text.rfind(">") + 1):
        tag = attributes(match[2])
        if match[1].lower() == "html":
            yield "lang", tag.get("lang") or tag.get("xml:lang") or ""
        elif "datetime" in tag:
            yield tag.get("itemprop") or "", tag["datetime"]
        elif match[1].lower() == "link":
            yield tag.get("rel") or "", tag.get("href") or ""
        else:
            name = tag.get("property") or tag.get("name") or tag.get("itemprop") or ""
            yield name, tag.get("content") or ""


def _linked_data(text: str) -> Iterator[tuple[str, str]]:
    return ((match[1], match[2]) for match in islice(_LINKED_DATA.finditer(text), 20))


def _first_date(said: dict[str, str], names: tuple[str, ...]) -> datetime | None:
    return next((date for name in names if (date := parse_date(said.get(name, "")))), None)


def _authors(names: str | None) -> tuple[str, ...]:
    found = (_plain(name, _MAX_NAME_CHARS) for name in (names or "").split(";"))
    return tuple(dict.fromkeys(filter(None, found)))[:MAX_LISTED]


def _absolute(base: str, link: str | None) -> str:
    joined = join(base, link) if link else ""
    return joined if joined.startswith(("http://", "https://")) else ""
