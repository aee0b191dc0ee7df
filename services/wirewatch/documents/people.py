"""Names of authors out of what feeds write. Pure."""

import re
from typing import Any

from wirewatch.documents.draft import Scope
from wirewatch.documents.names import canonical

_EMAIL = re.compile(
    r"(?:mailto:)?([\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z0-9-]{2,24})(?:\?subject=\S+)?"
)
_EMPTY = re.compile(r"\(\s*\)|<\s*>|&lt;\s*&gt;|\[\s*\]")


def name_of(text: str) -> str:
    """Return the name in `text`, such as `mail (Name)` or `Name <mail>`; else the address."""
    text = " ".join(text.split())
    if "@" not in text or len(text) > 1_000:
        return text
    match = _EMAIL.search(text)
    if match is None:
        return text
    rest = _EMPTY.sub("", text[: match.start()] + text[match.end() :]).strip(" ,;")
    if rest[:1] + rest[-1:] in {"()", '""'}:
        rest = rest[1:-1].strip()
    return rest or match[1]


def author_of(scope: Scope, element: Any) -> str:
    """Return the name in an author element, whether it has parts or not; empty if it has none."""
    if not len(element):
        return name_of(scope.text(element))
    parts = {canonical(part.tag, part.prefix): scope.text(part) for part in element}
    name = parts.get("name") or parts.get("itunes:name") or parts.get("foaf:name")
    name = name or parts.get("email") or parts.get("itunes:email")
    if name is None and not any(key in parts for key in ("uri", "url", "href")):
        name = name_of(scope.text(element))
    return name or ""
