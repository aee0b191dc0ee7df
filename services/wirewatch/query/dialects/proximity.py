"""The many ways to write that two words stand near to one another. Pure.

Tools count differently: from one word to the other (Factiva, LexisNexis), as NEAR does here, or
the words between the two (Meltwater, Brandwatch).
"""

import re
from dataclasses import dataclass

from wirewatch.query.limits import MAX_DISTANCE

BETWEEN_BY_DEFAULT = 4
"""Words between the two sides of a NEAR without a number, as Meltwater has it."""
SENTENCE_WORDS = 15
PARAGRAPH_WORDS = 50

_COUNTS_BETWEEN = re.compile(r"(o)?near(?:/(\d+)(f)?)?", re.IGNORECASE)
_COUNTS_TO = re.compile(
    r"(?:(?P<near>near(?=\d)|n(?=\d)|/n(?=\d)|w/|within/|/)|(?P<ordered>pre/|p/|adj|next/|before/))"
    r"(?P<words>\d*)/?",
    re.IGNORECASE,
)
_UNITS = {
    **dict.fromkeys(("w/s", "w/sent", "/s", "w/sentence", "sentence"), "sentence"),
    **dict.fromkeys(("w/p", "w/para", "/p", "w/paragraph", "paragraph", "same"), "paragraph"),
    **dict.fromkeys(("w/seg", "/seg"), "segment"),
}


@dataclass(frozen=True, slots=True)
class Proximity:
    """An operator in our words, and what has to be said about it."""

    operator: str
    note: str | None = None


def proximity(text: str) -> Proximity | None:
    """Return what the operator `text` is here; None if it is none of this kind."""
    if unit := _UNITS.get(text.lower()):
        words = SENTENCE_WORDS if unit == "sentence" else PARAGRAPH_WORDS
        return Proximity(f"NEAR/{words}", f"a {unit} is not known: read as NEAR/{words}")
    if found := _COUNTS_BETWEEN.fullmatch(text):
        is_ordered = bool(found[1] or found[3])
        distance = _number(found[2], BETWEEN_BY_DEFAULT) + 1
        return _near(distance, is_ordered, "the words between are counted")
    if (found := _COUNTS_TO.fullmatch(text)) and (found["words"] or text.lower() == "adj"):
        return _near(max(1, _number(found["words"], 1)), bool(found["ordered"]), None)
    return None


def _number(digits: str | None, otherwise: int) -> int:
    return int(digits[:6]) if digits else otherwise


def _near(distance: int, is_ordered: bool, reason: str | None) -> Proximity:
    operator = f"{'ONEAR' if is_ordered else 'NEAR'}/{min(distance, MAX_DISTANCE)}"
    if distance > MAX_DISTANCE:
        reason = f"{MAX_DISTANCE} is the greatest distance"
    return Proximity(operator, None if reason is None else f"{reason}: read as {operator}")
