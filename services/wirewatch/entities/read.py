"""Read a file of names: one language, a line an entity. Pure.

The notation is explained in docs/entities.md. A mistake names file, table, entity and what is
wrong.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from wirewatch.entities.ids import ITEM, THEME_PREFIX
from wirewatch.entities.notation import (
    NAME_ROLES,
    TERM_ROLES,
    NotationError,
    read_line,
    shown_name,
)
from wirewatch.topics.entities import Alias, Kind

TABLES = {
    "country": Kind.COUNTRY,
    "place": Kind.PLACE,
    "organisation": Kind.ORGANISATION,
    "person": Kind.PERSON,
    "topic": Kind.THEME,
}
BLOCKERS = "blockers"
_TOPIC = regex.compile(r"[a-z][a-z-]*")


class DataError(ValueError):
    """A mistake in a data file; the message names file, table and entity."""


@dataclass(frozen=True, slots=True)
class Names:
    """What one language calls one entity. `label` is None where no name is written.

    `kind` is None where only blockers are written: the names are those of other sources.
    """

    entity_id: str
    kind: Kind | None
    label: str | None
    aliases: tuple[Alias, ...]
    blockers: tuple[Alias, ...]


def read_names(text: str, *, language: str, file: str) -> list[Names]:
    """Return what the content `text` of a file of names says; `language` is BCP 47 or `*`.

    Raises DataError with every mistake, a line each.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file}: not TOML: {error}") from error
    mistakes: list[str] = []
    names = list(_names(document, language, file, mistakes))
    if mistakes:
        raise DataError("\n".join(mistakes))
    return names


def _names(
    document: dict[str, object], language: str, file: str, mistakes: list[str]
) -> Iterator[Names]:
    blockers = document.pop(BLOCKERS, {})
    blocked = dict(_lines(blockers, f"{file}, [{BLOCKERS}]", mistakes))
    for table, content in document.items():
        where = f"{file}, [{table}]"
        kind = TABLES.get(table)
        if kind is None:
            mistakes.append(f"{where}: not a table; known are {', '.join(TABLES)}, {BLOCKERS}")
            continue
        for key, line in _lines(content, where, mistakes):
            try:
                yield _read(key, line, kind, language, blocked.pop(key, ""))
            except NotationError as error:
                mistakes.append(f"{where}, {key}: {error}")
    for key, line in blocked.items():
        try:
            yield Names(_blocked_id(key), None, None, (), tuple(_blockers(line, language)))
        except NotationError as error:
            mistakes.append(f"{file}, [{BLOCKERS}], {key}: {error}")


def _lines(content: object, where: str, mistakes: list[str]) -> Iterator[tuple[str, str]]:
    if not isinstance(content, dict):
        mistakes.append(f"{where}: expected a table")
        return
    for key, line in content.items():
        if isinstance(line, str):
            yield key, line
        else:
            mistakes.append(f"{where}, {key}: expected a text such as 'name; name / adjective'")


def _read(key: str, line: str, kind: Kind, language: str, blocked: str) -> Names:
    is_theme = kind is Kind.THEME
    if (_TOPIC if is_theme else ITEM).fullmatch(key) is None:
        raise NotationError("not a Wikidata id (Q…)" if not is_theme else "not the id of a topic")
    return Names(
        entity_id=THEME_PREFIX + key if is_theme else key,
        kind=kind,
        label=shown_name(line),
        aliases=tuple(read_line(line, TERM_ROLES if is_theme else NAME_ROLES, language)),
        blockers=tuple(_blockers(blocked, language)),
    )


def _blocked_id(key: str) -> str:
    if ITEM.fullmatch(key):
        return key
    if _TOPIC.fullmatch(key) is None:
        raise NotationError("not a Wikidata id (Q…) nor the id of a topic")
    return THEME_PREFIX + key


def _blockers(line: str, language: str) -> list[Alias]:
    return read_line(line.replace("/", ";"), NAME_ROLES[:1], language)
