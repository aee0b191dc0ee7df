import pytest

from wirewatch.entities.catalogue import Catalogue, UnknownName
from wirewatch.entities.find import Finder, Mention
from wirewatch.text.fold import fold
from wirewatch.topics.entities import Alias, Entity, Kind

CATALOGUE = Catalogue.load()
FINDER = Finder(CATALOGUE)
LANGUAGES = frozenset(
    "en de fr es pt it nl pl ru uk cs sv fi tr ar fa he hi ja ko zh id vi sw".split()  # noqa: SIM905
)


def test_ships_what_it_says() -> None:
    kinds = [entity.kind for entity in CATALOGUE]
    counts = (kinds.count(Kind.COUNTRY), kinds.count(Kind.ORGANISATION), kinds.count(Kind.PERSON))
    assert counts == (25, 3, 3)
    assert {entity.id for entity in CATALOGUE if entity.kind is Kind.THEME} == {
        "topic:climate",
        "topic:cyber",
        "topic:earthquake",
        "topic:election",
        "topic:health",
        "topic:military",
        "topic:nuclear",
        "topic:trade",
    }
    assert len(CATALOGUE) == 39
    assert Catalogue.load() is CATALOGUE


def test_speaks_every_language() -> None:
    for entity in CATALOGUE:
        spoken = {alias.language for alias in entity.aliases}
        if "*" not in spoken:
            assert spoken >= LANGUAGES, entity.id


def test_every_alias_is_found_alone_in_a_text_of_its_language() -> None:
    lost = []
    for entity in CATALOGUE:
        for alias in entity.aliases:
            language = "en" if alias.language == "*" else alias.language
            whole = Mention(entity.id, 0, len(alias.text))
            if whole not in FINDER.find(fold(alias.text), language):
                lost.append((entity.id, alias.language, alias.text))
    assert lost == []


def test_every_label_names_its_entity_and_no_other() -> None:
    wrong = [
        (entity.id, language, label)
        for entity in CATALOGUE
        if entity.kind is not Kind.THEME
        for language, label in entity.labels.items()
        if CATALOGUE.resolve(label) is not entity
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "entity_id"),
    [
        ("Q423", "Q423"),
        ("q423", "Q423"),
        ("North Korea", "Q423"),
        ("NORTH  korea", "Q423"),
        ("Nordkorea", "Q423"),
        ("Северная Корея", "Q423"),
        ("북한", "Q423"),
        ("dprk", "Q423"),
        ("Россия", "Q159"),
        ("Turkiye", "Q43"),
        ("Otan", "Q7184"),
        ("putin", "Q7747"),
    ],
)
def test_resolves_ids_labels_and_aliases(name: str, entity_id: str) -> None:
    assert CATALOGUE.resolve(name).id == entity_id


def test_unknown_name_comes_with_suggestions() -> None:
    with pytest.raises(UnknownName, match="did you mean North Korea") as caught:
        CATALOGUE.resolve("Noth Korea")
    assert caught.value.name == "Noth Korea"
    assert "North Korea" in caught.value.suggestions


@pytest.mark.parametrize("name", ["", "   ", "Atlantis-on-Sea", "military"])
def test_unknown_names_and_themes_are_refused(name: str) -> None:
    with pytest.raises(UnknownName):
        CATALOGUE.resolve(name)


def test_a_shared_alias_is_nobodys_name() -> None:
    with pytest.raises(UnknownName) as caught:
        CATALOGUE.resolve("both Koreas")
    assert set(caught.value.suggestions) == {"North Korea", "South Korea"}


@pytest.mark.parametrize("name", ["military", "topic:military", "MILITARY", "Militär", "軍事"])
def test_resolves_topics(name: str) -> None:
    assert CATALOGUE.resolve_topic(name).id == "topic:military"


def test_unknown_topic_comes_with_suggestions() -> None:
    with pytest.raises(UnknownName) as caught:
        CATALOGUE.resolve_topic("militry")
    assert caught.value.suggestions == ("military",)
    with pytest.raises(UnknownName):
        CATALOGUE.resolve_topic("North Korea")


@pytest.mark.parametrize(
    ("entity_id", "language", "label"),
    [
        ("Q159", "en", "Russia"),
        ("Q159", "ru", "Россия"),
        ("Q159", "de-AT", "Russland"),
        ("Q159", "xx", "Russia"),
        ("Q7184", "fr", "OTAN"),
        ("topic:military", "pl", "wojskowość"),
        ("Q999999", "en", "Q999999"),
    ],
)
def test_labels(entity_id: str, language: str, label: str) -> None:
    assert CATALOGUE.label(entity_id, language) == label


def test_a_later_record_replaces_an_earlier_one() -> None:
    old = Entity(id="Q1", kind=Kind.PLACE, labels={"en": "Old"})
    new = Entity(
        id="Q1",
        kind=Kind.PLACE,
        labels={"en": "New"},
        aliases=(Alias(text="Newer", language="en"),),
    )
    catalogue = Catalogue([old, new])
    assert len(catalogue) == 1
    assert catalogue.entity("Q1") is new
    assert catalogue.entity("Q2") is None
    assert catalogue.resolve("newer") is new
    with pytest.raises(UnknownName):
        catalogue.resolve("Old")
