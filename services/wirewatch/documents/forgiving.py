"""XML only by intention: its tags are put in order, so that a strict parser accepts it. Pure.

What a feed needs decides where the forgotten ends are: an item ends where the next
one begins, a title where the link does. All else that is not closed is HTML.
"""

import re
from dataclasses import dataclass, field

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.limits import MAX_FORGIVING_ATTRIBUTES, MAX_FORGIVING_TAGS
from wirewatch.topics.feed_states import FetchReason

_TAG = re.compile(
    rb"<(/\s*+)?([A-Za-z_][\w.-]*+(?::[A-Za-z_][\w.-]*+)?)"
    rb"((?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+)(>?)"
)
_ATTRIBUTE = re.compile(
    rb"([A-Za-z_][\w.-]*+(?::[A-Za-z_][\w.-]*+)?)"
    rb"(?:\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s\"']++)))?"
)
_CDATA = b"<![CDATA["
_MAX_DEPTH = 128
"""Tags of HTML that are open; libxml2 refuses more than 256."""

_CONTAINERS = frozenset(b"rss rdf rdf:rdf feed channel rss2 backslash atom:feed".split())
_ENTRIES = frozenset(b"item entry atom:entry rss:item".split())
_TEXTS = frozenset(
    b"""
    title link guid id pubdate published updated issued modified created category comments
    language ttl generator copyright rights lastbuilddate managingeditor webmaster description
    summary content tagline docs author contributor
""".split()
)
"""Elements of a feed that none of these, and no entry, is in."""
_OF_FEEDS = (_TEXTS - {b"summary"}) | _ENTRIES | {b"enclosure"}
_CORE_PREFIXES = frozenset(b"atom atom10 a10".split()) | {b""}
_PREFIXES = frozenset(b"dc dcterms content itunes slash wfw feedburner sy thr".split())
_GROUPS = frozenset({b"itunes:owner", b"itunes:category"})
_MEDIA_TEXTS = frozenset(b"media:" + name for name in b"title description keywords text".split())
_VOID = frozenset(b"br img hr input wbr area col embed meta param track enclosure".split())
_ENDS_ITSELF = frozenset(b"p li td th tr dt dd option".split())


def in_order(text: bytes) -> bytes:
    """Return `text`, mended and from its root element on, with each tag closed in its turn.

    Comments go, and what follows the root. Raises DocumentProblem: too_costly for too many tags.
    """
    if text.count(b"<") > MAX_FORGIVING_TAGS:
        raise DocumentProblem(
            FetchReason.TOO_COSTLY, f"it is ill-formed, and of more than {MAX_FORGIVING_TAGS} tags"
        )
    if text.count(b"=") > MAX_FORGIVING_ATTRIBUTES:
        raise DocumentProblem(
            FetchReason.TOO_COSTLY,
            f"it is ill-formed, and of more than {MAX_FORGIVING_ATTRIBUTES} attributes",
        )
    tree = _Tree()
    at = 0
    last_end = {b"-->": text.rfind(b"-->"), b"]]>": text.rfind(b"]]>")}
    while (start := text.find(b"<", at)) >= 0:
        tree.write(text[at:start])
        if text.startswith(b"<!--", start):
            at = _end(text, start + 4, b"-->", last_end)
        elif text.startswith(_CDATA, start):
            at = _end(text, start + len(_CDATA), b"]]>", last_end)
            if at > start + len(_CDATA):
                tree.pieces.append(text[start:at])
        elif text.startswith((b"<!", b"<?"), start):
            at = text.find(b">", start) + 1 or len(text)
        elif match := _TAG.match(text, start):
            at = _take(tree, match, len(text))
        else:
            tree.write(b"&lt;")
            at = start + 1
        if tree.is_complete:
            break
    tree.write(text[at:])
    tree.close(0)
    return b"".join(tree.pieces)


def _end(text: bytes, start: int, mark: bytes, last: dict[bytes, int]) -> int:
    """Return the position behind the next `mark`; `start` where there is none."""
    return text.index(mark, start) + len(mark) if start <= last[mark] else start


def _take(tree: "_Tree", match: re.Match[bytes], length: int) -> int:
    """Add a tag, and return where it ends; one that does not end before the next one is text."""
    is_end, name, attributes, mark = match.groups()
    if not mark:
        if match.end() == length:
            return length
        if b'"' in attributes or b"'" in attributes:
            tree.write(b"&lt;" + match[0][1:])
            return match.end()
    if is_end is None:
        tree.start(name, attributes)
    else:
        tree.end(name)
    return match.end()


@dataclass(slots=True)
class _Tree:
    """What was written, and what is open: as written, and in lower case.

    The outermost one of what is text is at the depth `text_at`, -1 where there is none.
    """

    pieces: list[bytes] = field(default_factory=list)
    opened: list[bytes] = field(default_factory=list)
    names: list[bytes] = field(default_factory=list)
    text_at: int = -1

    @property
    def is_complete(self) -> bool:
        return bool(self.pieces) and not self.opened

    def write(self, text: bytes) -> None:
        if text and self.opened:
            self.pieces.append(text.replace(b"]]>", b"]]&gt;"))

    def start(self, name: bytes, attributes: bytes) -> None:
        lower = name.lower()
        self._make_room(lower)
        is_empty = (
            attributes.endswith(b"/")
            or lower in _VOID
            or (b"href" in attributes and lower.rpartition(b":")[2] == b"link")
        )
        depth = len(self.opened)
        if not is_empty and depth >= _MAX_DEPTH:
            return
        self.pieces.append(b"<" + name + _attributes(attributes) + (b"/>" if is_empty else b">"))
        if not is_empty:
            self.opened.append(name)
            self.names.append(lower)
            if self.text_at < 0 and _is_text(lower):
                self.text_at = depth

    def _make_room(self, lower: bytes) -> None:
        """Close what cannot have an element of the name `lower` in it."""
        names = self.names
        if lower in _ENTRIES:
            self.close(next((n for n, name in enumerate(names) if name not in _CONTAINERS), -1))
        elif self.text_at >= 0 and _is_of_feeds(lower):
            self.close(self.text_at)
        elif names and lower in _ENDS_ITSELF and names[-1] == lower:
            self.close(len(names) - 1)

    def end(self, name: bytes) -> None:
        """Close the innermost element of that name, and what is open in it."""
        lower = name.lower()
        if lower in self.names:
            self.close(len(self.names) - 1 - self.names[::-1].index(lower))

    def close(self, depth: int) -> None:
        """Close all from `depth` on; nothing if it is negative."""
        if depth < 0:
            return
        self.pieces += (b"</" + name + b">" for name in reversed(self.opened[depth:]))
        del self.opened[depth:], self.names[depth:]
        if self.text_at >= depth:
            self.text_at = -1


def _is_text(name: bytes) -> bool:
    prefix, _, local = name.rpartition(b":")
    if prefix in _CORE_PREFIXES:
        return local in _TEXTS
    return (prefix in _PREFIXES and name not in _GROUPS) or name in _MEDIA_TEXTS


def _is_of_feeds(name: bytes) -> bool:
    prefix, _, local = name.rpartition(b":")
    return local in _OF_FEEDS if prefix in _CORE_PREFIXES else prefix in _PREFIXES | {b"media"}


def _attributes(raw: bytes) -> bytes:
    """Return attributes with quotes, each once."""
    if b"=" not in raw:
        return b""
    found: dict[bytes, bytes] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(raw.removesuffix(b"/")):
        value = double or single.replace(b'"', b"&quot;") or bare
        if value or not name.startswith(b"xmlns"):
            found.setdefault(name, value)
    return b"".join(b' %s="%s"' % each for each in found.items())
