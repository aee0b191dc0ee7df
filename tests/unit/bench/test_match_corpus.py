import itertools
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bench import match_corpus
from bench.lucene_peer import Forms
from bench.match_corpus import MIX, And, Near, Not, Or, Phrase, Query, Tree, Vocabulary, Word
from wirewatch.text.fold import fold

SYLLABLES = ("ba", "de", "ki", "lo", "mun", "ne", "ra", "sta", "ti", "vor", "wen", "zu")


@cache
def vocabulary(language: str) -> Vocabulary:
    words = ["".join(parts) for parts in itertools.product(SYLLABLES, repeat=3)]
    return Vocabulary(language, {word: 1 / rank for rank, word in enumerate(words, 3)})


def vocabularies() -> list[Vocabulary]:
    return [vocabulary("de"), vocabulary("fr")]


def queries(count: int, seed: int = 1) -> list[Query]:
    return list(itertools.islice(match_corpus.queries(vocabularies(), seed), count))


def leaves(tree: Tree) -> Iterator[Word | Phrase | Near]:
    match tree:
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield tree


def words(tree: Tree) -> list[str]:
    found: list[str] = []
    for leaf in leaves(tree):
        match leaf:
            case Word(text):
                found.append(text)
            case Phrase(phrase):
                found.extend(phrase)
            case Near(_, one, other):
                found += [one, other]
    return found


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    one, other, another = (
        match_corpus.write(vocabularies(), tmp_path / name, articles_=5, queries_=50, seed=seed)
        for name, seed in (("one", 1), ("other", 1), ("another", 2))
    )
    for name in ("articles", "queries", "trees"):
        path, same, different = (getattr(files, name) for files in (one, other, another))
        assert path.read_bytes() == same.read_bytes() != different.read_bytes()


@pytest.mark.parametrize(
    ("tree", "text", "listed"),
    [
        (Word("x"), "lang:de AND x", ["word", "x"]),
        (Phrase(("a", "b")), 'lang:de AND "a b"', ["phrase", ["a", "b"]]),
        (
            And((Near(5, "a", "b"), Not(Word("c")))),
            "lang:de AND (a NEAR/5 b) AND NOT c",
            ["and", ["near", 5, "a", "b"], ["not", ["word", "c"]]],
        ),
        (
            And((Word("a"), Or((And((Word("b"), Word("c"))), Word("d"))))),
            "lang:de AND a AND ((b AND c) OR d)",
            ["and", ["word", "a"], ["or", ["and", ["word", "b"], ["word", "c"]], ["word", "d"]]],
        ),
        (
            Or((Word("a"), Word("b"))),
            "lang:de AND (a OR b)",
            ["or", ["word", "a"], ["word", "b"]],
        ),
    ],
)
def test_a_query_is_written_twice(tree: Tree, text: str, listed: list[object]) -> None:
    assert match_corpus.to_text(Query("q0", "de", "words", tree)) == text
    assert match_corpus.to_list(tree) == listed


def test_text_and_tree_have_the_same_words_in_the_same_order() -> None:
    for query in queries(500):
        text = match_corpus.to_text(query)
        plain = [part.strip('()"') for part in text.split()][1:]
        operators = {"AND", "OR", "NOT", "NEAR/5"}
        assert [part for part in plain if part not in operators] == words(query.tree)
        listed = json.dumps(match_corpus.to_list(query.tree))
        for what, written in (("or", " OR "), ("not", " NOT "), ("near", " NEAR/5 ")):
            assert (f'"{what}"' in listed) == (written in text)


def test_the_kinds_are_mixed_as_they_should_be() -> None:
    assert sum(share for share, _ in MIX.values()) == 100
    kinds = Counter(query.kind for query in queries(10_000))
    for kind, (share, _) in MIX.items():
        assert abs(kinds[kind] / 100 - share) < 2


def test_no_query_has_two_words_of_a_family() -> None:
    families = {v.language: match_corpus.families(v.language, v.words) for v in vocabularies()}
    for query in queries(2_000):
        found = [families[query.language][word] for word in words(query.tree)]
        assert len(set(found)) == len(found)


def test_words_are_of_a_family_by_way_of_a_third() -> None:
    # `militares` is cut to `militar`, and `militar` to `milit`.
    found = match_corpus.families("es", ["militar", "militares", "milito", "casa"])
    assert found["militar"] == found["militares"] == found["milito"] != found["casa"]


def test_a_word_of_six_letters_is_the_first_part_of_one_longer_by_four() -> None:
    words = [
        "rakete",
        "raketenangriff",
        "angriff",
        "stein",
        "steinmeier",
        "minister",
        "ministerium",
    ]
    assert match_corpus.first_parts("de", words) == {"rakete"}
    assert match_corpus.first_parts("sv", words) == set()


def test_no_query_has_the_first_part_of_a_compound() -> None:
    plain = vocabulary("de").words
    compounds = [word + "angriff" for word in plain[::3]]
    made = Vocabulary("de", {word: 1 / rank for rank, word in enumerate([*plain, *compounds], 3)})
    asked = {
        word
        for query in itertools.islice(match_corpus.queries([made], 1), 2_000)
        for word in words(query.tree)
    }
    said = {
        word
        for article in itertools.islice(match_corpus.articles([made], 1), 20)
        for word in fold(article.body).folded.replace(",", "").replace(".", "").split()
    }
    assert not asked & set(plain[::3])
    assert said & set(plain[::3])
    assert asked & set(compounds)


def test_an_article_has_sentences_and_comes_back_to_its_theme() -> None:
    made = list(itertools.islice(match_corpus.articles(vocabularies(), 1), 40))
    assert {article.language for article in made} == {"de", "fr"}
    for article in made:
        assert len(article.title.split()) == 10
        assert 400 < len(article.body.split()) < 580
        assert article.body[0].isupper()
        assert article.body.endswith(".")
        assert "\n\n" in article.body
        said = set(fold(article.body).folded.replace(",", "").replace(".", "").split())
        themes = vocabulary(article.language).themes
        assert max(len(said & set(theme)) for theme in themes) >= 20


def test_words_on_which_others_disagree_are_left_out() -> None:
    theirs = [
        Forms("de", "häuser", "hauser", "haus"),
        Forms("de", "straße", "strasze", "strass"),
        Forms("de", "gehen", "gehen", "gehe"),
    ]
    frequencies = {"häuser": 0.3, "straße": 0.2, "gehen": 0.1}
    assert match_corpus.agreed(frequencies, theirs) == {"häuser": 0.3}


def test_the_common_words_are_plain() -> None:
    pytest.importorskip("wordfreq", reason="wordfreq is a package of the benchmarks only")
    found = match_corpus.common_words("sv")
    assert len(found) == match_corpus.WORDS
    assert all(word.isalpha() and word == word.lower() and len(word) > 1 for word in found)
    assert next(iter(found.values())) == max(found.values())
