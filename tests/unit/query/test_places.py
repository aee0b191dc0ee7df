"""What each kind of leaf means, by the words that it finds."""

import pytest
from hypothesis import given, settings

from fakes.news import CATALOGUE, article
from fakes.queries import articles, leaves
from wirewatch.entities.find import Finder
from wirewatch.query.parse import parse
from wirewatch.query.places import Place, places, places_near, what_is_known
from wirewatch.query.reading import read
from wirewatch.query.tree import AtLeast, Filter, Leaf
from wirewatch.topics.alerts import Field
from wirewatch.topics.articles import Article

FINDER = Finder(CATALOGUE)
REPORT = Article(
    **{
        **{name: getattr(article(), name) for name in article().__struct_fields__},
        "url": "https://news.example/world/rocket-test-2026.html",
        "title": "Turkey tests a rocket",
        "lead": "The rocket flew, and turkey was eaten. Second rocket fails.",
        "body": "In Türkei nuclear talks; nukes and the nuked rocket. North Korea tests rockets",
        "authors": ("", "Ana de la Cruz", "Bob Cruz"),
        "categories": ("World News", "Rockets"),
        "language": "en-GB",
        "source": "edition.news.example",
        "source_country": "TR",
        "feed_id": "feed_7",
        "feed_title": "Wörld Wire",
    }
)


def found(leaf: str, report: Article = REPORT) -> list[tuple[str, str]]:
    """Return (field, words) of each place of `leaf`."""
    reading = read(report, FINDER)
    query = parse(leaf, CATALOGUE)
    texts = {each.field + str(each.part): each.text for each in reading.fields}
    return [
        (
            str(place.field),
            (texts.get(place.field + str(place.part)) or what_is_known(place.field, report))[
                place.start : place.end
            ],
        )
        for place in places(query, reading)  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize(
    ("leaf", "places"),
    [
        ("title:rocket", [("title", "rocket")]),
        ("lead:rockets", [("lead", "rocket"), ("lead", "rocket")]),
        ("body:rocket", [("body", "rocket"), ("body", "rockets")]),
        ('body:"rocket"', [("body", "rocket")]),
        ("url:rocket-test", [("url", "rocket-test")]),
        ("url:tests", []),  # the words of a URL are in no language
        ("author:cruz", [("author", "Cruz"), ("author", "Cruz")]),
        ('author:"de la cruz"', [("author", "de la Cruz")]),
        ('author:"cruz bob"', []),  # two authors are two texts
        ("category:rocket", [("category", "Rockets")]),
        ("cruz", []),  # only title, lead and body are searched without a field
        ("nuke*", [("body", "nukes"), ("body", "nuked")]),
        ("title:te*", [("title", "tests")]),
        ("news.ex*", []),
        ("=Turkey", [("title", "Turkey")]),
        ("=turkey", [("lead", "turkey")]),
        ("=Turkei", []),
        ("=Türkei", [("body", "Türkei")]),
        ('="Second rocket"', [("lead", "Second rocket")]),
        ('="second rocket"', []),
        (
            "turkey NEAR/3 rocket",
            [("title", "Turkey tests a rocket"), ("lead", "rocket flew, and turkey")],
        ),
        (
            "turkey NEAR/4 rocket",
            [
                ("title", "Turkey tests a rocket"),
                ("lead", "rocket flew, and turkey"),
                ("lead", "turkey was eaten. Second rocket"),
            ],
        ),
        ("rocket ONEAR/4 turkey", [("lead", "rocket flew, and turkey")]),
        ("title:(turkey NEAR/3 rocket)", [("title", "Turkey tests a rocket")]),
        ("(second OR flew) NEAR/1 rocket", [("lead", "rocket flew"), ("lead", "Second rocket")]),
        (
            "entity:Q423 NEAR/2 rocket",
            [("body", "rocket. North Korea"), ("body", "North Korea tests rockets")],
        ),
        ("rocket NEAR/9 author:cruz", []),
        (
            "ATLEAST/5 rocket",
            [
                ("title", "rocket"),
                ("lead", "rocket"),
                ("lead", "rocket"),
                ("body", "rocket"),
                ("body", "rockets"),
            ],
        ),
        ("ATLEAST/6 rocket", []),
        ("ATLEAST/2 lead:(turkey OR second)", [("lead", "turkey"), ("lead", "Second")]),
        ("lang:en", [("lang", "en-GB")]),
        ("lang:en-gb", [("lang", "en-GB")]),
        ("lang:de", []),
        ("source:news.example", [("source", "edition.news.example")]),
        ("source:ws.example", []),
        ("country:TR", [("country", "TR")]),
        ("feed:feed_7", [("feed", "feed_7")]),
        ('feed:"world WIRE"', [("feed", "feed_7")]),
        ("feed:wire", []),
        ("title:(entity:Q423)", []),
        ("body:(entity:Q423)", [("body", "North Korea")]),
    ],
)
def test_a_leaf_finds(leaf: str, places: list[tuple[str, str]]) -> None:
    assert found(leaf) == places


@pytest.mark.parametrize(
    ("leaf", "title", "language", "words"),
    [
        ("Raketen", "Der Raketenangriff", "de", ["Raketenangriff"]),
        ("Raketen", "Der Raketenangriff", "en", []),
        ("Stein", "Steinmeier", "de", []),  # too short to be the first part of a compound
        ("Minister", "Ministerium", "de", []),  # an ending, not a second word
        ("regering", "het regeringsbesluit", "nl", ["regeringsbesluit"]),
        ("الجيش", "والجيش", "ar", ["والجيش"]),
        ("صاروخ", "بصاروخ", "ar", ["بصاروخ"]),
        ("צבא", "והצבא", "he", ["והצבא"]),
        ("북한", "북한은", "ko", ["북한은"]),
        ("ракета", "ракети", "uk", ["ракети"]),
        ("日本", "日\n本", "ja", ["日\n本"]),
        ("日本", "日、本", "ja", []),
        ("日本*", "日本海", "ja", ["日本"]),
        ("№5", "No 5", "en", []),  # `№5` is one word, `no5`
        ("№5", "No5", "en", ["No5"]),
        ("fire", "ﬁre", "en", ["ﬁre"]),
        ("मि*", "मिसाइल", "hi", ["मिसाइल"]),
    ],
)
def test_a_leaf_finds_in_its_language(
    leaf: str, title: str, language: str, words: list[str]
) -> None:
    assert [text for _, text in found(leaf, article(title, language=language))] == words


@pytest.mark.parametrize(
    ("left", "right", "distance", "ordered", "spans"),
    [
        ((0, 0), (1, 1), 1, False, [(0, 1)]),
        ((0, 0), (2, 2), 1, False, []),
        ((2, 2), (0, 0), 2, False, [(0, 2)]),
        ((2, 2), (0, 0), 2, True, []),
        ((0, 3), (2, 4), 9, False, []),  # they overlap: one is not beside the other
        ((-1, -1), (0, 0), 9, False, []),  # a name without words
    ],
)
def test_what_is_near(
    left: tuple[int, int],
    right: tuple[int, int],
    distance: int,
    ordered: bool,
    spans: list[tuple[int, int]],
) -> None:
    one, other = ([Place(Field.BODY, 0, *at, *at)] for at in (left, right))

    near = places_near(one, other, distance, ordered=ordered)

    assert [(place.first, place.last) for place in near] == spans


@given(leaves(), articles())
@settings(max_examples=300, deadline=None)
def test_places_come_in_order_once_and_in_their_field(leaf: Leaf, report: Article) -> None:
    reading = read(report, FINDER)
    texts = {(each.field, each.part): each.text for each in reading.fields}
    order = list(Field)

    there = places(leaf, reading)

    assert len(set(there)) == len(there)
    assert [order.index(p.field) for p in there] == sorted(order.index(p.field) for p in there)
    if isinstance(leaf, AtLeast):
        assert not there or len(there) >= leaf.count
    if not isinstance(leaf, Filter):
        assert all(0 <= p.start < p.end <= len(texts[p.field, p.part]) for p in there)
