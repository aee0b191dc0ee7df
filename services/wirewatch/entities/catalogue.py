"""The catalogue: entities by id and by any of their names."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, cached_property

import msgspec

from wirewatch.entities.ids import THEME_PREFIX
from wirewatch.entities.levels import LEVELS, key_of, named
from wirewatch.entities.pack import PACKED, Shipped, pack
from wirewatch.text.language import primary
from wirewatch.topics.entities import Alias, Entity, Kind

MAX_SUGGESTIONS = 5
SUGGESTION_CUTOFF = 0.75
"""How like a name must be to be suggested, as difflib's ratio from 0 to 1."""


class UnknownName(Exception):
    """No entity has this name, or several have.

    `candidates` are those that have it, or whose names come near. `is_ambiguous` tells which.
    """

    def __init__(
        self, name: str, candidates: Sequence[Entity] = (), *, is_ambiguous: bool = False
    ) -> None:
        self.name = name
        self.candidates = tuple(candidates)
        self.is_ambiguous = is_ambiguous
        meant = ", ".join(f"{label_of(each, 'en')} ({each.id})" for each in self.candidates)
        what = "several things are called" if is_ambiguous else "nothing is known by the name"
        super().__init__(f"{what} {name!r}{f'; did you mean {meant}?' if meant else ''}")


class _Names:
    """Entities by folded name: those that ship by number, an operator's own beside them."""

    def __init__(
        self, shipped: Sequence[Entity], index: Sequence[Mapping[str, Sequence[int]]]
    ) -> None:
        self._shipped = shipped
        self._index = index
        self._own: dict[str, Entity] = {}
        self._own_index: tuple[dict[str, set[str]], ...] = tuple(
            defaultdict(set) for _ in range(LEVELS)
        )

    def put(self, entity: Entity) -> None:
        self.remove(entity.id)
        self._own[entity.id] = entity
        for level, name in named(entity):
            self._own_index[level][key_of(name)].add(entity.id)

    def remove(self, entity_id: str) -> None:
        if (entity := self._own.pop(entity_id, None)) is not None:
            for level, name in named(entity):
                self._own_index[level][key_of(name)].discard(entity_id)

    def resolve(self, name: str, *, themes: bool) -> Entity:
        key = key_of(name)
        for level in range(LEVELS):
            ids = self._ids(level, key, themes=themes)
            if not ids:
                continue
            # A name that is weak for something else is ambiguous, unless it is an English label.
            weak = self._ids(LEVELS - 1, key, themes=False) if level and not themes else ()
            every = [*ids, *(each for each in weak if each not in ids)]
            if len(every) == 1:
                return self._entity(every[0])
            raise UnknownName(name, self._sorted(every)[:MAX_SUGGESTIONS], is_ambiguous=True)
        raise UnknownName(name, self._near(key, themes=themes))

    def _ids(self, level: int, key: str, *, themes: bool) -> list[str]:
        shipped = (self._shipped[number].id for number in self._index[level].get(key, ()))
        own = self._own_index[level].get(key, ())
        return [each for each in dict.fromkeys([*shipped, *own]) if _is_theme(each) is themes]

    def _entity(self, entity_id: str) -> Entity:
        own = self._own.get(entity_id)
        return own if own is not None else next(e for e in self._shipped if e.id == entity_id)

    def search(self, text: str) -> Iterator[str]:
        """Yield the ids of what has a name that begins with `text`, the surest names first."""
        key = key_of(text)
        for matches in (str.__eq__, str.startswith):
            for level in range(LEVELS):
                for name in (*self._index[level], *self._own_index[level]):
                    if matches(name, key):
                        yield from self._ids(level, name, themes=False)
                        yield from self._ids(level, name, themes=True)

    def _near(self, key: str, *, themes: bool) -> list[Entity]:
        levels = range(2)
        known = [
            name
            for level in levels
            for name in (*self._index[level], *self._own_index[level])
            if _may_be_like(name, key)
        ]
        near = get_close_matches(key, known, n=4 * MAX_SUGGESTIONS, cutoff=SUGGESTION_CUTOFF)
        ids = [
            each
            for name in near
            for level in levels
            for each in sorted(self._ids(level, name, themes=themes), key=_by_number)
        ]
        return [self._entity(each) for each in dict.fromkeys(ids)][:MAX_SUGGESTIONS]

    def _sorted(self, ids: Iterable[str]) -> list[Entity]:
        return [self._entity(each) for each in sorted(ids, key=_by_number)]


def _is_theme(entity_id: str) -> bool:
    return entity_id.startswith(THEME_PREFIX)


def _may_be_like(name: str, key: str) -> bool:
    """Say, quickly, whether `name` can be as like `key` as a suggestion must be."""
    longer = max(len(name), len(key))
    return abs(len(name) - len(key)) <= longer * (1 - SUGGESTION_CUTOFF) and name[:1] == key[:1]


def _by_number(entity_id: str) -> tuple[int, str]:
    """Sort by length: a Q-id of few digits is of something well known."""
    return len(entity_id), entity_id


class Catalogue:
    """Entities by id and name: those that ship, and an operator's own beside them.

    An own entity with the id of one that ships adds to it: see `merged`. The names of those that
    ship are not at hand in their records: `names` has them by language, `whole` by entity.
    """

    def __init__(
        self, entities: Iterable[Entity] = (), own: Iterable[Entity] = (), *,
        shipped: Shipped | None = None,
    ) -> None:  # fmt: skip
        """`entities` ship, with their names in their records, unless `shipped` is what ships.

        Of two with one id the later counts.
        """
        self._packed = shipped or Shipped(pack({each.id: each for each in entities}.values()))
        self._shipped = {entity.id: entity for entity in self._packed.entities}
        self._entities = dict(self._shipped)
        self._own: dict[str, Entity] = {}
        for entity in own:
            self.put(entity)

    @cached_property
    def _names(self) -> _Names:
        names = _Names(self._packed.entities, self._packed.index)
        for entity_id in self._own:
            names.put(self._entities[entity_id])
        return names

    @classmethod
    def load(cls) -> "Catalogue":
        """Return the catalogue that ships with the program; read once, and not to be changed."""
        return _shipped()

    def copy(self) -> "Catalogue":
        """Return a catalogue of the same entities, which may be changed."""
        return Catalogue(own=self._own.values(), shipped=self._packed)

    def put(self, own: Entity) -> Entity:
        """Add or replace an own entity; return it as it is now found."""
        self._own[own.id] = own
        entity = self._entities[own.id] = merged(self._shipped.get(own.id), own)
        if "_names" in self.__dict__:
            self._names.put(entity)
        return entity

    def remove(self, entity_id: str) -> Entity | None:
        """Take an own entity out; return what ships under its id, if anything does."""
        self._own.pop(entity_id, None)
        self._entities.pop(entity_id, None)
        if "_names" in self.__dict__:
            self._names.remove(entity_id)
        shipped = self._shipped.get(entity_id)
        if shipped is not None:
            self._entities[entity_id] = shipped
        return shipped

    @property
    def digest(self) -> str:
        """What tells what ships from other catalogues."""
        return self._packed.digest

    def ships(self, entity_id: str) -> bool:
        """Say whether an entity of this id ships."""
        return entity_id in self._shipped

    def own(self) -> Sequence[Entity]:
        """Return the own entities, as they were put."""
        return list(self._own.values())

    def languages(self) -> Sequence[str]:
        """Return the languages that have names among what ships."""
        return self._packed.languages

    def names(self, language: str) -> Iterator[tuple[Alias, Entity, bool]]:
        """Yield the names of a language that ship; the last says whether it is a blocker."""
        return self._packed.names(language)

    def whole(self, entity_id: str) -> Entity | None:
        """Return an entity with all its names in its record. It takes a second."""
        shipped, own = self._packed.whole(entity_id), self._own.get(entity_id)
        return None if shipped is None and own is None else merged(shipped, own)

    def entity(self, entity_id: str) -> Entity | None:
        """Return the entity or theme with this id."""
        return self._entities.get(entity_id)

    def __iter__(self) -> Iterator[Entity]:
        return iter(self._entities.values())

    def __len__(self) -> int:
        return len(self._entities)

    def resolve(self, name: str, kind: Kind | None = None) -> Entity:
        """Return the entity with this id, or this label or alias in any language.

        Case, width and accents do not matter. Themes are not found here. With `kind` only
        entities of it count where several share the name.
        Raises UnknownName, also where several entities share the name.
        """
        entity = self._entities.get(name.strip()) or self._entities.get(name.strip().upper())
        if entity is not None and entity.kind is not Kind.THEME:
            return entity
        try:
            found = self._names.resolve(name, themes=False)
        except UnknownName as error:
            own = [each for each in error.candidates if each.kind is kind]
            if kind is not None and error.is_ambiguous and len(own) == 1:
                return own[0]
            raise
        if kind is not None and found.kind is not kind:
            raise UnknownName(name, [found])
        return found

    def resolve_topic(self, name: str) -> Entity:
        """Return the theme with this id (`military`, `topic:military`) or label or term.

        Raises UnknownName.
        """
        key = name.strip().lower()
        entity = self._entities.get(THEME_PREFIX + key.removeprefix(THEME_PREFIX))
        return entity if entity is not None else self._names.resolve(name, themes=True)

    def search(self, text: str, limit: int) -> list[Entity]:
        """Return up to `limit` entities and themes with a name that begins with `text`."""
        found: dict[str, None] = {}
        for entity_id in self._names.search(text):
            found[entity_id] = None
            if len(found) >= limit:
                break
        return [self._entities[each] for each in found]

    def label(self, entity_id: str, language: str = "en") -> str:
        """Return the name to show in `language` (BCP 47), else the English one, else the id."""
        entity = self._entities.get(entity_id)
        return entity_id if entity is None else label_of(entity, language)


def merged(shipped: Entity | None, own: Entity | None) -> Entity:
    """Return what an own entity makes of the one that ships under its id.

    Its labels take the place of those that ship, its names, blockers and context come beside
    them, and what it says is `dropped` is left out, whichever of the two has it.
    """
    if shipped is None or own is None:
        entity = shipped or own
        if entity is None:
            raise ValueError("nothing to merge")
        return entity if not entity.dropped else _without_dropped(entity)
    together = msgspec.structs.replace(
        shipped,
        labels=shipped.labels | own.labels,
        aliases=tuple(dict.fromkeys(shipped.aliases + own.aliases)),
        blockers=tuple(dict.fromkeys(shipped.blockers + own.blockers)),
        context=tuple(dict.fromkeys(shipped.context + own.context)),
        name=own.name,
        created_at=own.created_at,
        dropped=own.dropped,
        updated_at=own.updated_at,
    )
    return _without_dropped(together)


def _without_dropped(entity: Entity) -> Entity:
    dropped = {key_of(name) for name in entity.dropped}
    kept = tuple(alias for alias in entity.aliases if key_of(alias.text) not in dropped)
    return msgspec.structs.replace(entity, aliases=kept)


def label_of(entity: Entity, language: str) -> str:
    """Return the name of `entity` to show in `language` (BCP 47)."""
    by_choice = (entity.labels.get(name) for name in (language, primary(language), "en"))
    return next(
        (label for label in by_choice if label), next(iter(entity.labels.values()), entity.id)
    )


@cache
def _shipped() -> Catalogue:
    return Catalogue(shipped=Shipped(PACKED.read_bytes()))
