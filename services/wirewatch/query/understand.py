"""A query as a person gives it, with all that is to be said about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from wirewatch.entities.catalogue import Catalogue
from wirewatch.query.breadth import QueryWarning, warnings_of
from wirewatch.query.dialects.parts import Note
from wirewatch.query.dialects.translate import Dialect, translate
from wirewatch.query.parse import parse
from wirewatch.query.printing import to_text
from wirewatch.query.tree import Query


@dataclass(frozen=True, slots=True)
class Understood:
    """A query that can be used. `text` is it in our language, `canonical` as it is understood."""

    query: Query
    text: str
    canonical: str
    notes: Sequence[Note]
    warnings: Sequence[QueryWarning]


def understand(text: str, dialect: Dialect | None, catalogue: Catalogue) -> Understood:
    """Read `text`, in our language or translated from `dialect`.

    Raises QueryError, with its place in `text`, for what cannot be read.
    """
    notes: Sequence[Note] = ()
    if dialect is not None:
        translation = translate(text, dialect)
        text, notes = translation.query, translation.notes
    query = parse(text, catalogue)
    return Understood(query, text, to_text(query), notes, warnings_of(query))
