"""Text of a feed as HTML, whether it came as text, escaped HTML or XHTML. Pure."""

import base64
import binascii
import contextlib
import html
import re
from html.entities import entitydefs
from typing import Any

from wirewatch.documents.feed import MAX_ENTRY_CHARS

TEXT = "text/plain"
HTML = "text/html"
XHTML = "application/xhtml+xml"

_TYPES = {
    "text": TEXT,
    "plain": TEXT,
    TEXT: TEXT,
    "html": HTML,
    HTML: HTML,
    "xhtml": XHTML,
    XHTML: XHTML,
    "xml": XHTML,
    "text/xml": XHTML,
    "application/xml": XHTML,
}
_ELEMENTS = frozenset("""
    a abbr acronym address area article aside audio b bdi bdo big blink blockquote br button canvas
    caption center cite code col colgroup command data datalist dd del details dfn dialog dir div
    dl dt em embed fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hr i iframe
    img input ins kbd keygen label legend li main map mark menu meter nav noscript object ol
    optgroup option output p param picture pre progress q rp rt ruby s samp section select small
    source span strike strong sub summary sup table tbody td textarea tfoot th thead time tr track
    tt u ul var video wbr
""".split())  # noqa: SIM905 - a hundred quoted names would fill pages  # fmt: skip
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
_MEDIA = ("image/", "audio/", "video/")
_END_TAG = re.compile(r"</(\w+)>")
_REFERENCE = re.compile(r"&#?\w+;")
_TAG = re.compile(r"</?(\w+)")
_NAMED = re.compile(r"&(\w+);")
_C1 = re.compile("[\x80-\x9f]")
_WESTERN = {
    code: bytes([code]).decode("cp1252") for code in range(0x80, 0xA0) if code not in
    {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}  # fmt: skip


def html_of(element: Any, default: str, *, guess: bool) -> str:
    """Return the text construct `element` as HTML.

    `default` is its type where it names none. With `guess`, text that looks like
    HTML is taken for it: the titles of RSS are officially text, and often are not.
    """
    kind = _kind(element, default)
    if len(element):
        return clip(_inner(element, escape_first=kind != HTML))
    text = (element.text or "").strip()
    if kind.startswith(_MEDIA):
        return ""
    if element.get("mode") == "base64" or kind not in _TYPES:
        text, kind = _from_base64(text), HTML
    if kind == HTML or ("<" not in text and "&" not in text and ">" not in text):
        return clip(text)
    if kind == TEXT and guess and looks_like_html(text):
        return clip(text)
    return clip(html.escape(text, quote=False))


def _kind(element: Any, default: str) -> str:
    kind = element.get("type")
    if not kind:
        return default
    kind = kind.strip().lower().partition(";")[0]
    if kind.endswith("+xml"):
        return XHTML
    if kind.startswith("text/") and kind not in _TYPES:
        return TEXT
    return _TYPES.get(kind, kind if "/" in kind else default)


def clip(markup: str) -> str:
    """Return `markup`, of what is too long the beginning."""
    return markup if len(markup) <= MAX_ENTRY_CHARS else markup[:MAX_ENTRY_CHARS]


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return text


def looks_like_html(text: str) -> bool:
    """Say whether `text` is HTML: feedparser's rule, which many feeds were tested with.

    An end tag or a reference must be in it, and no tag or entity that HTML has not.
    """
    if not (_END_TAG.search(text) or _REFERENCE.search(text)):
        return False
    if any(name.lower() not in _ELEMENTS for name in _TAG.findall(text)):
        return False
    return all(name in entitydefs for name in _NAMED.findall(text))


def _inner(element: Any, *, escape_first: bool) -> str:
    """Return what is inside `element` as HTML; it may be escaped up to the first tag."""
    pieces: list[str] = []
    first = element.text or ""
    pieces.append(html.escape(first, quote=False) if escape_first else first)
    for child in element:
        _write(child, pieces)
    return "".join(pieces).strip()


def _write(element: Any, pieces: list[str]) -> None:
    name = element.tag.rpartition("}")[2].rpartition(":")[2]
    pieces.append(f"<{name}")
    for key, value in element.attrib.items():
        pieces.append(f' {key.rpartition("}")[2]}="{html.escape(value)}"')
    pieces.append(">")
    if element.text:
        pieces.append(html.escape(element.text, quote=False))
    for child in element:
        _write(child, pieces)
    if name.lower() not in _VOID:
        pieces.append(f"</{name}>")
    if element.tail:
        pieces.append(html.escape(element.tail, quote=False))


def mended(text: str) -> str:
    """Undo what the wrong charset did to `text` before it was published.

    UTF-8 that was taken for ISO 8859-1 and encoded again; characters of
    windows-1252 at their byte values.
    """
    if text.isascii():
        return text
    with contextlib.suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode()
    return text.translate(_WESTERN) if _C1.search(text) else text
