"""The kernels, compiled by numba: with them matching is half as fast again as on numpy alone.

Optional (`pip install wirewatch[fast]`). Each function does what its namesake in
`kernels_numpy` does and a test holds the two together; what they are for is said there.
"""

import numpy as np
from numba import njit

from wirewatch.index.kernels_numpy import NEXT_TEXT
from wirewatch.text.classes import IRREGULAR, JOINS, OTHER, UNSPACED, WORD

_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(1)
_SHIFT = np.uint64(29)
_HOME = np.uint64(20)
_HIGH = np.uint64(32)
NAME = "numba"
__all__ = ["NAME", "find", "find_rows", "mark", "occurrences", "search", "set_bits", "words"]


def _compiled(function):
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # No folder to keep it in (set NUMBA_CACHE_DIR): it is compiled anew at each start.
        return njit(nogil=True)(function)


@_compiled
def words(codes, classes, offsets, salts, seed):
    size = len(codes)
    hashes = np.empty(size, np.uint64)
    starts = np.empty(size, np.int64)
    ends = np.empty(size, np.int64)
    positions = np.empty(size, np.int64)
    unspaced = np.empty(size, np.bool_)
    bounds = np.empty(len(offsets) + 1, np.int64)
    count, position = 0, 0
    for text in range(len(offsets)):
        bounds[text] = count
        at = offsets[text]
        end = offsets[text + 1] if text + 1 < len(offsets) else size
        position += NEXT_TEXT - 1
        last_end, parted = -1, False
        while at < end:
            kind = classes[codes[at]]
            if kind == IRREGULAR:
                return False, hashes, starts, ends, positions, unspaced, bounds
            if kind not in (WORD, UNSPACED):
                parted = parted or kind == OTHER
                at += 1
                continue
            value = seed ^ salts[text]
            begin = at
            if kind == UNSPACED:
                value = (value ^ np.uint64(codes[at])) * _PRIME
                value ^= value >> _SHIFT
                at += 1
            else:
                while at < end:
                    kind = classes[codes[at]]
                    if kind not in (WORD, JOINS):
                        break
                    value = (value ^ np.uint64(codes[at])) * _PRIME
                    value ^= value >> _SHIFT
                    at += 1
                kind = WORD
            position += 1
            if kind == UNSPACED and last_end >= 0 and parted:
                position += 1
            last_end = at if kind == UNSPACED else -1
            parted = False
            value = (value ^ (value >> _HIGH)) * _MIX
            hashes[count] = (value ^ (value >> _SHIFT)) | _ONE
            starts[count] = begin
            ends[count] = at
            positions[count] = position
            unspaced[count] = kind == UNSPACED
            count += 1
    bounds[len(offsets)] = count
    return (
        True,
        hashes[:count].copy(),
        starts[:count].copy(),
        ends[:count].copy(),
        positions[:count].copy(),
        unspaced[:count].copy(),
        bounds,
    )


@_compiled
def find(keys, values, hashes):
    found = np.empty(len(hashes), np.int32)
    mask = np.int64(len(keys) - 1)
    for at in range(len(hashes)):
        wanted = hashes[at]
        slot = np.int64(wanted >> _HOME) & mask
        while keys[slot] != wanted and keys[slot] != 0:
            slot = (slot + 1) & mask
        found[at] = values[slot] if keys[slot] == wanted else -1
    return found


@_compiled
def mark(planes, tokens, articles, held, count_bits, pool, scope, masks):
    # First which articles have each token, then the features of each token once: a frequent
    # word has many, and stands in most articles of a batch.
    touched = np.empty(len(tokens) + 1, np.int32)
    count = 0
    for at in range(len(tokens)):
        if articles[at] >= 0:
            token = tokens[at]
            # Written always and counted where it is new: no branch that is guessed wrong.
            touched[count] = token
            count += masks[token] == 0
            masks[token] |= _ONE << np.uint64(articles[at])
    count_mask = (np.int64(1) << count_bits) - 1
    for at in range(count):
        token = touched[at]
        mask = masks[token]
        masks[token] = 0
        begin = held[token] >> count_bits
        for place in range(begin, begin + (held[token] & count_mask)):
            feature = pool[place]
            if len(scope):
                feature = scope[feature]
                if feature == 0:
                    continue
            planes[feature] |= mask


@_compiled
def occurrences(tokens, held, count_bits, pool, wanted):
    found = np.empty(1024, np.int64)
    count = 0
    count_mask = (np.int64(1) << count_bits) - 1
    for word in range(len(tokens)):
        token = tokens[word]
        begin = held[token] >> count_bits
        for place in range(begin, begin + (held[token] & count_mask)):
            feature = pool[place]
            if wanted[feature]:
                if count == len(found):
                    found = np.concatenate((found, np.empty(count, np.int64)))
                found[count] = (np.int64(feature) << 32) | word
                count += 1
    return np.sort(found[:count])


@_compiled
def set_bits(planes, features, articles):
    for at in range(len(features)):
        planes[features[at]] |= _ONE << np.uint64(articles[at])


@_compiled
def find_rows(numbers, positions, pairs, entries, starts, lengths, pool, filtered, filter_shift):
    at_found = np.empty(256, np.int64)
    entry_found = np.empty(256, np.int32)
    count = 0
    for at in range(len(numbers) - 1):
        if numbers[at] == 0 or numbers[at + 1] == 0 or positions[at + 1] - positions[at] != 1:
            continue
        pair = (np.uint64(numbers[at]) << _HIGH) | np.uint64(numbers[at + 1])
        if not filtered[np.int64((pair * _MIX) >> filter_shift)]:
            continue
        place = np.searchsorted(pairs, pair)
        while place < len(pairs) and pairs[place] == pair:
            entry = entries[place]
            place += 1
            step = 2
            while (
                step < lengths[entry]
                and at + step < len(numbers)
                and numbers[at + step] == pool[starts[entry] + step]
                and positions[at + step] - positions[at] == step
            ):
                step += 1
            if step < lengths[entry]:
                continue
            if count == len(at_found):
                at_found = np.concatenate((at_found, np.empty(count, np.int64)))
                entry_found = np.concatenate((entry_found, np.empty(count, np.int32)))
            at_found[count] = at
            entry_found[count] = entry
            count += 1
    return at_found[:count].copy(), entry_found[:count].copy()


@_compiled
def search(
    planes,
    anchors,
    posting_begins,
    postings,
    seconds,
    begins,
    clause_ends,
    literal_ends,
    literals,
):
    queries = np.empty(1024, np.int32)
    found = np.empty(1024, np.uint64)
    count = 0
    for anchor in range(len(anchors)):
        mask = planes[anchors[anchor]]
        if mask == 0:
            continue
        for place in range(posting_begins[anchor], posting_begins[anchor + 1]):
            left = mask & planes[seconds[place]]
            if left == 0:
                continue
            query = postings[place]
            clause = begins[query] + 1
            while left != 0 and clause < clause_ends[query]:
                held = np.uint64(0)
                first = literal_ends[clause - 1] if clause > 0 else 0
                for number in range(first, literal_ends[clause]):
                    literal = literals[number]
                    plane = planes[literal >> 1]
                    held |= ~plane if literal & 1 else plane
                left &= held
                clause += 1
            if left == 0:
                continue
            if count == len(queries):
                queries = np.concatenate((queries, np.empty(count, np.int32)))
                found = np.concatenate((found, np.empty(count, np.uint64)))
            queries[count] = query
            found[count] = left
            count += 1
    return queries[:count].copy(), found[:count].copy()
