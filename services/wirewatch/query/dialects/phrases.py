"""Phrases and words with wildcards in them, in our language. Pure."""

import re
from collections.abc import Sequence

from wirewatch.query.dialects.parts import (
    Binds,
    Part,
    Span,
    can_be_found,
    joined,
    phrase,
    prefixed,
    word,
)
from wirewatch.query.errors import QueryError
from wirewatch.query.limits import MAX_DISTANCE, MIN_PREFIX_CHARS

GAP_WORDS = 4
"""Words that a `*` between the words of a phrase stands for, at most."""
_WILD = re.compile(r"[*?!]|(?<=\w\w\w)\$\d?\Z")
_WILD_IN_PHRASE = re.compile(r"\*|(?<=\w)\?(?=\w)")


def gapped(text: str, span: Span) -> Part | None:
    """Return a phrase in which `*` stands for words; None if there is nothing else in it."""
    runs = [run.strip() for run in re.split(r"(?:(?<=\s)|(?<!\S))\*+(?!\S)", text)]
    parts = [phrase(run, span) for run in runs if can_be_found(run)]
    return joined(parts, f" ONEAR/{GAP_WORDS + 1} ", Binds.NEAR) if parts else None


def stump(text: str) -> str | None:
    """Return what stands before the first wildcard of a word; None if it has none."""
    wild = _WILD.search(text)
    return text[: wild.start()] if wild else None


def is_wild(text: str) -> bool:
    """Say whether a word of a phrase has a wildcard: there `?` and `!` may end a sentence."""
    return _WILD_IN_PHRASE.search(text) is not None


def prefix(text: str, span: Span) -> Part:
    """Return a word with a wildcard as a prefix. Raises QueryError for too short a one."""
    begin = stump(text) or ""
    if len(begin) < MIN_PREFIX_CHARS or not can_be_found(begin[-1]):
        raise QueryError(
            f"{text} would stand for too many words",
            offset=span.offset,
            length=span.length,
            suggestion=f"write at least {MIN_PREFIX_CHARS} letters before it, or the words with OR",
        )
    return Part(((f"{begin}*", span),))


def with_prefixes(words: Sequence[str], span: Span) -> Part:
    """Return a phrase of which some words have a wildcard."""
    parts: list[Part] = []
    run: list[str] = []
    for each in [*words, ""]:
        if each and not is_wild(each):
            run.append(each)
            continue
        if run and can_be_found(" ".join(run)):
            parts.append(phrase(" ".join(run), span))
        run = []
        if each:
            parts.append(prefix(each, span))
    return joined(parts, " ONEAR/1 ", Binds.NEAR)


def within_distance(words: Sequence[str], distance: int, span: Span) -> Part:
    """Return words that stand near to one another in any order."""
    parts = [word(each, span) for each in words if can_be_found(each)]
    return joined(parts, f" NEAR/{min(distance, MAX_DISTANCE)} ", Binds.NEAR)


def exactly(text: str, span: Span) -> Part:
    """Return words as they are written, capitals too."""
    return prefixed("=", phrase(text, span), span)
