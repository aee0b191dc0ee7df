"""Words of a folded text, by the letters, marks and digits of Unicode. Pure.

Scripts that are written without spaces have no words here: what is looked for
in them is found as a substring.
"""

import regex

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_WORD = regex.compile(
    rf"[[\p{{L}}\p{{N}}]--[{_UNSPACED}]][[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]*", regex.VERSION1
)
_UNSPACED_CHARACTER = regex.compile(rf"[[{_UNSPACED}]&&[\p{{L}}\p{{M}}\p{{N}}]]", regex.VERSION1)

Span = tuple[int, int]


def word_spans(folded: str) -> list[Span]:
    """Return where the words of `folded` stand, in order."""
    return [match.span() for match in _WORD.finditer(folded)]


def is_unspaced(text: str) -> bool:
    """Say whether `text` has a character of a script without spaces."""
    return _UNSPACED_CHARACTER.search(text) is not None


def has_word(text: str) -> bool:
    """Say whether there is anything in `text` that can be looked for."""
    return is_unspaced(text) or _WORD.search(text) is not None
