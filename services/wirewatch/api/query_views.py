"""What the API shows of a query that is tried. Pure."""

from collections.abc import Iterable

import msgspec

from wirewatch.entities.find import Finder
from wirewatch.query.dialects.parts import Note
from wirewatch.query.errors import QueryError
from wirewatch.query.explain import explain_in_full
from wirewatch.query.printing import to_text
from wirewatch.query.reading import read
from wirewatch.query.understand import Understood
from wirewatch.topics.alerts import Proof
from wirewatch.topics.articles import Article


class QueryErrorView(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a query, and where: `offset` and `length` count code points."""

    message: str
    offset: int
    length: int
    suggestion: str | None


class NoteView(msgspec.Struct, frozen=True):
    """What of another tool's query has no equivalent, where, and what was done instead."""

    offset: int
    length: int
    message: str


class WarningView(msgspec.Struct, frozen=True):
    """A part of a query that may be broader than it was meant."""

    part: str
    message: str


class QueryCheckView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a query can be used.

    `query` is it in our language, where it was translated, and `canonical` how it is understood.
    """

    ok: bool
    query: str | None = None
    canonical: str | None = None
    notes: tuple[NoteView, ...] = ()
    warnings: tuple[WarningView, ...] = ()
    error: QueryErrorView | None = None


class MissingView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the query that was not there, or with `unwanted` should not have been."""

    leaf: str
    unwanted: bool


class ExplanationView(msgspec.Struct, frozen=True, kw_only=True):
    """Why an article matches a query, or what is the least that it lacks.

    `language` is the one it was read in.
    """

    matches: bool
    canonical: str
    language: str
    notes: tuple[NoteView, ...]
    proofs: tuple[Proof, ...]
    missing: tuple[MissingView, ...]


def check_view(understood: Understood) -> QueryCheckView:
    """Return what is shown of a query that can be used."""
    return QueryCheckView(
        ok=True,
        query=understood.text,
        canonical=understood.canonical,
        notes=_note_views(understood.notes),
        warnings=tuple(WarningView(each.part, each.message) for each in understood.warnings),
    )


def refused_view(error: QueryError) -> QueryCheckView:
    """Return what is shown of a query that cannot be read."""
    return QueryCheckView(ok=False, error=error_view(error))


def error_view(error: QueryError) -> QueryErrorView:
    """Return what is shown of what is wrong with a query."""
    return QueryErrorView(
        message=error.message,
        offset=error.offset,
        length=error.length,
        suggestion=error.suggestion,
    )


def explanation_view(understood: Understood, article: Article, finder: Finder) -> ExplanationView:
    """Return what is shown of a query that was tried on `article`."""
    explained = explain_in_full(understood.query, read(article, finder))
    return ExplanationView(
        matches=explained.matches,
        canonical=understood.canonical,
        language=article.language,
        notes=_note_views(understood.notes),
        proofs=explained.proofs,
        missing=tuple(
            MissingView(leaf=to_text(lack.leaf), unwanted=lack.unwanted)
            for lack in explained.missing
        ),
    )


def _note_views(notes: Iterable[Note]) -> tuple[NoteView, ...]:
    return tuple(NoteView(note.offset, note.length, note.message) for note in notes)
