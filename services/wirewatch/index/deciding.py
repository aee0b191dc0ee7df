"""Which names count of those seen in a batch: `wirewatch.entities.decide`, for many articles. Pure.

The rules are written down there. Here they are kept with numpy, and only what is unusual is
asked in Python: names that overlap without one that covers all, and the context of weak ones.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wirewatch.entities.decide import WEAK_TERMS_NEEDED, Mention, longest, term_key
from wirewatch.entities.find import stands_right
from wirewatch.entities.lexicon import Hit, Rule
from wirewatch.index.arrays import Ints, Longs
from wirewatch.index.batch import Text, texts_of
from wirewatch.topics.alerts import Field
from wirewatch.topics.entities import Entity, Kind

Mask = NDArray[np.bool_]
WEAK, BLOCKS, THEME, ASKS_AROUND, ALONE = 1, 2, 4, 8, 16
"""Flags of a name."""


class Registry:
    """Numbers of the entities that were met, and of the terms of themes."""

    def __init__(self, class_of: Callable[[str], str | None]) -> None:
        """`class_of` says what stands for all entities of an entity's kind."""
        self._class_of = class_of
        self._numbers: dict[str, int] = {}
        self._rows: dict[int, tuple[int, int, int, int, int]] = {}
        self._rules: list[Rule] = []
        self.entities: list[Entity] = []
        self.classes: list[str | None] = []

    def number(self, entity: Entity) -> int:
        """Return the number of an entity."""
        number = self._numbers.setdefault(entity.id, len(self.entities))
        if number == len(self.entities):
            self.entities.append(entity)
            self.classes.append(self._class_of(entity.id))
        return number

    def rule(self, number: int) -> Rule:
        """Return the rule of a number."""
        return self._rules[number]

    def row(self, rule: Rule) -> tuple[int, int, int, int, int]:
        """Return entity, flags, term, length and number of a rule."""
        known = self._rows.get(id(rule))
        if known is None:
            # The rule is kept: so no other can come to have its address.
            self._rules.append(rule)
            known = self._rows[id(rule)] = (*self._row(rule), len(self._rules) - 1)
        return known

    def _row(self, rule: Rule) -> tuple[int, int, int, int]:
        is_theme = rule.entity.kind is Kind.THEME
        flags = WEAK * rule.weak | BLOCKS * rule.blocks | THEME * is_theme
        flags |= ASKS_AROUND * rule.asks_around | ALONE * bool(rule.rivals)
        term = hash(term_key(rule)) if is_theme else 0
        return self.number(rule.entity), flags, term, len(rule.pattern)


@dataclass(frozen=True, slots=True)
class Rows:
    """Names seen: in which text, where, which entity; flags, term, length, number of the rule."""

    texts: Longs
    starts: Longs
    ends: Longs
    entities: Longs
    flags: Longs
    terms: Longs
    sizes: Longs
    rules: Longs

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, kept: Mask | Longs) -> "Rows":
        """Return some of the rows."""
        return Rows(*(getattr(self, name)[kept] for name in self.__slots__))


class Collected:
    """Rows, as they are found."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._blocks: list[Rows] = []
        self._single: list[tuple[int, ...]] = []

    def add(self, found: Rows) -> None:
        """Append rows."""
        self._blocks.append(found)

    def add_hits(self, text: int, hits: Iterable[Hit]) -> None:
        """Append names that were found in text number `text`."""
        for rule, start, end in hits:
            self._single.append((text, start, end, *self._registry.row(rule)))

    def rows(self) -> Rows:
        """Return what was collected."""
        single = np.asarray(self._single, np.int64).reshape(-1, len(Rows.__slots__))
        blocks = [*self._blocks, Rows(*single.T)]
        return Rows(
            *(np.concatenate([getattr(block, name) for block in blocks]) for name in Rows.__slots__)
        )


@dataclass(frozen=True, slots=True)
class Named:
    """What the articles of a batch name. `beside` is by the number of the row."""

    rows: Rows
    beside: Mapping[int, str]
    registry: Registry

    def features(self, names: Mapping[str, int]) -> tuple[Longs, Ints]:
        """Return the features that `names` gives to entities and classes, and their texts."""
        found: list[tuple[Longs, Longs]] = []
        for of_number in (
            [each.id for each in self.registry.entities],
            self.registry.classes,
        ):
            features = np.asarray([names.get(each or "", -1) for each in of_number], np.int64)
            own = features[self.rows.entities] if len(features) else self.rows.entities
            found.append((self.rows.texts[own >= 0], own[own >= 0]))
        texts, own = (np.concatenate(each) for each in zip(*found, strict=True))
        return texts, own.astype(np.int32)

    def mentions(self, names: Mapping[str, int]) -> Iterator[tuple[int, Mention]]:
        """Yield the mentions of what is in `names`, classes too, and the numbers of their texts."""
        wanted = [
            [key for key in (entity.id, of_kind) if key is not None and key in names]
            for entity, of_kind in zip(self.registry.entities, self.registry.classes, strict=True)
        ]
        for at, entity in enumerate(self.rows.entities.tolist()):
            for key in wanted[entity]:
                yield self._text(at), self._mention(at, key)

    def of_article(self, texts: Sequence[Text], article: int) -> list[Mention]:
        """Return what an article names, text by text."""
        own = texts_of(texts, article)
        first, last = np.searchsorted(self.rows.texts, (own.start, own.stop)).tolist()
        entities = self.registry.entities
        found = [
            (self._text(at), self._mention(at, entities[self.rows.entities[at]].id))
            for at in range(first, last)
        ]
        found.sort(key=lambda each: (each[0], each[1].start, each[1].end, each[1].entity_id))
        return [mention for _, mention in found]

    def _text(self, at: int) -> int:
        return int(self.rows.texts[at])

    def _mention(self, at: int, entity_id: str) -> Mention:
        start, end = int(self.rows.starts[at]), int(self.rows.ends[at])
        return Mention(entity_id, start, end, self.beside.get(at, ""))


def decide(seen: Rows, texts: Sequence[Text], registry: Registry) -> Named:
    """Return what counts of the rows `seen` in `texts`, in the order of the texts."""
    rows = _unblocked(_right(seen, texts, registry))
    kept = (rows.flags & ALONE) > 0
    things = np.flatnonzero(~kept)
    kept[things[_longest(rows.where(things))]] = True
    rows = _distinct(rows.where(kept))
    if not len(rows):
        return Named(rows, {}, registry)
    rows, beside = _with_evidence(rows, texts, registry)
    return Named(rows, beside, registry)


def _right(rows: Rows, texts: Sequence[Text], registry: Registry) -> Rows:
    """Return the rows without those around which something else has to stand."""
    asking = np.flatnonzero(rows.flags & ASKS_AROUND)
    if not asking.size:
        return rows
    kept = np.ones(len(rows), np.bool_)
    for at in asking.tolist():
        rule = registry.rule(int(rows.rules[at]))
        text = texts[rows.texts[at]].text
        kept[at] = stands_right(text, rule, int(rows.starts[at]), int(rows.ends[at]))
    return rows.where(kept)


def _unblocked(rows: Rows) -> Rows:
    blockers = np.flatnonzero(rows.flags & BLOCKS)
    if not blockers.size:
        return rows
    gone = (rows.flags & BLOCKS) > 0
    for at in blockers.tolist():
        same = (rows.texts == rows.texts[at]) & (rows.entities == rows.entities[at])
        gone |= same & (rows.starts >= rows.starts[at]) & (rows.ends <= rows.ends[at])
    return rows.where(~gone)


def _longest(rows: Rows) -> Longs:
    """Return which rows are not overlapped by a longer one."""
    if len(rows) < 2:
        return np.arange(len(rows))
    order = np.lexsort((-rows.ends, rows.starts, rows.texts))
    base = rows.texts[order] * (int(rows.ends.max()) + 1)
    starts, ends = base + rows.starts[order], base + rows.ends[order]
    reached = np.maximum.accumulate(ends)
    begins = np.concatenate([[True], starts[1:] >= reached[:-1]])
    first = np.flatnonzero(begins)
    cluster = np.cumsum(begins) - 1
    covers = (starts == starts[first][cluster]) & (
        ends == np.maximum.reduceat(ends, first)[cluster]
    )
    is_covered = np.logical_or.reduceat(covers, first)
    sizes = np.where(covers, rows.sizes[order], 0)
    # Of two at one place the one whose alias is longer counts.
    covers &= sizes == np.maximum.reduceat(sizes, first)[cluster]
    kept = covers & is_covered[cluster]
    for number in np.flatnonzero(~is_covered).tolist():
        end = first[number + 1] if number + 1 < len(first) else len(order)
        own = order[first[number] : end]
        kept[first[number] : end] = _longest_of(rows, own)
    found: Longs = order[kept]
    return found


def _longest_of(rows: Rows, own: Longs) -> list[bool]:
    spans = list(zip(rows.starts[own].tolist(), rows.ends[own].tolist(), strict=True))
    taken = longest(spans)
    sizes: dict[tuple[int, int], int] = defaultdict(int)
    for span, size in zip(spans, rows.sizes[own].tolist(), strict=True):
        sizes[span] = max(sizes[span], size)
    pairs = zip(spans, rows.sizes[own].tolist(), strict=True)
    return [span in taken and size == sizes[span] for span, size in pairs]


def _distinct(rows: Rows) -> Rows:
    """Return the rows in order, of those of one entity at one place the clear one."""
    weak = rows.flags & WEAK
    order = np.lexsort((weak, rows.entities, rows.ends, rows.starts, rows.texts))
    rows = rows.where(order)
    if len(rows) < 2:
        return rows
    same = np.ones(len(rows) - 1, np.bool_)
    for column in (rows.texts, rows.starts, rows.ends, rows.entities):
        same &= column[1:] == column[:-1]
    # A theme's weak term stays beside its clear one: it may be one of two that are enough.
    same &= (rows.flags[1:] & THEME) == 0
    return rows.where(np.concatenate([[True], ~same]))


def _with_evidence(
    rows: Rows, texts: Sequence[Text], registry: Registry
) -> tuple[Rows, dict[int, str]]:
    articles = np.asarray([text.article for text in texts], np.int64)[rows.texts]
    keys = articles * len(registry.entities) + rows.entities
    weak = (rows.flags & WEAK) > 0
    if not weak.any():
        return rows, {}
    is_theme = (rows.flags & THEME) > 0
    clear = np.union1d(keys[~weak], _enough(rows, texts, keys, weak & is_theme))
    kept = ~weak | np.isin(keys, clear)
    beside = {
        at: registry.entities[rows.entities[at]].id
        for at in np.flatnonzero(weak & kept & ~is_theme).tolist()
    }
    for at in np.flatnonzero(~kept & ~is_theme).tolist():
        of_article = _of_article(clear, int(articles[at]), registry)
        entity = registry.entities[rows.entities[at]]
        if by := next((each for each in entity.context if each in of_article), ""):
            kept[at], beside[at] = True, by
    place = np.cumsum(kept) - 1
    return rows.where(kept), {int(place[at]): by for at, by in beside.items()}


def _of_article(clear: Longs, article: int, registry: Registry) -> set[str]:
    size = len(registry.entities)
    first, last = np.searchsorted(clear, (article * size, (article + 1) * size))
    return {registry.entities[key % size].id for key in clear[first:last].tolist()}


def _enough(rows: Rows, texts: Sequence[Text], keys: Longs, weak: Mask) -> Longs:
    """Return the keys of the themes that their weak terms are enough for."""
    in_title = np.asarray([text.field is Field.TITLE for text in texts], np.bool_)[rows.texts]
    pairs = np.unique(np.stack([keys[weak], rows.terms[weak]]), axis=1)
    themes, counts = np.unique(pairs[0], return_counts=True)
    found: Longs = np.union1d(themes[counts >= WEAK_TERMS_NEEDED], keys[weak & in_title])
    return found
