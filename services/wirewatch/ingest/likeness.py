"""How alike two signatures are: the same story or not. Pure.

Figures of this measure and of others: tests/documents/stories/README.md.
"""

import struct
from typing import NamedTuple

from wirewatch.ingest.signature import HEAD, KEY_NUMBERS, LAYOUT, WORDS_AT

SAME_STORY = 0.76
"""From this likeness on two articles tell the same story. Tuned on dev.jsonl alone."""
LEAST_COMPARED = 8
"""A shorter text is compared as if it had so many words, of which it lacks some."""
OF_ALL_WORDS = 0.25
PER_NAME = 0.3
PER_NUMBER = 0.1
EACH_NUMBER = 0.06
"""What differing names (as a share of all) and numbers take away: the same sentence with other
names and numbers is a template, the next match, earthquake or closing price."""
TEMPLATE = 0.5
"""What is taken away where nothing but names and numbers was put for others. Who edits a report
changes other words too."""


class Words(NamedTuple):
    """A signature taken apart. `names` and `numbers` are among `all`."""

    all: frozenset[int]
    names: tuple[int, ...]
    numbers: tuple[int, ...]


def keys_of(signature: bytes) -> list[int]:
    """Return the numbers of 40 bits by which like signatures are found, each once.

    None of a signature in another layout: it is like no other.
    """
    if len(signature) <= WORDS_AT or signature[0] != LAYOUT:
        return []
    if len(signature) != WORDS_AT + 2 * (signature[1] + signature[2] + signature[3]):
        return []
    keys = KEY_NUMBERS.unpack_from(signature, HEAD.size)
    return list(keys) if keys[-1] != keys[-2] else list(dict.fromkeys(keys))


def words_of(signature: bytes) -> Words:
    """Return the words of a signature."""
    _, plain, names, numbers = HEAD.unpack_from(signature)
    words = struct.unpack_from(f"<{plain + names + numbers}H", signature, WORDS_AT)
    return Words(frozenset(words), words[plain : plain + names], words[plain + names :])


def likeness(one: Words, other: Words) -> float:
    """Return how alike both are: 0 or less for nothing in common, up to 1.25.

    What counts is the share of the shorter text that the longer one has too, as
    outlets cut a wire story at its end; a little the share of all words; and against
    it names and numbers of each that the other does not have, most where nothing else differs.
    """
    shared = len(one.all & other.all)
    sizes = len(one.all), len(other.all)
    shorter = max(LEAST_COMPARED, min(sizes))
    score = shared / shorter + OF_ALL_WORDS * shared / (sum(sizes) - shared)
    if score < SAME_STORY:
        return score
    names = min(_missing(one.names, other.all), _missing(other.names, one.all))
    numbers = min(_missing(one.numbers, other.all), _missing(other.numbers, one.all))
    if names:
        score -= PER_NAME * names / min(len(one.names), len(other.names))
        if names + numbers >= min(sizes) - shared:
            score -= TEMPLATE
    if numbers:
        score -= PER_NUMBER * numbers / min(len(one.numbers), len(other.numbers))
    return score - EACH_NUMBER * numbers


def _missing(words: tuple[int, ...], among: frozenset[int]) -> int:
    return sum(word not in among for word in words)
