"""An operator's own entities: names in the notation of the catalogue become records. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec
import regex

from wirewatch.entities.automatic import automatic
from wirewatch.entities.ids import ITEM, THEME_PREFIX
from wirewatch.entities.notation import (
    NAME_ROLES,
    TERM_ROLES,
    NotationError,
    read_line,
    shown_name,
)
from wirewatch.text.fold import folded
from wirewatch.topics.entities import Alias, Entity, Kind, Role
from wirewatch.topics.ids import content_id

MAX_NAME_CHARS = 200
MAX_LANGUAGES = 400
MAX_LINE_CHARS = 10_000
MAX_ALIASES = 5_000
MAX_CONTEXT = 100
MAX_DROPPED = 1_000
ID = regex.compile(rf"{ITEM.pattern}|topic:[a-z][a-z0-9-]{{0,63}}|ent_[a-z2-7]{{24}}")
EVERY_LANGUAGE = "*"
LANGUAGE = regex.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}|\*")
_OTHER_LETTERS = regex.compile(r"[^\P{L}a-z]")
_UNFIT = regex.compile(r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]")


class OwnError(ValueError):
    """An own entity cannot be as it is described. `field` says where, the message why."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What Wikidata says of an entity: labels, and further names, by language (BCP 47)."""

    labels: dict[str, str] = msgspec.field(default_factory=dict)
    aliases: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    demonyms: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


def own_id(name: str, kind: Kind) -> str:
    """Return the id of an own entity that Wikidata does not know."""
    if kind is not Kind.THEME:
        return content_id("ent", kind, name)
    plain = folded(name)
    slug = regex.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-")
    # Letters that an id cannot have are not left out: all Chinese themes would be one.
    if not slug[:1].isalpha() or _OTHER_LETTERS.search(plain):
        raise OwnError("id", "is needed: the name of the theme makes none, such as topic:supply")
    return THEME_PREFIX + slug


def described(entity: Entity, now: datetime) -> Entity:
    """Return `entity` with the aliases and labels that its `names`, `exceptions` and imports give.

    Raises OwnError.
    """
    roles = TERM_ROLES if entity.kind is Kind.THEME else NAME_ROLES
    _require(entity)
    written = [
        alias
        for language, line in entity.names.items()
        for alias in _line(line, language, f"names.{language}", roles)
    ]
    blockers = [
        alias
        for language, line in entity.exceptions.items()
        for alias in _line(line, language, f"exceptions.{language}", NAME_ROLES[:1])
    ]
    aliases = tuple(dict.fromkeys([*written, *entity.imported]))
    for field, found in (("names", aliases), ("exceptions", blockers)):
        if len(found) > MAX_ALIASES:
            raise OwnError(field, f"are {len(found)} in all, at most {MAX_ALIASES} are allowed")
    labels = entity.imported_labels | _labels(entity)
    return msgspec.structs.replace(
        entity, labels=labels, aliases=aliases, blockers=tuple(blockers), updated_at=now
    )


def _require(entity: Entity) -> None:
    if ID.fullmatch(entity.id) is None:
        raise OwnError("id", "must be a Wikidata id such as Q423, or for a theme topic:name")
    if entity.id.startswith(THEME_PREFIX) is not (entity.kind is Kind.THEME):
        raise OwnError("kind", "theme goes with an id topic:name, and no other does")
    _require_name(entity)
    for field, most in (
        ("names", MAX_LANGUAGES),
        ("exceptions", MAX_LANGUAGES),
        ("context", MAX_CONTEXT),
        ("dropped", MAX_DROPPED),
    ):
        if len(getattr(entity, field)) > most:
            raise OwnError(field, f"has {len(getattr(entity, field))} items, {most} are allowed")
    for each in entity.context:
        if ID.fullmatch(each) is None:
            raise OwnError("context", f"has {each[:100]!r}, which is no id of an entity")


def _require_name(entity: Entity) -> None:
    if not entity.name.strip() and entity.imported_at is None:
        raise OwnError("name", "must not be empty")
    if len(entity.name) > MAX_NAME_CHARS:
        raise OwnError(
            "name", f"has {len(entity.name)} characters, at most {MAX_NAME_CHARS} are allowed"
        )
    if _UNFIT.search(entity.name):
        raise OwnError("name", "must be one line without control characters")


def _labels(entity: Entity) -> dict[str, str]:
    labels = {
        language: label
        for language, line in entity.names.items()
        if language != EVERY_LANGUAGE and (label := shown_name(line))
    }
    return {"en": entity.name} | labels if entity.name else labels


def _line(line: str, language: str, field: str, roles: Iterable[object]) -> list[Alias]:
    if LANGUAGE.fullmatch(language) is None:
        raise OwnError(field, "is not a BCP 47 language tag such as en or pt-BR, nor *")
    if len(line) > MAX_LINE_CHARS:
        raise OwnError(field, f"has {len(line)} characters, {MAX_LINE_CHARS} are allowed")
    try:
        return read_line(line, tuple(roles), language)  # type: ignore[arg-type]
    except NotationError as error:
        raise OwnError(field, str(error)) from error


def with_import(entity: Entity, imported: Imported, now: datetime) -> Entity:
    """Return `entity` with the names of an import, instead of those of the import before.

    What the operator wrote or dropped stays. Raises OwnError.
    """
    found = dict.fromkeys(
        alias
        for text, language, role in _names(imported)
        for alias in automatic(text, language, role=role)
    )
    changed = msgspec.structs.replace(
        entity,
        imported=tuple(found),
        imported_labels=_plain(imported.labels),
        imported_at=now,
    )
    return described(changed, now)


def _names(imported: Imported) -> Iterator[tuple[str, str, Role]]:
    """Yield names with language and role: what is a name and a demonym is a name."""
    for language in imported.labels | imported.aliases | imported.demonyms:
        if LANGUAGE.fullmatch(language) is None:
            raise OwnError("labels", f"has {language[:100]!r}, which is no BCP 47 language tag")
        names = dict.fromkeys(
            (imported.labels.get(language, ""), *imported.aliases.get(language, ())), Role.NAME
        )
        demonyms = dict.fromkeys(imported.demonyms.get(language, ()), Role.DEMONYM)
        yield from ((name, language, role) for name, role in (demonyms | names).items())


def _plain(labels: Mapping[str, str]) -> dict[str, str]:
    plain = {language: " ".join(label.split()) for language, label in labels.items()}
    return {
        language: label for language, label in plain.items() if label and language != EVERY_LANGUAGE
    }
