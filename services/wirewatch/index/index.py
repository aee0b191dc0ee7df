"""Standing queries, and which of them articles satisfy: fast, and never other than the reference.

`wirewatch.query.explain.matches` says what a match is. Here a query is compiled once
(`literals`, `vocabulary`), kept as arrays (`segment`), and a batch of articles is held against
all of them together.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from wirewatch.entities.find import Finder
from wirewatch.index.arrays import Growing, Ints, Longs, Words64
from wirewatch.index.dear import Judge
from wirewatch.index.frequencies import Frequencies
from wirewatch.index.ids import IdTable
from wirewatch.index.literals import (
    CheapClause,
    Clause,
    Compiler,
    Dear,
    Literal,
    decode_clauses,
    encode_clauses,
)
from wirewatch.index.reader import BatchReader, Read, batches
from wirewatch.index.segment import Floats, Rows, Segment, joined
from wirewatch.index.vocabulary import ALWAYS, Vocabulary
from wirewatch.query.reading import Reading, read
from wirewatch.query.tree import Near, Phrase, Query, Word, leaves
from wirewatch.topics.articles import Article

SMALL = 4096
"""Queries of the newest segment: it is made anew with every change."""
MIDDLE = 131_072
"""More queries than this are joined only by `tuning`, which may take seconds."""
MAX_SEGMENTS = 4
_LEARNED = 1_000
"""Articles after which what was learned of words is worth sorting for; then at each tenfold."""
_INT_BYTES = 32
_SHARE = 8
"""A segment is merged into the one before when it has grown to this part of it."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large an index is: queries in force, and bytes of memory by part."""

    queries: int
    bytes_by_part: dict[str, int]

    @property
    def total_bytes(self) -> int:
        """Bytes of memory of all parts."""
        return sum(self.bytes_by_part.values())


class QueryIndex:
    """Holds standing queries by id. Not to be used from several threads at once.

    Each query has a slot, a number that is its own until it is replaced or taken out.
    """

    def __init__(self, finder: Finder, recall: Callable[[int], Query] | None = None) -> None:
        """`recall` gives the query of a slot that `adopt` brought in."""
        self._finder = finder
        self._recall = recall
        self.vocabulary = Vocabulary()
        self._compiler = Compiler(self.vocabulary.feature)
        self._reader = BatchReader(self.vocabulary, finder)
        self.ids = IdTable()
        self._alive = Growing(np.bool_)
        self._living = 0
        self._tuned_at = 0
        self._is_dear = Growing(np.bool_)
        self._dear: dict[int, bytes] = {}
        self._segments: list[Segment] = []
        self._pending: list[tuple[int, tuple[CheapClause, ...]]] = []

    def __len__(self) -> int:
        return self._living

    def put(self, query_id: str, query: Query) -> None:
        """Add or replace a query. It is in force with the next search."""
        self.put_all([(query_id, query)])

    def put_all(self, queries: Iterable[tuple[str, Query]]) -> dict[str, int]:
        """Add or replace queries; return their slots. Of several with one id the last counts."""
        wanted = dict(queries)
        clauses = [self._compiler.clauses(query) for query in wanted.values()]
        self.remove_all(wanted)
        slots = self.ids.add(list(wanted)).tolist()
        self._alive.extend(np.ones(len(slots), np.bool_))
        self._is_dear.extend([bool(each.dear) for each in clauses])
        self._living += len(slots)
        for slot, each in zip(slots, clauses, strict=True):
            if each.dear:
                self._dear[slot] = encode_clauses(each.dear)
            self._pending.append((slot, each.cheap or ((ALWAYS << 1,),)))
        return dict(zip(wanted, slots, strict=True))

    def remove(self, query_id: str) -> None:
        """Take a query out, if it is there. It is not found any more."""
        self.remove_all([query_id])

    def remove_all(self, query_ids: Iterable[str]) -> None:
        """Take queries out, those that are there."""
        ids = list(dict.fromkeys(query_ids))
        slots = self.ids.numbers(ids)
        there = np.flatnonzero(slots >= 0)
        self.ids.forget([ids[at] for at in there.tolist()])
        self._alive.view[slots[there]] = False
        self._living -= len(there)
        for slot in slots[there].tolist():
            self._dear.pop(slot, None)

    def held(self) -> Iterator[str]:
        """Yield the ids of the queries in force."""
        for slot in np.flatnonzero(self._alive.view).tolist():
            yield self.ids[slot]

    def search(self, articles: Sequence[Article]) -> list[list[str]]:
        """Return for each article the ids of the queries that it satisfies, sorted."""
        return [
            sorted([self.ids[slot] for slot in slots.tolist()]) for slots in self.slots(articles)
        ]

    def slots(self, articles: Sequence[Article]) -> list[Ints]:
        """Return for each article the slots of the queries that it satisfies, in order."""
        return [
            slots for batch in batches(articles) for slots in self.satisfied_by(self.read(batch))
        ]

    def read(self, batch: Sequence[Article]) -> Read:
        """Return a batch (of `reader.batches`) as `satisfied_by` takes it, before the next one."""
        self.settle()
        return self._reader.read(batch)

    def learn(self, articles: Sequence[Article]) -> None:
        """Note how frequent words are in `articles`, without a search; `tune` makes use of it."""
        for batch in batches(articles):
            self.read(batch)
            self._reader.clean()

    def satisfied_by(self, batch: Read) -> list[Ints]:
        """Return for each article of a batch the slots of the queries that it satisfies."""
        try:
            return self._satisfied_by(batch)
        finally:
            self._reader.clean()

    def _satisfied_by(self, batch: Read) -> list[Ints]:
        planes = batch.planes
        found = [segment.search(planes) for segment in self._segments]
        slots = np.concatenate([np.empty(0, np.int32), *(each[0] for each in found)])
        masks = np.concatenate([np.empty(0, np.uint64), *(each[1] for each in found)])
        living = self._alive.view[slots]
        slots, masks = slots[living], masks[living]
        if (dear := np.flatnonzero(self._is_dear.view[slots])).size:
            reading = cache(lambda at: read(batch.articles[at], self._finder))
            clauses = [self._dear_of(slot) for slot in slots[dear].tolist()]
            asked = _bits(int(np.bitwise_or.reduce(masks[dear])))
            judge = Judge(self.vocabulary, batch.seen(), reading, _dear_parts(clauses), asked)
            pairs = zip(clauses, masks[dear].tolist(), strict=True)
            masks[dear] = [_dear_mask(each, mask, planes, judge) for each, mask in pairs]
        return _by_article(slots, masks, len(batch.articles))

    def readings(self, batch: Read, wanted: Mapping[int, Sequence[Query]]) -> dict[int, Reading]:
        """Return articles of a batch read, by their numbers, before the next batch is.

        What the queries `wanted` of an article ask for is found already, as the reference would:
        many times as fast as its reading.
        """
        of_each = {
            at: [leaf for q in queries for leaf in leaves(q)] for at, queries in wanted.items()
        }
        readings = {at: read(batch.articles[at], self._finder) for at in of_each}
        asked = dict.fromkeys(leaf for own in of_each.values() for leaf in own)
        judge = Judge(self.vocabulary, batch.seen(), readings.__getitem__, asked, wanted)
        for at, own in of_each.items():
            for leaf in own:
                if (places := judge.places(leaf, at)) is not None:
                    readings[at].found[leaf] = places
        return readings

    def settle(self) -> None:
        """Bring changes into force. `search` does it; called before, it takes the time then."""
        if self._pending:
            self._reader.refresh()
            self._keep(Rows.of(*zip(*self._pending, strict=True)))
            self._pending = []

    def _keep(self, new: Rows) -> None:
        """Put queries into segments: a large one, a middle one, and a small one, made anew.

        What would take long is left to `tuning`.
        """
        parts = [new]
        while self._segments and self._takes_in(self._segments[-1], sum(map(len, parts))):
            parts.append(self._segments.pop().queries)
        whole = joined(parts[::-1])
        if len(parts) > 1:
            whole = whole.chosen(self._alive.view[whole.slots])
        if len(whole):
            self._segments.append(Segment(whole, self._estimated_costs()))

    def _takes_in(self, last: Segment, size: int) -> bool:
        if len(last) + size > MIDDLE:
            return False
        return len(last) + size <= SMALL or size * _SHARE > len(last)

    def _estimated_costs(self) -> Floats:
        return self._reader.frequencies.costs(self.vocabulary.guesses())

    def _dear_of(self, slot: int) -> tuple[Clause, ...]:
        if (held := self._dear.get(slot)) is not None:
            return decode_clauses(held)
        if self._recall is None:
            raise LookupError(f"the query of slot {slot} is not known")
        try:
            clauses = self._compiler.clauses(self._recall(slot)).dear
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - who tells of the slot meets it again, and says it
            return ()
        self._dear[slot] = encode_clauses(clauses)
        return clauses

    def is_untidy(self) -> bool:
        """Say whether a search would gain by `tuning`: after many changes, or many articles."""
        learned = self._reader.frequencies.articles
        return len(self._segments) > MAX_SEGMENTS or (
            learned >= _LEARNED and learned >= self._tuned_at * 10
        )

    def tuning(self) -> tuple[Callable[[], Segment | None], Callable[[Segment | None], None]]:
        """Return how to make one segment of the larger ones, and how to take it in.

        The first may be called in another thread, while searches and changes go on. If these
        have changed the larger segments meanwhile nothing is taken in: try again.
        """
        self.settle()
        larger = [segment for segment in self._segments if len(segment) > SMALL]
        before = larger or list(self._segments)
        costs, alive = self._estimated_costs(), self._alive.view.copy()
        articles = self._reader.frequencies.articles

        def make() -> Segment | None:
            whole = joined([segment.queries for segment in before] or [Rows.of([], [])])
            living = whole.chosen(alive[whole.slots])
            return Segment(living, costs) if len(living) else None

        def take(tuned: Segment | None) -> None:
            now = {id(segment) for segment in self._segments}
            if all(id(segment) in now for segment in before):
                replaced = {id(segment) for segment in before}
                rest = [each for each in self._segments if id(each) not in replaced]
                self._segments = rest if tuned is None else [tuned, *rest]
                self._tuned_at = articles

        return make, take

    def tune(self) -> None:
        """Make one segment of the larger ones, sorted by how frequent words were seen to be."""
        make, take = self.tuning()
        take(make())

    # What a snapshot needs.

    @property
    def frequencies(self) -> Frequencies:
        """How frequent features are in the articles that came."""
        return self._reader.frequencies

    def alive(self) -> NDArray[np.bool_]:
        """Return for each slot whether its query is in force."""
        return self._alive.view

    def dear_slots(self) -> NDArray[np.bool_]:
        """Return for each slot whether its query has dear clauses."""
        return self._is_dear.view

    def rows(self) -> Callable[[], Rows]:
        """Return what joins all queries, also later and in another thread."""
        parts = [segment.queries for segment in self._segments]
        return lambda: joined(parts) if parts else Rows.of([], [])

    def adopt(self, rows: Rows, ids: bytes, id_ends: Longs, dear: NDArray[np.bool_]) -> None:
        """Take in the queries of a snapshot; nothing may be in the index before."""
        self.ids.adopt(ids, id_ends)
        self._alive.extend(np.ones(len(id_ends), np.bool_))
        self._is_dear.extend(dear)
        self._living = len(id_ends)
        self._reader.refresh()
        if len(rows):
            self._segments.append(Segment(rows, self._estimated_costs()))

    def size(self) -> Size:
        """Return how large the index is."""
        self.settle()
        return Size(
            self._living,
            {
                "ids": self.ids.nbytes + self._alive.nbytes,
                "dear": sys.getsizeof(self._dear) + sum(map(_bytes_of_dear, self._dear.values())),
                "segments": sum(segment.nbytes for segment in self._segments),
                "reading": self._reader.nbytes,
            },
        )


def warm_up(finder: Finder) -> None:
    """Make all ready that a first search needs; compiling the kernels can take ten seconds."""
    index = QueryIndex(finder)
    near = Near(Word("a"), Word("b"), 1)
    index.put_all([("near", near), ("phrase", Phrase("a b"))])
    then = datetime(1970, 1, 1, tzinfo=UTC)
    article = Article(
        id="",
        story_id="",
        feed_id="",
        url="",
        title="a b",
        language="en",
        published_at=then,
        fetched_at=then,
    )
    batch = index.read([article])
    index.satisfied_by(batch)
    index.readings(batch, {0: [near]})


def _by_article(slots: Ints, masks: Words64, articles: int) -> list[Ints]:
    """Return the slots whose mask has the bit of each article; a slot may come several times."""
    bits = np.unpackbits(masks.view(np.uint8), bitorder="little").reshape(len(masks), 64)
    found, which = np.nonzero(bits.T)
    pairs = np.unique((found.astype(np.int64) << 32) | slots[which])
    bounds = np.searchsorted(pairs, np.arange(articles + 1, dtype=np.int64) << 32)
    own = (pairs & 0xFFFF_FFFF).astype(np.int32)
    return [own[bounds[at] : bounds[at + 1]] for at in range(articles)]


def _bytes_of_dear(held: bytes) -> int:
    return sys.getsizeof(held) + _INT_BYTES


def _dear_parts(queries: Iterable[tuple[Clause, ...]]) -> Iterator[Query]:
    for clauses in queries:
        for clause in clauses:
            for literal in clause:
                if isinstance(literal, Dear):
                    yield literal.part


def _dear_mask(dear: tuple[Clause, ...], mask: int, planes: Words64, judge: Judge) -> int:
    """Return in which of the articles in `mask` all `dear` clauses hold."""
    for article in _bits(mask):
        if not all(
            any(_literal_holds(literal, article, planes, judge) for literal in clause)
            for clause in dear
        ):
            mask ^= 1 << article
    return mask


def _bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _literal_holds(literal: Literal, article: int, planes: Words64, judge: Judge) -> bool:
    if isinstance(literal, int):
        is_there = bool(int(planes[literal >> 1]) >> article & 1)
        return is_there is not bool(literal & 1)
    return judge.holds(literal.part, article) is literal.wanted
