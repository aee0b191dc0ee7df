"""An operator's own entities: ids, aliases made of what was written, imports."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.entities.own import (
    ID,
    MAX_ALIASES,
    MAX_CONTEXT,
    MAX_DROPPED,
    MAX_LANGUAGES,
    MAX_LINE_CHARS,
    Imported,
    OwnError,
    described,
    own_id,
    with_import,
)
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode, Role

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
THINGS = [kind for kind in Kind if kind is not Kind.THEME]


def entity(**changes) -> Entity:
    fields = {"id": "Q1", "kind": Kind.ORGANISATION, "labels": {}, "name": "Acme"}
    return Entity(**fields | changes)


def refused(**changes) -> tuple[str, str]:
    with pytest.raises(OwnError) as caught:
        described(entity(**changes), NOW)
    return caught.value.field, str(caught.value)


def outcome(make: Callable[[], Entity]) -> Entity | OwnError:
    try:
        return make()
    except OwnError as error:
        return error


def spelt(found: Entity) -> set[tuple[str, str]]:
    return {(alias.text, alias.language) for alias in found.aliases}


# Ids


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Supply chain", "topic:supply-chain"),
        ("  AI & robots! ", "topic:ai-robots"),
        ("Été", "topic:ete"),
        ("Ölpreis", "topic:olpreis"),
        ("Ｇ７ summit", "topic:g7-summit"),
        ("x" * 63 + " y", "topic:" + "x" * 63),
        ("x" * 100, "topic:" + "x" * 64),
    ],
)
def test_a_theme_is_named_by_its_name(name, key):
    assert own_id(name, Kind.THEME) == key
    assert ID.fullmatch(key)


@pytest.mark.parametrize("name", ["", "   ", "42 things", "石油", "нефть A", "A نفط", "!!!"])
def test_a_theme_whose_name_makes_no_id_needs_one(name):
    with pytest.raises(OwnError, match="is needed") as caught:
        own_id(name, Kind.THEME)
    assert caught.value.field == "id"


@given(st.text(), st.sampled_from(Kind))
def test_an_id_is_valid_and_always_the_same(name, kind):
    try:
        key = own_id(name, kind)
    except OwnError:
        assert kind is Kind.THEME
        return
    assert ID.fullmatch(key)
    assert key == own_id(name, kind)
    assert key.startswith("topic:") is (kind is Kind.THEME)


def test_things_of_one_name_and_two_kinds_are_two():
    assert len({own_id("Georgia", kind) for kind in THINGS}) == len(THINGS)
    assert own_id("Acme", Kind.PLACE) != own_id("ACME", Kind.PLACE)


# What is written


def test_names_become_aliases_and_labels():
    found = described(
        entity(
            names={"en": "Acme; =Acme Corporation / acmeish", "de": "AG~", "*": "ACME"},
            exceptions={"en": "Acme Road"},
        ),
        NOW,
    )

    assert found.labels == {"en": "Acme", "de": "AG"}
    assert found.aliases == (
        Alias(text="Acme", language="en", case=Case.INITIAL),
        Alias(text="acmeish", language="en", role=Role.ADJECTIVE),
        Alias(text="AG", language="de", role=Role.ABBREVIATION, mode=Mode.INFLECT, case=Case.ALL),
        Alias(text="ACME", language="*", role=Role.ABBREVIATION, case=Case.ALL),
    )
    assert found.blockers == (Alias(text="Acme Road", language="en"),)
    assert found.updated_at == NOW


def test_the_terms_of_a_theme_are_terms_and_what_is_no_theme_blocks_them():
    theme = entity(
        id="topic:x",
        kind=Kind.THEME,
        names={"en": "supply; +chain"},
        exceptions={"en": "chain mail"},
    )
    found = described(theme, NOW)

    assert [(each.text, each.role, each.weak) for each in found.aliases] == [
        ("supply", Role.TERM, False),
        ("chain", Role.TERM, True),
    ]
    assert [each.text for each in found.blockers] == ["chain mail"]


def test_without_names_in_english_the_name_is_its_label():
    assert described(entity(names={"*": "Apex", "fr": "Sommet"}), NOW).labels == {
        "en": "Acme",
        "fr": "Sommet",
    }


def test_describing_again_changes_nothing():
    once = described(entity(names={"en": "Acme; A1"}, exceptions={"de": "Akne"}), NOW)

    assert described(once, NOW) == once


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"id": "q1"}, "id", "Wikidata id"),
        ({"id": "Q0"}, "id", "Wikidata id"),
        ({"id": "ent_1"}, "id", "Wikidata id"),
        ({"id": "Q1\n"}, "id", "Wikidata id"),
        ({"kind": Kind.THEME}, "kind", "theme"),
        ({"id": "topic:x"}, "kind", "theme"),
        ({"name": " "}, "name", "must not be empty"),
        ({"name": "x" * 201}, "name", "has 201 characters, at most 200"),
        ({"name": "A\x1b[31m"}, "name", "control characters"),
        ({"name": "A\u2028B"}, "name", "control characters"),
        ({"names": {"en": "A~~"}}, "names.en", "not an alias"),
        ({"names": {"en": "A"}}, "names.en", "2 to 200 characters"),
        ({"names": {"en": "Aa/Bb/Cc/Dd"}}, "names.en", "4 parts between slashes"),
        ({"names": {"english language": "Aa"}}, "names.english language", "BCP 47"),
        ({"names": {"": "Aa"}}, "names.", "BCP 47"),
        ({"names": {"en": "a" * (MAX_LINE_CHARS + 1)}}, "names.en", "10000 are allowed"),
        ({"names": {"en": "{a,b}" * 9}}, "names.en", "spellings"),
        ({"exceptions": {"en": "A B / C D"}}, "exceptions.en", "2 parts between slashes"),
        ({"context": ["Q1"] * (MAX_CONTEXT + 1)}, "context", "100 are allowed"),
        ({"context": ["Q1", "Acme"]}, "context", "'Acme', which is no id"),
        ({"dropped": ["x"] * (MAX_DROPPED + 1)}, "dropped", "1000 are allowed"),
    ],
)
def test_what_cannot_be_is_told_by_field(changes, field, words):
    told = refused(**changes)

    assert told[0] == field
    assert words in told[1]


@pytest.mark.parametrize("field", ["names", "exceptions"])
def test_there_are_limits_to_languages_and_aliases(field):
    tags = [f"aa-{number}" for number in range(MAX_LANGUAGES + 1)]
    assert refused(**{field: dict.fromkeys(tags, "Aa")})[0] == field
    lines = dict.fromkeys(tags[:60], ";".join(f"n{number}" for number in range(100)))
    assert refused(**{field: lines}) == (field, "are 6000 in all, at most 5000 are allowed")


TAGS = st.sampled_from(["en", "de", "pt-BR", "*", "", "x", "no"])


@given(st.dictionaries(TAGS, st.text(alphabet="aBé石/;~*^=?+!{},. \x00", max_size=30)))
def test_whatever_is_written_is_described_or_refused_by_field(names):
    found = outcome(lambda: described(entity(names=names, exceptions=names), NOW))

    if isinstance(found, OwnError):
        assert found.field.startswith(("names", "exceptions"))
    else:
        assert "*" not in found.labels
        assert all(alias.text.strip() for alias in found.aliases)


# Imports


ACME = Imported(
    labels={"en": "Acme", "de": "Akme", "*": "ACME Works"},
    aliases={"en": ("Acme Ltd", "Acme"), "ja": ("アクメ",)},
    demonyms={"en": ("Acmean", "Acme Ltd"), "fr": ("Acméen",)},
)


def test_an_import_gives_labels_aliases_and_demonyms():
    found = with_import(entity(), ACME, NOW)
    names = {(each.text, each.language, each.role) for each in found.aliases}

    assert found.labels == {"en": "Acme", "de": "Akme"}
    assert found.imported_labels == {"en": "Acme", "de": "Akme"}
    assert found.imported_at == NOW
    assert {text for text, _, role in names if role is Role.DEMONYM} == {"Acmean", "Acméen"}
    assert {("Acme", "en", Role.NAME), ("Acme Ltd", "en", Role.NAME)} <= names
    assert ("ACME Works", "*", Role.NAME) in names
    assert ("アクメ", "ja", Role.NAME) in names
    assert len(found.aliases) == len(set(found.aliases))


def test_the_import_before_is_replaced_and_what_was_written_stays():
    own = entity(names={"en": "Roadrunner"}, dropped=("Anvil",), exceptions={"en": "Acme Road"})
    first = with_import(own, ACME, NOW)
    second = with_import(first, Imported(labels={"fr": "Acmé"}), NOW)

    assert spelt(second) == {("Roadrunner", "en"), ("Acmé", "fr")}
    assert second.labels == {"fr": "Acmé", "en": "Roadrunner"}
    assert (second.names, second.dropped, second.exceptions) == (
        own.names, own.dropped, own.exceptions,
    )  # fmt: skip
    assert [each.text for each in second.blockers] == ["Acme Road"]


def test_an_import_again_changes_nothing():
    once = with_import(entity(names={"en": "Road"}), ACME, NOW)

    assert with_import(once, ACME, NOW) == once


def test_one_without_a_name_may_be_imported():
    found = with_import(entity(name=""), Imported(labels={"de": " Nord \n Korea "}), NOW)

    assert found.labels == {"de": "Nord Korea"}


def test_blank_and_single_letters_are_no_names():
    found = with_import(
        entity(), Imported(labels={"en": " ", "ja": "米"}, aliases={"de": ("",)}), NOW
    )

    assert found.aliases == ()
    assert found.labels == {"en": "Acme", "ja": "米"}


def test_an_import_in_no_language_is_refused():
    with pytest.raises(OwnError, match="'no language'"):
        with_import(entity(), Imported(aliases={"no language": ("Acme",)}), NOW)


def test_an_import_of_the_most_names_there_may_be_fits():
    many = tuple(f"Ding{chr(97 + number % 26)}{number}ding" for number in range(2_000))
    found = with_import(entity(), Imported(aliases={"de": many}), NOW)

    assert 2_000 < len(found.aliases) <= MAX_ALIASES


@given(st.dictionaries(TAGS, st.lists(st.text(max_size=20), max_size=4).map(tuple), max_size=3))
def test_whatever_is_imported_can_be_kept_or_is_refused(names):
    labels = {language: texts[0] for language, texts in names.items() if texts}
    imported = Imported(labels=labels, aliases=names, demonyms=names)
    found = outcome(lambda: with_import(entity(), imported, NOW))

    if isinstance(found, OwnError):
        assert {"", "x"} & set(names)
        assert found.field == "labels"
    else:
        raw = msgspec.json.encode(found)
        assert msgspec.json.decode(raw, type=Entity) == found
