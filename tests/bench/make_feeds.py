"""Feeds like those of newspapers, made from a seed: the same seed gives the same bytes.

An outlet shows its newest entries. From one version to the next it gets `NEW`
entries and edits one, so a feed that is read at each version has `ARTICLES` to tell.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape
from itertools import accumulate

NEW = 3
ARTICLES = NEW + 1
ENTRIES = 30
ENTRY_BYTES = 2_150
"""With 30 entries some 70 KB, about the mean of large newspapers' feeds."""
OTHER_BYTES = 1_150
"""Of an entry without its content."""
APART = timedelta(minutes=2)
EDITED_AT = 20
"""An entry is edited when it is so far from the end of the list, and some are not."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language: its small words, and the syllables its other words are made of."""

    code: str
    small: str
    syllables: str
    gap: str = " "


_LATIN = "ba de ki lo mun ne ra sta ti vor wen zu ger lin pas tor cha mel ris don"
_CYRILLIC = "ба де ки ло мун не ра ста ти вор вен зу гер лин пас тор ча мел рис дон"
_ARABIC = "با دي كي لو من نا را ست تي ور هل زو قر لن سد طر شا مل رس دن"
_HINDI = "बा दे की लो मन ने रा स्त ती वर हल जू गर लि पस तो चा मे री दन"
_HAN = "市 国 年 经 济 政 府 公 司 报 道 新 闻 会 议 发 展 计 划 问 题 世 界 中 心 人 民 城 水 电"
TONGUES = (
    Tongue("en", "the of to and in a that on for with as was by at from", _LATIN),
    Tongue("de", "der die und in den von zu das mit sich auf für ist", _LATIN),
    Tongue("fr", "de la le et les des en un du une que pour dans", _LATIN),
    Tongue("es", "de la que el en y los se del las por un para", _LATIN),
    Tongue("ru", "и в не на что с по как это из у за от", _CYRILLIC),
    Tongue("ar", "في من على إلى أن عن مع هذا التي كان", _ARABIC),
    Tongue("hi", "के में की है से को का और पर ने", _HINDI),
    Tongue("zh", "的 在 了 是 和 对 将", _HAN, gap=""),
)
FORMS = ("rss", "rss", "atom", "rss", "json", "rss", "atom", "rss", "rss", "atom")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as its outlet tells it."""

    number: int
    id: str
    link: str
    title: str
    summary: str
    content: str
    author: str
    categories: tuple[str, ...]
    at: datetime


class Outlet:
    """One newspaper's feed; `begins_at` dates its first entry."""

    def __init__(
        self, seed: int, begins_at: datetime, *, entries: int = ENTRIES, size: int = ENTRY_BYTES
    ) -> None:
        self.seed = seed
        self.form = FORMS[seed % len(FORMS)]
        self.tongue = TONGUES[seed // 2 % len(TONGUES)]
        self._begins_at = begins_at
        self._entries = entries
        self._size = size
        self._rendered: dict[tuple[int, bool], str] = {}

    @property
    def content_type(self) -> str:
        """The header that goes with the document."""
        if self.form == "json":
            return "application/feed+json; charset=utf-8"
        return f"application/{self.form}+xml; charset=utf-8"

    def document(self, version: int) -> bytes:
        """Return the feed as it stands at `version`, from 0."""
        first = NEW * version
        numbers = range(first + self._entries - 1, first - 1, -1)
        parts = [self._part(number, version) for number in numbers]
        self._rendered = {key: text for key, text in self._rendered.items() if key[0] >= first}
        return _DOCUMENTS[self.form](self, parts).encode()

    def _part(self, number: int, version: int) -> str:
        edited = number % NEW == EDITED_AT % NEW and number <= NEW * version + EDITED_AT
        key = (number, edited)
        if key not in self._rendered:
            self._rendered[key] = _ENTRIES[self.form](self.entry(number, edited=edited))
        return self._rendered[key]

    def entry(self, number: int, *, edited: bool) -> Entry:
        """Return the entry with this number, as it was or as it was `edited` later."""
        writer = Writer(self.tongue, self.seed * 1_000_003 + number)
        title = writer.words(9).capitalize()
        summary = writer.words(28) + "."
        content = writer.markup(self._size - OTHER_BYTES, self.home, number)
        return Entry(
            number=number,
            id=f"{self.home}/?p={100_000 + number}",
            link=f"{self.home}/2026/11/{number}-{self.seed}.html?utm_source=rss&utm_medium=feed",
            title=f"{title} {writer.words(2)}" if edited else title,
            summary=summary,
            content=f"<p>{summary}</p>{content}",
            author=writer.words(2).title(),
            categories=tuple(writer.words(1) for _ in range(3)),
            at=self._begins_at + number * APART,
        )

    @property
    def home(self) -> str:
        """The address of the outlet's site."""
        return f"https://www.outlet-{self.seed}.example"


class Writer:
    """Writes in one language; words are as unevenly common as real ones."""

    def __init__(self, tongue: Tongue, seed: int) -> None:
        self._random = random.Random(seed)
        self._tongue = tongue
        self._words, self._weights = vocabulary(tongue)

    def words(self, count: int) -> str:
        """Return so many words."""
        common = self._random.choices(self._words, cum_weights=self._weights, k=count)
        small = self._random.choices(self._tongue.small.split(), k=count)
        pairs = zip(small, common, strict=True)
        mixed = (short if self._random.random() < 0.35 else word for short, word in pairs)
        return self._tongue.gap.join(mixed)

    def markup(self, size: int, home: str, number: int) -> str:
        """Return some `size` bytes of HTML: paragraphs, links, a picture, entities."""
        parts = [f'<figure><img src="{home}/img/{number}.jpg" alt="{self.words(5)}"/></figure>']
        length = len(parts[0].encode())
        while length < size:
            words = self.words(34)
            link = f'<a href="{home}/tag/{self._random.randint(1, 999)}">{self.words(3)}</a>'
            parts.append(f"<p>{words}&nbsp;&ndash; {link}, <em>{self.words(4)}</em>.</p>\n")
            length += len(parts[-1].encode())
        return "".join(parts)


@cache
def vocabulary(tongue: Tongue) -> tuple[list[str], list[float]]:
    """Return the words of a language, and their weights added up."""
    chance = random.Random(tongue.code)
    syllables = tongue.syllables.split()
    words = [
        "".join(chance.choices(syllables, k=chance.choice((1, 2, 2, 3)))) for _ in range(6_000)
    ]
    return words, list(accumulate(1 / rank for rank in range(3, len(words) + 3)))


def _rss_entry(entry: Entry) -> str:
    categories = "".join(f"<category><![CDATA[{c}]]></category>" for c in entry.categories)
    return (
        f"<item>\n<title><![CDATA[{entry.title}]]></title>\n<link>{escape(entry.link)}</link>\n"
        f"<dc:creator><![CDATA[{entry.author}]]></dc:creator>\n"
        f"<pubDate>{format_datetime(entry.at)}</pubDate>\n{categories}\n"
        f'<guid isPermaLink="false">{escape(entry.id)}</guid>\n'
        f"<description>{escape(f'<p>{entry.summary}</p>')}</description>\n"
        f"<content:encoded><![CDATA[{entry.content}]]></content:encoded>\n"
        f'<media:content url="{entry.link.split("?")[0]}.jpg" medium="image" width="1200"/>\n'
        "</item>\n"
    )


def _rss(outlet: Outlet, parts: Sequence[str]) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"\n'
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"\n'
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">\n'
        f"<channel><title>Outlet {outlet.seed}</title><link>{outlet.home}/</link>\n"
        f"<description>News</description><language>{outlet.tongue.code}</language>\n"
        f"{''.join(parts)}</channel></rss>\n"
    )


def _atom_entry(entry: Entry) -> str:
    categories = "".join(f'<category term="{escape(c)}"/>' for c in entry.categories)
    at = entry.at.isoformat()
    return (
        f"<entry>\n<author><name>{entry.author}</name></author>\n"
        f'<title type="html"><![CDATA[{entry.title}]]></title>\n'
        f'<link rel="alternate" type="text/html" href="{escape(entry.link)}"/>\n'
        f"<id>{escape(entry.id)}</id><updated>{at}</updated><published>{at}</published>\n"
        f'{categories}<summary type="html"><![CDATA[{entry.summary}]]></summary>\n'
        f'<content type="html">{escape(entry.content, quote=False)}</content>\n</entry>\n'
    )


def _atom(outlet: Outlet, parts: Sequence[str]) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{outlet.tongue.code}">\n'
        f'<title>Outlet {outlet.seed}</title><id>{outlet.home}/</id><link href="{outlet.home}/"/>\n'
        f"<updated>2026-11-23T00:00:00Z</updated>{''.join(parts)}</feed>\n"
    )


def _json_entry(entry: Entry) -> str:
    fields = {
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        "summary": entry.summary,
        "content_html": entry.content,
        "authors": [{"name": entry.author}],
        "tags": entry.categories,
        "date_published": entry.at.isoformat(),
    }
    return json.dumps(fields, ensure_ascii=False)


def _json(outlet: Outlet, parts: Sequence[str]) -> str:
    head = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"Outlet {outlet.seed}",
        "home_page_url": f"{outlet.home}/",
        "language": outlet.tongue.code,
    }
    return f'{json.dumps(head)[:-1]}, "items": [\n{("," + chr(10)).join(parts)}]}}'


_ENTRIES = {"rss": _rss_entry, "atom": _atom_entry, "json": _json_entry}
_DOCUMENTS = {"rss": _rss, "atom": _atom, "json": _json}
