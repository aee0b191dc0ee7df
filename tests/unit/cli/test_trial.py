"""`wirewatch alerts check` and `test`: a query tried here, without a network."""

import json
import unicodedata
from pathlib import Path

import pytest

HOOK = "https://receiver.example/hook"


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No API answers, unless a test asks for one."""
    monkeypatch.setenv("WIREWATCH_API_URL", "http://127.0.0.1:9")


def test_a_query_of_another_tool_is_checked_with_notes_and_warnings(wirewatch):
    checked = wirewatch("alerts", "check", "site:x.org filetype:pdf", "--dialect", "google")

    assert checked.exit_code == 0
    assert checked.stdout == (
        "source:x.org\n"
        "note: filetype:pdf: articles of feeds have no file type: left out\n"
        "warning: every article that passes these filters matches: add a word (source:x.org)\n"
    )


def test_a_mistake_in_another_tools_query_is_shown_in_its_place(wirewatch):
    wrong = wirewatch("alerts", "check", "a AND (b or *tion)", "--dialect", "boolean")

    assert wrong.exit_code == 1
    assert wrong.stderr.splitlines()[:3] == [
        "wirewatch: *tion would stand for too many words (at character 13)",
        "  a AND (b or *tion)",
        "              ^^^^^",
    ]


def test_an_alert_is_added_in_our_language(wirewatch, api):
    added = wirewatch(
        "alerts", "add", "Quakes", "quake w/3 chile date:x", "--to", HOOK, "--dialect", "boolean"
    )

    assert added.exit_code == 0
    assert added.stdout.startswith(
        "note: date:x: alerts are about what is published from now on: left out\nAdded Quakes\n"
    )
    assert api.sent[-1].query == "quake NEAR/3 chile"


def test_a_match_is_shown_with_the_words_and_their_places(wirewatch):
    tried = wirewatch(
        "alerts", "test", "storms AND entity:Japan", "--title", "A storm", "--lead", "in Japan",
        "--language", "en",
    )  # fmt: skip

    assert tried.exit_code == 0
    assert tried.stdout == (
        "It matches.\n  storms        title 2-7  A storm\n  entity:Japan  lead 3-8   in Japan\n"
    )


def test_the_least_that_is_missing_and_what_is_unwanted_are_told(wirewatch):
    tried = wirewatch(
        "alerts", "test", "storm topic:military -football", "--title", "A football storm",
        "--language", "en",
    )  # fmt: skip

    assert tried.stdout == (
        "It does not match.\n"
        "  storm     title 11-16  A football storm\n"
        "  football  title 2-10   A football storm\n"
        "missing: topic:military\n"
        "unwanted: football, there at title 2-10\n"
    )


def test_an_article_is_read_from_a_file_or_from_standard_input(wirewatch, tmp_path: Path):
    article = {
        "title": "Sturm", "body": "e\u0301t", "url": "https://www.n.example/a", "language": "de",
        "authors": ["Ana"], "country": "de", "feed": "World",
    }  # fmt: skip
    file = tmp_path / "article.json"
    file.write_text(json.dumps(article))
    query = "sturm source:n.example author:ana country:DE feed:world body:=\u00e9t"

    tried = wirewatch("alerts", "test", query, "--article", str(file), "--json")
    view = json.loads(tried.stdout)
    assert (view["matches"], view["missing"]) == (True, [])
    assert [proof["text"] for proof in view["proofs"]] == [
        "Sturm", "n.example", "Ana", "DE", "World", unicodedata.normalize("NFC", "e\u0301t"),
    ]  # fmt: skip
    changed = wirewatch(
        "alerts", "test", query, "--article", "-", "--title", "x", stdin=json.dumps(article)
    )
    assert "missing: sturm\n" in changed.stdout


def test_a_guess_of_the_language_is_told(wirewatch):
    text = "Die Regierung hat gestern neue Gesetze beschlossen und viele Bürger sind dagegen."

    tried = wirewatch("alerts", "test", "gesetz", "--lead", text)

    assert tried.stdout.startswith("It matches (read as de, which is a guess).\n")


def test_an_alert_that_was_added_is_tried_by_its_id(wirewatch, api):
    added = wirewatch("alerts", "add", "Storms", "storm", "--to", HOOK)
    alert_id = added.stdout.splitlines()[1]

    tried = wirewatch("alerts", "test", alert_id, "--title", "A storm", "--language", "en")

    assert tried.stdout.startswith("It matches.\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["storm"],
            "Say what the article holds: --title, --lead, --body or --article FILE.",
        ),
        (["storm", "--article", "/nowhere.json"], "/nowhere.json cannot be opened: No such file"),
        (["storm", "--article", "-"], "- is no article as JSON: "),
        (["storm", "--title", "a" * 1_001], "The article's title has 1001 characters, at most"),
        (["storm (", "--title", "a"], "after ( something to look for is missing"),
    ],
)
def test_a_mistake_is_one_sentence(wirewatch, words: list[str], says: str):
    tried = wirewatch("alerts", "test", *words, stdin="[")

    assert tried.exit_code == 1
    assert tried.stderr.startswith(f"wirewatch: {says}")
    assert "Traceback" not in tried.stderr


def test_what_an_article_says_cannot_steer_the_terminal(wirewatch):
    tried = wirewatch("alerts", "test", "storm", "--title", "\x1b[31mstorm\u202e", "--json")

    assert "\x1b" not in tried.stdout
    shown = wirewatch("alerts", "test", "storm", "--title", "\x1b[31mstorm\u202e")
    assert not {"\x1b", "\u202e"} & set(shown.stdout)


# What only the API knows


def test_a_query_that_names_an_own_entity_is_checked_tried_and_added(wirewatch, api):
    assert wirewatch("entities", "add", "Zorbly", "--kind", "organisation").exit_code == 0

    checked = wirewatch("alerts", "check", "Entity:zorbly  lawsuit")
    assert (checked.exit_code, checked.stdout) == (0, "entity:zorbly AND lawsuit\n")
    tried = wirewatch(
        "alerts", "test", "entity:Zorbly lawsuit", "--title", "Zorbly grows", "--author", "A. B.",
        "--language", "en",
    )  # fmt: skip
    assert tried.exit_code == 0
    assert tried.stdout == (
        "It does not match.\n  entity:Zorbly  title 0-6  Zorbly grows\nmissing: lawsuit\n"
    )
    added = wirewatch("alerts", "add", "Mine", "entity:Zorbly", "--to", HOOK)
    assert added.exit_code == 0
    assert api.sent[-1].query == "entity:Zorbly"


def test_a_mistake_beside_an_own_entity_is_the_one_that_is_shown(wirewatch, api):
    wirewatch("entities", "add", "Zorbly", "--kind", "organisation")
    for words in (("check",), ("test", "--title", "x")):
        wrong = wirewatch("alerts", words[0], "entity:Zorbly entity:Nowhereland", *words[1:])
        assert wrong.exit_code == 1
        assert wrong.stderr.startswith("wirewatch: there is no entity “Nowhereland”")


def test_without_the_api_an_own_entity_is_not_known(wirewatch):
    wrong = wirewatch("alerts", "check", "entity:Zorbly")
    assert wrong.exit_code == 1
    assert wrong.stderr.startswith("wirewatch: there is no entity “Zorbly” (at character 8)\n")
