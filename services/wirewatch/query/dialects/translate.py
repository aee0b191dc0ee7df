"""From the language of another tool to ours, with notes on what has no equivalent. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from wirewatch.entities.catalogue import Catalogue
from wirewatch.query.dialects.boolean import Boolean
from wirewatch.query.dialects.google import Google
from wirewatch.query.dialects.parts import Note, Part, in_original
from wirewatch.query.errors import QueryError
from wirewatch.query.parse import parse
from wirewatch.query.tokens import require_short

_NO_NAMES = Catalogue([])
"""Other tools do not know our entities: a translation names none."""


class Dialect(StrEnum):
    """A language that queries can be translated from.

    GOOGLE is that of Google Alerts and Search. BOOLEAN is what the media-monitoring tools have
    in common (Meltwater, Cision, Brandwatch, LexisNexis, Factiva), with the most usual reading
    where they differ.
    """

    GOOGLE = "google"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Translation:
    """A query in our language, which can be parsed, and notes in the order of the original."""

    query: str
    notes: tuple[Note, ...]


def translate(text: str, dialect: Dialect) -> Translation:
    """Return `text` in our language.

    Raises QueryError, with its place in `text`, where it is wrong in its own language or asks
    for something that ours has no way to say nearly.
    """
    require_short(text)
    reader = Google(text) if dialect is Dialect.GOOGLE else Boolean(text)
    part = reader.whole()
    if part is None:
        raise QueryError(
            "nothing is left of this query" if reader.notes else "the query is empty",
            offset=0,
            length=max(1, len(text)),
            suggestion="write a word to look for",
        )
    _require_readable(part)
    notes = sorted(dict.fromkeys(reader.notes), key=lambda note: note.offset)
    return Translation(part.text(), tuple(notes))


def _require_readable(part: Part) -> None:
    try:
        parse(part.text(), _NO_NAMES)
    except QueryError as error:
        raise in_original(part, error) from error
