"""Read the data files of the catalogue: compact for authors, checked, made into records.

The notation is explained in docs/entities.md. A mistake names file, entity and field.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import regex

from wirewatch.entities.edges import is_unspaced
from wirewatch.text.fold import fold
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode, Role

MIN_ALIAS_CHARS = 2
"""A single letter or character means too many things: 米 is America and rice."""
MAX_SHORT_CHARS = 4
"""So short a name, written with a capital, needs that capital in the text too."""
MAX_SPELLINGS = 64
"""Spellings that the braces of one alias may stand for."""
BLOCKERS = "blockers"
ROLES = (Role.NAME, Role.ADJECTIVE, Role.DEMONYM)

_ID = regex.compile(r"Q[1-9][0-9]*|topic:[a-z][a-z-]*")
_LANGUAGE = regex.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*|\*")
_BRACES = regex.compile(r"\{([^{}]*)\}")
_ALIAS = regex.compile(r"(=?)(\^?)([^=^~*{}]+)(?:([~*])([^\s=^~*{}]*))?")
_MODES = {"": Mode.EXACT, "~": Mode.INFLECT, "*": Mode.PREFIX}


class DataError(ValueError):
    """A mistake in a data file; the message names file, entity and field."""


def read_entities(text: str, *, file: str) -> list[Entity]:
    """Return the entities that `text`, the content of the data file named `file`, defines.

    Raises DataError.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file}: not TOML: {error}") from error
    try:
        kind = Kind(document.pop("kind", None))
    except ValueError as error:
        raise DataError(f"{file}, kind: {error}; known are {', '.join(Kind)}") from error
    return [_entity(entity_id, table, kind, file) for entity_id, table in document.items()]


def _entity(entity_id: str, table: Any, kind: Kind, file: str) -> Entity:
    where = f"{file}, {entity_id}"
    if _ID.fullmatch(entity_id) is None or not isinstance(table, dict):
        raise DataError(f"{where}: expected a table named by a Q-id or topic:…")
    blockers = table.pop(BLOCKERS, {})
    if not isinstance(blockers, dict):
        raise DataError(f"{where}, {BLOCKERS}: expected one line for each language")
    if "en" not in table:
        raise DataError(f"{where}, en: missing; an entity needs its English names")
    return Entity(
        id=entity_id,
        kind=kind,
        labels={
            language: _label(names, f"{where}, {language}")
            for language, names in table.items()
            if language != "*"
        },
        aliases=tuple(_aliases(table, kind, where)),
        blockers=tuple(_aliases(blockers, kind, f"{where}, {BLOCKERS}")),
    )


def _aliases(lines: Mapping[str, Any], kind: Kind, where: str) -> Iterator[Alias]:
    for language, line in lines.items():
        place = f"{where}, {language}"
        if _LANGUAGE.fullmatch(language) is None:
            raise DataError(f"{place}: not a language (BCP 47) nor *")
        roles = (Role.TERM,) if kind is Kind.THEME else ROLES
        yield from _in_language(_in_line(line, roles, place), language, place)


def _in_language(written: Iterable[tuple[Role, str]], language: str, place: str) -> Iterator[Alias]:
    """Yield the aliases of one line, spellings that fold alike only once."""
    owners: dict[tuple[str, Case, Mode], str] = {}
    for role, alias in written:
        records = [_alias(spelling, language, role, place) for spelling in _spellings(alias, place)]
        keys = [(fold(r.text).folded, r.case, r.mode) for r in records if r is not None]
        if keys and all(key in owners for key in keys):
            raise DataError(f"{place}: {alias!r} says nothing new after {owners[keys[0]]!r}")
        for record in filter(None, records):
            key = fold(record.text).folded, record.case, record.mode
            if key not in owners:
                owners[key] = alias
                yield record


def _in_line(line: Any, roles: tuple[Role, ...], place: str) -> Iterator[tuple[Role, str]]:
    """Yield each alias of a line with its role: names / adjectives / demonyms, split by `;`."""
    if not isinstance(line, str):
        raise DataError(f"{place}: expected a text such as 'name; name / adjective / demonym'")
    parts = line.split("/")
    if len(parts) > len(roles):
        raise DataError(f"{place}: {len(parts)} parts between slashes, at most {len(roles)} known")
    for role, part in zip(roles, parts, strict=False):
        if part.strip():
            yield from ((role, alias.strip()) for alias in part.split(";"))


def _spellings(alias: str, place: str) -> list[str]:
    """Return what the braces stand for: `Nord{-,}korea` is `Nord-korea` and `Nordkorea`."""
    spellings = [alias]
    while (braces := _BRACES.search(spellings[0])) is not None:
        options = braces[1].split(",")
        if len(spellings) * len(options) > MAX_SPELLINGS:
            raise DataError(f"{place}: {alias!r} has more than {MAX_SPELLINGS} spellings")
        # All spellings have the same number of braces, so the first of each is the same one.
        spellings = [_BRACES.sub(option, s, count=1) for s in spellings for option in options]
    return spellings


def _alias(written: str, language: str, role: Role, place: str) -> Alias | None:
    """Return the alias that `written` notes; None where it is only a label."""
    parts = _ALIAS.fullmatch(written)
    if parts is None:
        raise DataError(f"{place}: {written!r} is not an alias such as 'name', 'stem~ending'")
    label_only, initial, text, mark, _ = parts.groups(default="")
    if label_only:
        return None
    if len(fold(text).folded) < MIN_ALIAS_CHARS or text != text.strip():
        raise DataError(f"{place}: {written!r} is shorter than {MIN_ALIAS_CHARS} or has spaces")
    if is_unspaced(text) and mark:
        raise DataError(f"{place}: {written!r} needs no mark, its script has no spaces")
    return Alias(
        text=text,
        language=language,
        role=Role.ABBREVIATION if role is Role.NAME and _is_capitals(text) else role,
        mode=Mode.SUBSTRING if is_unspaced(text) else _MODES[mark],
        case=_case(text, initial=bool(initial)),
    )


def _case(text: str, *, initial: bool) -> Case:
    if initial:
        return Case.INITIAL
    if _is_capitals(text):
        return Case.ALL
    short = len(text) <= MAX_SHORT_CHARS and text[0].isupper()
    return Case.INITIAL if short else Case.ANY


def _is_capitals(text: str) -> bool:
    return text.isupper() and sum(letter.isupper() for letter in text) >= MIN_ALIAS_CHARS


def _label(line: Any, place: str) -> str:
    """Return the first name of a line without its marks: what a person is shown."""
    if not isinstance(line, str):
        raise DataError(f"{place}: expected a text such as 'name; name / adjective / demonym'")
    first = _spellings(regex.split("[;/]", line, maxsplit=1)[0].strip(), place)[0]
    label: str = regex.sub(r"[=^~*]", "", first)
    if not label:
        raise DataError(f"{place}: the first name, which is the label, is empty")
    return label
