"""Lists of feeds as OPML 1.0 and 2.0: folders are tags. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

MAX_OPML_BYTES = 5_242_880
MAX_OUTLINES = 20_000
MAX_DEPTH = 16


class OpmlProblem(ValueError):
    """A document that is not OPML; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class FeedOutline:
    """A feed as an OPML outline names it; `tags` are the folders it is in."""

    url: str
    title: str = ""
    language: str | None = None
    tags: tuple[str, ...] = ()


def read_opml(raw: bytes) -> list[FeedOutline]:
    """Return the feeds of an OPML document, each URL once, in its order.

    Raises OpmlProblem if it is none, too large, or declares a document type
    (which real ones do not, and which is how XML is made to explode).
    """
    if len(raw) > MAX_OPML_BYTES:
        raise OpmlProblem(f"the file has {len(raw)} bytes, {MAX_OPML_BYTES} are allowed")
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise OpmlProblem(
            f"line {error.lineno} is not well-formed XML ({expat.ErrorString(error.code)})"
        ) from error
    if not reader.is_opml:
        raise OpmlProblem("the document is not OPML: its root is not <opml>")
    return list(reader.found.values())


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, FeedOutline] = {}
        self.is_opml = False
        self._folders: list[str | None] = []
        self._outlines = 0

    def refuse(self, *_: Any) -> None:
        raise OpmlProblem("the document declares a document type, which is not allowed")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "opml":
            self.is_opml = True
        if name != "outline":
            return
        self._outlines += 1
        if self._outlines > MAX_OUTLINES:
            raise OpmlProblem(f"the document has more than {MAX_OUTLINES} outlines")
        if len(self._folders) >= MAX_DEPTH:
            raise OpmlProblem(f"the outlines are nested more than {MAX_DEPTH} deep")
        url = attributes.get("xmlUrl", "").strip()
        title = (attributes.get("title") or attributes.get("text") or "").strip()
        if url:
            self._add(url, title, attributes.get("language", "").strip() or None)
        self._folders.append(None if url else title)

    def _add(self, url: str, title: str, language: str | None) -> None:
        tags = tuple(folder for folder in self._folders if folder)
        self.found.setdefault(url, FeedOutline(url, title, language, tags))

    def end(self, name: str) -> None:
        if name == "outline":
            self._folders.pop()


def write_opml(feeds: Iterable[FeedOutline], *, title: str = "wirewatch feeds") -> bytes:
    """Return an OPML 2.0 document of `feeds`; the first tag of each becomes its folder."""
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = title
    body = ET.SubElement(root, "body")
    folders: dict[str, ET.Element] = {}
    for feed in feeds:
        parent = body
        if feed.tags:
            name = feed.tags[0]
            if name not in folders:
                folders[name] = ET.SubElement(body, "outline", text=name)
            parent = folders[name]
        text = feed.title or feed.url
        outline = ET.SubElement(parent, "outline", type="rss", text=text, xmlUrl=feed.url)
        if feed.language:
            outline.set("language", feed.language)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def read_starter_feeds() -> list[FeedOutline]:
    """Return the real feeds that ship with the program."""
    return read_opml(files("wirewatch.starter").joinpath("data", "feeds.opml").read_bytes())
