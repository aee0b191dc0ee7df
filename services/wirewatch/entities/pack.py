"""The file of the catalogue: what is small is read at start, names of a language when it comes up.

It is made of parts, each msgpack and compressed: the entities without their names, the names by
language, and an index from folded names to entities for queries.
"""

import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from wirewatch.entities.levels import LEVELS, key_of, named
from wirewatch.text.language import primary
from wirewatch.topics.entities import Alias, Entity

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKED = Path(__file__).parent / "data" / "catalogue.msgpack"
_LEVEL = 19

Name = tuple[int, bool, Alias]
"""The number of an entity, whether the alias is a blocker of it, and the alias."""
Index = tuple[dict[str, tuple[int, ...]], ...]
"""For each level of `wirewatch.entities.levels` the numbers of the entities by folded name."""


class _File(msgspec.Struct, frozen=True):
    entities: bytes
    names: dict[str, bytes]
    index: bytes


_encode = msgspec.msgpack.Encoder(order="sorted").encode
_file = msgspec.msgpack.Decoder(_File)
_entities = msgspec.msgpack.Decoder(tuple[Entity, ...])
_names = msgspec.msgpack.Decoder(tuple[Name, ...])
_index = msgspec.msgpack.Decoder(Index)


def pack(entities: Iterable[Entity]) -> bytes:
    """Return `entities` as the content of the file."""
    whole = list(entities)
    names: dict[str, list[Name]] = defaultdict(list)
    index: tuple[dict[str, dict[int, None]], ...] = tuple(defaultdict(dict) for _ in range(LEVELS))
    for number, entity in enumerate(whole):
        for blocks, aliases in ((False, entity.aliases), (True, entity.blockers)):
            for alias in aliases:
                names[primary(alias.language)].append((number, blocks, alias))
        for level, name in named(entity):
            index[level][key_of(name)][number] = None
    light = [msgspec.structs.replace(each, aliases=(), blockers=()) for each in whole]
    numbers = [{key: list(found) for key, found in level.items()} for level in index]
    return _encode(
        _File(
            entities=_squeeze(light),
            names={language: _squeeze(own) for language, own in names.items()},
            index=_squeeze(numbers),
        )
    )


def _squeeze(content: object) -> bytes:
    return zstd.compress(_encode(content), level=_LEVEL)


class Shipped:
    """The catalogue that ships. Raises ValueError for a file that is none."""

    def __init__(self, raw: bytes) -> None:
        try:
            self._file = _file.decode(raw)
            self.entities = _entities.decode(zstd.decompress(self._file.entities))
        except (zstd.ZstdError, msgspec.MsgspecError) as error:
            raise ValueError(f"not a catalogue: {error}") from error

    @cached_property
    def digest(self) -> str:
        """What tells this catalogue from others, names and all."""
        return hashlib.blake2b(_encode(self._file), digest_size=15).hexdigest()

    @property
    def languages(self) -> Sequence[str]:
        """The languages (primary subtags) that have names, `*` among them."""
        return list(self._file.names)

    def names(self, language: str) -> Iterator[tuple[Alias, Entity, bool]]:
        """Yield the names of a language, with whom they name, and whether they are blockers."""
        raw = self._file.names.get(language)
        for number, blocks, alias in _names.decode(zstd.decompress(raw)) if raw else ():
            yield alias, self.entities[number], blocks

    def whole(self, entity_id: str) -> Entity | None:
        """Return an entity with all its names; it takes a second."""
        entity = next((each for each in self.entities if each.id == entity_id), None)
        if entity is None:
            return None
        own = [
            (alias, blocks)
            for language in self._file.names
            for alias, each, blocks in self.names(language)
            if each is entity
        ]
        return msgspec.structs.replace(
            entity,
            aliases=tuple(alias for alias, blocks in own if not blocks),
            blockers=tuple(alias for alias, blocks in own if blocks),
        )

    @cached_property
    def index(self) -> Sequence[Mapping[str, Sequence[int]]]:
        """For each level the numbers of the entities by folded name."""
        return _index.decode(zstd.decompress(self._file.index))
