"""The notation of names: `^Mali; mali~sch / Malier{,n}` is some aliases. Pure.

It is explained in docs/entities.md. Files of the catalogue are written in it, and so are the
names that a tenant gives its own entities.
"""

from collections.abc import Iterator, Sequence

import regex

from wirewatch.entities.edges import is_unspaced
from wirewatch.text.fold import fold
from wirewatch.topics.entities import Alias, Case, Mode, Role

MIN_ALIAS_CHARS = 2
"""A single letter or character means too many things: 米 is America and rice."""
MAX_ALIAS_CHARS = 200
"""Characters of an alias; names of treaties and agencies stay below."""
MAX_SHORT_CHARS = 4
"""So short a name, written with a capital, needs that capital in the text too."""
MAX_SPELLINGS = 256
"""Spellings that the braces of one alias may stand for."""
NAME_ROLES = (Role.NAME, Role.ADJECTIVE, Role.DEMONYM)
TERM_ROLES = (Role.TERM,)

_BRACES = regex.compile(r"\{([^{}]*)\}")
_ALIAS = regex.compile(r"([=?+^!]*)([^=^~*{}?+!]+)(?:([~*])([^\s=^~*{}]*))?")
_MODES = {"": Mode.EXACT, "~": Mode.INFLECT, "*": Mode.PREFIX}
_ENDINGS = {mode: mark for mark, mode in _MODES.items()}
_MARKS = regex.compile(r"[=?+^~*!]")


class NotationError(ValueError):
    """What is written is no alias; the message says what and why."""


def read_line(line: str, roles: Sequence[Role], language: str) -> list[Alias]:
    """Return the aliases of a line: lists split by `/`, one for each of `roles`, by `;` inside.

    `language` is BCP 47 or `*`. Spellings that fold alike are one alias, and an empty list is
    left out. Raises NotationError.
    """
    parts = line.split("/")
    if len(parts) > len(roles):
        raise NotationError(f"{len(parts)} parts between slashes, at most {len(roles)} known")
    found: dict[tuple[str, bool, Case, Mode], Alias] = {}
    for role, part in zip(roles, parts, strict=False):
        for written in filter(None, map(str.strip, part.split(";"))):
            for alias in read_alias(written, role, language):
                key = fold(alias.text).folded, alias.text[0].isupper(), alias.case, alias.mode
                found.setdefault(key, alias)
    return list(found.values())


def read_alias(written: str, role: Role, language: str) -> Iterator[Alias]:
    """Yield the aliases that one item stands for: one for each spelling in its braces.

    Raises NotationError.
    """
    for spelling in _spellings(written):
        if (alias := _alias(spelling, role, language)) is not None:
            yield alias


def written_alias(alias: Alias) -> str:
    """Return `alias` as one item of the notation: the marks that are not implied, and the name."""
    marks = "?" * alias.weak + "^" * (alias.case is Case.INITIAL) + "!" * alias.given
    return marks + alias.text + _ENDINGS.get(alias.mode, "")


def shown_name(line: str) -> str | None:
    """Return the first name of a line without its marks: what a person is shown.

    None where the list of names is empty. Raises NotationError.
    """
    first = _spellings(regex.split("[;/]", line, maxsplit=1)[0].strip())[0]
    return _MARKS.sub("", first).strip() or None


def _spellings(written: str) -> list[str]:
    """Return what the braces stand for: `Nord{-,}korea` is `Nord-korea` and `Nordkorea`."""
    spellings = [written]
    while (braces := _BRACES.search(spellings[0])) is not None:
        options = braces[1].split(",")
        if len(spellings) * len(options) > MAX_SPELLINGS:
            raise NotationError(f"{written!r} has more than {MAX_SPELLINGS} spellings")
        # All spellings have the same number of braces, so the first of each is the same one.
        spellings = [
            each[: found.start()] + option + each[found.end() :]
            for each in spellings
            if (found := _BRACES.search(each)) is not None
            for option in options
        ]
    return spellings


def _alias(written: str, role: Role, language: str) -> Alias | None:
    """Return the alias that `written` notes; None where it is only a label."""
    parts = _ALIAS.fullmatch(written.strip())
    if parts is None:
        raise NotationError(f"{written!r} is not an alias such as 'name' or 'stem~ending'")
    marks, text, mode, _ = parts.groups(default="")
    text = text.strip()
    if "=" in marks:
        return None
    if not MIN_ALIAS_CHARS <= len(fold(text).folded) <= MAX_ALIAS_CHARS:
        raise NotationError(
            f"{written!r} is not of {MIN_ALIAS_CHARS} to {MAX_ALIAS_CHARS} characters"
        )
    return Alias(
        text=text,
        language=language,
        role=Role.ABBREVIATION if role is Role.NAME and _is_capitals(text) else role,
        mode=Mode.SUBSTRING if is_unspaced(text) else _MODES[mode],
        case=_case(text, initial="^" in marks),
        weak="?" in marks or "+" in marks,
        given="!" in marks,
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
