"""How the command line shows things: tables that fit, JSON, text made harmless."""

import sys
import unicodedata
from collections.abc import Iterable, Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

ID_WIDTH = 30
"""`alert_` and 24 letters, the longest id."""

_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmless(text: str) -> str:
    """Return `text` with each control or reordering character replaced by a space.

    What comes from a feed could otherwise steer the terminal. The length stays,
    so offsets into the text stay right.
    """
    return "".join(" " if _steers(character) else character for character in text)


def _steers(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"} or character in _REORDERING


def console() -> Console:
    """Return a console on standard output as it is now."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def print_json(views: object) -> None:
    """Print `views` as indented JSON."""
    raw = msgspec.json.format(msgspec.json.encode(views), indent=2)
    sys.stdout.write(raw.decode() + "\n")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Print a table; the first column takes what room there is, ids are never cut."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        wide = number == 0
        table.add_column(
            heading,
            overflow="ellipsis" if wide else "fold",
            no_wrap=True,
            ratio=1 if wide else None,
            min_width=ID_WIDTH if heading == "ID" else None,
        )
    table.expand = True
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(harmless(cell)) for cell in row))
    console().print(table)


def say(text: str) -> None:
    """Print a sentence, made harmless, lines kept."""
    sys.stdout.write("\n".join(harmless(line) for line in text.split("\n")) + "\n")
