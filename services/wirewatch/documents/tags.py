"""The tags of HTML as they are written, found by regular expressions in one pass. Pure.

libxml2 takes a minute for a tag of 200,000 attributes; here it costs what its length costs.
"""

import re
from collections.abc import Iterator
from html import unescape

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.limits import MAX_ATTRIBUTES
from wirewatch.topics.feed_states import FetchReason

ATTRIBUTES = r"""[^>=]*+(?:=\s*+(?:"[^"]*"|'[^']*')?+[^>=]*+)*+"""
"""What stands in a tag behind its name. Before the last `>` of a text it always ends at one."""
MAX_TAG_CHARS = 8_192
"""A longer tag is not looked into."""

_ATTRIBUTE = re.compile(r"""([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_QUOTED = re.compile(r"""=\s*+(?:"[^"]*"|'[^']*')""")
_SEPARATED = re.compile(r"[^\s/=]+")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,}+;?")
_CUT_OFF = re.compile(r"<[A-Za-z].*", re.DOTALL)
_LONG_TAG = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    rf"|<(?:script|style)(?=[\s/>])(?P<raw>{ATTRIBUTES})>.*?(?:</(?:script|style)\b|\Z)"
    rf"|<[A-Za-z](?P<tag>{ATTRIBUTES})>",
    re.IGNORECASE | re.DOTALL,
)
"""Tags with what they are written with; comments and scripts, whose `<` are none, are passed."""


def decoded(text: str) -> str:
    """Return `text` with its references decoded once; numbers beyond Unicode as U+FFFD."""
    return unescape(_LONG_NUMBER.sub("\ufffd", text)) if "&" in text else text


def attributes(written: str) -> dict[str, str]:
    """Return the attributes that a tag is `written` with, by names in lower case."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(written[:MAX_TAG_CHARS]):
        name, *values = match.groups()
        found.setdefault(name.lower(), decoded(next(filter(None, values), "")))
    return found


def require_few_attributes(html: str) -> None:
    """Raise DocumentProblem, too_costly, where a tag has more attributes than a page's may."""
    for written in _long_tags(html):
        if len(_SEPARATED.findall(_QUOTED.sub(" ", written))) > MAX_ATTRIBUTES:
            raise DocumentProblem(
                FetchReason.TOO_COSTLY, f"a tag has more than {MAX_ATTRIBUTES} attributes"
            )


def _long_tags(html: str) -> Iterator[str]:
    end = html.rfind(">") + 1
    for match in _LONG_TAG.finditer(html[:end]):
        written = match["raw"] or match["tag"] or ""
        if len(written) > 2 * MAX_ATTRIBUTES:
            yield written
    if cut_off := _CUT_OFF.search(html, end):  # to a parser it is a tag too
        yield cut_off[0]
