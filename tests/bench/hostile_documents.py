"""Documents made to cost their reader dear, each below ten megabytes on the wire."""

import gzip
import random
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

MEGABYTE = 1_000_000
BOMB_MB = 500


@dataclass(frozen=True, slots=True)
class Hostile:
    """A document and how it is sent."""

    name: str
    body: bytes
    content_type: str = "application/rss+xml"
    codings: tuple[str, ...] = ()


def item(inner: str) -> str:
    """Return an RSS item of now."""
    return (
        f"<item><guid>1</guid>{inner}<pubDate>{format_datetime(datetime.now(UTC))}</pubDate></item>"
    )


def rss(items: str, head: str = "", attributes: str = "") -> bytes:
    """Return an RSS document."""
    return (
        f'<?xml version="1.0"?>{head}<rss version="2.0"{attributes}>'
        f"<channel><title>News</title>{items}</channel></rss>"
    ).encode()


def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    begin = packer.compress(b"<rss><channel><title>")
    zeros = b" " * MEGABYTE
    return begin + b"".join(packer.compress(zeros) for _ in range(BOMB_MB)) + packer.flush()


def _laughs() -> bytes:
    lines = ['<!ENTITY a0 "ha">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    return rss(item("<title>&a9;</title>"), f"<!DOCTYPE rss [{''.join(lines)}]>")


def _quadratic() -> bytes:
    head = f'<!DOCTYPE rss [<!ENTITY a "{"a" * 200_000}">]>'
    return rss(item(f"<title>{'&a;' * 50_000}</title>"), head)


def _foreign() -> bytes:
    head = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    return rss(item("<title>&x;</title>"), head)


def _attributes(*, broken: bool) -> bytes:
    many = " ".join(f'a{n}="{n}"' for n in range(400_000))
    return rss(item(f"<title {many}>one</title>") + ("<b & >" if broken else ""))


def _noise(size: int) -> bytes:
    return random.Random(1).randbytes(size)


def documents() -> list[Hostile]:
    """Return all of them."""
    return [*_bombs(), *_xml(), *_html(), *_other()]


def _bombs() -> list[Hostile]:
    bomb = _bomb()
    return [
        Hostile("gzip bomb, 500 MB", bomb, codings=("gzip",)),
        Hostile("gzip bomb in gzip", gzip.compress(bomb, 9), codings=("gzip", "gzip")),
        Hostile("billion laughs", _laughs()),
        Hostile("one entity 50,000 times", _quadratic()),
        Hostile("external entity", _foreign()),
    ]


def _xml() -> list[Hostile]:
    return [
        Hostile("400,000 attributes", _attributes(broken=False)),
        Hostile("400,000 attributes, ill-formed", _attributes(broken=True)),
        Hostile("100,000 namespaces", rss(item("<title>x</title>"), attributes=_namespaces())),
        Hostile("nested a million deep", rss(item("<a>" * 1_000_000 + "</a>" * 1_000_000))),
        Hostile("nested, never closed", rss(item("<a>" * 3_000_000))),
        Hostile("200,000 entries", rss("<item><title>x</title><guid>1</guid></item>" * 200_000)),
        Hostile("a title of 9 MB", rss(item(f"<title>{'N' * 9 * MEGABYTE}</title>"))),
        Hostile("a date of 5 MB", rss(f"<item><pubDate>{'Mon, 1 ' * 700_000}</pubDate></item>")),
        Hostile("ampersands", rss(item(f"<title>{'& ' * 4_000_000}</title>"))),
        Hostile("declarations", rss(item(f"<title>{'<![' * 3_000_000}</title>"))),
        Hostile("comments never closed", rss(item("<!-- " * 1_800_000))),
    ]


def _html() -> list[Hostile]:
    parts = {
        "unclosed tags in HTML": "&lt;a " * 1_400_000,
        "nested HTML": "&lt;div&gt;" * 700_000,
        "a table never closed": "&lt;td&gt;" * 800_000,
    }
    return [
        Hostile(name, rss(item(f"<description>{part}</description>")))
        for name, part in parts.items()
    ]


def _other() -> list[Hostile]:
    number = b'{"version":"https://jsonfeed.org/version/1","items":[{"id":%b}]}'
    utf16 = b"\xff\xfe" + rss(item("<title>x</title>")).decode().encode("utf-16-le")
    json = "application/feed+json"
    return [
        Hostile("a number of 4 MB", number % (b"9" * 4 * MEGABYTE), json),
        Hostile("JSON nested", b'{"items":' + b"[" * 4_000_000, json),
        Hostile("noise as text", b"<rss><channel><item><title>" + _noise(6 * MEGABYTE)),
        Hostile("noise in UTF-16", utf16 + _noise(6 * MEGABYTE)),
    ]


def _namespaces() -> str:
    return "".join(f' xmlns:n{n}="http://n{n}.example/"' for n in range(100_000))


def ordinary(size: int = 0) -> Hostile:
    """Return a document without guile, of more than `size` bytes."""
    return Hostile("ordinary", rss(item("<title>one</title>")) + b" " * size)
