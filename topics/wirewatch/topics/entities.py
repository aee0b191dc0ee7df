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
    """What an alias is to its entity. A form is a name with an ending: nobody calls it so."""

    NAME = "name"
    ADJECTIVE = "adjective"
    DEMONYM = "demonym"
    ABBREVIATION = "abbreviation"
    TERM = "term"
    FORM = "form"


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


class Alias(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One way to say an entity. `language` is BCP 47, `*` for all languages.

    A `weak` alias counts only with other evidence in the article. Of a thing: one of its other
    aliases that is not weak, or an entity of its `context`. Of a theme: another of its terms, or
    the article's title, where one weak term is enough. One that is `given` is a person's name
    too (Jordan, Chad) and does not count beside another word with a capital.
    """

    text: str
    language: str
    role: Role = Role.NAME
    mode: Mode = Mode.EXACT
    case: Case = Case.ANY
    weak: bool = False
    given: bool = False


class Entity(Record, frozen=True, kw_only=True):
    """A thing or a theme. `id` is its Wikidata Q-id, or `topic:…` for a theme.

    `labels` maps a language to the name shown to a person. An alias found
    inside a longer occurrence of one of `blockers` does not count.
    `context` are the ids of entities beside which its weak aliases count. What is named inside
    the names of one that is `transparent` counts too: the Russian army names Russia.
    `broader` are themes that a theme is part of: its terms are theirs.

    The rest is of an operator's own entities. `name`, `names` and `exceptions` are as they were
    written, by language; `aliases`, `blockers` and `labels` are made of them. `dropped` are names
    that are taken away, from what ships and from what is imported. `imported` and
    `imported_labels` came from Wikidata and go with the next refresh.
    """

    id: str
    kind: Kind
    labels: dict[str, str]
    aliases: tuple[Alias, ...] = ()
    blockers: tuple[Alias, ...] = ()
    context: tuple[str, ...] = ()
    transparent: bool = False
    broader: tuple[str, ...] = ()
    name: str = ""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    exceptions: dict[str, str] = msgspec.field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    imported: tuple[Alias, ...] = ()
    imported_labels: dict[str, str] = msgspec.field(default_factory=dict)
    imported_at: datetime | None = None
    created_at: datetime | None = None
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
