"""Queries as a person types them: read here, with carets under a mistake."""

from typing import Annotated

import msgspec
import typer
from rich.cells import cell_len

from wirewatch.api.query_views import (
    ExplanationView,
    QueryCheckView,
    QueryErrorView,
    check_view,
    error_view,
    explanation_view,
)
from wirewatch.cli.client import client, run
from wirewatch.cli.show import harmless, say
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.query.dialects.translate import Dialect
from wirewatch.query.errors import QueryError
from wirewatch.query.fields import may_name
from wirewatch.query.sample import Sample, article_of
from wirewatch.query.understand import understand
from wirewatch.runtime.errors import Problem

SHOWN_CHARS = 60
SHOWN_BEFORE = 30
"""How much of a query is shown around a mistake, and how much of it before."""

InDialect = Annotated[
    Dialect | None,
    typer.Option(
        "--dialect", help="Translate from Google Alerts (google) or a monitoring tool (boolean)."
    ),
]


def require_readable(query: str, dialect: Dialect | None = None) -> QueryCheckView:
    """Return how `query` is understood. Raises Problem with the place and a suggestion.

    What cannot be read may call something of the operator's own: then the API is asked.
    """
    try:
        return check_view(understand(query, dialect, Catalogue.load()))
    except QueryError as error:
        here = error
    checked = _checked_there(query, dialect) if may_name(query) else None
    if checked is None or not checked.ok:
        wrong = checked and checked.error
        raise Problem(explain(query, wrong or error_view(here))) from here
    return checked


def _checked_there(query: str, dialect: Dialect | None) -> QueryCheckView | None:
    """Return what the API says of `query`; None where it says nothing."""

    async def work() -> QueryCheckView:
        async with client() as api:
            fields = {"query": query, "dialect": dialect}
            return await api.post("/v1/queries/check", fields, QueryCheckView)

    try:
        return run(work())
    except Problem:
        return None


def explanation(query: str, dialect: Dialect | None, sample: Sample) -> ExplanationView:
    """Return why a readable `query` finds an article or not; the API tells what only it knows."""
    catalogue = Catalogue.load()
    try:
        understood = understand(query, dialect, catalogue)
    except QueryError:
        return run(_explained_there(query, dialect, sample))
    return explanation_view(understood, article_of(sample), Finder(catalogue))


async def _explained_there(query: str, dialect: Dialect | None, sample: Sample) -> ExplanationView:
    async with client() as api:
        article = msgspec.structs.asdict(sample)
        fields = {"query": query, "dialect": dialect, "article": article}
        return await api.post("/v1/queries/explain", fields, ExplanationView)


def explain(query: str, error: QueryErrorView) -> str:
    """Return what is wrong with `query`, with carets under the place."""
    begin = max(0, error.offset - SHOWN_BEFORE)
    shown = harmless(query[begin : begin + SHOWN_CHARS])
    at = error.offset - begin
    under = cell_len(shown[at : at + error.length])
    lines = [
        f"{error.message} (at character {error.offset + 1})",
        f"  {shown}",
        f"  {' ' * cell_len(shown[:at])}{'^' * max(1, under)}",
    ]
    if error.suggestion:
        lines.append(f"  {error.suggestion}")
    return "\n".join(lines)


def say_remarks(written: str, checked: QueryCheckView) -> None:
    """Print what had no equivalent in the query as `written`, and what may be too broad."""
    for note in checked.notes:
        say(f"note: {written[note.offset : note.offset + note.length]}: {note.message}")
    for warning in checked.warnings:
        say(f"warning: {warning.message} ({warning.part})")
