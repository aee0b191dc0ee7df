"""Capitals and accents: whether a name is spelt as its alias asks. Pure."""

import unicodedata
from typing import Protocol

from wirewatch.text.fold import Folded, folded
from wirewatch.text.language import primary
from wirewatch.topics.entities import Alias, Case

MAX_ACCENTED_CHARS = 4
"""A name this short needs its accents: pt Irã is not `ira` (anger), tr Çin is not `cin`."""
_ACCENTS_ARE_LETTERS = frozenset({"fi", "sv", "vi"})
"""Here accents make another word, and capitals keep them: sv armén is the army, armen the arm."""
_LATIN_ENDS = "\u0250"
LOOKALIKES = str.maketrans(
    dict.fromkeys("\n\r\t", " ")
    | dict.fromkeys("’‘ʼʻ`´׳", "'")
    | dict.fromkeys("“”״", '"')
    | dict.fromkeys("‐‑־", "-")
    | dict.fromkeys("・‧ᆞ", "·")
)
"""One character for one, so offsets stay: line ends, apostrophes, quotes, hyphens, middle dots."""


def plain(text: str) -> str:
    """Return `text` folded, with one character for those that look alike: as names are compared."""
    return folded(text).translate(LOOKALIKES)


class Spelt(Protocol):
    """What a spelling is asked for."""

    @property
    def case(self) -> Case:
        """The capitals."""

    @property
    def accents(self) -> str | None:
        """The accents, sorted; None where they do not matter."""

    @property
    def accents_in_capitals(self) -> bool:
        """Whether capitals keep their accents."""


def needed_accents(alias: Alias) -> tuple[str | None, bool]:
    """Return the accents that a text must have for `alias`, and whether capitals keep them."""
    always = primary(alias.language) in _ACCENTS_ARE_LETTERS
    short = len(alias.text) <= MAX_ACCENTED_CHARS and alias.text[:1] < _LATIN_ENDS
    return (accents_of(alias.text) if always or short else None), always


def is_spelt_right(spelt: Spelt, text: Folded, start: int, end: int) -> bool:
    """Say whether `text.folded[start:end]` is written with the capitals and accents asked for."""
    if spelt.case is Case.ANY and spelt.accents is None:
        return True
    first, last = text.span(start, end)
    written = text.original[first:last]
    if spelt.case is Case.INITIAL and written[0].islower():
        return False
    if spelt.case is Case.ALL and any(letter.islower() for letter in written):
        return False
    # Capitals often go without accents: IRAN in a Spanish headline.
    if spelt.accents is None or (written.isupper() and not spelt.accents_in_capitals):
        return True
    return accents_of(written) == spelt.accents


def accents_of(text: str) -> str:
    """Return the accents of `text`, sorted. The dot of İ is left out: it comes with capitals."""
    marks = (c for c in unicodedata.normalize("NFD", text) if unicodedata.combining(c))
    return "".join(sorted(mark for mark in marks if mark != "\u0307"))
