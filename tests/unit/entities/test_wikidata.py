"""Answers of Wikidata made into names, the right ones and whatever else may come."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.entities.wikidata import MAX_NAME_CHARS, MAX_NAMES, Hit, read_hits, read_items
from wirewatch.topics.entities import Kind


def texts(**by_language: str) -> dict:
    """Labels as they come."""
    return {tag: {"language": tag, "value": text} for tag, text in by_language.items()}


def claim(value: object, rank: str = "normal", kind: str = "wikibase-entityid") -> dict:
    snak = {"snaktype": "value", "datavalue": {"value": value, "type": kind}}
    return {"mainsnak": snak, "type": "statement", "rank": rank}


def item_claim(item_id: str, rank: str = "normal") -> dict:
    number = int(item_id[1:])
    return claim({"entity-type": "item", "numeric-id": number, "id": item_id}, rank)


def text_claim(language: str, text: str, rank: str = "normal") -> dict:
    return claim({"text": text, "language": language}, rank, "monolingualtext")


PLACE = claim(
    {"latitude": 40, "longitude": 127, "altitude": None, "precision": 1, "globe": "…/Q2"},
    kind="globecoordinate",
)
NOTHING = {"mainsnak": {"snaktype": "novalue", "property": "P1549"}, "rank": "normal"}
NORTH_KOREA = {
    "type": "item",
    "id": "Q423",
    "labels": texts(en="North Korea", de="Nordkorea", fa="کره‌ شمالی", simple="North Korea"),
    "aliases": {
        "en": [
            {"language": "en", "value": "DPRK"},
            {"language": "en", "value": "Democratic  People's\nRepublic of Korea"},
        ],
        "ko": [{"language": "ko", "value": "조선"}],
    },
    "claims": {
        "P31": [item_claim("Q3624078"), item_claim("Q842112", "preferred")],
        "P625": [PLACE],
        "P1549": [
            text_claim("en", "North Korean"),
            text_claim("en", "Northkorean", "deprecated"),
            text_claim("fr", "Nord-Coréen", "preferred"),
            NOTHING,
        ],
        "P1813": [text_claim("en", "N. Korea")],
        "P1448": [text_claim("ko", "조선민주주의인민공화국")],
    },
}
PUTIN = {
    "type": "item",
    "id": "Q7747",
    "labels": texts(ru="Владимир Путин", mul="Vladimir Putin"),
    "aliases": {"mul": [{"language": "mul", "value": "V. V. Putin"}]},
    "claims": {"P31": [item_claim("Q5")]},
}


def answer(**entities: object) -> dict:
    return {"entities": entities, "success": 1}


def one(entity: object):
    return read_items(answer(Q423=entity))["Q423"]


def kind_of(**claims: object) -> Kind:
    return one({"id": "Q423", "claims": claims}).kind


def test_a_country_with_all_its_names():
    item = one(NORTH_KOREA)

    assert (item.id, item.name, item.kind) == ("Q423", "North Korea", Kind.COUNTRY)
    assert item.imported.labels == {"en": "North Korea", "de": "Nordkorea", "fa": "کره‌ شمالی"}
    assert item.imported.aliases == {
        "en": ("DPRK", "Democratic People's Republic of Korea", "N. Korea"),
        "ko": ("조선", "조선민주주의인민공화국"),
    }
    assert item.imported.demonyms == {"en": ("North Korean",), "fr": ("Nord-Coréen",)}


def test_a_name_that_is_the_same_in_every_language_counts_in_every_language():
    item = read_items(answer(Q7747=PUTIN))["Q7747"]

    assert (item.name, item.kind) == ("Vladimir Putin", Kind.PERSON)
    assert item.imported.labels == {"ru": "Владимир Путин", "*": "Vladimir Putin"}
    assert item.imported.aliases == {"*": ("V. V. Putin",)}


def test_a_merged_item_is_found_under_the_id_that_was_asked_for():
    merged = NORTH_KOREA | {"redirects": {"from": "Q404", "to": "Q423"}}

    assert {asked: item.id for asked, item in read_items(answer(Q404=merged)).items()} == {
        "Q404": "Q423"
    }


def test_a_missing_item_is_not_there():
    found = read_items(answer(Q423=NORTH_KOREA, Q999999={"id": "Q999999", "missing": ""}))

    assert list(found) == ["Q423"]


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (texts(de="Nordkorea", en="North Korea"), "North Korea"),
        (texts(de="Nordkorea", ko="북한"), "Nordkorea"),
        (texts(simple="North Korea"), "Q423"),
        ([], "Q423"),
        ({}, "Q423"),
    ],
)
def test_what_an_item_is_called(labels, name):
    assert one({"id": "Q423", "labels": labels}).name == name


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"P31": [item_claim("Q5")]}, Kind.PERSON),
        ({"P31": [item_claim("Q5"), item_claim("Q6256")]}, Kind.PERSON),
        ({"P31": [item_claim("Q6256")]}, Kind.COUNTRY),
        ({"P31": [item_claim("Q6256", "deprecated")], "P625": [PLACE]}, Kind.PLACE),
        ({"P31": [item_claim("Q515")], "P625": [PLACE]}, Kind.PLACE),
        ({"P625": [PLACE], "P159": [item_claim("Q90")]}, Kind.ORGANISATION),
        ({"P625": [PLACE], "P159": []}, Kind.PLACE),
        ({"P625": []}, Kind.ORGANISATION),
        ({"P31": [item_claim("Q43229")]}, Kind.ORGANISATION),
        ({}, Kind.ORGANISATION),
    ],
)
def test_what_kind_of_thing_it_is(claims, kind):
    assert kind_of(**claims) is kind


@pytest.mark.parametrize(
    "text",
    ["", "  ", "a\x00b", "\x1b[31mred", "x" * (MAX_NAME_CHARS + 1), "\ud800", None, 5, ["x"], {}],
)
def test_a_text_that_is_no_name_is_left_out(text):
    item = one(
        {
            "id": "Q423",
            "labels": {"en": {"language": "en", "value": text}},
            "aliases": {"en": [{"language": "en", "value": text}]},
            "claims": {"P1549": [text_claim("en", text)], "P1813": [text_claim("en", text)]},
        }
    )

    assert (item.imported.labels, item.imported.aliases, item.imported.demonyms) == ({}, {}, {})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("کره‌ی شمالی", "کره‌ی شمالی"),
        ("ශ්‍රී ලංකාව", "ශ්‍රී ලංකාව"),
        ("\u200eIsrael\u200f", "Israel"),
        ("Nord\u00adkorea", "Nordkorea"),
        ("  North\u00a0 Korea\n", "North Korea"),
        ("🇰🇵", "🇰🇵"),
        ("x" * MAX_NAME_CHARS, "x" * MAX_NAME_CHARS),
    ],
)
def test_joiners_stay_and_what_cannot_be_seen_goes(text, name):
    assert one({"id": "Q423", "labels": texts(en=text)}).imported.labels == {"en": name}


@pytest.mark.parametrize(
    "language",
    ["simple", "und", "zxx", "", None, 5, ["en"], {"en": 1}, "a b", "en_GB", "e" * 20, "\x1b"],
)
def test_a_name_in_no_language_is_left_out(language):
    label = {"language": language, "value": "North Korea"}

    assert one({"id": "Q423", "labels": {"x": label}}).imported.labels == {}


@pytest.mark.parametrize("language", ["be-tarask", "zh-hans", "zh-min-nan", "sr-ec", "nb"])
def test_the_languages_of_wikidata_are_languages(language):
    assert list(one({"id": "Q1", "labels": texts(**{language: "Ab"})}).imported.labels) == [
        language
    ]


def test_of_very_many_names_some_are_taken():
    many = [f"name {number}" for number in range(2 * MAX_NAMES)]
    labels = {f"aa-{number}": {"language": f"aa-{number}", "value": "x y"} for number in range(400)}
    item = one(
        {
            "id": "Q423",
            "labels": labels,
            "aliases": {"en": [{"language": "en", "value": each} for each in many]},
            "claims": {"P1549": [text_claim("de", each) for each in many]},
        }
    )
    aliases, demonyms = item.imported.aliases, item.imported.demonyms

    assert aliases == {"en": tuple(many[: MAX_NAMES - 400])}
    assert demonyms == {}
    only = one({"id": "Q1", "claims": {"P1549": [text_claim("de", each) for each in many]}})
    assert only.imported.demonyms == {"de": tuple(many[:MAX_NAMES])}


def test_of_very_many_labels_some_are_taken():
    labels = {
        str(number): {"language": f"a{chr(97 + number % 26)}-{number}", "value": "x y"}
        for number in range(2 * MAX_NAMES)
    }

    assert len(one({"id": "Q423", "labels": labels}).imported.labels) == MAX_NAMES


def test_hits_are_in_the_order_of_the_answer():
    found = read_hits(
        {
            "searchinfo": {"search": "putin"},
            "search": [
                {
                    "id": "Q7747",
                    "title": "Q7747",
                    "label": "Vladimir Putin",
                    "description": "President of Russia",
                    "match": {"type": "label", "language": "en", "text": "Vladimir Putin"},
                },
                {"id": "Q1", "label": None},
                {"id": "P31", "label": "instance of"},
                {"id": 5},
                {},
                "Q5",
            ],
            "success": 1,
        }
    )

    assert found == [Hit("Q7747", "Vladimir Putin", "President of Russia"), Hit("Q1", "", "")]


def test_an_id_that_is_none_is_left_out():
    assert read_items(answer(Q1={"id": "P31"}, Q2={"id": 5}, Q3={"id": ["Q3"]}, x={})) == {}
    assert read_items(answer(Q1={}))["Q1"].id == "Q1"


WORDS = [
    "entities", "search", "id", "labels", "aliases", "claims", "en", "language", "value", "text",
    "rank", "P31", "P1549", "P625", "mainsnak", "datavalue", "missing", "Q423", "redirects",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=40,
)


@given(JSON)
def test_garbage_as_a_whole_never_raises(garbage):
    read_items(garbage)
    read_hits(garbage)


@given(st.data())
def test_garbage_in_any_one_place_never_raises(data):
    entity = json.loads(json.dumps(NORTH_KOREA))
    places = list(_places(entity))
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(JSON)

    for item in read_items(answer(Q423=entity)).values():
        assert isinstance(item.kind, Kind)
        assert all(isinstance(text, str) and text for text in item.imported.labels.values())


def _places(value: object):
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
