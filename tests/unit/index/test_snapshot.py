"""An index that was frozen and thawed finds the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.news import CATALOGUE, article
from fakes.queries import articles, queries
from wirewatch.entities.find import Finder
from wirewatch.index.index import QueryIndex
from wirewatch.index.snapshot import freeze, thaw
from wirewatch.query.parse import parse
from wirewatch.query.tree import Query
from wirewatch.topics.articles import Article

FINDER = Finder(CATALOGUE)


def thawed(index: QueryIndex, by_name: dict[str, Query]) -> QueryIndex:
    frozen = freeze(index)()
    names = [index.ids[slot] for slot in frozen.slots.tolist()]
    return thaw(frozen.arrays, frozen.strings, FINDER, lambda slot: by_name[names[slot]])


@given(
    st.lists(queries(), min_size=1, max_size=6),
    st.lists(articles(), max_size=3),
    st.lists(queries(), max_size=3),
    st.lists(articles(), min_size=1, max_size=3),
)
@settings(max_examples=100, deadline=None)
def test_a_thawed_index_goes_on_as_the_frozen_one(
    before: list[Query], met: list[Article], after: list[Query], found: list[Article]
) -> None:
    by_name = {f"q{number}": query for number, query in enumerate(before)}
    index = QueryIndex(FINDER)
    index.put_all(by_name.items())
    index.search(met)
    index.remove("q0")
    again = thawed(index, by_name)

    assert again.search(found) == index.search(found)
    for each in (index, again):
        each.put_all((f"new{number}", query) for number, query in enumerate(after))
        each.remove("q1")
    assert again.search(found) == index.search(found)
    assert len(again) == len(index)


def test_an_empty_index_can_be_frozen() -> None:
    again = thawed(QueryIndex(FINDER), {})

    assert again.search([article("quake")]) == [[]]
    again.put("a", parse("quake", CATALOGUE))
    assert again.search([article("quake")]) == [["a"]]


def test_what_was_learned_of_articles_is_kept() -> None:
    index = QueryIndex(FINDER)
    index.put("a", parse("common AND unusual", CATALOGUE))
    index.search([article("common")] * 200)
    again = thawed(index, {})

    assert again.frequencies.articles == 200
    assert again.frequencies.state()[0].tolist() == index.frequencies.state()[0].tolist()
