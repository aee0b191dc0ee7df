"""Hosts as they are best compared. Pure."""

import unicodedata
from functools import lru_cache

REMEMBERED = 8_192
"""Hosts whose comparable form is at hand: articles come from the same ones again and again."""
MAX_HOST_CHARS = 253
"""RFC 1035 section 2.3.4, without the last dot."""


@lru_cache(maxsize=REMEMBERED)
def comparable_host(host: str) -> str:
    """Return `host` in small letters and Unicode, without `www.` and a last dot; never raises.

    `xn--bcher-kva.example` and `BÜCHER.example.` are the same host. Letters that
    only IDNA 2003 takes for equal, ß and ss, stay different.
    """
    text = unicodedata.normalize("NFKC", host.strip()).replace("。", ".").lower()
    labels = [_unicode(label) for label in text.rstrip(".").split(".")]
    return ".".join(labels).removeprefix("www.")


def _unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return unicodedata.normalize("NFKC", label[4:].encode("ascii").decode("punycode")).lower()
    except (UnicodeError, ValueError, OverflowError):
        return label


def parents_of(host: str) -> list[str]:
    """Return a comparable host and every host above it, the longest first."""
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]
