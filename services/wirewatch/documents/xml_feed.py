"""RSS in all its versions, Atom and CDF, as XML that a strict parser accepts. Pure.

The elements' names decide, not the version: feeds mix them. The meaning is
feedparser's, which the feeds of this world are tested with.
"""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from wirewatch.documents.dates import parse_date
from wirewatch.documents.draft import Draft, Scope
from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import Entry, ParsedFeed
from wirewatch.documents.limits import MAX_ATTRIBUTES, MAX_ATTRIBUTES_IN_ALL
from wirewatch.documents.names import canonical
from wirewatch.documents.xml_channel import Channel, read_channel_element
from wirewatch.documents.xml_entry import Handler
from wirewatch.documents.xml_extensions import HANDLERS
from wirewatch.topics.feed_states import FetchReason

ROOTS = frozenset({"rss", "rdf", "feed", "channel", "rss2", "backslash", "entry"})
"""Names of root elements; `channel` is CDF, or RSS without its root; RFC 4287 2 knows `entry`."""

_RESOURCE_LIMIT = 114
_NAMESPACES = frozenset({99, 100, *range(200, 206)})
"""libxml2: what is wrong with names and URIs of namespaces, and no matter."""
_WRONG_CHARACTERS = re.compile(rb"\xc3[\x82-\xb4]\xc2|\xc2[\x80-\x9f]")
_REFERENCES = re.compile(rb"&#(?:1[2-9]\d|2[0-4]\d|[xX][89a-fA-F][0-9a-fA-F]);")
_TOO_MANY_ATTRIBUTES = etree.XPath(f"boolean(//*[count(@*) > {MAX_ATTRIBUTES}])")
_ENTRIES = frozenset({"item", "entry"})
_GROUPS = frozenset({"channel", "items"})
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def parse_xml(text: bytes) -> Any:
    """Return the root element of `text`: UTF-8, from the root's tag on.

    Undeclared prefixes are let pass. Raises etree.XMLSyntaxError for what is not
    well-formed, DocumentProblem: too_costly for what is too deep or too large.
    """
    if text.count(b"=") > MAX_ATTRIBUTES_IN_ALL:
        raise _too_costly(f"it has more than {MAX_ATTRIBUTES_IN_ALL} attributes")
    try:
        root = etree.fromstring(text, _parser())
    except etree.XMLSyntaxError as error:
        if error.code == _RESOURCE_LIMIT:
            raise _too_costly("it is nested too deep, or a part of it is too large") from error
        if error.code not in _NAMESPACES:
            raise
        root = _with_undeclared(text, error)
    if text.count(b"=") > MAX_ATTRIBUTES and _TOO_MANY_ATTRIBUTES(root):
        raise _too_costly(f"an element has more than {MAX_ATTRIBUTES} attributes")
    return root


def _too_costly(words: str) -> DocumentProblem:
    return DocumentProblem(FetchReason.TOO_COSTLY, words)


def _parser(*, recover: bool = False) -> Any:
    return etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


def _with_undeclared(text: bytes, first: etree.XMLSyntaxError) -> Any:
    """Parse again where only prefixes are wrong; what else is wrong raises `first`."""
    parser = _parser(recover=True)
    root = etree.fromstring(text, parser)
    if root is None or any(error.type not in _NAMESPACES for error in parser.error_log):
        raise first
    return root


def read_xml_feed(root: Any, text: bytes, *, url: str, max_entries: int) -> ParsedFeed:
    """Return the feed in `root`, which `text` was parsed to."""
    scope = _scope(root, text, url)
    channel = Channel(scope)
    channel.language = (root.get(_XML_LANG) or "").strip().replace("_", "-")
    entries: list[Entry] = []
    handlers: dict[str, Handler | None] = {}
    for element in _elements(root, channel):
        if len(entries) < max_entries:
            entries.append(_entry(element, scope, handlers))
    return channel.feed(tuple(entries))


def _scope(root: Any, text: bytes, url: str) -> Scope:
    return Scope(
        url=url,
        is_atom=canonical(root.tag, root.prefix) in {"feed", "entry"},
        has_base=b"xml:base" in text,
        has_lang=b"xml:lang" in text,
        has_wrong_characters=(b"\xc2" in text and bool(_WRONG_CHARACTERS.search(text)))
        or (b"&#" in text and bool(_REFERENCES.search(text))),
    )


def _elements(root: Any, channel: Channel) -> Iterator[Any]:
    """Yield the entries; what else the first channel has goes to `channel`."""
    names: dict[str, str] = {}
    channels = 0
    is_inner = canonical(root.tag, root.prefix) in {"channel", "entry"}
    stack = [iter((root,))] if is_inner else [iter(root)]
    while stack:
        element = next(stack[-1], None)
        if element is None:
            stack.pop()
            continue
        tag = element.tag
        name = names.get(tag)
        if name is None:
            name = names[tag] = canonical(tag, element.prefix)
        if name in _ENTRIES:
            yield element
        elif name in _GROUPS and len(stack) < 4:
            _cdf(channel, element)
            channels += name == "channel"
            stack.append(iter(element))
        elif channels < 2:
            read_channel_element(channel, element)


def _cdf(channel: Channel, element: Any) -> None:
    if href := element.get("href") or element.get("HREF"):
        channel.link = channel.link or channel.scope.absolute(href, element)


def _entry(element: Any, scope: Scope, handlers: dict[str, Handler | None]) -> Entry:
    draft = Draft(scope)
    if element.attrib:
        _attributes(draft, element)
    for child in element:
        tag = child.tag
        try:
            handler = handlers[tag]
        except KeyError:
            handler = handlers[tag] = HANDLERS.get(canonical(tag, child.prefix))
        if handler is not None:
            handler(draft, child)
    if scope.has_lang and not draft.language:
        draft.language = scope.language(element)
    return draft.entry()


def _attributes(draft: Draft, element: Any) -> None:
    """Take what RDF and CDF say in the tag of the entry."""
    for key, value in element.attrib.items():
        name = key.rpartition("}")[2].rpartition(":")[2].lower()
        if name == "about":
            draft.id = value.strip()
            draft.guid_link = draft.scope.absolute(value, element)
        elif name == "href":
            draft.weak_link = draft.scope.absolute(value, element)
        elif name == "lastmod":
            draft.updated_at = parse_date(value)
