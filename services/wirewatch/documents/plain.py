"""HTML to what a reader sees of it. Pure.

A tokenizer of regular expressions, each of which passes over the text once. A tree by
libxml2 takes as long, but has no text of what is nested deeper than 256 tags.
"""

import re
import unicodedata

import regex

from wirewatch.documents.tags import ATTRIBUTES, decoded

MAX_HTML_CHARS = 4_000_000
"""Markup of one text; what is beyond is not looked at."""
_MAX_MARKS = 30
"""Combining marks in a row, as in Unicode's stream-safe text; normalising many is quadratic."""

_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
"""Tags that stand inside a word or sentence; every other one ends it."""
_NESTING = frozenset({"svg", "template"})
_HIDDEN = re.compile(
    r"<(?:!--|(script|style|template|noscript|iframe|svg|head)(?=[\s/>]))", re.IGNORECASE
)
_END = {
    name: re.compile(rf"</{name}(?=[\s/>])[^>]*+>?", re.IGNORECASE)
    for name in ("script", "style", "noscript", "iframe")
} | {"head": re.compile(r"</head(?=[\s/>])[^>]*+>?|(?=<body[\s/>])", re.IGNORECASE)}
_NESTED = {name: re.compile(rf"<(/?){name}(?=[\s/>])[^>]*+>?", re.IGNORECASE) for name in _NESTING}
_REST_OF_TAG = re.compile(ATTRIBUTES + ">")
_TAG = re.compile(rf"<(?:/?([A-Za-z][^\s/>]*+){ATTRIBUTES}>|[!?/][^>]*+>)")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_CUT_OFF = re.compile(r"<(?:[!?]|/?[A-Za-z][\w:-]*(?:\s[^=<]*=|\Z))", re.ASCII)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_MANY_MARKS = regex.compile(rf"(\p{{M}}{{{_MAX_MARKS}}})\p{{M}}++")


def plain_text(html: str, limit: int) -> str:
    """Return what a reader sees of `html`: NFC, single spaces, at most `limit` code points.

    Blocks and line breaks separate words, tags inside a sentence do not. References
    are decoded once. A `<` or `&` that begins nothing is text; a tag that is cut off
    at the end is not.
    """
    text = html[:MAX_HTML_CHARS]
    if "<" in text:
        text = _without_tags(_without_hidden(text))
    text = " ".join(_CONTROL.sub("", decoded(text)).split())
    if not text.isascii():
        text = unicodedata.normalize("NFC", _MANY_MARKS.sub(r"\1", text))
    return text[:limit].rstrip()


def _without_hidden(html: str) -> str:
    """Return `html` without comments and elements that are not shown."""
    pieces: list[str] = []
    position = 0
    while match := _HIDDEN.search(html, position):
        pieces.append(html[position : match.start()])
        name = match[1]
        if name is None:
            position = _end_of_comment(html, match.end())
        else:
            position = _end_of_element(html, match.end(), name.lower())
    pieces.append(html[position:])
    return "".join(pieces)


def _end_of_comment(html: str, position: int) -> int:
    """Return where the comment ends that began at `position`; `<!-->` is one too."""
    end = html.find("-->", position - 2)
    return len(html) if end < 0 else end + 3


def _end_of_element(html: str, position: int, name: str) -> int:
    """Return where the element ends whose name ended at `position`."""
    opening = _REST_OF_TAG.match(html, position)
    if opening is None:
        return len(html)
    position = opening.end()
    if opening[0].endswith("/>"):
        return position
    if name in _NESTING:
        return _end_of_nested(html, position, _NESTED[name])
    closing = _END[name].search(html, position)
    return closing.end() if closing else len(html)


def _end_of_nested(html: str, position: int, tag: re.Pattern[str]) -> int:
    depth = 1
    for match in tag.finditer(html, position):
        depth += -1 if match[1] else not match[0].endswith("/>")
        if not depth:
            return match.end()
    return len(html)


def _without_tags(html: str) -> str:
    """Return `html` with a space for each tag that separates words."""
    if "<![CDATA[" in html:
        html = _CDATA.sub("", html)
    end = html.rfind(">") + 1  # every tag before it ends, so none is searched for in vain
    rest = html[end:]
    if "<" in rest and (match := _CUT_OFF.search(rest)):
        rest = rest[: match.start()]
    return _TAG.sub(_separator, html[:end]) + rest


def _separator(tag: re.Match[str]) -> str:
    name = tag[1]
    return "" if name is None or name in _INLINE or name.lower() in _INLINE else " "
