from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.news import CATALOGUE, article
from fakes.queries import queries, texts
from wirewatch.entities.find import Finder
from wirewatch.match.candidates import CandidateIndex
from wirewatch.query.explain import matches
from wirewatch.query.parse import parse
from wirewatch.query.reading import read
from wirewatch.query.tree import Query

FINDER = Finder(CATALOGUE)


def candidates(standing: dict[str, str], title: str, language: str = "en") -> set[str]:
    index = CandidateIndex()
    for name, query in standing.items():
        index.put(name, parse(query, CATALOGUE))
    return index.candidates(read(article(title, language=language), FINDER))


def test_a_query_is_anchored_on_what_looks_rarest() -> None:
    standing = {"a": "the earthquake", "b": "the OR of", "c": "entity:Russia the"}

    assert candidates(standing, "the news") == {"b"}
    assert candidates(standing, "earthquakes") == {"a"}
    assert candidates(standing, "Russia") == {"c"}


def test_a_word_is_found_by_its_stem_in_each_language() -> None:
    standing = {"a": "Raketen", "b": "地震"}

    assert candidates(standing, "Rakete", "de") == {"a"}
    assert candidates(standing, "Raketen", "ja") == {"a"}
    assert candidates(standing, "大地震", "ja") == {"b"}


def test_what_was_removed_or_replaced_is_gone_also_in_languages_met_before() -> None:
    index = CandidateIndex()
    german = read(article("Rakete Bahn", language="de"), FINDER)
    index.put("a", parse("Raketen", CATALOGUE))
    assert index.candidates(german) == {"a"}

    index.put("a", parse("Bahnen", CATALOGUE))
    index.put("b", parse("Rakete", CATALOGUE))
    assert index.candidates(german) == {"a", "b"}
    index.remove("a")
    index.remove("b")
    index.remove("never there")
    assert index.candidates(german) == set()
    assert len(index) == 0


changes = st.lists(st.tuples(st.sampled_from("abc"), st.none() | queries()), min_size=1, max_size=8)


@given(changes, texts(), st.sampled_from(["en", "de", "ja", "und"]))
@settings(max_examples=300, deadline=None)
def test_every_subscription_that_matches_is_a_candidate(
    history: list[tuple[str, Query | None]], title: str, language: str
) -> None:
    reading = read(article(title, language=language), FINDER)
    index = CandidateIndex()
    standing: dict[str, Query] = {}
    for name, query in history:
        if query is None:
            standing.pop(name, None)
            index.remove(name)
        else:
            standing[name] = query
            index.put(name, query)
        index.candidates(reading)

    found = index.candidates(reading)

    assert found >= {name for name, query in standing.items() if matches(query, reading)}
    assert found <= standing.keys()


def test_words_of_scripts_without_spaces_are_told_apart_by_two_characters() -> None:
    standing = {"a": "北京大学", "b": "北海道", "c": "京", "d": '"俄罗斯 军队"'}

    assert candidates(standing, "我在北京大学读书", "zh") == {"a", "c"}
    assert candidates(standing, "俄罗斯军队", "zh") == {"d"}


def test_languages_that_are_stemmed_alike_share_their_postings() -> None:
    index = CandidateIndex()
    index.put("a", parse("missiles", CATALOGUE))

    for language in ("en", "en-GB", "xx", "xy", "und"):
        index.candidates(read(article("missiles", language=language), FINDER))

    assert len(index._postings) == 2  # English and none: tags come from outside
