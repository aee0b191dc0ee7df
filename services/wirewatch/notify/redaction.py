"""Take an endpoint's secrets out of what its receiver answers: some repeat what they were sent.

Pure. Answers are kept and shown, secrets are not. An answer is judged before this is done.
"""

import html
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlsplit

import msgspec

from wirewatch.notify.channels.words import ELLIPSIS
from wirewatch.topics.endpoints import Endpoint, EndpointSecrets
from wirewatch.web.signing_keys import from_base64

REDACTED = "[redacted]"
LEAST_CHARS = 6
"""Shorter values are no secrets, and would take words out of other words."""
LEAST_PART_CHARS = 8
LEAST_PATH_CHARS = 12
"""The same of the parts of a header's value, and of a path."""
LEAST_CUT_CHARS = 4
"""So much of a secret at the end of a text that was cut is taken out as well."""
NO_SECRETS = frozenset(
    {"accept", "accept-charset", "accept-encoding", "accept-language", "cache-control"}
    | {"content-language", "content-type", "user-agent"}
)
"""Headers that say nothing that is one."""
SECRETS = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers that say nothing else; of others a part is one if there is a digit in it."""

_PART_ENDS = re.compile(r"[\s;,=&\"]+")
_DIGIT = re.compile(r"[0-9]")
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_ESCAPED_IN_JSON = re.compile(r"[+&'<>\"]")


def pieces_of(endpoint: Endpoint, secrets: EndpointSecrets) -> tuple[str, ...]:
    """Return the texts that an answer of `endpoint` is not kept with, the longest first.

    Those are the values of its headers, its token and what of its URL is not shown, and parts
    of these, also as JSON, HTML and URLs write them.
    """
    texts = {secrets.token, secrets.token.partition(":")[2]}
    for name, value in secrets.headers:
        if name.lower() not in NO_SECRETS:
            texts.update(_of_header(name.lower(), value))
    if secrets.url and secrets.url != endpoint.url:
        texts.update(_of_url(endpoint.url, secrets.url))
    written = {form for text in texts for form in _written(text) if len(form) >= LEAST_CHARS}
    return tuple(sorted(written, key=len, reverse=True))


def _of_header(name: str, value: str) -> Iterator[str]:
    yield value
    for part in _PART_ENDS.split(value):
        if len(part) >= LEAST_PART_CHARS and (name in SECRETS or _DIGIT.search(part)):
            yield part
    scheme, _, credentials = value.partition(" ")
    if scheme.lower() == "basic":
        user = (from_base64(credentials) or b"").decode(errors="ignore")
        yield from (user, user.partition(":")[2])


def _of_url(shown: str, url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    if not shown.endswith(f"?{ELLIPSIS}"):
        path = parts.path.lstrip("/")
        yield f"{path}?{parts.query}" if parts.query else path
        yield path
        yield from (part for part in path.split("/") if len(part) >= LEAST_PATH_CHARS)
    yield parts.query
    yield from (value for _, value in parse_qsl(parts.query))


def _written(text: str) -> Iterable[str]:
    as_json = msgspec.json.encode(text).decode()[1:-1]
    as_html = html.escape(text)
    yield from (text, as_json, as_json.replace("/", "\\/"))
    yield _ESCAPED_IN_JSON.sub(lambda one: f"\\u{ord(one[0]):04x}", text)
    yield _ESCAPED_IN_JSON.sub(lambda one: f"\\u{ord(one[0]):04X}", text)
    yield from (as_html, as_html.replace("&#x27;", "&#39;"), as_html.replace("&#x27;", "&#039;"))
    for quoted in (quote(text), quote(text, safe="")):
        yield from (quoted, _PERCENT.sub(lambda one: one[0].lower(), quoted))
    yield from (unquote(text), unquote_plus(text))


def redacted(text: str, pieces: tuple[str, ...], *, is_cut: bool = False) -> str:
    """Return `text` without any of `pieces`; `is_cut` if it may end in the middle of one."""
    if not text:
        return text
    for piece in pieces:
        text = text.replace(piece, REDACTED)
    if not is_cut:
        return text
    body = text.rstrip(f"\ufffd{ELLIPSIS}")
    begun = max((_begun(body, piece) for piece in pieces), default=0)
    return body[: len(body) - begun] + REDACTED if begun else text


def _begun(text: str, piece: str) -> int:
    """Return how many characters of `piece` stand at the end of `text`, 0 if too few to matter."""
    start = piece[:LEAST_CUT_CHARS]
    at = text.find(start, max(0, len(text) - len(piece)))
    while at >= 0:
        if piece.startswith(text[at:]):
            return len(text) - at
        at = text.find(start, at + 1)
    return 0
