"""All names, found by the word that they begin with. Pure.

What a word may be the beginning of is worked out once for each word and language, and
remembered: an article's words are then looked up, and nearly all of them begin nothing. So the
time an article takes does not depend on how many names there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import regex
from ahocorasick_rs import AhoCorasick

from wirewatch.entities.catalogue import Catalogue, merged
from wirewatch.entities.edges import CLITICS, MAX_CLITIC, is_joined, max_ending, word_end
from wirewatch.entities.ids import class_id
from wirewatch.entities.levels import key_of
from wirewatch.entities.spelling import LOOKALIKES, is_spelt_right, needed_accents
from wirewatch.text.fold import Folded, fold, folded_each
from wirewatch.text.language import primary
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode

ANY_LANGUAGE = "*"
UNKNOWN_LANGUAGE = "und"
UNKNOWN_COUNTS_AS = ("en", "es", "fr", "de", "pt", "ru", "ar", "zh", "ja", "ko", "hi", "id", "tr")
"""The languages whose names count in an article of unknown language."""
Named = tuple[Alias, Entity, bool]
"""An alias, whom it names, and whether it is a blocker."""
MAX_REMEMBERED = 300_000
"""Words of a language that are remembered; beyond, all are forgotten and met anew."""
QUOTES = "«„“\"‘'「『"
AHEAD = 6
"""Letters behind the first word by which names of several words are told apart."""
DEAD_AT_LEAST = 10_000
"""Names that were taken out, before the others are filed anew."""
MARGIN = 64
"""Characters behind a name that are looked at, for the end of its last word."""
FIRST_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*")
"""A word of a folded name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An alias made ready for texts of one language.

    `pattern` is folded. One that is `quoted` counts only behind a quotation mark: «Спартак».
    `rivals` compete for a place in the text: the longest wins.
    """

    entity: Entity
    pattern: str
    rivals: str
    blocks: bool
    weak: bool
    given: bool
    quoted: bool
    mode: Mode
    case: Case
    ending: int
    accents: str | None
    accents_in_capitals: bool

    @property
    def asks_around(self) -> bool:
        """Say whether it matters what stands around the name."""
        return self.given or self.quoted


class Hit(NamedTuple):
    """A rule that holds at a place of the original text, whole words."""

    rule: Rule
    start: int
    end: int


class Beginning(NamedTuple):
    """A name of several words may begin at `start` of a word's folded form.

    `ahead` has the rules by the letters that follow the name's first word, which ends at `end`;
    `size` is the length of the whole folded word, `reach` how much of the text may belong to them.
    """

    start: int
    end: int
    word_start: int
    size: int
    reach: int
    ahead: dict[str, tuple[Rule, ...]]


class WordNames(NamedTuple):
    """What a word names by itself, and what may begin with it. Offsets are from its start."""

    alone: tuple[Hit, ...]
    longer: tuple[Beginning, ...]


_NOTHING = WordNames((), ())


class _Table:
    """Names by the word that they begin with. Those of an entity can be taken out again."""

    def __init__(self, names: Iterable[Named] = ()) -> None:
        self.names: list[Named | None] = []
        self.by_word: dict[str, list[int]] = defaultdict(list)
        self.substrings: list[int] = []
        self._of_entity: dict[str, list[int]] = defaultdict(list)
        self._dead = 0
        self.add(names)

    def add(self, names: Iterable[Named]) -> None:
        added = list(names)
        patterns = folded_each([alias.text.replace("\n", " ") for alias, _, _ in added])
        for number, (named, pattern) in enumerate(
            zip(added, patterns, strict=True), len(self.names)
        ):
            alias, entity, _ = named
            self.names.append(named)
            self._of_entity[entity.id].append(number)
            if alias.mode is Mode.SUBSTRING:
                self.substrings.append(number)
                continue
            for word in _first_words(pattern.translate(LOOKALIKES), alias):
                self.by_word[word].append(number)

    def take_out(self, entity_id: str) -> None:
        numbers = self._of_entity.pop(entity_id, ())
        for number in numbers:
            self.names[number] = None
        self._dead += len(numbers)

    def is_mostly_dead(self) -> bool:
        return self._dead > DEAD_AT_LEAST and self._dead > len(self.names) // 2

    def living(self) -> Iterator[Named]:
        return (each for each in self.names if each is not None)


class Lexicon:
    """The names of a catalogue, each language read when it first comes up."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._tables: dict[str, _Table] = {}
        self._own: dict[str, Entity] = {}
        self._dropped: dict[str, frozenset[str]] = {}
        self._own_table = _Table()
        self._words: dict[str, dict[str, WordNames]] = {}
        self._automata: dict[str, Automaton | None] = {}
        self.put(catalogue.own())

    def put(self, entities: Iterable[Entity]) -> None:
        """Add own entities, each instead of one with its id; what ships under it stays beside."""
        added = list(entities)
        self.remove([entity.id for entity in added])
        for entity in added:
            self._own[entity.id] = merged(self._catalogue.entity(entity.id), entity)
            self._dropped[entity.id] = frozenset(map(key_of, entity.dropped))
        self._own_table.add(
            (alias, entity, blocks)
            for entity in added
            for blocks, aliases in ((False, entity.aliases), (True, entity.blockers))
            for alias in aliases
        )

    def remove(self, entity_ids: Iterable[str]) -> None:
        """Take own entities out, those that are held."""
        for entity_id in entity_ids:
            if self._own.pop(entity_id, None) is not None:
                self._own_table.take_out(entity_id)
                self._dropped.pop(entity_id, None)
        if self._own_table.is_mostly_dead():
            self._own_table = _Table(self._own_table.living())
        self._words.clear()
        self._automata.clear()

    def class_of(self, entity_id: str) -> str | None:
        """Return the id of the class of an entity; None for a theme and for what is not held."""
        entity = self._own.get(entity_id) or self._catalogue.entity(entity_id)
        return None if entity is None or entity.kind is Kind.THEME else class_id(entity.kind)

    def words(self, language: str) -> dict[str, WordNames]:
        """Return the memory of `language` (primary subtag); see `names_of`."""
        known = self._words.get(language)
        if known is None or len(known) >= MAX_REMEMBERED:
            known = self._words[language] = {}
        return known

    def names_of(self, written: str, language: str) -> WordNames:
        """Return what the word `written` names or begins in a text of `language`."""
        known = self.words(language)
        found = known.get(written)
        if found is None:
            found = known[written] = self._look_up(written, language)
        return found

    def automaton(self, language: str) -> "Automaton | None":
        """Return what finds the names in scripts without spaces; None where there are none."""
        if language not in self._automata:
            rules = [
                rule
                for table in self._tables_of(language)
                for number in table.substrings
                for rule in self._rules(table, number, language)
            ]
            self._automata[language] = Automaton(rules) if rules else None
        return self._automata[language]

    def _tables_of(self, language: str) -> list[_Table]:
        wanted = UNKNOWN_COUNTS_AS if language == UNKNOWN_LANGUAGE else (language,)
        shipped = self._catalogue.languages()
        found = [self._own_table]
        for each in (*wanted, ANY_LANGUAGE):
            if each in shipped and each not in self._tables:
                self._tables[each] = _Table(self._catalogue.names(each))
            if each in self._tables:
                found.append(self._tables[each])
        return found

    def _look_up(self, written: str, language: str) -> WordNames:
        word = fold(written)
        text = word.folded.translate(LOOKALIKES)
        alone: list[Hit] = []
        longer: list[Beginning] = []
        tables = self._tables_of(language)
        for start, first in _starts(text, CLITICS.get(language)):
            for end in range(start + 1, len(text) + 1):
                rules = [
                    rule
                    for table in tables
                    for number in table.by_word.get(text[start:end], ())
                    for rule in self._rules(table, number, language)
                ]
                if rules:
                    alone += _alone(rules, word, text, (start, end, first))
                    longer += _longer(rules, text, (start, end, first))
        return WordNames(tuple(alone), tuple(longer)) if alone or longer else _NOTHING

    def _rules(self, table: _Table, number: int, language: str) -> Iterator[Rule]:
        """Yield the rules of a name in `language`; those of a theme are its broader ones' too."""
        named = table.names[number]
        if named is None or not _counts(named[0].language, language):
            return
        alias, entity, blocks = named
        if key_of(alias.text) in self._dropped.get(entity.id, ()):
            return
        rule = _rule(alias, self._own.get(entity.id, entity), blocks, language)
        yield rule
        for broader in self._broader(entity):
            yield replace(rule, entity=broader, rivals=broader.id)

    def _broader(self, entity: Entity) -> list[Entity]:
        """Return the themes that `entity` is part of, and those that they are part of."""
        found: dict[str, Entity] = {}
        ahead = list(entity.broader)
        while ahead:
            broader = self._catalogue.entity(ahead.pop())
            if broader is not None and broader.id not in found:
                found[broader.id] = broader
                ahead += broader.broader
        return list(found.values())


def _counts(own: str, language: str) -> bool:
    return own == ANY_LANGUAGE or language == UNKNOWN_LANGUAGE or primary(own) == language


def _rule(alias: Alias, entity: Entity, blocks: bool, language: str) -> Rule:
    own = language if alias.language == ANY_LANGUAGE else primary(alias.language)
    accents, in_capitals = needed_accents(alias)
    pattern = fold(alias.text).folded.translate(LOOKALIKES)
    word = FIRST_WORD.search(pattern)
    return Rule(
        entity=entity,
        pattern=pattern[word.start() :] if word else pattern,
        rivals=entity.id if entity.kind is Kind.THEME or entity.transparent else "",
        blocks=blocks,
        weak=alias.weak,
        given=alias.given,
        quoted=alias.text[0] in QUOTES,
        mode=alias.mode,
        case=alias.case,
        ending=max_ending(own),
        accents=accents,
        accents_in_capitals=in_capitals,
    )


class Automaton:
    """Finds names anywhere in a text: for scripts without spaces."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        by_pattern: dict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            by_pattern[rule.pattern].append(rule)
        self._by_index = list(by_pattern.values())
        self._search = AhoCorasick(list(by_pattern), store_patterns=False)

    def hits(self, text: str) -> Iterator[tuple[Rule, int, int]]:
        """Yield the rules whose patterns stand in the folded `text`, and where."""
        for index, start, end in self._search.find_matches_as_indexes(text, overlapping=True):
            for rule in self._by_index[index]:
                yield rule, start, end


def _first_words(pattern: str, alias: Alias) -> Iterator[str]:
    if (word := FIRST_WORD.search(pattern)) is None:
        return
    yield word.group()
    if primary(alias.language) == "ar" and word.group().startswith("ال"):
        yield "لل" + word.group()[2:]  # li- and the article contract: الصين, للصين


def _starts(text: str, clitics: "regex.Pattern[str] | None") -> Iterator[tuple[int, int]]:
    """Yield where a name may begin in a word, and where the word begins that is then meant."""
    edge = 0
    for start in range(len(text)):
        if start == 0 or not is_joined(text, start):
            edge = start
            yield start, start
        elif clitics and start - edge <= MAX_CLITIC and clitics.fullmatch(text, edge, start):
            yield start, edge


def _alone(
    rules: Sequence[Rule], word: Folded, text: str, place: tuple[int, int, int]
) -> Iterator[Hit]:
    start, end, first = place
    for rule in rules:
        if len(rule.pattern) != end - start:
            continue
        last = word_end(text, end, rule.mode, rule.ending)
        if last is not None and is_spelt_right(rule, word, start, end):
            yield Hit(rule, *word.span(first, last))


def _longer(rules: Sequence[Rule], text: str, place: tuple[int, int, int]) -> Iterator[Beginning]:
    start, end, first = place
    if end < len(text) and is_joined(text, end):
        return
    ahead: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        if len(rule.pattern) > end - start:
            ahead[rule.pattern[end - start :][:AHEAD]].append(rule)
    if ahead:
        longest = max(len(rule.pattern) for own in ahead.values() for rule in own)
        rules_ahead = {key: tuple(own) for key, own in ahead.items()}
        yield Beginning(start, end, first, len(text), 2 * longest + MARGIN, rules_ahead)
