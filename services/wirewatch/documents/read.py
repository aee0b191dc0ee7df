"""Read a feed document, whatever its format. Pure."""

import re
from collections import deque
from dataclasses import replace
from typing import Any

from lxml import etree

from wirewatch.documents.charset import to_utf8
from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import ParsedFeed
from wirewatch.documents.forgiving import in_order
from wirewatch.documents.limits import HEAD_BYTES
from wirewatch.documents.mending import Prolog, mend, read_prolog
from wirewatch.documents.names import canonical
from wirewatch.documents.xml_feed import ROOTS, parse_xml, read_xml_feed
from wirewatch.topics.feed_states import FetchReason

_SITEMAPS = frozenset({"urlset", "sitemapindex"})
_ENTRY_END = re.compile(rb"</\s*((?:[\w.-]+:)?(?:item|entry))\s*>", re.IGNORECASE)
_OUTER = re.compile(rb"<((?:[\w.-]+:)?(?:rss|rdf|feed|channel))(?=[\s>])", re.IGNORECASE)
_OUTER_END = re.compile(rb"</\s*((?:[\w.-]+:)?(?:rss|rdf|feed|channel))\s*>", re.IGNORECASE)
_HIDDEN_ROOT = re.compile(rb"<(?:rss|rdf:RDF|feed)[\s>]")
_ROOT_IN_A_PAGE = re.compile(rb"<feed\s[^<>]*\bxmlns\s*=\s*[\"']http://www\.w3\.org/2005/Atom")
"""Atom inside XHTML; RSS in a page is a sample of it."""
_BEHIND_THE_END = frozenset({5, 64})
"""libxml2: content behind the root element, an XML declaration that is not at the beginning."""
_WORDS = {
    "html": "an HTML page; the feed it may offer is named in its <link rel=alternate>",
    "opml": "a list of feeds (OPML), which `wirewatch feeds import` reads",
    "urlset": "a sitemap",
    "sitemapindex": "an index of sitemaps",
}


def read_feed(
    body: bytes, *, content_type: str, url: str, max_entries: int, parts: bool = False
) -> ParsedFeed:
    """Return the feed that `body` (decompressed) holds, of its entries the first `max_entries`.

    `content_type` is the header as it came (its charset counts, RFC 7303), empty
    where unknown; `url` resolves relative links. Raises DocumentProblem with the
    reason not_a_feed, malformed or too_costly. A document that is cut off before the
    end of its first entry is malformed; with `parts` it is read as far as it goes.
    """
    text = to_utf8(body, content_type)
    start = text[:HEAD_BYTES].lstrip(b" \t\r\n\0\xef\xbb\xbf")[:1] or text.strip()[:1]
    if not start:
        raise _not_a_feed("the document is empty")
    if start in {b"{", b"["}:
        from wirewatch.documents.json_feed import read_json_feed  # noqa: PLC0415 - seldom needed

        return read_json_feed(text, url=url, max_entries=max_entries)
    return _read_xml(text, url=url, max_entries=max_entries, parts=parts)


def _not_a_feed(words: str) -> DocumentProblem:
    return DocumentProblem(FetchReason.NOT_A_FEED, words)


def _read_xml(text: bytes, *, url: str, max_entries: int, parts: bool) -> ParsedFeed:
    prolog = _feed_prolog(text)
    text = text[prolog.start :]
    try:
        root, text = _parse_mending(text, prolog)
    except etree.XMLSyntaxError as error:
        is_whole = not _is_cut_off(text, prolog.name)
        closed = None if is_whole else _closed(text)
        if closed is not None:
            parsed = _read_xml(closed, url=url, max_entries=max_entries, parts=False)
            return replace(parsed, is_whole=False)
        if not is_whole and (prolog.name in _SITEMAPS or not parts):
            raise DocumentProblem(
                FetchReason.MALFORMED, f"the document is cut off: {error.msg}"
            ) from error
        text = in_order(mend(text, prolog.entities))
        parsed = read_xml_feed(_parse_in_order(text), text, url=url, max_entries=max_entries)
        return replace(parsed, is_whole=is_whole)
    name = canonical(root.tag, root.prefix)
    if name in _SITEMAPS:
        from wirewatch.documents.sitemap import read_sitemap  # noqa: PLC0415 - seldom needed

        return read_sitemap(root, url=url, max_entries=max_entries)
    return read_xml_feed(root, text, url=url, max_entries=max_entries)


def _feed_prolog(text: bytes) -> Prolog:
    """Return where the feed begins in `text`, also behind what does not belong there."""
    prolog = read_prolog(text)
    if prolog.name in ROOTS or prolog.name in _SITEMAPS:
        return prolog
    pattern = _ROOT_IN_A_PAGE if prolog.name == "html" else _HIDDEN_ROOT
    hidden = pattern.search(text, 0, HEAD_BYTES)
    if hidden:
        return _read_prolog_at(text, hidden.start(), prolog)
    raise _not_a_feed(f"the document is {_kind(text, prolog)}")


def _read_prolog_at(text: bytes, start: int, prolog: Prolog) -> Prolog:
    found = read_prolog(text[start:])
    return Prolog(start + found.start, found.name, prolog.doctype, prolog.entities)


def _kind(text: bytes, prolog: Prolog) -> str:
    if prolog.name == "html" or "html" in prolog.doctype or b"<html" in text[:HEAD_BYTES].lower():
        return _WORDS["html"]
    if prolog.start < 0:
        return "no XML and no JSON"
    return _WORDS.get(prolog.name, f"XML, but no feed: it is a <{prolog.name[:40]}>")


def _parse_mending(text: bytes, prolog: Prolog) -> tuple[Any, bytes]:
    """Return the root of `text`, and `text` as it had to be for that."""
    is_mended = is_cut = False
    while True:
        try:
            return parse_xml(text), text
        except etree.XMLSyntaxError as error:
            if error.code in _BEHIND_THE_END and not is_cut:
                text, is_cut = _first_document(text, prolog.name), True
            elif not is_mended:
                text, is_mended = mend(text, prolog.entities), True
            else:
                raise


def _parse_in_order(text: bytes) -> Any:
    try:
        return parse_xml(text)
    except etree.XMLSyntaxError as error:
        raise DocumentProblem(FetchReason.MALFORMED, f"it is no XML: {error.msg}") from error


def _root_end(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"</\s*(?:[\w.-]+:)?" + re.escape(name.encode()) + rb"\s*>", re.IGNORECASE)


def _first_document(text: bytes, name: str) -> bytes:
    """Return `text` without what follows the end of the root element."""
    match = _root_end(name).search(text)
    return text[: match.end()] if match else text


def _closed(text: bytes) -> bytes | None:
    """Return a document that is cut off up to the end of its last entry, and closed there.

    None if it has no entry with an end, or nothing that could be closed.
    """
    ends = deque(_ENTRY_END.finditer(text), maxlen=1)
    if not ends:
        return None
    text = text[: ends[0].end()]
    opened = [match[1] for match in _OUTER.finditer(text, 0, text.find(ends[0][1]))]
    closed = {match[1] for match in _OUTER_END.finditer(text)}
    left = [name for name in reversed(opened) if name not in closed]
    return text + b"".join(b"</%s>" % name for name in left) if left else None


def _is_cut_off(text: bytes, name: str) -> bool:
    """Say whether `text` stops inside: no end of the root, nor of what it holds."""
    tail = text.rstrip().lower()
    return not tail.endswith(b"</channel>") and not _root_end(name).search(text)
