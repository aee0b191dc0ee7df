"""Queries as a person types them: read here, with carets under a mistake."""

from typing import Annotated

import typer
from rich.cells import cell_len

from wirewatch.cli.own import catalogue_with_own
from wirewatch.cli.show import harmless, say
from wirewatch.entities.catalogue import Catalogue
from wirewatch.query.dialects.translate import Dialect
from wirewatch.query.errors import QueryError
from wirewatch.query.fields import NAMES
from wirewatch.query.understand import Understood, understand
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


def require_readable(query: str, dialect: Dialect | None = None) -> Understood:
    """Return what `query` says. Raises Problem with the place and a suggestion.

    What cannot be read may call something of the operator's own: then the API knows it.
    """
    try:
        return understand(query, dialect, Catalogue.load())
    except QueryError as error:
        catalogue = catalogue_with_own() if _may_be_own(query) else None
        if catalogue is None:
            raise Problem(explain(query, error)) from error
    try:
        return understand(query, dialect, catalogue)
    except QueryError as error:
        raise Problem(explain(query, error)) from error


def _may_be_own(query: str) -> bool:
    return any(f"{name}:" in query for name in NAMES)


def explain(query: str, error: QueryError) -> str:
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


def say_remarks(written: str, understood: Understood) -> None:
    """Print what had no equivalent in the query as `written`, and what may be too broad."""
    for note in understood.notes:
        say(f"note: {written[note.offset : note.offset + note.length]}: {note.message}")
    for warning in understood.warnings:
        say(f"warning: {warning.message} ({warning.part})")
