r"""Where a word begins and ends, in any script.

All texts here are folded (`wirewatch.text.fold`), so an Arabic letter has one form.
`\w` of the standard `re` leaves out combining marks, which are letters in Hindi: hence `regex`.
"""

from enum import Enum
from functools import lru_cache

import regex

from wirewatch.topics.entities import Mode

MAX_ENDING = 5
"""Letters that may follow an alias which inflects: `nordkoreanisch` + `en`."""
MAX_ENDING_AGGLUTINATING = 9
AGGLUTINATING = frozenset(
    "az ba eu et fi hu ka kk ko ky ml mn qu ta te tk tr tt ug uz".split()  # noqa: SIM905
)
MAX_ENDING_ARABIC_SCRIPT = 3
ARABIC_SCRIPT_AND_HEBREW = frozenset({"ar", "ckb", "fa", "he", "ps", "sd", "ur"})
MAX_CLITIC = 5
"""Letters of the longest chain of particles written in front of an Arabic or Hebrew word."""
CLITICS = {
    "ar": regex.compile(r"[وف]?(?:[بلك]?ال|لل|[بلك])?"),
    "he": regex.compile(r"[ושהבלכמ]{0,3}"),
}
"""What may stand before a word without a space: and, in, to, from, like, the."""

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]")
_HANGUL = regex.compile(r"\p{Hangul}")
_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}ー]"
)
_KATAKANA = regex.compile(r"[\p{Katakana}ー]")


class Script(Enum):
    """How a character takes part in words."""

    NONE = "not part of a word"
    SPACED = "words stand between spaces"
    HANGUL = "as spaced, and a particle may follow a foreign word: NATO가"
    UNSPACED = "words follow each other without spaces"


@lru_cache(maxsize=65_536)
def script_of(character: str) -> Script:
    """Return how `character` takes part in words."""
    if _UNSPACED.match(character):
        return Script.UNSPACED
    if _HANGUL.match(character):
        return Script.HANGUL
    return Script.SPACED if _WORD.match(character) else Script.NONE


def is_unspaced(text: str) -> bool:
    """Say whether `text` has letters of a script without spaces."""
    return _UNSPACED.search(text) is not None


def max_ending(language: str) -> int:
    """Return how many letters may follow an inflecting alias of `language` (primary subtag)."""
    if language in AGGLUTINATING:
        return MAX_ENDING_AGGLUTINATING
    return MAX_ENDING_ARABIC_SCRIPT if language in ARABIC_SCRIPT_AND_HEBREW else MAX_ENDING


def word_end(text: str, end: int, mode: Mode, ending: int) -> int | None:
    """Return where the word ends whose alias part ends at `end`.

    `ending` is the number of letters an inflecting alias may go on with. None
    if the word goes on longer than `mode` allows.
    """
    last = end
    while last < len(text) and is_joined(text, last):
        if mode is Mode.EXACT or (mode is Mode.INFLECT and last - end == ending):
            return None
        last += 1
    return last


def splits_katakana(text: str, start: int) -> bool:
    """Say whether `start` is in the middle of a Katakana word: イラン in アイランド (island).

    Foreign words are written in Katakana, so a change to it or from it is a word's edge.
    """
    return (
        start > 0
        and _KATAKANA.match(text, start) is not None
        and _KATAKANA.match(text, start - 1) is not None
    )


def is_joined(text: str, index: int) -> bool:
    """Say whether the characters before and at `index` belong to one word."""
    script = script_of(text[index - 1])
    if script is Script.NONE or script is Script.UNSPACED:
        return False
    return script is script_of(text[index])
