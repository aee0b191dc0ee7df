"""Texts from outside, made fit for a message: clean, short enough, with safe links. Pure."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_LINK_CHARS = 2_048
MAX_STEPS_BACK = 16
"""How far a cut is moved to keep a letter and its marks, or the parts of an emoji, together."""
ELLIPSIS = "…"
BREAK = "\u200b"
"""A zero width space: it parts `@` from a name, so that nobody is called by a headline."""

_CONTROL = re.compile(
    r"[\x00-\x20\x7f-\xa0\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+"
)
"""Control characters and spaces, and what turns the direction of the text behind it."""
_UNSAFE_IN_LINK = re.compile(r'["<>\\^`{|}]')
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text, marked or not."""

    text: str
    marked: bool = False


def clean(text: str) -> str:
    """Return `text` in one line, without control characters."""
    return _CONTROL.sub(" ", text).strip()


def clean_pieces(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return `pieces` in one line; the spaces between them stay."""
    made = (Piece(_CONTROL.sub(" ", piece.text), piece.marked) for piece in pieces)
    return tuple(piece for piece in made if piece.text)


def units(text: str) -> int:
    """Return how long `text` is in UTF-16, which is how chats count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8(text: str) -> int:
    """Return how many bytes `text` has in UTF-8."""
    return len(text.encode("utf-8", "replace"))


def _same(text: str) -> str:
    return text


def fit(
    text: str,
    limit: int,
    escape: Callable[[str], str] = _same,
    measure: Callable[[str], int] = units,
) -> str:
    """Return `text` escaped, cut before it was if it would be longer than `limit` after."""
    whole = escape(text)
    if measure(whole) <= limit:
        return whole
    kept, most = 0, min(len(text), limit)
    while kept < most:
        half = (kept + most + 1) // 2
        if measure(escape(text[:half] + ELLIPSIS)) <= limit:
            kept = half
        else:
            most = half - 1
    kept = _between_letters(text, kept)
    cut = escape(text[:kept].rstrip() + ELLIPSIS)
    return cut if measure(cut) <= limit else ""


def _between_letters(text: str, at: int) -> int:
    """Return where to cut at `at` or a little before, not inside what is read as one sign."""
    for place in range(at, max(0, at - MAX_STEPS_BACK), -1):
        if place == len(text) or not _goes_on(text[place - 1], text[place]):
            return place
    return at


def _goes_on(before: str, after: str) -> bool:
    if _JOINER in {before, after}:
        return True
    is_modifier = "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
    return is_modifier or unicodedata.category(after) in {"Mn", "Mc", "Me"}


def fit_pieces(
    pieces: Sequence[Piece],
    limit: int,
    escape: Callable[[str], str] = _same,
    mark: Callable[[str], str] = _same,
) -> str:
    """Return `pieces` escaped and behind one another, those marked through `mark`."""
    made = ""
    for piece in pieces:
        wrap = mark if piece.marked else _same
        room = limit - units(made) - units(wrap(""))
        text = fit(piece.text, room, escape)
        made += wrap(text) if text.strip() else text
        if text != escape(piece.text):
            break
    return made


def cut_pieces(pieces: Sequence[Piece], limit: int) -> tuple[Piece, ...]:
    """Return as much of `pieces` as is no longer than `limit`."""
    kept: list[Piece] = []
    room = limit
    for piece in pieces:
        text = fit(piece.text, room)
        if text:
            kept.append(Piece(text, piece.marked))
        room -= units(text)
        if text != piece.text:
            break
    return tuple(kept)


def link(url: str) -> str:
    """Return `url` if people may be sent there, else an empty text.

    Only whole http and https addresses without a user's name; what no URL holds
    and could end a link in some markup is escaped.
    """
    if not url or len(url) > MAX_LINK_CHARS or _CONTROL.search(url):
        return ""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        return ""
    made = _UNSAFE_IN_LINK.sub(lambda found: f"%{ord(found[0]):02X}", url)
    return made if len(made) <= MAX_LINK_CHARS else ""


def no_mentions(text: str) -> str:
    """Return `text` in which no `@` calls anybody."""
    return text.replace("@", "@" + BREAK)
