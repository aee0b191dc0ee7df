"""Articles and stored queries in ten languages, made from a seed, for matchers to be measured with.

The words are real and as common as they really are (wordfreq). An article is about a theme, some
of whose words come back in it. Every other query is made of the words of a theme, as analysts'
are, and so is each one that asks for words beside one another. Both are made one at a time, so a
million queries need no memory. The same seed and the same words give the same bytes.
"""

import argparse
import itertools
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from wirewatch.text.fold import fold
from wirewatch.text.stem import algorithm_of, begins_compound, stem

from . import lucene_peer
from .lucene_peer import Forms

LANGUAGES = ("de", "en", "es", "fi", "fr", "it", "nl", "pt", "ru", "sv")
WORDS = 50_000
"""Of each language, the most common ones."""
LAST_LETTER = "\u052f"
"""Latin, Greek and Cyrillic end here."""

THEMES = 800
THEME_WORDS = 60
ARTICLE_WORDS = 25
"""So many words of its theme an article has, each up to `REPEATED` times."""
REPEATED = 4
TOGETHER = 0.6
"""So often a word of a theme is followed by the one that queries ask for beside it."""
TITLE_WORDS = 10
BODY_WORDS = 490
SOURCES = 500
ABOUT_A_THEME = 0.5
FREQUENT = 0.02
"""Shares of the queries, and of the words that are in no theme."""
NEAR = 5


@dataclass(frozen=True, slots=True)
class Word:
    """A word in any of its forms."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words one after the other, as they are written."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Two words at most so many places apart, in any of their forms."""

    distance: int
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of the parts holds."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold; only in an `And` beside something that does."""

    part: "Tree"


Tree = Word | Phrase | Near | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """A stored query, for the articles of one language. `kind` is one of `MIX`."""

    id: str
    language: str
    kind: str
    tree: Tree


@dataclass(frozen=True, slots=True)
class Article:
    """An article, as it is written to a file."""

    id: str
    title: str
    body: str
    language: str
    source: str


class Vocabulary:
    """The words of a language, the most common first, and the themes that are made of them.

    Words of one family share a form, also by way of a third word: no query asks for two of them,
    since one word of an article could be taken for both. Nor does one ask for the first part of
    another word: wirewatch looks into German and Dutch compounds, and Lucene does not. Needs some
    hundred families.
    """

    def __init__(self, language: str, frequencies: dict[str, float], seed: int = 0) -> None:
        self.language = language
        self.words = tuple(sorted(frequencies, key=lambda word: (-frequencies[word], word)))
        self.weights = list(itertools.accumulate(frequencies[word] for word in self.words))
        self._family = families(language, self.words)
        together: dict[str, float] = {}
        for word, family in self._family.items():
            together[family] = together.get(family, 0.0) + frequencies[word]
        parts = first_parts(language, self.words)
        asked = [word for word in self.words if word not in parts]
        self._ranked = sorted(asked, key=lambda word: -together[self._family[word]])
        chance = random.Random(f"{seed}/themes/{language}")
        size = min(THEME_WORDS, len(asked) // 4)
        self.themes = [
            tuple(self.unlike(iter(partial(self.content_word, chance), None), size))
            for _ in range(THEMES)
        ]

    def ranked(self, chance: random.Random, first: float, last: float) -> str:
        """Return a word between two ranks, given as shares of all; each magnitude as often.

        The rank is that of its family: a rare form of a common word is found in many articles.
        """
        share = first * (last / first) ** chance.random()
        return self._ranked[min(int(share * len(self._ranked)), len(self._ranked) - 1)]

    def content_word(self, chance: random.Random) -> str:
        """Return a word as it is searched for: of 50,000 seldom one of the first 12,500."""
        if chance.random() < FREQUENT:
            return self.ranked(chance, 0.006, 0.25)
        return self.ranked(chance, 0.25, 1)

    def unlike(self, words: Iterable[str], count: int) -> list[str]:
        """Return the first so many words no two of which are of one family."""
        chosen: dict[str, str] = {}
        for word in words:
            chosen.setdefault(self._family[word], word)
            if len(chosen) == count:
                break
        return list(chosen.values())


def families(language: str, words: Iterable[str]) -> dict[str, str]:
    """Return for each word a form that stands for its family."""
    parent: dict[str, str] = {}

    def root(form: str) -> str:
        while (above := parent.setdefault(form, form)) != form:
            form = above
        return form

    folded = {word: fold(word).folded for word in words}
    for word, form in folded.items():
        parent[root(form)] = root(stem(word, language))
    return {word: root(form) for word, form in folded.items()}


def first_parts(language: str, words: Iterable[str]) -> set[str]:
    """Return the words that wirewatch finds as the first part of others."""
    algorithm = algorithm_of(language)
    folded = {word: fold(word).folded for word in words}
    beginnings = {
        word[:size]
        for word in folded.values()
        for size in range(len(word))
        if begins_compound(word[:size], word, algorithm)
    }
    return {word for word, form in folded.items() if form in beginnings}


def articles(vocabularies: Sequence[Vocabulary], seed: int) -> Iterator[Article]:
    """Yield articles without end, their languages equally often."""
    chance = random.Random(f"{seed}/articles")
    for number in itertools.count():
        vocabulary = chance.choice(vocabularies)
        words = _article_words(vocabulary, chance)
        yield Article(
            id=f"a{number}",
            title=_capitalised(" ".join(words[:TITLE_WORDS])),
            body="\n\n".join(_paragraphs(words[TITLE_WORDS:], chance)),
            language=vocabulary.language,
            source=f"outlet-{chance.randrange(SOURCES)}.example",
        )


def _article_words(vocabulary: Vocabulary, chance: random.Random) -> list[str]:
    """Return words by their frequency, among them some of a theme: alone or with the next one."""
    count = TITLE_WORDS + BODY_WORDS + chance.randint(-60, 60)
    words = chance.choices(vocabulary.words, cum_weights=vocabulary.weights, k=count)
    theme = chance.choice(vocabulary.themes)
    for at in chance.sample(range(len(theme)), min(ARTICLE_WORDS, len(theme))):
        for _ in range(chance.randint(1, REPEATED)):
            place = chance.randrange(count - 1)
            words[place] = theme[at]
            if chance.random() < TOGETHER:
                words[place + 1] = theme[at ^ 1] if at ^ 1 < len(theme) else theme[0]
    return words


def _paragraphs(words: Sequence[str], chance: random.Random) -> Iterator[str]:
    rest = iter(words)
    while sentences := list(itertools.islice(_sentences(rest, chance), 5)):
        yield " ".join(sentences)


def _sentences(words: Iterator[str], chance: random.Random) -> Iterator[str]:
    while some := list(itertools.islice(words, chance.randint(8, 20))):
        commas = [word + "," if chance.random() < 0.08 else word for word in some[:-1]]
        yield _capitalised(" ".join([*commas, some[-1]])) + "."


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


class _Asker:
    """Hands out the words of one query: of a theme or of the whole language, all unlike."""

    def __init__(self, vocabulary: Vocabulary, chance: random.Random) -> None:
        self.chance = chance
        self.vocabulary = vocabulary
        is_about = chance.random() < ABOUT_A_THEME
        self._theme = chance.choice(vocabulary.themes) if is_about else ()

    def words(self, count: int) -> list[str]:
        """Return so many words."""
        if self._theme:
            return self.chance.sample(self._theme, count)
        draw = partial(self.vocabulary.content_word, self.chance)
        return self.vocabulary.unlike(iter(draw, None), count)

    def leaves(self, count: int) -> tuple[Word, ...]:
        """Return so many words to look for."""
        return tuple(map(Word, self.words(count)))

    def neighbours(self) -> tuple[str, str, str]:
        """Return two words that stand together in articles about their theme, and another."""
        theme = self._theme or self.chance.choice(self.vocabulary.themes)
        at = 2 * self.chance.randrange(len(theme) // 2)
        pair = theme[at : at + 2]
        another = self.chance.choice([word for word in theme if word not in pair])
        return pair[0], pair[1], another

    def common(self, *beside: Word) -> Word:
        """Return a word that is often met and is of another family than those `beside` it."""
        draw = partial(self.vocabulary.ranked, self.chance, 0.003, 0.1)
        words = itertools.chain((word.text for word in beside), iter(draw, None))
        return Word(self.vocabulary.unlike(words, len(beside) + 1)[-1])


def _words(ask: _Asker) -> Tree:
    return And(ask.leaves(ask.chance.choice((2, 2, 3))))


def _group(ask: _Asker) -> Tree:
    first, *others = ask.leaves(ask.chance.choice((3, 4, 4, 5)))
    return And((first, Or(tuple(others))))


def _nested(ask: _Asker) -> Tree:
    a, b, c, d = ask.leaves(4)
    if ask.chance.random() < 0.5:
        return Or((And((a, b)), And((c, d))))
    return And((a, Or((And((b, c)), d))))


def _without(ask: _Asker) -> Tree:
    wanted = ask.leaves(ask.chance.choice((2, 2, 3)))
    return And((*wanted, Not(ask.common(*wanted))))


def _phrase(ask: _Asker) -> Tree:
    one, other, another = ask.neighbours()
    phrase = Phrase((one, other))
    return And((phrase, Word(another))) if ask.chance.random() < 0.5 else phrase


def _near(ask: _Asker) -> Tree:
    one, other, another = ask.neighbours()
    return And((Near(NEAR, one, other), Word(another)))


def _single(ask: _Asker) -> Tree:
    return Word(ask.vocabulary.ranked(ask.chance, 0.6, 1))


MIX: dict[str, tuple[int, Callable[[_Asker], Tree]]] = {
    "words": (25, _words),
    "group": (15, _group),
    "nested": (15, _nested),
    "without": (15, _without),
    "phrase": (15, _phrase),
    "near": (10, _near),
    "single": (5, _single),
}
"""The kinds of queries: the share of each in percent, and what makes one."""


def queries(vocabularies: Sequence[Vocabulary], seed: int) -> Iterator[Query]:
    """Yield queries without end, their languages equally often and their kinds as in `MIX`."""
    chance = random.Random(f"{seed}/queries")
    kinds = list(MIX)
    shares = list(itertools.accumulate(share for share, _ in MIX.values()))
    for number in itertools.count():
        vocabulary = chance.choice(vocabularies)
        (kind,) = chance.choices(kinds, cum_weights=shares)
        _, make = MIX[kind]
        yield Query(f"q{number}", vocabulary.language, kind, make(_Asker(vocabulary, chance)))


def to_text(query: Query) -> str:
    """Return the query in the language of wirewatch."""
    parts = query.tree.parts if isinstance(query.tree, And) else (query.tree,)
    return " AND ".join([f"lang:{query.language}", *map(_text, parts)])


def _text(tree: Tree) -> str:
    match tree:
        case Word(text):
            return text
        case Phrase(words):
            return f'"{" ".join(words)}"'
        case Near(distance, one, other):
            return f"({one} NEAR/{distance} {other})"
        case And(parts):
            return f"({' AND '.join(map(_text, parts))})"
        case Or(parts):
            return f"({' OR '.join(map(_text, parts))})"
        case Not(part):
            return f"NOT {_text(part)}"


def to_list(tree: Tree) -> list[object]:
    """Return the tree as `["and", ["word", "x"], ["near", 5, "a", "b"]]`."""
    match tree:
        case Word(text):
            return ["word", text]
        case Phrase(words):
            return ["phrase", list(words)]
        case Near(distance, one, other):
            return ["near", distance, one, other]
        case And(parts):
            return ["and", *map(to_list, parts)]
        case Or(parts):
            return ["or", *map(to_list, parts)]
        case Not(part):
            return ["not", to_list(part)]


def common_words(language: str) -> dict[str, float]:
    """Return the `WORDS` most common words of plain small letters and their frequencies."""
    import wordfreq  # noqa: PLC0415 - only needed here, and it is not with the developers' packages

    frequencies: dict[str, float] = wordfreq.get_frequency_dict(language, wordlist="best")
    return dict(itertools.islice(((w, f) for w, f in frequencies.items() if _is_plain(w)), WORDS))


def _is_plain(word: str) -> bool:
    is_lower = word == word.lower() and max(word) <= LAST_LETTER
    return 2 <= len(word) <= 24 and word.isalpha() and is_lower


def agreed(frequencies: dict[str, float], theirs: Iterable[Forms]) -> dict[str, float]:
    """Return the words of which others have the same forms as we."""
    return {
        other.word: frequencies[other.word]
        for other in theirs
        if (other.folded, other.stem) == (fold(other.word).folded, stem(other.word, other.language))
    }


def vocabularies(
    seed: int = 0, keep: Callable[[str, str], bool] = lambda language, word: True
) -> list[Vocabulary]:
    """Return the words on which Lucene and we agree, of which `keep(language, word)` holds.

    Says on stderr how many are left out; all are kept where Lucene cannot be asked.
    """
    made = []
    for language in LANGUAGES:
        common = {w: f for w, f in common_words(language).items() if keep(language, w)}
        try:
            kept = agreed(common, lucene_peer.stems(language, common))
        except lucene_peer.Unavailable as error:
            print(f"{language}: the words are not compared with Lucene's: {error}", file=sys.stderr)
            kept = common
        left_out = 1 - len(kept) / len(common)
        print(f"{language}: {len(kept):,} words, {left_out:.1%} left out", file=sys.stderr)
        made.append(Vocabulary(language, kept, seed))
    return made


@dataclass(frozen=True, slots=True)
class Files:
    """Where a corpus was written: JSON lines. `trees` are the `queries` for Lucene."""

    articles: Path
    queries: Path
    trees: Path


def write(
    vocabularies: Sequence[Vocabulary], to: Path, *, articles_: int, queries_: int, seed: int
) -> Files:
    """Write so many articles and queries into the folder `to`."""
    to.mkdir(parents=True, exist_ok=True)
    files = Files(to / "articles.jsonl", to / "queries.jsonl", to / "trees.jsonl")
    encode = msgspec.json.Encoder().encode
    with files.articles.open("wb") as out:
        for article in itertools.islice(articles(vocabularies, seed), articles_):
            out.write(encode(article) + b"\n")
    with files.queries.open("wb") as texts, files.trees.open("wb") as trees:
        for query in itertools.islice(queries(vocabularies, seed), queries_):
            texts.write(encode({"id": query.id, "query": to_text(query)}) + b"\n")
            tree = {"id": query.id, "lang": query.language, "tree": to_list(query.tree)}
            trees.write(encode(tree) + b"\n")
    return files


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.match_corpus", description=__doc__)
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--articles", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", type=Path, default=Path(tempfile.gettempdir()) / "wirewatch-bench")
    wanted = parser.parse_args()
    made = vocabularies(wanted.seed)
    files = write(
        made, wanted.to, articles_=wanted.articles, queries_=wanted.queries, seed=wanted.seed
    )
    print(json.dumps({name: str(getattr(files, name)) for name in Files.__slots__}, indent=2))


if __name__ == "__main__":
    main()
