"""entities: things and themes with their names in every language.

The catalogue that ships with the program is made of the same records; this
topic carries what operators and tenants add to it.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from wirewatch.topics.spec import Cleanup, Record, Topic


class Kind(StrEnum):
    """What an entity is."""

    COUNTRY = "country"
    PLACE = "place"
    PERSON = "person"
    ORGANISATION = "organisation"
    THEME = "theme"


class Role(StrEnum):
    """What an alias is to its entity."""

    NAME = "name"
    ADJECTIVE = "adjective"
    DEMONYM = "demonym"
    ABBREVIATION = "abbreviation"
    TERM = "term"


class Mode(StrEnum):
    """How an alias is found in a text.

    `exact`: whole words as written. `inflect`: whole words, the last of which
    may go on with a few letters (endings, particles). `prefix`: as `inflect`
    with any continuation (compounds). `substring`: anywhere, for scripts
    without spaces.
    """

    EXACT = "exact"
    INFLECT = "inflect"
    PREFIX = "prefix"
    SUBSTRING = "substring"


class Case(StrEnum):
    """Which capitals an alias needs in the text."""

    ANY = "any"
    INITIAL = "initial"
    ALL = "all"


class Alias(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way to say an entity. `language` is BCP 47, `*` for all languages."""

    text: str
    language: str
    role: Role = Role.NAME
    mode: Mode = Mode.EXACT
    case: Case = Case.ANY


class Entity(Record, frozen=True, kw_only=True):
    """A thing or a theme. `id` is its Wikidata Q-id, or `topic:…` for a theme.

    `labels` maps a language to the name shown to a person. An alias found
    inside a longer occurrence of one of `blockers` does not count.
    """

    id: str
    kind: Kind
    labels: dict[str, str]
    aliases: tuple[Alias, ...] = ()
    blockers: tuple[Alias, ...] = ()
    updated_at: datetime | None = None


ENTITIES = Topic(
    name="entities",
    record=Entity,
    key=lambda entity: entity.id,
    key_means="entity id",
    cleanup=Cleanup.COMPACT,
    written_by=("api",),
    read_by=("match", "api"),
)
