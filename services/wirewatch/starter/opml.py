"""Lists of feeds as OPML 1.0 and 2.0: folders are tags. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

MAX_OPML_BYTES = 5_242_880
MAX_OUTLINES = 20_000
MAX_DEPTH = 32
"""Outlines inside one another. A feed may have 20 tags, and each is written as a folder."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
"""Some readers write `unknown` where they know no language."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 section 2.2 has no place for, not even as a character reference."""


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

    A feed in several folders has the tags of all. Attributes are known in any
    case (`xmlurl`), and blank lines in front of the declaration are passed over.

    Raises OpmlProblem if it is none, too large, or declares a document type
    (which real ones do not, and which is how XML is made to explode).
    """
    if len(raw) > MAX_OPML_BYTES:
        raise OpmlProblem(f"the file has {len(raw)} bytes, {MAX_OPML_BYTES} are allowed")
    document = raw.lstrip()
    reader = _Reader(lines_before=raw[: len(raw) - len(document)].count(b"\n"))
    reader.read(document)
    return list(reader.found.values())


class _Reader:
    def __init__(self, lines_before: int) -> None:
        self.found: dict[str, FeedOutline] = {}
        self._lines_before = lines_before
        self._root = ""
        self._folders: list[str | None] = []
        self._outlines = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse

    def read(self, document: bytes) -> None:
        try:
            self._parser.Parse(document, True)
        except expat.ExpatError as error:
            line = error.lineno + self._lines_before
            words = expat.ErrorString(error.code)
            raise OpmlProblem(f"line {line} is not well-formed XML ({words})") from error
        except OpmlProblem:
            raise
        except (LookupError, ValueError) as error:  # how pyexpat refuses an encoding
            raise self._problem(f"the encoding cannot be read ({error})") from error

    def _problem(self, words: str) -> OpmlProblem:
        return OpmlProblem(f"line {self._parser.CurrentLineNumber + self._lines_before}: {words}")

    def _refuse(self, *_: Any) -> None:
        raise self._problem("the document declares a document type, which is not allowed")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._root and name.lower() != "opml":
            raise self._problem(f"the document is not OPML: its root is <{name[:40]}>")
        self._root = self._root or name
        if name != "outline":
            return
        self._outlines += 1
        if self._outlines > MAX_OUTLINES:
            raise self._problem(f"the document has more than {MAX_OUTLINES} outlines")
        if len(self._folders) >= MAX_DEPTH:
            raise self._problem(f"the outlines are nested more than {MAX_DEPTH} deep")
        self._outline({name.lower(): value.strip() for name, value in attributes.items()})

    def _outline(self, attributes: dict[str, str]) -> None:
        url = attributes.get("xmlurl", "")
        title = attributes.get("title") or attributes.get("text") or ""
        if url:
            self._add(url, title, _language(attributes.get("language", "")))
        self._folders.append(None if url else title)

    def _add(self, url: str, title: str, language: str | None) -> None:
        known = self.found.get(url) or FeedOutline(url, title, language)
        folders = filter(None, self._folders)
        self.found[url] = replace(known, tags=tuple(dict.fromkeys((*known.tags, *folders))))

    def _end(self, name: str) -> None:
        if name == "outline":
            self._folders.pop()


def _language(tag: str) -> str | None:
    tag = tag.replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None


def write_opml(feeds: Iterable[FeedOutline], *, title: str = "wirewatch feeds") -> bytes:
    """Return an OPML 2.0 document of `feeds`; the tags of each become folders in folders.

    Characters that XML cannot hold are left out.
    """
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = _xml_text(title)
    folders: dict[tuple[str, ...], ET.Element] = {(): ET.SubElement(root, "body")}
    for feed in feeds:
        parent = _folder(folders, tuple(map(_xml_text, feed.tags)))
        url = _xml_text(feed.url)
        text = _xml_text(feed.title) or url
        outline = ET.SubElement(parent, "outline", type="rss", text=text, xmlUrl=url)
        if feed.language:
            outline.set("language", _xml_text(feed.language))
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _folder(folders: dict[tuple[str, ...], ET.Element], tags: tuple[str, ...]) -> ET.Element:
    """Return the folder for `tags`, made with all above it if it is not there yet."""
    if tags not in folders:
        folders[tags] = ET.SubElement(_folder(folders, tags[:-1]), "outline", text=tags[-1])
    return folders[tags]


def _xml_text(text: str) -> str:
    return _NOT_XML.sub("", text)


def read_starter_feeds() -> list[FeedOutline]:
    """Return the real feeds that ship with the program."""
    return read_opml(files("wirewatch.starter").joinpath("data", "feeds.opml").read_bytes())
