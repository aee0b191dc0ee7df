"""`wirewatch entities`: search, show, list, add and remove."""

import asyncio
import json

import pytest

from wirewatch.cli.client import client
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.gazetteer import Gazetteer
from wirewatch.entities.own import own_id
from wirewatch.topics.entities import Alias, Entity, Kind, Mode

HOOK = "https://receiver.example/hook"
ACME = own_id("Acme", Kind.ORGANISATION)
SHIPPED = [
    Entity(
        id="Q423", kind=Kind.COUNTRY, labels={"en": "North Korea", "de": "Nordkorea"},
        aliases=(
            Alias(text="North Korea", language="en"),
            Alias(text="DPRK", language="*"),
            Alias(text="nordkoreanisch", language="de", mode=Mode.INFLECT),
        ),
    ),
    Entity(id="Q230", kind=Kind.COUNTRY, labels={"en": "Georgia"}),
    Entity(id="Q1428", kind=Kind.PLACE, labels={"en": "Georgia"}),
    Entity(id="topic:military", kind=Kind.THEME, labels={"en": "military"}),
]  # fmt: skip


@pytest.fixture
def gazetteer() -> Gazetteer:
    """The API knows a few things besides own ones."""
    return Gazetteer(Catalogue(SHIPPED))


def entities(wirewatch, *words: str):
    """Run a command that has to succeed; return what it says."""
    result = wirewatch("entities", *words)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def mistake(wirewatch, *words: str) -> str:
    """Run a command that has to refuse, in one sentence on standard error; return that."""
    result = wirewatch("entities", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    head, _, rest = result.stderr.partition("wirewatch: ")
    assert (head, rest.count("\n")) == ("", 1)
    return rest.strip()


# Searching and showing


@pytest.mark.parametrize("name", ["north", "DPRK", "Nordkorea", "nörth korea"])
def test_a_thing_is_found_by_the_beginning_of_any_name(wirewatch, api, name):
    (line,) = entities(wirewatch, "search", name).splitlines()[1:]

    assert line.split() == ["North", "Korea", "country", "entity:Q423"]


def test_a_theme_is_asked_for_by_its_id(wirewatch, api):
    assert entities(wirewatch, "search", "milit").split()[-3:] == [
        "military", "theme", "topic:military",
    ]  # fmt: skip


def test_a_search_has_a_limit_and_speaks_json(wirewatch, api):
    found = json.loads(entities(wirewatch, "search", "georgia", "--json"))
    assert [(each["id"], each["kind"], each["is_own"]) for each in found] == [
        ("Q230", "country", False),
        ("Q1428", "place", False),
    ]
    assert len(json.loads(entities(wirewatch, "search", "georgia", "--limit", "1", "--json"))) == 1
    assert wirewatch("entities", "search", "georgia", "--limit", "51").exit_code == 2


def test_what_nothing_is_called_is_told(wirewatch, api):
    assert entities(wirewatch, "search", "Apex") == (
        "Nothing is called Apex. Add it, or: wirewatch entities import 'Apex'\n"
    )
    assert json.loads(entities(wirewatch, "search", "Apex", "--json")) == []
    assert mistake(wirewatch, "search", "").startswith("search: must not be empty")


@pytest.mark.parametrize("which", ["Q423", "North Korea", "north korea", "DPRK", "Nordk"])
def test_a_thing_is_shown_by_id_or_name(wirewatch, api, which):
    head, *names = entities(wirewatch, "show", which).split("\n  ")

    assert head == "North Korea"
    assert names[:2] == ["id       Q423", "kind     country"]
    assert sorted(map(str.strip, names[2:])) == [
        "*        DPRK",
        "de       nordkoreanisch~",
        "en       North Korea",
    ]


def test_a_thing_is_shown_as_json(wirewatch, api):
    shown = json.loads(entities(wirewatch, "show", "topic:military", "--json"))

    assert (shown["id"], shown["kind"], shown["is_own"]) == ("topic:military", "theme", False)


def test_what_is_not_there_cannot_be_shown(wirewatch, api):
    assert "There is no entity Q1:" in mistake(wirewatch, "show", "Q1")
    assert "There is no entity ../x:" in mistake(wirewatch, "show", "../x")


def test_where_several_are_called_so_an_id_is_asked_for(wirewatch, api):
    assert mistake(wirewatch, "show", "georgia") == (
        "Several entities are called georgia: choose by id among Q230, Q1428."
    )


# Adding


def test_an_entity_is_added_once(wirewatch, api):
    words = ("add", "Acme", "--kind", "organisation")

    assert entities(wirewatch, *words) == f"Added Acme\n{ACME}\n"
    assert entities(wirewatch, *words) == f"It is there already: Acme\n{ACME}\n"
    (written,) = api.sent
    assert (written.id, written.kind, written.names) == (ACME, "organisation", {"*": "Acme"})


def test_names_exceptions_and_context_are_written_as_given(wirewatch, api):
    entities(
        wirewatch, "add", "Acme", "--kind", "place", "--id", "Q99",
        "--name", "en=Acme; ?Ac", "--name", " no = Akme~ ", "--except", "en=Acme Road",
        "--beside", "Q423", "--beside", "topic:military",
    )  # fmt: skip
    (written,) = api.sent

    assert (written.id, written.kind) == ("Q99", Kind.PLACE)
    assert written.names == {"en": "Acme; ?Ac", "no": "Akme~"}
    assert written.exceptions == {"en": "Acme Road"}
    assert written.context == ("Q423", "topic:military")


def test_one_of_the_catalogue_gets_more_names(wirewatch, api):
    entities(wirewatch, "add", "North Korea", "--id", "Q423", "--name", "en=Hermit Kingdom")
    shown = entities(wirewatch, "show", "Q423")

    assert api.sent[0].kind is Kind.COUNTRY
    assert "Hermit Kingdom" in shown
    assert "DPRK" in shown
    assert "North Korea (own)" in entities(wirewatch, "list")


def test_what_is_there_and_differs_is_not_overwritten(wirewatch, api):
    entities(wirewatch, "add", "Acme", "--kind", "organisation")
    said = mistake(wirewatch, "add", "Acme", "--kind", "organisation", "--name", "en=Other")

    assert f"PATCH /v1/entities/{ACME}" in said
    assert len(api.sent) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("Acme",), "kind: is required; there are country, place, person, organisation, theme."),
        (("Acme", "--kind", "place", "--name", "Acme"),
         "Acme is not LANGUAGE=NAMES, such as en='Acme; ACME Corp'."),
        (("Acme", "--kind", "place", "--name", "en="),
         "en= is not LANGUAGE=NAMES, such as en='Acme; ACME Corp'."),
        (("Acme", "--kind", "place", "--name", "en=Aa", "--name", "en=Bb"),
         "en is there twice: join its names with ; in one."),
        (("Acme", "--kind", "place", "--name", "en=Aa~~"),
         "names.en: 'Aa~~' is not an alias such as 'name' or 'stem~ending'."),
        (("Acme", "--kind", "place", "--except", "e n=Aa"),
         "exceptions.e n: is not a BCP 47 language tag such as en or pt-BR, nor *."),
        (("Acme", "--kind", "place", "--id", "X1"),
         "id: must be a Wikidata id such as Q423, or for a theme topic:name."),
        (("Acme", "--kind", "place", "--id", "topic:x"),
         "kind: theme goes with an id topic:name, and no other does."),
        (("Acme", "--kind", "place", "--id", "Q423"),
         "kind: of Q423 is country in the catalogue."),
        (("Acme", "--kind", "place", "--beside", "North Korea"),
         "context: has 'North Korea', which is no id of an entity."),
        ((" ", "--kind", "place", "--name", "en=Aa"), "name: must not be empty."),
        (("石油", "--kind", "theme"),
         "id: is needed: the name of the theme makes none, such as topic:supply."),
    ],
)  # fmt: skip
def test_what_cannot_be_added_is_told(wirewatch, api, words, sentence):
    assert mistake(wirewatch, "add", *words) == sentence
    assert api.sent == []


@pytest.mark.parametrize(
    "words",
    [
        ("add", "a\udcff"),
        ("add", "Acme", "--name", "en=a\udcff"),
        ("add", "Acme", "--beside", "a\udcff"),
        ("search", "a\udcff"),
        ("show", "ent_a\udcff"),
        ("remove", "a\udcff"),
    ],
)
def test_what_is_typed_in_another_encoding_is_told(wirewatch, api, words):
    said = mistake(wirewatch, *words)

    assert "a\\udcff' is not UTF-8" in said


def test_an_unknown_kind_is_wrong_usage(wirewatch, api):
    assert wirewatch("entities", "add", "Acme", "--kind", "firm").exit_code == 2


# Listing and removing


def test_own_entities_are_listed(wirewatch, api):
    assert entities(wirewatch, "list").startswith("No entities of your own yet. Add one:")
    assert json.loads(entities(wirewatch, "list", "--json")) == []
    entities(wirewatch, "add", "Acme", "--kind", "organisation")
    entities(wirewatch, "add", "Supply chain", "--kind", "theme")
    listed = entities(wirewatch, "list")

    assert "Acme (own)" in listed
    assert f"entity:{ACME}" in listed
    assert "topic:supply-chain" in listed
    assert {each["id"] for each in json.loads(entities(wirewatch, "list", "--json"))} == {
        ACME, "topic:supply-chain",
    }  # fmt: skip


def test_a_name_cannot_steer_the_terminal(wirewatch, api):
    entities(wirewatch, "add", "Acme\u202egnp", "--kind", "place", "--name", "en=Ac\x1b[31mme")
    said = entities(wirewatch, "list") + entities(wirewatch, "show", "Acme\u202egnp")

    assert "Acme" in said
    assert not {"\x1b", "\u202e"} & set(said)


def test_an_entity_is_removed_by_name_or_id(wirewatch, api):
    for which in ("acme", ACME):
        entities(wirewatch, "add", "Acme", "--kind", "organisation")
        assert entities(wirewatch, "remove", which) == f"Removed {ACME}\n"
        assert api.sent[-1] == ACME
    assert json.loads(entities(wirewatch, "list", "--json")) == []


def test_an_entity_is_removed_and_shown_by_a_name_that_no_text_has(wirewatch, api):
    entities(wirewatch, "add", "Ours", "--kind", "organisation", "--name", "en=Acme")
    key = own_id("Ours", Kind.ORGANISATION)

    assert f"id       {key}" in entities(wirewatch, "show", "ours")
    assert entities(wirewatch, "remove", "Ours") == f"Removed {key}\n"


def test_the_beginning_of_a_name_removes_nothing(wirewatch, api):
    entities(wirewatch, "add", "Acme", "--kind", "organisation")

    assert mistake(wirewatch, "remove", "Acm") == (
        "No entity of your own is called Acm: see `wirewatch entities list`."
    )
    assert len(api.sent) == 1


def test_one_of_two_with_a_name_is_removed_by_id_alone(wirewatch, api):
    for kind in ("place", "organisation"):
        entities(wirewatch, "add", "Acme", "--kind", kind)
    said = mistake(wirewatch, "remove", "Acme")

    assert said.startswith("Several entities are called Acme: choose by id among ent_")
    assert ACME in said


def test_what_ships_stays(wirewatch, api):
    entities(wirewatch, "add", "North Korea", "--id", "Q423", "--name", "en=Hermit Kingdom")
    assert entities(wirewatch, "remove", "North Korea") == "Removed Q423\n"
    shown = entities(wirewatch, "show", "Q423")

    assert "Hermit Kingdom" not in shown
    assert "DPRK" in shown
    assert "There is no entity Q423" in mistake(wirewatch, "remove", "Q423")
    assert "No entity of your own" in mistake(wirewatch, "remove", "North Korea")


def test_what_an_alert_asks_for_is_not_removed(wirewatch, api):
    entities(wirewatch, "add", "Acme", "--kind", "organisation")
    endpoint = asyncio.run(client().post("/v1/endpoints", {"url": HOOK}))
    asked = {"name": "Mine", "query": "entity:Acme AND storm", "endpoint_ids": [endpoint["id"]]}
    asyncio.run(client().post("/v1/subscriptions", asked))
    assert "is asked for by Mine" in mistake(wirewatch, "remove", "Acme")

    assert wirewatch("alerts", "remove", "Mine").exit_code == 0
    assert entities(wirewatch, "remove", "Acme") == f"Removed {ACME}\n"
