"""The words of a leaf, made ready to be looked for. Pure."""

from functools import lru_cache
from typing import NamedTuple

from wirewatch.text.fold import folded
from wirewatch.text.stem import cased, forms
from wirewatch.text.words import is_one_word, tokens


class Part(NamedTuple):
    """A word of a leaf: as written, folded, and how many positions behind the leaf's first."""

    written: str
    word: str
    offset: int
    is_unspaced: bool


@lru_cache(maxsize=65_536)
def parts_of(text: str) -> tuple[Part, ...]:
    """Return the words in the text of a leaf; `army's` has two, `北朝鮮` three."""
    if is_one_word(text):
        return (Part(text, folded(text), 0, is_unspaced=False),)
    found = tokens(text)
    return tuple(
        Part(token.text, folded(token.text), token.position - found[0].position, token.is_unspaced)
        for token in found
    )


@lru_cache(maxsize=65_536)
def forms_of(text: str, algorithm: str) -> tuple[frozenset[str], ...]:
    """Return the forms of each word in the text of a Word."""
    return tuple(
        frozenset({part.word}) if part.is_unspaced else forms(part.written, algorithm)
        for part in parts_of(text)
    )


@lru_cache(maxsize=65_536)
def cased_of(text: str) -> tuple[str, ...]:
    """Return each word in the text of an Exact with its capitals and accents."""
    return tuple(cased(part.written) for part in parts_of(text))
