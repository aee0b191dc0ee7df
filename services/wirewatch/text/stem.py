"""Stems: what the forms of a word have in common, by the Snowball algorithms. Pure.

Stemming is done on folded words, of articles and of queries alike. Accents
that an algorithm would use are gone by then (German umlauts, Spanish acute), which
makes it a little coarser and never makes the two sides differ.
"""

from functools import cache, lru_cache

import Stemmer

_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french",
    "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch",
    "nn": "norwegian", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
    "yi": "yiddish",
}  # fmt: skip


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    name = _ALGORITHMS.get(language)
    if name is None or name not in Stemmer.algorithms():
        return None
    return Stemmer.Stemmer(name)


@lru_cache(maxsize=262_144)
def stem(word: str, language: str) -> str:
    """Return the stem of a folded word in `language` (a primary subtag).

    Where there is no algorithm for the language the word is its own stem.
    """
    stemmer = _stemmer(language)
    return word if stemmer is None else str(stemmer.stemWord(word))
