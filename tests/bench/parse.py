"""How fast feeds of 50 to 400 KB are parsed, beside feedparser and fastfeedparser, on one core."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser

from wirewatch.documents.read import read_feed

from .make_feeds import ENTRIES, FORMS, Outlet

SIZES_KB = (50, 70, 120, 200, 400)
SEEDS = [seed for seed in range(20) if FORMS[seed % len(FORMS)] != "json"]
"""All languages, RSS and Atom: feedparser reads no JSON Feed."""
URL = "https://feeds.example/feed.xml"
MAX_ENTRIES = 2_000


@dataclass(frozen=True, slots=True)
class Counted:
    """What a parser found: entries that have each of these fields."""

    entries: int
    ids: int
    titles: int
    links: int
    texts: int
    dates: int


@dataclass(frozen=True, slots=True)
class Speed:
    """How one parser did at one size; `found` is summed over the documents."""

    parser: str
    kb: int
    documents_per_s: float
    found: Counted


Parser = Callable[[bytes, str], Any]
Tongue = Callable[[Any], Counted]


def by_wirewatch(body: bytes, content_type: str) -> Any:
    """Parse as ingest does."""
    return read_feed(body, content_type=content_type, url=URL, max_entries=MAX_ENTRIES)


def by_feedparser(body: bytes, content_type: str) -> Any:
    """Parse with feedparser at its defaults."""
    headers = {"content-type": content_type, "content-location": URL}
    return feedparser.parse(body, response_headers=headers)


def by_fastfeedparser(body: bytes, content_type: str) -> Any:
    """Parse with fastfeedparser at its defaults."""
    # Only here: the tests of this file's figures do without the peers.
    import fastfeedparser  # type: ignore[import-untyped]  # noqa: PLC0415

    return fastfeedparser.parse(body)


def count_ours(parsed: Any) -> Counted:
    """Count the fields that wirewatch found."""
    return _count(parsed.entries, ("id", "title", "link"), ("content", "summary"), "published_at")


def count_theirs(parsed: Any) -> Counted:
    """Count the fields that feedparser or fastfeedparser found."""
    return _count(parsed["entries"], ("id", "title", "link"), ("content", "summary"), "published")


def _count(entries: Sequence[Any], simple: Sequence[str], texts: Sequence[str], at: str) -> Counted:
    def has(entry: Any, name: str) -> bool:
        found = entry.get(name) if hasattr(entry, "get") else getattr(entry, name)
        return bool(found)

    ids, titles, links = (sum(has(entry, name) for entry in entries) for name in simple)
    with_text = sum(any(has(entry, name) for name in texts) for entry in entries)
    dates = sum(has(entry, at) for entry in entries)
    return Counted(len(entries), ids, titles, links, with_text, dates)


PARSERS: dict[str, tuple[Parser, Callable[[Any], Counted]]] = {
    "wirewatch": (by_wirewatch, count_ours),
    "feedparser": (by_feedparser, count_theirs),
    "fastfeedparser": (by_fastfeedparser, count_theirs),
}


def documents(kb: int, seeds: Sequence[int]) -> list[tuple[bytes, str]]:
    """Return feeds of some `kb` KB each, with their content types."""
    begins_at = datetime(2026, 11, 23, tzinfo=UTC) - timedelta(hours=2)
    # Large feeds have more entries, and longer ones.
    entries = ENTRIES if kb <= 100 else ENTRIES * 2
    made = [Outlet(s, begins_at, entries=entries, size=kb * 1000 // entries) for s in seeds]
    return [(outlet.document(0), outlet.content_type) for outlet in made]


def measure(kb: int, seeds: Sequence[int], rounds: int) -> list[Speed]:
    """Return how fast each parser is, interleaved, the median of `rounds`."""
    made = documents(kb, seeds)
    found = {name: _total(parser, count, made) for name, (parser, count) in PARSERS.items()}
    times: dict[str, list[float]] = {name: [] for name in PARSERS}
    for _ in range(rounds):
        for name, (parser, _count_fields) in PARSERS.items():
            times[name].append(_time(parser, made))
    real_kb = sum(len(body) for body, _ in made) // len(made) // 1000
    return [
        Speed(name, real_kb, len(made) / statistics.median(times[name]), found[name])
        for name in PARSERS
    ]


def _total(
    parser: Parser, count: Callable[[Any], Counted], made: Sequence[tuple[bytes, str]]
) -> Counted:
    each = [count(parser(body, content_type)) for body, content_type in made]
    names = Counted.__dataclass_fields__
    return Counted(**{name: sum(getattr(one, name) for one in each) for name in names})


def _time(parser: Parser, made: Sequence[tuple[bytes, str]]) -> float:
    gc.collect()
    begun = time.process_time()
    for body, content_type in made:
        parser(body, content_type)
    return time.process_time() - begun


def run(*, quick: bool) -> list[list[Speed]]:
    """Return for each size how fast each parser is."""
    seeds = SEEDS[:6] if quick else SEEDS
    sizes = SIZES_KB[1::2] if quick else SIZES_KB
    return [measure(kb, seeds, 3) for kb in sizes]


if __name__ == "__main__":
    for speeds in run(quick=True):
        for speed in speeds:
            print(speed)
