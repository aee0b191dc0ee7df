"""How sure a name is, when a query calls an entity by it. Pure."""

from collections.abc import Iterator

from wirewatch.text.fold import folded
from wirewatch.topics.entities import Entity, Mode, Role

LEVELS = 5
"""English labels; labels of other languages; names; stems; weak names."""
_NOT_CALLED = (Role.ADJECTIVE, Role.FORM)


def named(entity: Entity) -> Iterator[tuple[int, str]]:
    """Yield the names by which an entity can be called, each with its level: 0 is the surest."""
    if entity.name:
        yield 0, entity.name  # what an operator calls it holds whatever its names become
    for language, label in entity.labels.items():
        yield (0 if language == "en" else 1), label
    for alias in entity.aliases:
        if alias.role not in _NOT_CALLED and alias.mode is not Mode.PREFIX:
            yield 4 if alias.weak else 3 if alias.mode is Mode.INFLECT else 2, alias.text


def key_of(name: str) -> str:
    """Return what a name is looked up by: folded, with single spaces."""
    return " ".join(folded(name).split())
