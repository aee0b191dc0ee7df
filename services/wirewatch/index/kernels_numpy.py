"""The inner loops of the index, on numpy alone: what each does is said here.

`kernels` chooses between these and the compiled ones of `kernels_numba`, which do the same.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from wirewatch.index.arrays import Ints, Longs, Words64, rows
from wirewatch.text.classes import IRREGULAR, JOINS, OTHER, UNSPACED, WORD

NAME = "numpy"
NEXT_TEXT = 3
"""Positions between the last word of a text and the first of the next: no row goes across."""
_FOLDING = np.uint64(29)
_HOME = np.uint64(20)
_PAIR = np.uint64(32)
_MIX = np.uint64(0x9E3779B97F4A7C15)

Bools = NDArray[np.bool_]
Cuttings = tuple[bool, Words64, Longs, Longs, Longs, Bools, Longs]


def words(
    codes: NDArray[np.uint32],
    classes: NDArray[np.uint8],
    offsets: Longs,
    salts: Words64,
    seed: np.uint64,
) -> Cuttings:
    """Cut texts, given as code points one after another, into words.

    Text i begins at `offsets[i]`, ends with a code point that is no part of a word, and has
    `salts[i]` in the hashes of its words. Returns False first where a character is irregular;
    else, for each word, hash (never 0), start, end, position, whether it is a character of a
    script without spaces; and where the words of each text begin, and the last ones end.
    """
    kinds = classes[codes]
    starts, ends, unspaced = _spans(kinds)
    bounds = np.searchsorted(starts, np.append(offsets, len(codes)))
    hashes = _hashes(codes, starts, ends, seed | np.uint64(1))
    hashes ^= np.repeat(salts, np.diff(bounds))
    hashes ^= hashes >> np.uint64(31)
    hashes *= _MIX
    hashes |= np.uint64(1)
    positions = _positions(kinds, starts, ends, unspaced, bounds)
    return not (kinds == IRREGULAR).any(), hashes, starts, ends, positions, unspaced, bounds


def _spans(kinds: NDArray[np.uint8]) -> tuple[Longs, Longs, Bools]:
    inside = np.zeros(len(kinds) + 1, np.int8)
    inside[1:] = (kinds == WORD) | (kinds == JOINS)
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = edges[::2], edges[1::2]  # the last character is no part of a word
    leading = np.flatnonzero(kinds[starts] == JOINS)
    while leading.size:
        starts[leading] += 1
        leading = leading[starts[leading] < ends[leading]]
        leading = leading[kinds[starts[leading]] == JOINS]
    kept = starts < ends
    starts, ends = starts[kept], ends[kept]
    single = np.flatnonzero(kinds == UNSPACED)
    all_starts = np.concatenate([starts, single])
    order = np.argsort(all_starts, kind="stable") if single.size else np.arange(len(starts))
    is_single = np.arange(len(all_starts)) >= len(starts)
    return all_starts[order], np.concatenate([ends, single + 1])[order], is_single[order]


@cache
def _powers(size: int, base: int) -> tuple[Words64, Words64]:
    """Return the powers of `base`, and of its inverse, modulo 2 to the 64."""
    up, down = np.full(size, base, np.uint64), np.full(size, pow(base, -1, 1 << 64), np.uint64)
    up[0] = down[0] = 1
    return np.cumprod(up), np.cumprod(down)


def _hashes(codes: NDArray[np.uint32], starts: Longs, ends: Longs, base: np.uint64) -> Words64:
    """Return a polynomial hash of each word's characters, from sums over the whole text."""
    up, down = _powers(1 << len(codes).bit_length(), int(base))
    values = codes.astype(np.uint64)
    values *= _MIX
    values ^= values >> _FOLDING
    values *= up[: len(values)]
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values, out=sums[1:])
    hashes: Words64 = (sums[ends] - sums[starts]) * down[starts]
    return hashes


def _positions(
    kinds: NDArray[np.uint8], starts: Longs, ends: Longs, unspaced: Bools, bounds: Longs
) -> Longs:
    steps = np.ones(len(starts), np.int64)
    if unspaced.any():
        # Punctuation parts two characters of a script without spaces.
        marks = np.zeros(len(kinds) + 1, np.int64)
        np.cumsum(kinds == OTHER, out=marks[1:])
        both = unspaced[1:] & unspaced[:-1]
        steps[1:] += both & (marks[starts[1:]] > marks[ends[:-1]])
    texts = np.flatnonzero(np.diff(bounds))
    steps[bounds[texts]] = 1 + (NEXT_TEXT - 1) * np.diff(texts, prepend=-1)
    return np.cumsum(steps)


def find(keys: Words64, values: Ints, hashes: Words64) -> Ints:
    """Look hashes up in an open-addressing table; -1 where one is not there."""
    mask = np.int64(len(keys) - 1)
    slots = (hashes >> _HOME).astype(np.int64) & mask
    found: Ints = values[slots]
    elsewhere = np.flatnonzero(keys[slots] != hashes)
    while elsewhere.size:
        found[elsewhere] = -1
        going_on = elsewhere[keys[slots[elsewhere]] != 0]
        slots[going_on] = (slots[going_on] + 1) & mask
        found[going_on] = values[slots[going_on]]
        elsewhere = going_on[keys[slots[going_on]] != hashes[going_on]]
    return found


def mark(
    planes: Words64,
    tokens: Ints,
    articles: Longs,
    held: Longs,
    count_bits: int,
    pool: Ints,
    scope: Ints,
    masks: Words64,
) -> None:
    """Set in the planes of the features of tokens the bit of each token's article.

    An article of -1 leaves the token out. The features of token t are `held[t] % 2**count_bits`
    many and stand in `pool` from `held[t] // 2**count_bits` on. With a `scope` the feature that
    it has for each is set instead, 0 for none. `masks` is room to work in: 0 for each token.
    """
    there = np.flatnonzero(articles >= 0)
    found, own = _gathered(tokens[there], articles[there])
    del masks  # the compiled kernel's
    counts = held[found] & ((1 << count_bits) - 1)
    places, owner = rows(held[found] >> count_bits, counts)
    features = pool[places]
    bits = own[owner]
    if len(scope):
        features = scope[features]
        kept = features > 0
        features, bits = features[kept], bits[kept]
    np.bitwise_or.at(planes, features, bits)


def occurrences(tokens: Ints, held: Longs, count_bits: int, pool: Ints, wanted: Bools) -> Longs:
    """Return where the features that are `wanted` stand: feature << 32 | word, sorted.

    `held` says for a token where its features begin in `pool` (above `count_bits`) and how many
    it has (below).
    """
    counts = held[tokens] & ((1 << count_bits) - 1)
    places, owners = rows(held[tokens] >> count_bits, counts)
    features = pool[places]
    chosen = wanted[features]
    found: Longs = (features[chosen].astype(np.int64) << 32) | owners[chosen]
    found.sort()
    return found


def set_bits(planes: Words64, features: Ints, articles: Longs) -> None:
    """Set bit `articles[i]` of plane `features[i]`."""
    present, bits = _gathered(features, articles)
    planes[present] |= bits


def _gathered(numbers: Ints, articles: Longs) -> tuple[Ints, Words64]:
    """Return each number once, with the bits of all its articles."""
    if not len(numbers):
        return np.empty(0, np.int32), np.empty(0, np.uint64)
    pairs = (numbers.astype(np.int64) << 6) | articles
    pairs.sort()
    sorted_numbers = (pairs >> 6).astype(np.int32)
    begins = np.flatnonzero(np.diff(sorted_numbers, prepend=-1))
    bits = np.uint64(1) << (pairs & 63).astype(np.uint64)
    return sorted_numbers[begins], np.bitwise_or.reduceat(bits, begins)


def find_rows(
    numbers: Ints,
    positions: Longs,
    pairs: Words64,
    entries: Ints,
    starts: Longs,
    lengths: Ints,
    pool: Ints,
    filtered: Bools,
    filter_shift: np.uint64,
) -> tuple[Longs, Ints]:
    """Find rows of words: return where each begins, and its entry.

    `numbers` are those of the words of a text (0: of no row) and `positions` theirs. `pairs` are
    the first two words of all rows, sorted, `entries` their entries; entry e has the words
    `pool[starts[e] : starts[e] + lengths[e]]`. `filtered` says of the hash of a pair that it may
    be there.
    """
    follows = positions[1:] - positions[:-1] == 1
    at = np.flatnonzero((numbers[:-1] > 0) & (numbers[1:] > 0) & follows)
    keys = (numbers[at].astype(np.uint64) << _PAIR) | numbers[at + 1].astype(np.uint64)
    passed = filtered[(keys * _MIX >> filter_shift).astype(np.int64)]
    at, keys = at[passed], keys[passed]
    begin = np.searchsorted(pairs, keys)
    places, owner = rows(begin, np.searchsorted(pairs, keys, side="right") - begin)
    at, found = at[owner], entries[places]
    step = 2
    while (longer := np.flatnonzero(lengths[found] > step)).size:
        there = at[longer] + step
        within = there < len(numbers)
        there = np.where(within, there, 0)
        wanted = pool[starts[found[longer]] + step]
        near = positions[there] - positions[at[longer]] == step
        kept = np.ones(len(at), np.bool_)
        kept[longer] = within & near & (numbers[there] == wanted)
        at, found = at[kept], found[kept]
        step += 1
    return at, found


def search(
    planes: Words64,
    anchors: Ints,
    posting_begins: Longs,
    postings: Ints,
    seconds: Ints,
    begins: Longs,
    clause_ends: Longs,
    literal_ends: Longs,
    literals: Ints,
) -> tuple[Ints, Words64]:
    """Find the queries all clauses of which hold, and in which articles (bits).

    Candidates are the `postings` of each of `anchors`, in the articles that have it; the plane
    of `seconds`, which run beside the postings, has to hold too, and each clause of query q
    behind `begins[q]`.
    """
    masks = planes[anchors]
    there = np.flatnonzero(masks)
    masks = masks[there]
    counts = posting_begins[there + 1] - posting_begins[there]
    places, owner = rows(posting_begins[there], counts)
    queries = postings[places]
    found = masks[owner] & planes[seconds[places]]
    left = np.flatnonzero(found)
    queries, found = queries[left], found[left]
    clauses, last = begins[queries] + 1, clause_ends[queries]
    done: list[tuple[Ints, Words64]] = [(np.empty(0, np.int32), np.empty(0, np.uint64))]
    while queries.size:
        ended = clauses >= last
        done.append((queries[ended], found[ended]))
        left = np.flatnonzero(~ended)
        found = found[left] & _held(planes, clauses[left], literal_ends, literals)
        left, found = left[found != 0], found[found != 0]
        queries, clauses, last = queries[left], clauses[left] + 1, last[left]
    return np.concatenate([q for q, _ in done]), np.concatenate([f for _, f in done])


def _held(planes: Words64, clauses: Longs, literal_ends: Longs, literals: Ints) -> Words64:
    """Return in which articles each of these clauses holds."""
    if not len(clauses):
        return np.empty(0, np.uint64)
    begins = np.where(clauses > 0, literal_ends[clauses - 1], 0)
    counts = literal_ends[clauses] - begins
    places, _ = rows(begins, counts)
    chosen = literals[places]
    held = planes[chosen >> 1] ^ -(chosen & 1).astype(np.int64).view(np.uint64)
    return np.bitwise_or.reduceat(held, np.cumsum(counts) - counts)
