"""Find the entities that a text names: one pass for all names, then a close look at each hit.

Pure. A hit counts if it begins and ends where a word does, as far as the alias
asks for that, has the capitals and accents the alias needs, is not part of a
longer name, and does not stand inside a blocker.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import regex
from ahocorasick_rs import AhoCorasick

from wirewatch.entities.edges import CLITICS, max_ending, splits_katakana, word_end, word_start
from wirewatch.text.fold import Folded, fold
from wirewatch.text.language import primary
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode

ANY_LANGUAGE = "*"
UNKNOWN_LANGUAGE = "und"
MAX_ACCENTED_CHARS = 4
"""A name this short needs its accents: pt Irã is not `ira` (anger), tr Çin is not `cin`."""
_ACCENTS_ARE_LETTERS = frozenset({"fi", "sv", "vi"})
"""Here accents make another word, and capitals keep them: sv armén is the army, armen the arm."""
_LOOKALIKES = str.maketrans(
    dict.fromkeys("\n\r\t", " ")
    | dict.fromkeys("’‘ʼ`´׳", "'")
    | dict.fromkeys("“”״", '"')
    | dict.fromkeys("‐‑־", "-")
    | dict.fromkeys("・‧ᆞ", "·")
)
"""One character for one, so offsets stay: line ends, apostrophes, quotes, hyphens, middle dots."""


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity named in a text: whole words, with their endings and clitics.

    `start` and `end` count code points of the original text.
    """

    entity_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Rule:
    """An alias made ready. `rivals` compete for a place in the text: the longest wins."""

    entity_id: str
    rivals: str
    blocks: bool
    mode: Mode
    case: Case
    ending: int
    clitics: regex.Pattern[str] | None
    accents: str | None
    accents_in_capitals: bool


@dataclass(frozen=True, slots=True)
class _Hit:
    rule: _Rule
    start: int
    end: int


class _Automaton:
    """All aliases that count in one language."""

    def __init__(self, rules: Iterable[tuple[str, _Rule]]) -> None:
        self._rules: dict[str, list[_Rule]] = defaultdict(list)
        for pattern, rule in rules:
            self._rules[pattern].append(rule)
        self._by_index = list(self._rules.values())
        self._search = AhoCorasick(list(self._rules), store_patterns=False)

    def hits(self, folded: Folded) -> Iterator[_Hit]:
        text = folded.folded.translate(_LOOKALIKES)
        for index, start, end in self._search.find_matches_as_indexes(text, overlapping=True):
            for rule in self._by_index[index]:
                if (hit := _check(rule, folded, text, start, end)) is not None:
                    yield hit


class Finder:
    """Finds what `entities` name. Immutable, so it can be shared.

    A theme is found by any one of its terms; of other entities the longest
    name wins where two overlap, and two of equal length both count (`한미` is
    South Korea and the United States).
    """

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._rules: dict[str, list[tuple[Alias, Entity, bool]]] = defaultdict(list)
        for entity in entities:
            for alias in entity.aliases:
                self._rules[primary(alias.language)].append((alias, entity, False))
            for alias in entity.blockers:
                self._rules[primary(alias.language)].append((alias, entity, True))
        self._automata: dict[str, _Automaton] = {}

    def find(self, folded: Folded, language: str) -> list[Mention]:
        """Return what `folded` names, in the order of the text.

        Aliases of the article's `language` (BCP 47) count and those of all
        languages; in an article of unknown language (`und`) every alias counts.
        """
        if not folded.folded:
            return []
        hits = list(self._automaton(primary(language)).hits(folded))
        kept = {
            Mention(hit.rule.entity_id, *folded.span(hit.start, hit.end))
            for hit in _longest(_unblocked(hits))
        }
        return sorted(kept, key=lambda mention: (mention.start, mention.end, mention.entity_id))

    def _automaton(self, language: str) -> _Automaton:
        # Languages come from outside: those without aliases of their own share one automaton.
        if language != UNKNOWN_LANGUAGE and language not in self._rules:
            language = ANY_LANGUAGE
        if language not in self._automata:
            self._automata[language] = _Automaton(self._compiled(language))
        return self._automata[language]

    def _compiled(self, language: str) -> Iterator[tuple[str, _Rule]]:
        wanted = {language, ANY_LANGUAGE}
        for own in self._rules if language == UNKNOWN_LANGUAGE else wanted & self._rules.keys():
            for alias, entity, blocks in self._rules[own]:
                rule = _rule(alias, entity, blocks, language if own == ANY_LANGUAGE else own)
                for pattern in _patterns(alias):
                    yield pattern, rule


def _patterns(alias: Alias) -> Iterator[str]:
    pattern = fold(alias.text).folded.translate(_LOOKALIKES)
    if not pattern:
        return
    yield pattern
    if primary(alias.language) == "ar" and pattern.startswith("ال"):
        yield "لل" + pattern[2:]  # li- and the article contract: الصين, للصين


def _rule(alias: Alias, entity: Entity, blocks: bool, language: str) -> _Rule:
    own = primary(alias.language)
    always = own in _ACCENTS_ARE_LETTERS
    short = len(alias.text) <= MAX_ACCENTED_CHARS and alias.text[:1] < "\u0250"
    return _Rule(
        entity_id=entity.id,
        rivals=entity.id if entity.kind is Kind.THEME else "",
        blocks=blocks,
        mode=alias.mode,
        case=alias.case,
        ending=max_ending(language),
        clitics=CLITICS.get(own),
        accents=_accents(alias.text) if always or short else None,
        accents_in_capitals=always,
    )


def _check(rule: _Rule, folded: Folded, text: str, start: int, end: int) -> _Hit | None:
    """Return the place of a hit, widened to whole words; None if it does not count."""
    if rule.mode is Mode.SUBSTRING:
        return None if splits_katakana(text, start) else _Hit(rule, start, end)
    first = word_start(text, start, rule.clitics)
    if first is None:
        return None
    last = word_end(text, end, rule.mode, rule.ending)
    if last is None or not _is_spelt_right(rule, folded, start, end):
        return None
    return _Hit(rule, first, last)


def _is_spelt_right(rule: _Rule, folded: Folded, start: int, end: int) -> bool:
    if rule.case is Case.ANY and rule.accents is None:
        return True
    first, last = folded.span(start, end)
    written = folded.original[first:last]
    if rule.case is Case.INITIAL and written[0].islower():
        return False
    if rule.case is Case.ALL and any(letter.islower() for letter in written):
        return False
    # Capitals often go without accents: IRAN in a Spanish headline.
    if rule.accents is None or (written.isupper() and not rule.accents_in_capitals):
        return True
    return _accents(written) == rule.accents


def _accents(text: str) -> str:
    """Return the accents of `text`, sorted. The dot of İ is left out: it comes with capitals."""
    marks = (c for c in unicodedata.normalize("NFD", text) if unicodedata.combining(c))
    return "".join(sorted(mark for mark in marks if mark != "\u0307"))


def _unblocked(hits: list[_Hit]) -> list[_Hit]:
    """Drop the blockers, and what stands inside a blocker of its entity."""
    blockers = [hit for hit in hits if hit.rule.blocks]
    return [
        hit
        for hit in hits
        if not hit.rule.blocks and not any(_is_inside(hit, blocker) for blocker in blockers)
    ]


def _is_inside(hit: _Hit, blocker: _Hit) -> bool:
    return (
        hit.rule.entity_id == blocker.rule.entity_id
        and blocker.start <= hit.start
        and hit.end <= blocker.end
    )


def _longest(hits: list[_Hit]) -> list[_Hit]:
    """Drop each hit that overlaps a longer one of its rivals. Themes have no rivals."""
    kept: dict[tuple[str, int, int, str], _Hit] = {}
    spans: set[tuple[str, int, int]] = set()
    covered: dict[str, bytearray] = {}
    size = max((hit.end for hit in hits), default=0)
    for hit in sorted(hits, key=lambda hit: (hit.start - hit.end, hit.start)):
        rivals, start, end = hit.rule.rivals, hit.start, hit.end
        taken = covered.setdefault(rivals, bytearray(size))
        if (rivals, start, end) in spans or taken.find(1, start, end) == -1:
            spans.add((rivals, start, end))
            taken[start:end] = b"\x01" * (end - start)
            kept[rivals, start, end, hit.rule.entity_id] = hit
    return list(kept.values())
