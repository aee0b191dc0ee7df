"""`wirewatch alerts match`: many queries against many articles, without Kafka or a network."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec
import typer

from wirewatch.cli.jsonlines import LeftOut, complain, lines, numbered_lines
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.index.index import QueryIndex
from wirewatch.index.reader import batches
from wirewatch.query.errors import QueryError
from wirewatch.query.parse import parse
from wirewatch.query.sample import Sample, article_of
from wirewatch.query.tree import Query
from wirewatch.runtime.garbage import collect_rarely
from wirewatch.topics.articles import Article

QUERIES_AT_ONCE = 10_000
ARTICLES_AT_ONCE = 1_024
T = TypeVar("T")


class QueryLine(msgspec.Struct, frozen=True):
    """A line of `--queries`."""

    id: str
    query: str


class ArticleLine(Sample, frozen=True, kw_only=True):
    """A line of `--articles`. `language` is BCP 47, `source` a host."""

    id: str
    language: str = "und"

    def article(self) -> Article:
        """Return the article that the line tells of."""
        return msgspec.structs.replace(article_of(self), id=self.id, story_id=self.id)


class MatchLine(msgspec.Struct, frozen=True):
    """A line of the answer: an article and the ids of the queries that it satisfies, sorted."""

    article: str
    matches: list[str]


@dataclass(slots=True)
class Times:
    """Seconds spent, and how many articles came."""

    load: float = 0.0
    read: float = 0.0
    search: float = 0.0
    articles: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)


def match_all(queries: Path, articles: Path, *, as_json: bool) -> None:
    """Answer with a line for each article of a file: which queries of another it satisfies.

    A summary, and what was left out and why, go to standard error. Raises Problem for a file
    that cannot be read.
    """
    times = Times()
    collect_rarely()
    index = QueryIndex(Finder(Catalogue.load()))
    started = time.perf_counter()
    for some in _chunks(_queries(queries, times), QUERIES_AT_ONCE):
        index.put_all(some)
    index.settle()
    times.load = time.perf_counter() - started
    write = _write_json if as_json else _write_line
    for some_lines in _chunks(lines(articles, ArticleLine, times.left_out), ARTICLES_AT_ONCE):
        for answer in _answers(index, some_lines, times):
            write(answer)
    _summarise(index, times)


def _answers(index: QueryIndex, lines: Sequence[ArticleLine], times: Times) -> Iterator[MatchLine]:
    found = [line.article() for line in lines]
    if times.articles == 0:
        before = time.perf_counter()
        index.learn(found)
        index.tune()
        times.load += time.perf_counter() - before
    for batch in batches(found):
        before = time.perf_counter()
        read = index.read(batch)
        middle = time.perf_counter()
        slots = index.satisfied_by(read)
        times.search += time.perf_counter() - middle
        times.read += middle - before
        times.articles += len(batch)
        for article, own in zip(batch, slots, strict=True):
            yield MatchLine(article.id, sorted([index.ids[slot] for slot in own.tolist()]))


def _queries(path: Path, times: Times) -> Iterator[tuple[str, Query]]:
    catalogue = Catalogue.load()
    for number, line in numbered_lines(path, QueryLine, times.left_out):
        try:
            yield line.id, parse(line.query, catalogue)
        except QueryError as error:
            times.left_out.count += 1
            complain(f"{path}, line {number}: query {line.id} is left out: {error.in_words()}")


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some


def _write_json(answer: MatchLine) -> None:
    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")


def _write_line(answer: MatchLine) -> None:
    sys.stdout.write(f"{answer.article}\t{' '.join(answer.matches) or '-'}\n")


def _summarise(index: QueryIndex, times: Times) -> None:
    size = index.size()
    per_query = size.total_bytes / max(1, size.queries)
    typer.echo(
        f"{size.queries:,} queries loaded in {times.load:.1f} s, {per_query:,.0f} bytes each; "
        f"{times.articles:,} articles: {_rate(times.articles, times.read)} read, "
        f"{_rate(times.articles, times.search)} searched, "
        f"{_rate(times.articles, times.read + times.search)} both"
        + (f"; {times.left_out.count:,} lines left out" if times.left_out.count else ""),
        err=True,
    )


def _rate(count: int, seconds: float) -> str:
    return f"{count / seconds:,.0f}/s" if count and seconds else "-"
