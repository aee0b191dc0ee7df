"""Stems: what the forms of a word have in common, in its language.

Snowball is given the word with its accents, and the stem is folded afterwards. Folding first
was tried: the rules of many languages look for accents and are lost without them. Russian
`ракетой` gave `ракето` and not `ракет` (й became и), Turkish `ışığı` and Hungarian
`választások` were not cut at all. German and Spanish rules remove accents themselves, so for
them the order makes no difference. Somebody who leaves out the accents is still understood:
words are compared by their folded form and by their stem, see `forms`.
"""

import threading
import unicodedata
from functools import lru_cache

import Stemmer

from wirewatch.text.fold import fold
from wirewatch.text.language import primary

CACHED_WORDS = 131_072
"""Stems kept in memory, about 20 MB: most words of an article were met before."""
MAX_STEMMED_CHARS = 64
"""A longer word is no word of any language, and is not kept in memory."""
NO_ALGORITHM = ""
KOREAN = "korean"

_SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german",
    "el": "greek", "en": "english", "eo": "esperanto", "es": "spanish", "et": "estonian",
    "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish",
    "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali",
    "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "st": "sesotho", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_ALGORITHMS = {
    language: name for language, name in _SNOWBALL.items() if name in Stemmer.algorithms()
} | {"ko": KOREAN}

_KOREAN_PARTICLES = (
    "으로부터",
    "에서는", "으로는", "으로서", "로부터", "이라고", "이라는",
    "에서", "에게", "에는", "에도", "에선", "께서", "으로", "로는", "로서", "까지", "부터",
    "보다", "처럼", "이나", "라고", "라는",
    "은", "는", "이", "가", "을", "를", "의", "에", "께", "와", "과", "도", "로", "만",
)  # fmt: skip
"""The longest first, so that each is taken off whole."""
_MIN_KOREAN_STEM = 2
"""Shorter than this nearly every syllable is a word: 회의 (meeting) is not 회 and a particle."""


class _Stemmers(threading.local):
    """One stemmer an algorithm and thread: a Snowball stemmer keeps the word it works on."""

    def __init__(self) -> None:
        self._by_algorithm: dict[str, Stemmer.Stemmer] = {}

    def stem(self, word: str, algorithm: str) -> str:
        stemmer = self._by_algorithm.get(algorithm)
        if stemmer is None:
            # No cache of its own: ours holds the folded result.
            stemmer = self._by_algorithm[algorithm] = Stemmer.Stemmer(algorithm, 0)
        return str(stemmer.stemWord(word))


_stemmers = _Stemmers()


def algorithm_of(language: str) -> str:
    """Return the name of the stemming algorithm for a BCP 47 language.

    Languages with the same algorithm have the same stems; `NO_ALGORITHM` where there is none.
    """
    return _ALGORITHMS.get(primary(language), NO_ALGORITHM)


def stem(word: str, language: str) -> str:
    """Return the folded stem of `word`, given as it is written (capitals, accents).

    Without an algorithm for `language` (BCP 47) it is the folded word. May be called from
    any thread.
    """
    return stem_by(word, algorithm_of(language))


def stem_by(word: str, algorithm: str) -> str:
    """Return the folded stem of `word` by an algorithm that `algorithm_of` gave."""
    if algorithm == NO_ALGORITHM or len(word) > MAX_STEMMED_CHARS:
        return fold(word).folded
    return _cached_stem(word, algorithm)


def forms(word: str, algorithm: str) -> frozenset[str]:
    """Return what `word` is compared by: two words are one if they share a form.

    The folded word and its stem. Comparing both mends what Snowball leaves apart: Spanish
    `militar` is cut to `milit`, but `militares` to `militar`.
    """
    return frozenset({fold(word).folded, stem_by(word, algorithm)})


@lru_cache(maxsize=CACHED_WORDS)
def _cached_stem(word: str, algorithm: str) -> str:
    folded = fold(word).folded
    if algorithm == KOREAN:
        return _without_particles(folded)
    return fold(_stemmers.stem(_spelled(word), algorithm)).folded or folded


def _spelled(word: str) -> str:
    """Return `word` in small letters with its accents, without what is invisible in it."""
    small = unicodedata.normalize("NFKC", word).casefold().replace("i\u0307", "i")
    visible = "".join(c for c in small if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", visible)


def _without_particles(word: str) -> str:
    while (shorter := _without_particle(word)) != word:
        word = shorter
    return word


def _without_particle(word: str) -> str:
    for particle in _KOREAN_PARTICLES:
        if word.endswith(particle) and len(word) - len(particle) >= _MIN_KOREAN_STEM:
            return word[: -len(particle)]
    return word
