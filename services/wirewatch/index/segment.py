"""Queries as arrays, and finding those that a batch of articles satisfies. Pure.

A query is a row of clauses, a clause a row of literals: feature × 2, plus 1 where the feature
must not be there. A batch of up to 64 articles is a plane for each feature: bit i is set where
article i has it. The clause of a query that looks rarest is its anchor: from the features that
a batch has, postings lead to the queries anchored there, and only these are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wirewatch.index.arrays import Ints, Longs, Words64, rows
from wirewatch.index.kernels import kernels
from wirewatch.index.vocabulary import ALWAYS

Floats = NDArray[np.float32]
_NO_ANCHOR = np.float32(1e9)
"""The cost of a clause that holds also where nothing is there: it cannot be an anchor."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Queries as they are kept: `slots` are their numbers in the index.

    The clauses of query i are those from `clause_ends[i - 1]` to `clause_ends[i]`, the literals
    of clause j those from `literal_ends[j - 1]` to `literal_ends[j]`.
    """

    slots: Ints
    clause_ends: Longs
    literal_ends: Longs
    literals: Ints

    @classmethod
    def of(cls, slots: Sequence[int], queries: Sequence[Sequence[Sequence[int]]]) -> "Rows":
        """Return queries given as lists of clauses of literals."""
        clauses = [clause for query in queries for clause in query]
        return cls(
            np.asarray(slots, np.int32),
            np.cumsum(np.fromiter(map(len, queries), np.int64, len(queries))),
            np.cumsum(np.fromiter(map(len, clauses), np.int64, len(clauses))),
            np.fromiter((lit for clause in clauses for lit in clause), np.int32),
        )

    def __len__(self) -> int:
        return len(self.slots)

    def chosen(self, keep: NDArray[np.bool_]) -> "Rows":
        """Return the queries that `keep` says."""
        clause_counts = np.diff(self.clause_ends, prepend=0)
        literal_counts = np.diff(self.literal_ends, prepend=0)
        kept_clauses = np.repeat(keep, clause_counts)
        kept_literals = np.repeat(kept_clauses, literal_counts)
        return Rows(
            self.slots[keep],
            np.cumsum(clause_counts[keep]),
            np.cumsum(literal_counts[kept_clauses]),
            self.literals[kept_literals],
        )


def joined(parts: Sequence[Rows]) -> Rows:
    """Return the queries of several rows as one."""
    clauses = np.cumsum([0, *(len(part.literal_ends) for part in parts)])
    literals = np.cumsum([0, *(len(part.literals) for part in parts)])
    return Rows(
        np.concatenate([part.slots for part in parts]),
        np.concatenate([part.clause_ends + at for part, at in zip(parts, clauses, strict=False)]),
        np.concatenate([part.literal_ends + at for part, at in zip(parts, literals, strict=False)]),
        np.concatenate([part.literals for part in parts]),
    )


class Segment:
    """Some queries, ready to be searched. Never changes."""

    def __init__(self, queries: Rows, costs: Floats) -> None:
        """`costs` has for each feature how many of a million articles are thought to have it."""
        self.queries = _sorted(queries, costs)
        self._begins, self._anchor_features, anchored = _postings(self.queries)
        self._posting_begins, self._postings = anchored
        self._seconds = _second(self.queries, self._begins)[self._postings]

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        rows = self.queries
        kept = (rows.slots, rows.clause_ends, rows.literal_ends, rows.literals)
        found = (self._begins, self._anchor_features, self._posting_begins, self._postings)
        return sum(int(each.nbytes) for each in (*kept, *found, self._seconds))

    def search(self, planes: Words64) -> tuple[Ints, Words64]:
        """Return the slots of queries whose clauses hold, and in which articles (bits).

        A query may come several times.
        """
        queries, found = kernels.search(
            planes,
            self._anchor_features,
            self._posting_begins,
            self._postings,
            self._seconds,
            self._begins,
            self.queries.clause_ends,
            self.queries.literal_ends,
            self.queries.literals,
        )
        return self.queries.slots[queries], found


def _sorted(queries: Rows, costs: Floats) -> Rows:
    """Return the queries with the clauses of each from rare to frequent."""
    literal_counts = np.diff(queries.literal_ends, prepend=0)
    of_literals = np.where(queries.literals & 1, _NO_ANCHOR, costs[queries.literals >> 1])
    of_clauses = np.minimum(
        np.add.reduceat(of_literals, queries.literal_ends - literal_counts), _NO_ANCHOR
    )
    clause_counts = np.diff(queries.clause_ends, prepend=0)
    owner = np.repeat(np.arange(len(queries)), clause_counts)
    order = np.lexsort((of_clauses, owner))
    places, _ = rows((queries.literal_ends - literal_counts)[order], literal_counts[order])
    return Rows(
        queries.slots,
        queries.clause_ends,
        np.cumsum(literal_counts[order]),
        queries.literals[places],
    )


def _postings(queries: Rows) -> tuple[Longs, Ints, tuple[Longs, Ints]]:
    """Return the first clause of each query, the features of anchors, and their postings."""
    begins = queries.clause_ends - np.diff(queries.clause_ends, prepend=0)
    literal_begins = queries.literal_ends - np.diff(queries.literal_ends, prepend=0)
    counts = queries.literal_ends[begins] - literal_begins[begins]
    places, owner = rows(literal_begins[begins], counts)
    features = queries.literals[places] >> 1
    # An anchor that denies is found in every article, and held against its plane like the rest.
    denying = np.bitwise_or.reduceat(queries.literals[places] & 1, np.cumsum(counts) - counts) > 0
    features = np.where(denying[owner], np.int32(ALWAYS), features)
    order = np.argsort(features, kind="stable")
    anchors, first = np.unique(features[order], return_index=True)
    posting_begins = np.append(first, len(features)).astype(np.int64)
    return (
        np.where(denying, begins - 1, begins),
        anchors.astype(np.int32),
        (posting_begins, owner[order].astype(np.int32)),
    )


def _second(queries: Rows, anchors: Longs) -> Ints:
    """Return for each query the feature of its second clause, if that asks for one only.

    One look-up then drops most candidates; what has no such clause gets what always is there.
    """
    clauses = anchors + 1
    there = clauses < queries.clause_ends
    clauses = np.where(there, clauses, 0)
    begins = np.where(clauses > 0, queries.literal_ends[clauses - 1], 0)
    literals = queries.literals[begins]
    single = there & (queries.literal_ends[clauses] - begins == 1) & (literals & 1 == 0)
    return np.where(single, literals >> 1, ALWAYS).astype(np.int32)
