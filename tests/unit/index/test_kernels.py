"""The compiled kernels do what those on numpy do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wirewatch.index import kernels_numpy
from wirewatch.index.arrays import HashTable
from wirewatch.index.rows import RowTable
from wirewatch.index.segment import Rows, Segment
from wirewatch.text.classes import character_classes

kernels_numba = pytest.importorskip("wirewatch.index.kernels_numba", reason="numba is not here")
BOTH = [kernels_numpy, kernels_numba]
SEED = np.uint64(12345)

texts = st.lists(
    st.text(alphabet="aB é,.\u0301\u200d中国、ータก็\u0e33№½😀0-\n", max_size=12),
    min_size=1,
    max_size=5,
)


def cut(kernels: object, parts: list[str]) -> tuple[bool, list[list[int]], NDArray[np.uint64]]:
    joined = "".join(part + "\0" for part in parts)
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    offsets = np.cumsum([0, *(len(part) + 1 for part in parts[:-1])]).astype(np.int64)
    salts = np.arange(1, len(parts) + 1).astype(np.uint64)
    found = kernels.words(codes, character_classes(), offsets, salts, SEED)  # type: ignore[attr-defined]
    is_regular, hashes, *rest = found
    return bool(is_regular), [each.tolist() for each in rest], hashes


@given(texts)
@settings(max_examples=300, deadline=None)
def test_words(parts: list[str]) -> None:
    ours, theirs = (cut(kernels, parts) for kernels in BOTH)

    assert ours[0] == theirs[0]
    if ours[0]:
        assert ours[1] == theirs[1]
        assert (ours[2] != 0).all()
        # Each has hashes of its own, but takes the same words for the same.
        same = ours[2][:, None] == ours[2][None, :]
        assert (same == (theirs[2][:, None] == theirs[2][None, :])).all()


@given(st.lists(st.integers(1, 400), unique=True), st.lists(st.integers(1, 400), max_size=50))
@settings(max_examples=200, deadline=None)
def test_find(there: list[int], asked: list[int]) -> None:
    table = HashTable()
    hashes = np.asarray(there, np.uint64) << np.uint64(20)  # many of one home slot
    table.put(hashes, np.arange(len(there), dtype=np.int32))
    wanted = np.asarray(asked, np.uint64) << np.uint64(20)

    found = [kernels.find(table.keys, table.values, wanted).tolist() for kernels in BOTH]

    assert found[0] == found[1] == [there.index(n) if n in there else -1 for n in asked]


@given(
    st.lists(st.lists(st.integers(0, 20), max_size=4, unique=True), min_size=5, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 63)), max_size=30),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_mark(features: list[list[int]], found: list[tuple[int, int]], with_scope: bool) -> None:
    pool = np.asarray([f for own in features for f in own], np.int32)
    sizes = np.asarray([len(own) for own in features], np.int64)
    held = ((np.cumsum(sizes) - sizes) << 20) | sizes
    tokens = np.asarray([token for token, _ in found], np.int32)
    articles = np.asarray([article for _, article in found], np.int64)
    scope = np.asarray([n % 3 for n in range(21)], np.int32)[: 21 if with_scope else 0]
    planes = [np.zeros(21, np.uint64) for _ in BOTH]
    for kernels, own in zip(BOTH, planes, strict=True):
        masks = np.zeros(5, np.uint64)
        kernels.mark(own, tokens, articles, held, 20, pool, scope, masks)
        assert not masks.any()

    expected = [0] * 21
    for token, article in found:
        for feature in features[token]:
            number = int(scope[feature]) if with_scope else feature
            if article >= 0 and (number or not with_scope):
                expected[number] |= 1 << article
    assert planes[0].tolist() == planes[1].tolist() == expected


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=4, unique=True), min_size=5, max_size=5),
    st.lists(st.integers(0, 4), max_size=30),
    st.lists(st.integers(0, 9)),
)
@settings(max_examples=200, deadline=None)
def test_occurrences(features: list[list[int]], words: list[int], asked: list[int]) -> None:
    pool = np.asarray([f for own in features for f in own], np.int32)
    sizes = np.asarray([len(own) for own in features], np.int64)
    held = ((np.cumsum(sizes) - sizes) << 20) | sizes
    wanted = np.asarray([number in asked for number in range(10)])

    found = [
        kernels.occurrences(np.asarray(words, np.int32), held, 20, pool, wanted).tolist()
        for kernels in BOTH
    ]

    expected = sorted(
        feature << 32 | at
        for at, word in enumerate(words)
        for feature in features[word]
        if feature in asked
    )
    assert found[0] == found[1] == expected


@given(
    st.lists(st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple), unique=True),
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1, 1, 1, 3])), max_size=30),
)
@settings(max_examples=300, deadline=None)
def test_find_rows(rows: list[tuple[int, ...]], words: list[tuple[int, int]]) -> None:
    table = RowTable()
    for number, row in enumerate(rows, 1):
        table.add(row, number)
    table.settle()
    numbers = np.asarray([number for number, _ in words], np.int32)
    positions = np.cumsum([step for _, step in words]).astype(np.int64)
    arrays = (
        table._pairs, table._entries, table._starts.view, table._lengths.view,
        table._words.view, table._begins, np.uint64(42),
    )  # fmt: skip

    found = []
    for kernels in BOTH:
        at, entries = kernels.find_rows(numbers, positions, *arrays)
        found.append(sorted(zip(at.tolist(), (entries + 1).tolist(), strict=True)))

    expected = [
        (at, number)
        for number, row in enumerate(rows, 1)
        for at in range(len(words) - len(row) + 1)
        if tuple(numbers[at : at + len(row)].tolist()) == row
        and int(positions[at + len(row) - 1] - positions[at]) == len(row) - 1
    ]
    assert found[0] == found[1] == sorted(expected)


clauses = st.lists(st.integers(2, 19), min_size=1, max_size=3, unique=True).map(tuple)


@given(
    st.lists(st.lists(clauses, min_size=1, max_size=4), min_size=1, max_size=8),
    st.lists(st.integers(0, 2**64 - 1), min_size=9, max_size=9),
    st.lists(st.floats(1, 1000, width=32), min_size=10, max_size=10),
)
@settings(max_examples=300, deadline=None)
def test_search(queries: list[list[tuple[int, ...]]], masks: list[int], costs: list[float]) -> None:
    everywhere = 2**64 - 1
    planes = np.asarray([everywhere, *masks], np.uint64)
    segment = Segment(Rows.of(range(len(queries)), queries), np.asarray(costs, np.float32))
    arrays = (
        segment._anchor_features, segment._posting_begins, segment._postings, segment._seconds,
        segment._begins, segment.queries.clause_ends, segment.queries.literal_ends,
        segment.queries.literals,
    )  # fmt: skip
    found = []
    for kernels in BOTH:
        numbers, bits = kernels.search(planes, *arrays)
        merged = dict.fromkeys(numbers.tolist(), 0)
        for number, own in zip(numbers.tolist(), bits.tolist(), strict=True):
            merged[number] |= own
        found.append(merged)

    expected = {}
    for number, query in enumerate(queries):
        holds = everywhere
        for clause in query:
            held = 0
            for literal in clause:
                plane = int(planes[literal >> 1])
                held |= plane ^ everywhere if literal & 1 else plane
            holds &= held
        if holds:
            expected[number] = holds
    assert found[0] == found[1] == expected
