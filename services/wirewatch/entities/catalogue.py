"""The catalogue: entities by id and by any of their names."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from wirewatch.entities.read import DataError, read_entities
from wirewatch.text.fold import fold
from wirewatch.text.language import primary
from wirewatch.topics.entities import Entity, Kind

DATA_FILES = ("countries.toml", "organisations.toml", "people.toml", "themes.toml")
THEME_PREFIX = "topic:"
MAX_SUGGESTIONS = 3
SUGGESTION_CUTOFF = 0.6
"""How like a name must be to be suggested, as difflib's ratio from 0 to 1."""


class UnknownName(Exception):
    """No entity has this name, or several have. `suggestions` are labels that come near."""

    def __init__(self, name: str, suggestions: tuple[str, ...] = ()) -> None:
        self.name = name
        self.suggestions = suggestions
        hint = f"; did you mean {', '.join(suggestions)}?" if suggestions else ""
        super().__init__(f"nothing is known by the name {name!r}{hint}")


class _Names:
    """Entities by folded name. Labels come before aliases; what several share is nobody's."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._by_label: dict[str, set[str]] = defaultdict(set)
        self._by_alias: dict[str, set[str]] = defaultdict(set)
        self._entities = {entity.id: entity for entity in entities}
        for entity in self._entities.values():
            for label in entity.labels.values():
                self._by_label[_key(label)].add(entity.id)
            for alias in entity.aliases:
                self._by_alias[_key(alias.text)].add(entity.id)

    def resolve(self, name: str) -> Entity:
        key = _key(name)
        ids = self._by_label.get(key) or self._by_alias.get(key) or set()
        if len(ids) == 1:
            return self._entities[next(iter(ids))]
        raise UnknownName(name, self._labels(ids) if ids else self._near(key))

    def _near(self, key: str) -> tuple[str, ...]:
        known = [*self._by_label, *self._by_alias]
        near = get_close_matches(key, known, n=4 * MAX_SUGGESTIONS, cutoff=SUGGESTION_CUTOFF)
        ids = (self._by_label.get(name) or self._by_alias[name] for name in near)
        return self._labels(entity_id for group in ids for entity_id in sorted(group))

    def _labels(self, ids: Iterable[str]) -> tuple[str, ...]:
        labels = dict.fromkeys(_label(self._entities[entity_id], "en") for entity_id in ids)
        return tuple(labels)[:MAX_SUGGESTIONS]


class Catalogue:
    """Entities by id and name. Where an id comes twice the later record counts.

    So an operator's entities, put behind those that ship, replace them.
    """

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._entities = {entity.id: entity for entity in entities}
        things = [e for e in self._entities.values() if e.kind is not Kind.THEME]
        self._things = _Names(things)
        self._themes = _Names(e for e in self._entities.values() if e.kind is Kind.THEME)

    @classmethod
    def load(cls) -> "Catalogue":
        """Return the catalogue that ships with the program; read once.

        Raises DataError where a data file has a mistake.
        """
        return _shipped()

    def entity(self, entity_id: str) -> Entity | None:
        """Return the entity or theme with this id."""
        return self._entities.get(entity_id)

    def __iter__(self) -> Iterator[Entity]:
        return iter(self._entities.values())

    def __len__(self) -> int:
        return len(self._entities)

    def resolve(self, name: str) -> Entity:
        """Return the entity with this Q-id, or this label or alias in any language.

        Case, width and accents do not matter. Themes are not found here.
        Raises UnknownName, also where several entities share the name.
        """
        entity = self._entities.get(name.strip().upper())
        return entity if entity is not None else self._things.resolve(name)

    def resolve_topic(self, name: str) -> Entity:
        """Return the theme with this id (`military`, `topic:military`) or label or term.

        Raises UnknownName.
        """
        key = name.strip().lower()
        entity = self._entities.get(THEME_PREFIX + key.removeprefix(THEME_PREFIX))
        return entity if entity is not None else self._themes.resolve(name)

    def label(self, entity_id: str, language: str = "en") -> str:
        """Return the name to show in `language` (BCP 47), else the English one, else the id."""
        entity = self._entities.get(entity_id)
        return entity_id if entity is None else _label(entity, language)


def _label(entity: Entity, language: str) -> str:
    by_choice = (entity.labels.get(name) for name in (language, primary(language), "en"))
    return next((label for label in by_choice if label), entity.id)


def _key(name: str) -> str:
    return " ".join(fold(name).folded.split())


@cache
def _shipped() -> Catalogue:
    entities: list[Entity] = []
    for name in DATA_FILES:
        text = (files("wirewatch.entities") / "data" / name).read_text(encoding="utf-8")
        entities += read_entities(text, file=name)
    ids = [entity.id for entity in entities]
    if len(set(ids)) < len(ids):
        raise DataError(f"stands in two data files: {max(ids, key=ids.count)}")
    return Catalogue(entities)
