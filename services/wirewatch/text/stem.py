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
from collections.abc import Iterator, Sequence
from functools import lru_cache

import Stemmer
from simplemma import Lemmatizer
from simplemma.strategies import DefaultDictionaryFactory, DefaultStrategy

from wirewatch.text.fold import folded, folded_each
from wirewatch.text.language import primary

CACHED_WORDS = 131_072
"""Stems kept in memory, about 20 MB: most words of an article were met before."""
MAX_STEMMED_CHARS = 64
"""A word that is longer folded is no word of any language: its stem is itself."""
MAX_KEPT_CHARS = 256
"""A longer one (invisible characters count) is not kept in memory."""
NO_ALGORITHM = ""
KOREAN = "korean"
HEBREW = "hebrew"
LEMMAS = "lemmas "
"""Begins the name of an algorithm that looks words up (simplemma), where Snowball has none."""
COMPOUNDING = frozenset({"dutch", "german"})
MIN_COMPOUND_CHARS = 6
"""German and Dutch words are found as the first part of longer ones: `Raketen` in
`Raketenangriff`. A shorter word would be found by accident: `Stein` in `Steinmeier`."""
MIN_COMPOUND_REST_CHARS = 4
"""What follows must be a word itself, not an ending: `Minister` is not in `Ministerium`."""

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
} | {"ko": KOREAN, "he": HEBREW}
_SNOWBALL_NAMES = frozenset(_SNOWBALL.values())
_ALGORITHMS |= {
    language: LEMMAS + known
    for language, known in {
        "bg": "bg", "bs": "hbs", "gl": "gl", "hr": "hbs", "is": "is", "ka": "ka", "lv": "lv",
        "mk": "mk", "sk": "sk", "sl": "sl", "sq": "sq", "uk": "uk",
    }.items()
    if language not in _ALGORITHMS
}  # fmt: skip
"""Without Swahili: its dictionary takes 610 MB and 9 s, each of the others 10 to 100 MB and 1 s."""

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

    def stem(self, words: Sequence[str], algorithm: str) -> list[str]:
        stemmer = self._by_algorithm.get(algorithm)
        if stemmer is None:
            # No cache of its own: ours holds the folded result.
            stemmer = self._by_algorithm[algorithm] = Stemmer.Stemmer(algorithm, 0)
        found: list[str] = stemmer.stemWords(words)
        return found


_stemmers = _Stemmers()
# By default it keeps eight dictionaries and would read the ninth again and again.
_lemmatizer = Lemmatizer(
    cache_max_size=1,  # ours holds the folded result
    lemmatization_strategy=DefaultStrategy(
        dictionary_factory=DefaultDictionaryFactory(cache_max_size=len(_ALGORITHMS))
    ),
)


@lru_cache(maxsize=1024)
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
    if algorithm in _UNSTEMMED or len(folded(word)) > MAX_STEMMED_CHARS:
        return folded(word)
    return (_stem if len(word) > MAX_KEPT_CHARS else _cached_stem)(word, algorithm)


def stems_by(words: Sequence[str], algorithm: str) -> list[str]:
    """Return the folded stem of each of `words`, as `stem_by`: quicker, and nothing is kept.

    No word may have a line end.
    """
    if algorithm in _UNSTEMMED or not words:
        return folded_each(words)
    if algorithm not in _SNOWBALL_NAMES:
        return [stem_by(word, algorithm) for word in words]
    whole = folded_each(words)
    stemmed = folded_each(_stemmers.stem(_spelled_each(words), algorithm))
    return [
        (stem or fold) if len(fold) <= MAX_STEMMED_CHARS else fold
        for stem, fold in zip(stemmed, whole, strict=True)
    ]


def _spelled_each(words: Sequence[str]) -> list[str]:
    return spelled("\n".join(words)).split("\n")


def forms(word: str, algorithm: str) -> frozenset[str]:
    """Return what a word of a query is compared by: see `forms_in_text`.

    The folded word and its stem. Comparing both mends what Snowball leaves apart: Spanish
    `militar` is cut to `milit`, but `militares` to `militar`.
    """
    return frozenset({folded(word), stem_by(word, algorithm)})


def forms_in_text(word: str, algorithm: str) -> tuple[str, ...]:
    """Return what a word of an article is compared by: the folded word, its stem, and more.

    A word of a query is found where one of its `forms` is among these. Arabic and Hebrew words
    are also compared without the particles that are written in front of them.
    """
    return (_forms_in_text if len(word) > MAX_KEPT_CHARS else _cached_forms)(word, algorithm)


def _forms_in_text(word: str, algorithm: str) -> tuple[str, ...]:
    whole = folded(word)
    found = (whole, stem_by(word, algorithm), *more_forms(whole, algorithm))
    return tuple(dict.fromkeys(found))


_cached_forms = lru_cache(maxsize=CACHED_WORDS)(_forms_in_text)


def more_forms(word: str, algorithm: str) -> Iterator[str]:
    """Yield what the folded `word` of an article is compared by beside itself and its stem."""
    if clitics := _CLITICS.get(algorithm):
        for rest in _without_clitics(word, clitics):
            yield rest
            yield stem_by(rest, algorithm)


def begins_compound(part: str, word: str, algorithm: str) -> bool:
    """Say whether the folded `part` of a query is the first part of the folded `word`."""
    return (
        algorithm in COMPOUNDING
        and len(part) >= MIN_COMPOUND_CHARS
        and len(word) - len(part) >= MIN_COMPOUND_REST_CHARS
        and word.startswith(part)
    )


_CLITICS = {
    "arabic": (("و", "ف"), ("ب", "ك", "ل"), ("ال", "لل")),
    HEBREW: (("ו",), ("ש", "כש"), ("מ", "ב", "כ", "ל"), ("ה",)),
}
"""What may stand in front of a word, place by place: and, in, to, from, like, that, the."""
HAVING_MORE_FORMS = frozenset(_CLITICS)
"""The algorithms for which `more_forms` yields any."""
_MIN_REST_CHARS = 3
_UNSTEMMED = frozenset({NO_ALGORITHM, HEBREW})


def _without_clitics(word: str, places: tuple[tuple[str, ...], ...]) -> list[str]:
    rests = [word]
    for clitics in places:
        rests += [
            rest[len(clitic) :]
            for rest in rests
            for clitic in clitics
            if rest.startswith(clitic) and len(rest) - len(clitic) >= _MIN_REST_CHARS
        ]
    return rests[1:]


def _stem(word: str, algorithm: str) -> str:
    if algorithm == KOREAN:
        return _without_particles(folded(word))
    if algorithm.startswith(LEMMAS):
        lemma = _lemmatizer.lemmatize(spelled(word), lang=algorithm.removeprefix(LEMMAS))
        return folded(str(lemma)) or folded(word)
    [stemmed] = _stemmers.stem([spelled(word)], algorithm)
    return folded(stemmed) or folded(word)


_cached_stem = lru_cache(maxsize=CACHED_WORDS)(_stem)


def spelled(word: str) -> str:
    """Return `word` in small letters with its accents, without what is invisible in it."""
    if word.isascii():
        return word.lower()
    small = unicodedata.normalize("NFKC", word).casefold().replace("i\u0307", "i")
    # A letter is no invisible character: most words need no look at each.
    visible = small if small.replace("\n", "").isalnum() else _without_invisible(small)
    return unicodedata.normalize("NFC", visible)


def cased(word: str) -> str:
    """Return `word` with its capitals and accents, without what is invisible in it."""
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _without_invisible(unicodedata.normalize("NFKC", word)))


def _without_invisible(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


def _without_particles(word: str) -> str:
    while (shorter := _without_particle(word)) != word:
        word = shorter
    return word


def _without_particle(word: str) -> str:
    for particle in _KOREAN_PARTICLES:
        if word.endswith(particle) and len(word) - len(particle) >= _MIN_KOREAN_STEM:
            return word[: -len(particle)]
    return word
