"""Take an endpoint's secrets out of what its receiver answers: some repeat what they were sent.

Pure. Answers are kept and shown, secrets are not.
"""

import html
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, unquote

import msgspec

from wirewatch.topics.endpoints import Endpoint, EndpointSecrets

REDACTED = "[redacted]"
LEAST_CHARS = 6
"""Shorter values are no secrets, and would take words out of other words."""
LEAST_PART_CHARS = 12
"""The same of the parts of a URL."""
LEAST_CUT_CHARS = 4
"""So much of a secret at the end of a text that was cut is taken out as well."""
REMEMBERED = 1_024
CUT = "…"

_WORD_ENDS = re.compile(r"[\s/?&=:#]+")


def pieces_of(endpoint: Endpoint, secrets: EndpointSecrets) -> tuple[str, ...]:
    """Return the texts that an answer of `endpoint` is not kept with, the longest first.

    Those are the values of its headers, its token and what of its URL is not shown,
    also as JSON, HTML and URLs write them.
    """
    texts = {value for _, value in secrets.headers} | {secrets.token}
    for _, value in secrets.headers:
        texts.add(value.rpartition(" ")[2])  # without `Bearer`
    if secrets.url and secrets.url != endpoint.url:
        texts |= _of_url(secrets.url.removeprefix(endpoint.url.removesuffix(CUT)))
    written = {text for text in _written(texts) if len(text) >= LEAST_CHARS}
    return tuple(sorted(written, key=len, reverse=True))


def _of_url(hidden: str) -> set[str]:
    return {hidden} | {part for part in _WORD_ENDS.split(hidden) if len(part) >= LEAST_PART_CHARS}


def _written(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield text
        as_json = msgspec.json.encode(text).decode()[1:-1]
        yield from (as_json, as_json.replace("/", "\\/"))
        yield html.escape(text)
        yield from (quote(text), quote(text, safe=""), unquote(text))


def redacted(text: str, pieces: tuple[str, ...]) -> str:
    """Return `text`, which may have been cut at its end, without any of `pieces`."""
    if not pieces or not text:
        return text
    text = _pattern(pieces).sub(REDACTED, text)
    begun = max((_begun(text, piece) for piece in pieces), default=0)
    return text[: len(text) - begun] + REDACTED if begun else text


@lru_cache(maxsize=REMEMBERED)
def _pattern(pieces: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, pieces)))


def _begun(text: str, piece: str) -> int:
    """Return how many characters of `piece` stand at the end of `text`, 0 if too few to matter."""
    for size in range(min(len(piece) - 1, len(text)), LEAST_CUT_CHARS - 1, -1):
        if text.endswith(piece[:size]):
            return size
    return 0
