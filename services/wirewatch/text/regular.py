"""Texts in which every character folds to its own kind. Pure."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from wirewatch.text.classes import IRREGULAR, character_classes
from wirewatch.text.fold import fold_character


@cache
def _irregular() -> frozenset[str]:
    return frozenset(map(chr, np.flatnonzero(character_classes() == IRREGULAR).tolist()))


def regular(text: str) -> tuple[str, Sequence[int] | None]:
    """Return `text` with what is irregular written out, and where its characters come from.

    `№ 5` becomes `no 5`. `starts[i]` is the index in `text` of character i of the result,
    with one more entry for the end; None stands for the identity, the usual case.
    """
    if text.isascii() or _irregular().isdisjoint(text):
        return text, None
    pieces: list[str] = []
    starts: list[int] = []
    for index, character in enumerate(text):
        piece = fold_character(character) if character in _irregular() else character
        pieces.append(piece)
        starts.extend([index] * len(piece))
    starts.append(len(text))
    return "".join(pieces), starts
