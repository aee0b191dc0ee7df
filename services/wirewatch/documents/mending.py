"""Cheap repairs of XML that is not quite well-formed. Pure.

Nothing here knows feeds. All works on UTF-8 in one pass: no repair may cost more
than reading the document once.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.entities import html5

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.limits import (
    MAX_DOCTYPE_BYTES,
    MAX_ENTITIES,
    MAX_ENTITY_BYTES,
    MAX_EXPANDED_BYTES,
)
from wirewatch.topics.feed_states import FetchReason

_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0D, 0x7F})
_NONCHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]")
_NAME = re.compile(rb"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_DECLARED = re.compile(rb"<!ENTITY\s+([\w.-]+)\s")
_REFERENCE = rb"&(?:amp|lt|gt|quot|apos|#\w{1,8});"
_ENTITY = re.compile(
    rb"""<!ENTITY\s+([\w.-]+)\s+"""
    rb"""(?:"((?:[^"&%]|"""
    + _REFERENCE
    + rb""")*)"|'((?:[^'&%]|"""
    + _REFERENCE
    + rb""")*)')\s*>"""
)
_PAIR = re.compile(
    rb"&#(x[dD][89abAB][0-9a-fA-F]{2}|5[56]\d{3});&#(x[dD][c-fC-F][0-9a-fA-F]{2}|5[67]\d{3});"
)
_MARKUP = re.compile(
    rb"&(?:(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][\w.-]{0,63});)?|<(?![A-Za-z_/!?])"
)
_PREDEFINED = frozenset({b"lt", b"gt", b"amp", b"quot", b"apos"})


@dataclass(frozen=True, slots=True)
class Prolog:
    """What stands before the root element, which begins at `start` (-1: there is none).

    `name` is the root's, in lower case without a prefix; `entities` are what the
    document type declares, by name.
    """

    start: int
    name: str = ""
    doctype: str = ""
    entities: Mapping[bytes, bytes] = field(default_factory=dict)


def read_prolog(text: bytes) -> Prolog:
    """Find the root element. Raises DocumentProblem: too_costly for a huge document type."""
    at = 0
    entities: Mapping[bytes, bytes] = {}
    doctype = ""
    while (at := text.find(b"<", at)) >= 0:
        if text.startswith(b"<?", at):
            end = text.find(b">", at)
        elif text.startswith(b"<!--", at):
            end = text.find(b"-->", at + 4)
        elif text.startswith(b"<!", at):
            end, declaration = _doctype_end(text, at)
            doctype = declaration[:64].decode("utf-8", "replace").lower()
            entities = _entities(declaration)
        elif match := _NAME.match(text, at):
            return Prolog(at, match[2].decode("utf-8", "replace").lower(), doctype, entities)
        else:
            end = at
        if end < 0:
            break
        at = end + 1
    return Prolog(-1, doctype=doctype)


def _doctype_end(text: bytes, at: int) -> tuple[int, bytes]:
    """Return where the declaration at `at` ends, and its text."""
    end = text.find(b">", at)
    subset = text.find(b"[", at, end if end >= 0 else len(text))
    if subset >= 0:
        close = re.compile(rb"\]\s*>").search(text, subset, at + MAX_DOCTYPE_BYTES + 1)
        end = close.end() - 1 if close else -1
        if close is None and len(text) - at > MAX_DOCTYPE_BYTES:
            raise DocumentProblem(
                FetchReason.TOO_COSTLY,
                f"its document type declaration is longer than {MAX_DOCTYPE_BYTES} bytes",
            )
    return end, text[at : end + 1] if end >= 0 else b""


def _entities(declaration: bytes) -> dict[bytes, bytes]:
    """Return the entities that are plain text; others, of which nothing is read, are empty.

    So an external file, and a billion laughs, show nothing (XML 1.0, 4.4.3).
    """
    if declaration.count(b"<!ENTITY") > MAX_ENTITIES:
        raise DocumentProblem(
            FetchReason.TOO_COSTLY, f"it declares more than {MAX_ENTITIES} entities"
        )
    return dict.fromkeys(_DECLARED.findall(declaration), b"") | {
        match[1]: value
        for match in _ENTITY.finditer(declaration)
        if len(value := match[2] or match[3] or b"") <= MAX_ENTITY_BYTES
    }


def mend(text: bytes, entities: Mapping[bytes, bytes]) -> bytes:
    """Return `text` without what XML does not allow between and inside its tags.

    Control characters go, entities of HTML and of `entities` are put in, a lone `&`
    or `<` is escaped. CDATA stays as it is. Raises DocumentProblem: too_costly
    where the entities make it too long.
    """
    text = _NONCHARACTERS.sub(b"", text.translate(None, _CONTROLS))
    if b"&#" in text:
        text = _PAIR.sub(_joined, text)
    room = MAX_EXPANDED_BYTES

    def replacement(match: re.Match[bytes]) -> bytes:
        nonlocal room
        if match[0] == b"<":
            return b"&lt;"
        name = match[1]
        if name is None:
            return b"&amp;"
        if name[:1] == b"#":
            return match[0].replace(b"X", b"x") if _is_character(name) else b""
        if name in _PREDEFINED:
            return match[0]
        value = entities.get(name)
        if value is None:
            return _html_entity(name)
        room -= len(value)
        if room < 0:
            raise DocumentProblem(FetchReason.TOO_COSTLY, "its entities make it too long")
        return value

    return b"".join(
        piece if is_cdata else _MARKUP.sub(replacement, piece)
        for piece, is_cdata in _split_cdata(text)
    )


def _split_cdata(text: bytes) -> Iterator[tuple[bytes, bool]]:
    at = 0
    while (start := text.find(b"<![CDATA[", at)) >= 0:
        end = text.find(b"]]>", start)
        if end < 0:
            break
        yield text[at:start], False
        yield text[start : end + 3], True
        at = end + 3
    yield text[at:], False


def _joined(match: re.Match[bytes]) -> bytes:
    """Return the character that references to both halves of a UTF-16 pair mean."""
    high, low = (_code(reference) for reference in match.groups())
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return match[0]
    return b"&#%d;" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _code(digits: bytes) -> int:
    return int(digits[1:], 16) if digits[:1] in {b"x", b"X"} else int(digits)


def _is_character(reference: bytes) -> bool:
    code = _code(reference[1:])
    if code < 0x20:
        return code in {0x09, 0x0A, 0x0D}
    return code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code <= 0x10FFFF


def _html_entity(name: bytes) -> bytes:
    found = html5.get(name.decode("ascii", "replace") + ";")
    if found is None:
        return b"&amp;" + name + b";"
    return found.replace("&", "&amp;").replace("<", "&lt;").encode()
