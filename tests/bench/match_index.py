"""How fast articles are held against stored queries, beside Lucene Monitor, one core each.

Both hold the same queries, read the same articles and take turns. That they find the same is
proved before anything is timed.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from . import lucene_peer, match_corpus
from .processes import ask, running

PROVED = 200
"""Articles of which both sides tell all matches."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: `theirs` are the articles of a round of Lucene's, ours of ours."""

    queries: int
    rounds: int
    ours: int
    theirs: int
    heap_gb: int
    with_numpy: bool
    with_lucene: bool = True


FULL = (
    Size(100_000, rounds=7, ours=4_096, theirs=1_000, heap_gb=3, with_numpy=True),
    Size(1_000_000, rounds=5, ours=4_096, theirs=200, heap_gb=7, with_numpy=False),
)
QUICK = (Size(20_000, rounds=3, ours=1_024, theirs=400, heap_gb=2, with_numpy=False),)
HUGE = Size(5_000_000, 3, ours=2_048, theirs=0, heap_gb=0, with_numpy=False, with_lucene=False)


@dataclass(frozen=True, slots=True)
class Round:
    """Articles a second: whole, and of that reading and searching alone."""

    whole: float
    reading: float = 0.0
    searching: float = 0.0


@dataclass(slots=True)
class Side:
    """What one side took. Bytes are those of all structures, by its own count."""

    name: str
    load_s: float = 0.0
    bytes_per_query: float = 0.0
    resident_per_query: float = 0.0
    matches_per_article: float = 0.0
    rounds: list[Round] = field(default_factory=list)

    @property
    def articles_per_s(self) -> float:
        """The median of the rounds."""
        return statistics.median(each.whole for each in self.rounds)

    def part(self, name: str) -> float:
        """Return the median of `reading` or `searching`."""
        return statistics.median(getattr(each, name) for each in self.rounds)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured at one number of queries. `proved` are matches that both sides told."""

    queries: int
    lucene: str
    proved: int
    sides: tuple[Side, ...]

    def ratio(self, name: str) -> float:
        """Return the median over rounds of how many times as fast as Lucene a side is."""
        by_name = {side.name: side for side in self.sides}
        pairs = zip(by_name[name].rounds, by_name["Lucene Monitor"].rounds, strict=True)
        return statistics.median(ours.whole / theirs.whole for ours, theirs in pairs)


class Ours:
    """The index in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process = process
        self.side = Side(name)

    def _ask(self, do: str, **more: object) -> dict[str, float]:
        answer: dict[str, float] = json.loads(ask(self._process, json.dumps({"do": do} | more)))
        return answer

    def load(self, files: match_corpus.Files) -> None:
        loaded = self._ask("load", queries=str(files.queries), articles=str(files.articles))
        self.side.load_s = loaded["seconds"]
        self.side.resident_per_query = loaded["resident_bytes"] / loaded["queries"]

    def warm(self, articles: int) -> None:
        self._ask("match", first=0, end=articles, results=False)
        self._ask("tune")
        self._ask("match", first=0, end=articles, results=False)

    def ids(self) -> dict[str, list[str]]:
        answer = self._ask("match", first=0, end=PROVED, results=True)
        return answer["ids"]  # type: ignore[return-value]

    def round(self, articles: int) -> None:
        took = self._ask("match", first=0, end=articles, results=False)
        seconds = took["reading"] + took["searching"]
        self.side.matches_per_article = took["matches"] / articles
        self.side.rounds.append(
            Round(articles / seconds, articles / took["reading"], articles / took["searching"])
        )

    def weigh(self, queries: int) -> None:
        self.side.bytes_per_query = self._ask("size")["bytes"] / queries


def measure(sizes: Sequence[Size], seed: int = 1) -> list[Comparison]:
    """Return what came of each size. Raises Unavailable where Lucene is wanted and cannot be."""
    made = match_corpus.vocabularies(seed)
    return [_compare(size, made, seed) for size in sizes]


def _compare(size: Size, made: Sequence[match_corpus.Vocabulary], seed: int) -> Comparison:
    with TemporaryDirectory(prefix="wirewatch-bench-") as folder, ExitStack() as stack:
        count = max(size.ours, size.theirs)
        files = match_corpus.write(
            made, Path(folder), articles_=count, queries_=size.queries, seed=seed
        )
        ours = [Ours(stack.enter_context(running("tests.bench.match_worker")), "wirewatch")]
        if size.with_numpy:
            process = stack.enter_context(running("tests.bench.match_worker", "--numpy"))
            ours.append(Ours(process, "wirewatch, numpy alone"))
        for each in ours:
            _say(f"{size.queries:,} queries: {each.side.name} loads")
            each.load(files)
            each.warm(size.ours)
        if not size.with_lucene:
            for _ in range(size.rounds):
                ours[0].round(size.ours)
            ours[0].weigh(size.queries)
            return Comparison(size.queries, "", 0, (ours[0].side,))
        lucene = stack.enter_context(lucene_peer.running(heap_gb=size.heap_gb))
        theirs = Side("Lucene Monitor")
        _say(f"{size.queries:,} queries: Lucene loads")
        loaded = lucene.load(files.trees)
        theirs.load_s = loaded.seconds
        theirs.bytes_per_query = loaded.heap_mb * 1_000_000 / size.queries
        proved = _prove(ours, lucene, files)
        for _ in range(3):
            lucene.match(files.articles, 0, size.theirs)
        for number in range(size.rounds):
            _say(f"{size.queries:,} queries: round {number + 1} of {size.rounds}")
            for each in ours:
                each.round(size.ours)
            matched = lucene.match(files.articles, 0, size.theirs)
            theirs.matches_per_article = matched.matches / matched.articles
            theirs.rounds.append(Round(matched.articles_per_s))
        for each in ours:
            each.weigh(size.queries)
        sides = (*(each.side for each in ours), theirs)
        return Comparison(size.queries, lucene.version, proved, sides)


def _prove(ours: Sequence[Ours], lucene: lucene_peer.LucenePeer, files: match_corpus.Files) -> int:
    """Return how many matches all sides told. Raises AssertionError where they differ."""
    told = lucene.match(files.articles, 0, PROVED, results=True).ids
    expected = {article: sorted(ids) for article, ids in told.items() if ids}
    for each in ours:
        found = each.ids()
        wrong = [a for a in found.keys() | expected.keys() if found.get(a) != expected.get(a)]
        if wrong:
            one = wrong[0]
            raise AssertionError(
                f"{each.side.name} and Lucene differ on {len(wrong)} articles, {one}: "
                f"{found.get(one)} and {expected.get(one)}"
            )
    return sum(map(len, expected.values()))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
