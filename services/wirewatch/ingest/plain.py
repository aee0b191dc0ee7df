"""HTML to plain text. Pure."""

import re
import unicodedata
from html.parser import HTMLParser

_INVISIBLE = frozenset({"script", "style", "template", "noscript", "iframe", "svg", "head"})
_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr",
})  # fmt: skip
"""Tags that stand inside a word or sentence; every other one ends it."""
_BLANK = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._invisible = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _INVISIBLE:
            self._invisible += 1
        elif tag not in _INLINE:
            self.pieces.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in _INLINE:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _INVISIBLE:
            self._invisible = max(0, self._invisible - 1)
        elif tag not in _INLINE:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._invisible:
            self.pieces.append(data)


def plain_text(html: str, limit: int) -> str:
    """Return what a reader sees of `html`: NFC, single spaces, at most `limit` code points."""
    if "<" in html or "&" in html:
        parser = _Text()
        parser.feed(html)
        parser.close()
        html = "".join(parser.pieces)
    text = _BLANK.sub(" ", _CONTROL.sub("", html)).strip()
    return unicodedata.normalize("NFC", text)[:limit].rstrip()
