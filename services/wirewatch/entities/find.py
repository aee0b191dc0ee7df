"""Find the entities that an article names. Pure.

A name counts if it begins and ends where a word does, as far as the alias asks for that, has
the capitals and accents the alias needs, is not part of a longer name, does not stand inside a
blocker, and, where it is weak, has other evidence in the article: see `wirewatch.entities.decide`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import regex

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.decide import Mention, mentions
from wirewatch.entities.edges import splits_katakana, word_end
from wirewatch.entities.lexicon import (
    AHEAD,
    FIRST_WORD,
    MARGIN,
    QUOTES,
    Beginning,
    Hit,
    Lexicon,
    Rule,
    WordNames,
)
from wirewatch.entities.spelling import LOOKALIKES, is_spelt_right, plain
from wirewatch.text.fold import Folded, fold
from wirewatch.text.language import primary
from wirewatch.text.words import Token, tokens
from wirewatch.topics.entities import Entity

__all__ = ["Finder", "Mention", "Piece", "piece", "piece_of"]

_BETWEEN = " '\"-·.,()/&+:!?"
"""What may stand between the words of a name."""
_NEXT_CAPITAL = regex.compile(r"[ \u00a0]\p{Lu}[\p{Ll}\p{M}'’.-]")
_CAPITAL_BEFORE = regex.compile(r"(?<=[\p{L}\p{N},] )\p{Lu}[\p{Ll}\p{M}'’.-]+[ \u00a0]\Z")
"""Not at the beginning of a sentence, where any word has a capital."""
Word = tuple[str, int, bool]
"""A word as written, where it begins in its text (code points), whether names of several words
are to be looked for there."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A text of an article, cut: its title, its lead or its body.

    `unspaced` says whether the text has letters of a script without spaces.
    """

    text: str
    words: Iterable[Word]
    unspaced: bool
    is_title: bool = False


def piece(text: str, *, is_title: bool = False) -> Piece:
    """Return `text` cut into words."""
    return piece_of(text, tokens(text), is_title=is_title)


def piece_of(text: str, cut: Sequence[Token], *, is_title: bool = False) -> Piece:
    """Return `text`, whose words are `cut`."""
    words = [(token.text, token.start, True) for token in cut if not token.is_unspaced]
    return Piece(text, words, len(words) < len(cut), is_title)


class Finder:
    """Finds what `entities` name; entities may be put and removed meanwhile.

    A theme is found by its terms; of other entities the longest name wins where two overlap,
    and two of equal length both count (`한미` is South Korea and the United States).
    """

    def __init__(self, entities: Catalogue | Iterable[Entity]) -> None:
        """`entities` are those of a catalogue, or some with their names in their records."""
        catalogue = entities if isinstance(entities, Catalogue) else Catalogue(entities)
        self._lexicon = Lexicon(catalogue)
        self.generation = 0
        """Counts the changes: what is remembered of words holds for one generation."""

    def put(self, entities: Iterable[Entity]) -> None:
        """Add own entities, each instead of one with its id; what ships under it stays beside."""
        self._lexicon.put(entities)
        self.generation += 1

    def remove(self, entity_ids: Iterable[str]) -> None:
        """Take own entities out, those that are held."""
        self._lexicon.remove(entity_ids)
        self.generation += 1

    def find(self, text: str, language: str) -> list[Mention]:
        """Return what `text` names, in its order; see `read`."""
        return self.read([piece(text)], language)[0]

    def read(self, pieces: Sequence[Piece], language: str) -> list[list[Mention]]:
        """Return what the pieces of one article name, for each in the order of its text.

        Aliases of the article's `language` (BCP 47) count and those of all languages; in an
        article of unknown language (`und`) those of the largest ones count.
        """
        own = primary(language)
        hits = [self.hits(each, own) for each in pieces]
        return mentions(hits, [each.is_title for each in pieces])

    def class_of(self, entity_id: str) -> str | None:
        """Return what stands for all entities of the kind of this one; None for a theme."""
        return self._lexicon.class_of(entity_id)

    def may_go_on(self, written: str, following: str, language: str) -> bool:
        """Say whether a name of several words may begin with these two; `language` is primary."""
        following = plain(following)
        return any(
            beginning.end < beginning.size or _goes_on(key, following)
            for beginning in self._lexicon.names_of(written, language).longer
            for key in beginning.ahead
        )

    def hits(self, each: Piece, language: str) -> list[Hit]:
        """Return all names in a piece, not yet held against one another, blockers among them.

        `language` is a primary subtag.
        """
        found: list[Hit] = []
        names_of, known = self._lexicon.names_of, self._lexicon.words(language)
        for written, start, longer in each.words:
            names = known.get(written) or names_of(written, language)
            for rule, first, last in names.alone:
                found.append(Hit(rule, start + first, start + last))
            if longer and names.longer:
                for beginning in names.longer:
                    found += longer_names(each.text, start, beginning)
        if each.unspaced:
            found += self.unspaced(each.text, language)
        return [hit for hit in found if not hit.rule.asks_around or stands_right(each.text, *hit)]

    def unspaced(self, text: str, language: str) -> list[Hit]:
        """Return the names in `text` that are in a script without spaces, blockers among them."""
        automaton = self._lexicon.automaton(language)
        if automaton is None:
            return []
        whole = fold(text)
        plain_text = whole.folded.translate(LOOKALIKES)
        return [
            Hit(rule, *whole.span(start, end))
            for rule, start, end in automaton.hits(plain_text)
            if not splits_katakana(plain_text, start)
        ]

    def names_of(self, written: str, language: str) -> WordNames:
        """Return what a word names by itself, and what may begin with it, blockers among them.

        `language` is a primary subtag.
        """
        return self._lexicon.names_of(written, language)


def _goes_on(key: str, following: str) -> bool:
    """Say whether a name that goes on with the letters `key` may have the next word `following`."""
    letters = key.lstrip(_BETWEEN)
    word = FIRST_WORD.match(letters)
    if word is None:
        return not letters or not following[:1].isascii()
    if word.end() < len(letters):
        return following == word.group()
    return following.startswith(letters)


def stands_right(text: str, rule: Rule, start: int, end: int) -> bool:
    """Say whether what stands around a name is as its rule asks."""
    if rule.quoted and text[start - 1 : start] not in QUOTES:
        return False
    return not (rule.given and is_in_person(text, start, end))


def is_in_person(text: str, start: int, end: int) -> bool:
    """Say whether another word with a capital stands beside a name: Jordan Spieth."""
    behind = _NEXT_CAPITAL.match(text, end) is not None
    return behind or _CAPITAL_BEFORE.search(text, max(0, start - MARGIN), start) is not None


def longer_names(text: str, start: int, beginning: Beginning) -> Iterator[Hit]:
    """Yield the names of several words that begin with the word at `start` of `text`.

    Only what may belong to them is folded.
    """
    window = fold(text[start : start + beginning.reach])
    plain = window.folded
    if not (plain.isascii() and plain.isprintable()):
        plain = plain.translate(LOOKALIKES)
    end = beginning.end
    for size in range(1, AHEAD + 1):
        for rule in beginning.ahead.get(plain[end : end + size], ()):
            if (place := _longer_name(window, plain, rule, beginning)) is not None:
                yield Hit(rule, start + place[0], start + place[1])


def _longer_name(
    window: Folded, plain: str, rule: Rule, beginning: Beginning
) -> tuple[int, int] | None:
    rest = rule.pattern[beginning.end - beginning.start :]
    if not plain.startswith(rest, beginning.end):
        return None
    end = beginning.end + len(rest)
    last = word_end(plain, end, rule.mode, rule.ending)
    if last is None or not is_spelt_right(rule, window, beginning.start, end):
        return None
    return window.span(beginning.word_start, last)
