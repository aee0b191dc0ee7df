"""`wirewatch entities import` and `refresh`, from a Wikidata on 127.0.0.1."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.gazetteer import Gazetteer
from wirewatch.entities.own import Imported, with_import
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.kafka import Position, Received
from wirewatch.topics.entities import Alias, Entity, Kind

SHIPPED = Entity(
    id="Q423",
    kind=Kind.COUNTRY,
    labels={"en": "North Korea"},
    aliases=(Alias(text="North Korea", language="en"),),
)


def item(item_id: str, english: str, aliases: tuple[str, ...] = (), **labels: str) -> dict:
    """An item as it comes: with labels, aliases in English, and that it is a person."""
    person = {"snaktype": "value", "datavalue": {"value": {"id": "Q5"}, "type": "…"}}
    return {
        "id": item_id,
        "labels": {
            tag: {"language": tag, "value": text}
            for tag, text in ({"en": english} | labels).items()
        },
        "aliases": {"en": [{"language": "en", "value": each} for each in aliases]},
        "claims": {"P31": [{"mainsnak": person, "rank": "normal"}]},
    }


class WikidataServer:
    """Knows `items`, and for a search `hits`; keeps what it was asked."""

    def __init__(self) -> None:
        self.items: dict[str, dict] = {}
        self.hits: list[dict] = []
        self.asked: list[dict[str, str]] = []
        self.agents: set[str] = set()

    @property
    def ids(self) -> list[str]:
        """What was asked for by id."""
        return [each for asked in self.asked for each in asked.get("ids", "").split("|") if each]

    def answer(self, asked: dict[str, str]) -> dict:
        self.asked.append(asked)
        if asked["action"] == "wbsearchentities":
            return {"search": self.hits, "success": 1}
        ids = asked["ids"].split("|")
        return {
            "entities": {each: self.items.get(each, {"id": each, "missing": ""}) for each in ids},
            "success": 1,
        }


@pytest.fixture
def wikidata(monkeypatch: pytest.MonkeyPatch) -> Iterator[WikidataServer]:
    known = WikidataServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.agents.add(self.headers["User-Agent"])
            query = parse_qs(urlsplit(self.path).query)
            raw = json.dumps(known.answer({key: value[0] for key, value in query.items()})).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("WIREWATCH_WIKIDATA_URL", f"http://127.0.0.1:{server.server_port}/api")
        monkeypatch.setenv("WIREWATCH_ALLOW_NETWORKS", "127.0.0.0/8")
        monkeypatch.setenv("WIREWATCH_INGEST_CONTACT", "me@example.org")
        yield known
        server.shutdown()
        thread.join(10)


@pytest.fixture
def gazetteer() -> Gazetteer:
    """The API knows a country besides own entities."""
    return Gazetteer(Catalogue([SHIPPED]))


@pytest.fixture
def imported(tables):
    """Put an entity in that was imported so many days ago, with these names before."""

    def put(item_id: str, days: float, *names: str, **changes: object) -> None:
        at = utc_now() - timedelta(days=days)
        entity = Entity(
            id=item_id, kind=Kind.PERSON, labels={}, name=item_id, created_at=at, **changes
        )  # fmt: skip
        entity = with_import(entity, Imported(aliases={"en": names}), at)
        tables.entities.apply([Received(Position(0, 0), item_id, entity)])

    return put


def done(wirewatch, *words: str) -> str:
    result = wirewatch("entities", *words)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def mistake(wirewatch, *words: str) -> str:
    result = wirewatch("entities", *words)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("wirewatch: ")
    return result.stderr.removeprefix("wirewatch: ").strip()


def names_of(wirewatch, item_id: str) -> set[str]:
    shown = json.loads(done(wirewatch, "show", item_id, "--json"))
    return {name.strip("^~?") for names in shown["found_by"].values() for name in names}


# Importing


def test_items_are_imported_by_id(wirewatch, api, wikidata):
    wikidata.items["Q7747"] = item("Q7747", "Vladimir Putin", ("VVP",), de="Wladimir Putin")
    wikidata.items["Q2"] = item("Q2", "Alla Pugacheva")

    assert done(wirewatch, "import", "Q7747", "Q2", "Q7747") == (
        "Imported Vladimir Putin (Q7747, person): found by 4 names in 2 languages\n"
        "Imported Alla Pugacheva (Q2, person): found by 1 names in 1 languages\n"
    )
    assert wikidata.ids == ["Q7747", "Q2"]
    assert all(agent.endswith(" (+me@example.org)") for agent in wikidata.agents)
    assert [(each.id, each.kind, each.name) for each in api.sent] == [
        ("Q7747", "person", "Vladimir Putin"),
        ("Q2", "person", "Alla Pugacheva"),
    ]
    assert names_of(wirewatch, "Q7747") == {"Vladimir Putin", "VVP", "Wladimir Putin"}


def test_an_item_is_imported_by_the_one_name_it_has(wirewatch, api, wikidata):
    wikidata.items["Q7747"] = item("Q7747", "Vladimir Putin")
    wikidata.hits = [{"id": "Q7747", "label": "Wladimir Putin", "description": "Politiker"}]
    said = done(wirewatch, "import", "Wladimir", "Putin", "--language", "de")

    assert said.startswith("Imported Vladimir Putin (Q7747, person)")
    search = wikidata.asked[0]
    assert (search["search"], search["language"]) == ("Wladimir Putin", "de")


def test_where_a_name_finds_several_one_has_to_be_chosen(wirewatch, api, wikidata):
    wikidata.hits = [
        {"id": "Q90", "label": "Paris", "description": "capital\x1b[31m of France"},
        {"id": "Q830149", "label": "Paris", "description": "city in Texas"},
    ]
    result = wirewatch("entities", "import", "Paris")

    assert result.exit_code == 1
    assert result.stderr == (
        "wirewatch: Wikidata finds several things by Paris: choose one, as in: "
        "wirewatch entities import Q90\n"
    )
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ID", "Q90", "Q830149"]
    assert "\x1b" not in result.stdout
    assert api.sent == []


def test_what_wikidata_does_not_know_is_told(wirewatch, api, wikidata):
    assert mistake(wirewatch, "import", "Apex") == (
        "Wikidata knows nothing called Apex in en: try another --language."
    )
    wikidata.items["Q1"] = item("Q1", "One Thing")
    result = wirewatch("entities", "import", "Q99", "Q1", "Q98")

    assert result.stdout.startswith("Imported One Thing (Q1, person)")
    assert result.stderr == "wirewatch: Wikidata has no Q99, Q98: check the ids.\n"
    assert result.exit_code == 1


def test_a_merged_item_is_imported_under_its_new_id(wirewatch, api, wikidata):
    wikidata.items["Q404"] = item("Q7747", "Vladimir Putin")

    assert "(Q7747, person)" in done(wirewatch, "import", "Q404")
    assert [each.id for each in api.sent] == ["Q7747"]


def test_the_kind_of_a_new_one_may_be_said(wirewatch, api, wikidata):
    wikidata.items["Q1"] = item("Q1", "One Thing")

    assert "(Q1, place)" in done(wirewatch, "import", "Q1", "--kind", "place")
    assert mistake(wirewatch, "import", "Q1", "--kind", "person", "--force") == (
        "Q1 is not imported: here it is place, not person: leave --kind out."
    )


def test_one_of_the_catalogue_keeps_its_kind_and_names(wirewatch, api, wikidata):
    wikidata.items["Q423"] = item("Q423", "North Korea", ("Hermit Kingdom",))

    assert "(Q423, country)" in done(wirewatch, "import", "Q423")
    assert {"North Korea", "Hermit Kingdom"} <= names_of(wirewatch, "Q423")
    assert api.sent[0].kind is Kind.COUNTRY


def test_one_that_is_refused_does_not_stop_the_others(wirewatch, api, wikidata):
    wikidata.items = {each: item(each, f"Thing {each}") for each in ("Q423", "Q1")}
    result = wirewatch("entities", "import", "Q423", "Q1", "--kind", "person")

    assert result.stdout.startswith("Imported Thing Q1")
    assert result.stderr == (
        "wirewatch: Q423 is not imported: here it is country, not person: leave --kind out.\n"
    )


# What was imported before


def test_what_was_imported_within_a_week_is_left_alone(wirewatch, api, wikidata, imported):
    imported("Q1", 6.9, "Old Name")
    imported("Q2", 7.1, "Old Name")
    wikidata.items = {each: item(each, "New Name") for each in ("Q1", "Q2")}
    said = done(wirewatch, "import", "Q1", "Q2").splitlines()

    assert said[0] == (
        "Q1 was imported less than a week ago; to ask again: wirewatch entities import Q1 --force"
    )
    assert said[1].startswith("Imported Q2 (Q2, person)")
    assert wikidata.ids == ["Q2"]
    assert names_of(wirewatch, "Q1") == {"Old Name"}
    assert names_of(wirewatch, "Q2") == {"New Name"}


def test_force_asks_again(wirewatch, api, wikidata, imported):
    imported("Q1", 1, "Old Name")
    wikidata.items["Q1"] = item("Q1", "New Name")

    assert done(wirewatch, "import", "Q1", "--force").startswith("Imported ")
    assert names_of(wirewatch, "Q1") == {"New Name"}


def test_a_refresh_keeps_own_names_and_leaves_dropped_ones_out(wirewatch, api, wikidata, imported):
    imported("Q1", 8, "Old Name", "Nuisance", names={"en": "My Name"}, dropped=("Nuisance",))
    imported("Q2", 1, "Fresh Name")
    done(wirewatch, "add", "Acme", "--kind", "place")
    done(wirewatch, "add", "Written", "--kind", "place", "--id", "Q3")
    wikidata.items["Q1"] = item("Q1", "New Name", ("Nuisance",))
    said = done(wirewatch, "refresh").splitlines()

    assert {line.partition(" was ")[0].partition(" (")[0] for line in said} == {"Q2", "Imported Q1"}
    assert wikidata.ids == ["Q1"]
    assert names_of(wirewatch, "Q1") == {"New Name", "My Name"}
    assert api.sent[-1].dropped == ("Nuisance",)


def test_without_imports_there_is_nothing_to_refresh(wirewatch, api, wikidata):
    done(wirewatch, "add", "Acme", "--kind", "place")

    assert done(wirewatch, "refresh") == (
        "Nothing was imported yet: wirewatch entities import Q423\n"
    )
    assert wikidata.asked == []


# When something is away


def test_an_address_that_is_not_allowed_is_told_at_once(wirewatch, api, wikidata, monkeypatch):
    monkeypatch.delenv("WIREWATCH_ALLOW_NETWORKS")

    assert "127.0.0.1 is not a public address" in mistake(wirewatch, "import", "Q1")
    assert wikidata.asked == []


def test_what_is_not_wikidata_is_told(wirewatch, api, wikidata, monkeypatch):
    wikidata.items["Q1"] = item("Q1", "One")
    monkeypatch.setattr(wikidata, "answer", lambda asked: {"title": "Not Wikidata"})

    assert "is not Wikidata's API: check WIREWATCH_WIKIDATA_URL." in mistake(
        wirewatch, "import", "Q1"
    )


def test_where_the_api_is_away_it_is_told_and_wikidata_not_asked(wirewatch, wikidata, monkeypatch):
    monkeypatch.setenv("WIREWATCH_API_URL", "http://127.0.0.1:9")

    for words in (("import", "Q1"), ("refresh",)):
        assert mistake(wirewatch, *words).startswith(
            "The API at http://127.0.0.1:9 does not answer"
        )
    assert wikidata.asked == []
