"""`wirewatch entities load`: own entities from YAML and CSV."""

from pathlib import Path

import pytest

from wirewatch.cli.entity_files import MAX_FILE_BYTES
from wirewatch.entities.own import own_id
from wirewatch.topics.entities import Kind

ACME = own_id("Acme", Kind.ORGANISATION)
YAML = """\
# Mine
- name: Acme
  kind: organisation
  names: {en: Acme; ACME Corp, no: Akme~}
  exceptions:
    en: Acme Road
  context: [Q423]
- {name: Supply chain, kind: theme, names: {en: 'supply chain{,s}'}}
- name: 2024
  kind: organisation
"""
CSV = """\
name,kind,id,language,names,exceptions
Acme,organisation,,en,"Acme; ACME Corp","Acme Road"
"Nord, Inc",organisation,Q99,no,Nord~,
Acme,,,no,Akme~,
Acme,place,,,Acme,
"""


@pytest.fixture
def load(wirewatch, tmp_path: Path):
    """Load what a file of this name holds; return what is said."""

    def run(text: str | bytes, name: str = "own.yaml") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = wirewatch("entities", "load", str(path))
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    return run


@pytest.fixture
def mistake(wirewatch, tmp_path: Path):
    """Load a file that is wrong; return the one sentence that is said, without the folder."""

    def run(text: str | bytes, name: str = "own.yaml") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = wirewatch("entities", "load", str(path))
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert result.stderr.startswith(f"wirewatch: {tmp_path}/")
        return result.stderr.strip().removeprefix(f"wirewatch: {tmp_path}/")

    return run


def summary(added: int, there: int) -> str:
    return f"{added + there} entities: {added} added, {there} there already and as described now\n"


# Files that are right


def test_a_yaml_file_is_loaded_and_words_stay_words(api, load):
    assert load(YAML) == summary(3, 0)
    acme, theme, number = api.sent

    assert (acme.id, acme.kind, acme.context) == (ACME, "organisation", ("Q423",))
    assert acme.names == {"en": "Acme; ACME Corp", "no": "Akme~"}
    assert acme.exceptions == {"en": "Acme Road"}
    assert (theme.id, theme.kind) == ("topic:supply-chain", "theme")
    assert (number.name, number.names) == ("2024", {"*": "2024"})


def test_of_a_csv_file_the_rows_of_one_name_are_one(api, load):
    assert load(CSV, "own.csv") == summary(3, 0)
    acme, nord, place = api.sent

    assert (acme.id, acme.kind) == (ACME, "organisation")
    assert acme.names == {"en": "Acme; ACME Corp", "no": "Akme~"}
    assert acme.exceptions == {"en": "Acme Road"}
    assert (nord.id, nord.name, nord.names) == ("Q99", "Nord, Inc", {"no": "Nord~"})
    assert (place.kind, place.names) == ("place", {"*": "Acme"})


def test_two_of_one_name_are_told_apart_by_id(api, load):
    rows = "name,kind,id,names\nGeorgia,place,Q1428,Georgia\nGeorgia,place,Q230,Georgien\n"
    assert load(rows, "own.csv") == summary(2, 0)

    assert {each.id: each.names for each in api.sent} == {
        "Q1428": {"*": "Georgia"},
        "Q230": {"*": "Georgien"},
    }


def test_names_alone_make_a_csv_file(api, load):
    load("name,kind\nAcme,organisation\n", "own.CSV")

    assert api.sent[0].names == {"*": "Acme"}


def test_a_file_of_windows_is_read(api, load):
    raw = b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode()

    assert load(raw, "own.csv") == summary(3, 0)
    assert load(b"\xef\xbb\xbf" + YAML.replace("\n", "\r\n").encode()) == summary(2, 1)


@pytest.mark.parametrize(("text", "name"), [(YAML, "own.yaml"), (CSV, "own.csv")])
def test_loading_twice_changes_nothing(api, load, text, name):
    load(text, name)
    written = list(api.sent)

    assert load(text, name) == summary(0, 3)
    assert api.sent == written


@pytest.mark.parametrize(("text", "name"), [(YAML, "own.yaml"), (CSV, "own.csv")])
def test_a_changed_file_changes_the_entity(api, load, text, name):
    load(text, name)
    count = len(api.sent)
    load(text.replace("Acme; ACME Corp", "Acme; ACME AG"), name)

    (changed,) = api.sent[count:]
    assert (changed.id, changed.names["en"]) == (ACME, "Acme; ACME AG")
    assert [alias.text for alias in changed.aliases[:2]] == ["Acme", "ACME AG"]
    assert changed.exceptions == {"en": "Acme Road"}


def test_what_a_file_empties_is_emptied_and_what_it_leaves_out_stays(api, load):
    load(YAML)
    load("- {name: Acme, kind: organisation, names: {en: Acme}, exceptions: {}}")

    assert (api.sent[-1].names, api.sent[-1].exceptions) == ({"en": "Acme"}, {})
    assert api.sent[-1].context == ("Q423",)


def test_what_a_csv_file_no_longer_says_is_gone(api, load):
    load(CSV, "own.csv")
    load(CSV.replace('"Acme Road"', ""), "own.csv")

    assert api.sent[-1].id == ACME
    assert api.sent[-1].exceptions == {}


def test_an_entity_with_an_id_of_wikidata_is_changed_under_it(api, load):
    load("- {name: Acme, kind: place, id: Q99, names: {en: Acme}}")
    load("- {name: Acme Inc, kind: place, id: Q99, names: {en: Acme}, dropped: [Anvil]}")

    assert [each.id for each in api.sent] == ["Q99", "Q99"]
    assert (api.sent[-1].name, api.sent[-1].dropped) == ("Acme Inc", ("Anvil",))


# Files that are wrong


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", " is not a list of entities: begin each with `- name: …`."),
        ("name: Acme", " is not a list of entities: begin each with `- name: …`."),
        ("- Acme", ", entity 1: Expected `object`, got `str`."),
        ("- {kind: place}", ", entity 1: Object missing required field `name`."),
        ("- {name: A, kind: firm}", ", entity 1: Invalid enum value 'firm' - at `$.kind`."),
        (
            "- name: Aa\n- {name: A, nmae: B}",
            ", entity 2: Object contains unknown field `nmae`.",
        ),
        (
            "- {name: A, names: Acme}",
            ", entity 1: Expected `object`, got `str` - at `$.names`.",
        ),
        (
            "- {name: A, names: {en: [Aa]}}",
            ", entity 1: Expected `str`, got `array` - at `$.names[...]`.",
        ),
        ("- name: A\n  kind: place\n  name: B", ", line 3 is not YAML: name is there twice."),
        ("- name: &a A\n- name: *a", ", line 1 is not YAML: anchors (&, *) are not taken."),
        ("- name: A\n- name: *a", ", line 2 is not YAML: anchors (&, *) are not taken."),
        ("- name: !!int x", ", line 1 is not YAML: tags (!) are not taken."),
        ("- name: !!python/name:os.system x", ", line 1 is not YAML: tags (!) are not taken."),
        ("- {? [a] : b, name: A}", ", line 1 is not YAML: found unhashable key."),
        ("- name: A\n---\n- name: B", ", line 2 is not YAML: but found another document."),
        ("- name: A\n  - B", ", line 2 is not YAML: expected <block end>, but found '-'."),
        (b"- name: M\xfcller", " is not UTF-8 (byte 9): save it as UTF-8."),
    ],
)
def test_a_mistake_in_yaml_is_told_with_its_place(api, mistake, text, said):
    assert mistake(text) == "own.yaml" + said
    assert api.sent == []


@pytest.mark.parametrize("text", ["[" * 10_000, "- name: a\x00b", "- name: '\x1b[31m'"])
def test_what_is_no_yaml_is_told(api, mistake, text):
    said = mistake(text)

    assert said.startswith("own.yaml is not YAML: ")
    assert said.isprintable()


def test_half_a_character_is_told_with_its_place(api, mistake):
    said = mistake('- name: "\\ud800"')

    assert said.startswith("own.yaml, entity 1: 'utf-8' codec can't encode character '\\ud800'")


KNOWN = "there are name, kind, id, language, names, exceptions."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f" needs a column name: {KNOWN}"),
        ("kind\nplace", f" needs a column name: {KNOWN}"),
        ("name;kind\nA;place", f" has a column 'name;kind', which is not known: {KNOWN}"),
        ("name,,kind\n", f" has a column '', which is not known: {KNOWN}"),
        ("name,kind,name\n", " has the column name twice."),
        ("name,kind\n\nAcme,place\n ,place\n", ", line 4: the name is missing."),
        ("name,kind\nAcme,place,Aa\n", ", line 2: there are more cells than columns."),
        ("name,kind\nAcme,place\nApex,firm", ", line 3: Invalid enum value 'firm' - at `$.kind`."),
        (
            "name,kind,language,names\nAcme,place,en,Aa\nAcme,,en,Bb\n",
            ", line 3: names of Acme in en are there twice.",
        ),
        ('name,kind\nA,place\n"B,place\n', ", line 3 is not CSV: unexpected end of data."),
        ('name,kind\n"Ac"me,place\n', ", line 2 is not CSV: ',' expected after '\"'."),
        (
            f"name,kind\n{'x' * 140_000},place\n",
            ", line 2 is not CSV: field larger than field limit (131072).",
        ),
        (b"name\nM\xfcller", " is not UTF-8 (byte 6): save it as UTF-8."),
    ],
)
def test_a_mistake_in_csv_is_told_with_its_place(api, mistake, text, said):
    assert mistake(text, "own.csv") == "own.csv" + said
    assert api.sent == []


@pytest.mark.parametrize(
    ("entity", "said"),
    [
        ("{name: Apex}",
         "kind: is required; there are country, place, person, organisation, theme."),
        ("{name: Apex, kind: place, id: X}",
         "id: must be a Wikidata id such as Q423, or for a theme topic:name."),
        ("{name: Apex, kind: place, names: {en: Aa~~}}",
         "names.en: 'Aa~~' is not an alias such as 'name' or 'stem~ending'."),
        ("{name: 石油, kind: theme}",
         "id: is needed: the name of the theme makes none, such as topic:supply."),
    ],
)  # fmt: skip
def test_what_the_api_refuses_is_told_with_its_place(api, mistake, entity, said):
    name = "石油" if "石油" in entity else "Apex"

    assert mistake(f"- {{name: Acme, kind: place}}\n- {entity}\n") == (
        f"own.yaml, entity 2 ({name}): {said} 1 before it are in force."
    )
    assert [each.name for each in api.sent] == ["Acme"]


def test_a_change_that_is_refused_is_told_with_its_place(api, load, mistake):
    load(YAML)

    assert mistake(YAML.replace("no: Akme~", "no: Akme~~")).startswith(
        "own.yaml, entity 1 (Acme): names.no: 'Akme~~' is not an alias"
    )


def test_where_there_is_no_room_for_more_it_is_told(api, load, mistake, monkeypatch):
    load(YAML)
    monkeypatch.setattr("wirewatch.api.entities.MAX_OWN", 3)

    assert mistake(YAML + "- {name: Apex, kind: place}") == (
        "own.yaml, entity 4 (Apex): There are 3 own entities, and no more are allowed: "
        "remove some. 3 before it are in force."
    )


def test_too_large_a_file_is_not_read(api, mistake):
    assert mistake(b" " * (MAX_FILE_BYTES + 1)) == (
        f"own.yaml is larger than {MAX_FILE_BYTES} bytes: split it."
    )


@pytest.mark.parametrize(
    ("name", "why"), [("none.yaml", "No such file or directory"), ("", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_told(wirewatch, api, tmp_path, name, why):
    result = wirewatch("entities", "load", str(tmp_path / name))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"wirewatch: {tmp_path / name} cannot be read: {why}.\n"


def test_where_the_api_is_away_it_is_told(wirewatch, monkeypatch, tmp_path):
    monkeypatch.setenv("WIREWATCH_API_URL", "http://127.0.0.1:9")
    path = tmp_path / "own.yaml"
    path.write_text(YAML)
    result = wirewatch("entities", "load", str(path))

    assert result.exit_code == 1
    assert result.stderr.startswith("wirewatch: The API at http://127.0.0.1:9 does not answer")
