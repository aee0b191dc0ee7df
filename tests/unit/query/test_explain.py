from itertools import combinations

import pytest
from hypothesis import given, settings

from fakes.news import CATALOGUE, article
from fakes.queries import articles, queries
from wirewatch.entities.find import Finder
from wirewatch.query.explain import Missing, explain, explain_in_full, matches
from wirewatch.query.parse import parse
from wirewatch.query.places import places
from wirewatch.query.printing import to_text
from wirewatch.query.reading import Reading, read
from wirewatch.query.tree import And, Not, Or, Query, leaves
from wirewatch.topics.alerts import MAX_PROOFS, MAX_SNIPPET_CHARS, Field
from wirewatch.topics.articles import Article

FINDER = Finder(CATALOGUE)


def proofs(query: str, found: Article) -> list[tuple[str, str]] | None:
    """Return (field, words) of each proof."""
    explained = explain(parse(query, CATALOGUE), read(found, FINDER))
    return None if explained is None else [(p.field.value, p.text) for p in explained]


@pytest.mark.parametrize(
    ("query", "title", "language", "words"),
    [
        ("quake", "Quakes, quaking", "en", ["Quakes", "quaking"]),
        ("häuser", "Das HAUS der Häusern", "de", ["HAUS", "Häusern"]),
        ("raketen", "Rakete", "de", ["Rakete"]),
        ("ракета", "Запуск ракеты", "ru", ["ракеты"]),
        ("elecciones", "Una elección", "es", ["elección"]),
        ("seisme", "Un séisme", "fr", ["séisme"]),
        ("armee", "L’armée", "fr", ["armée"]),
        ("ＴＯＫＹＯ", "Tōkyō", "en", ["Tōkyō"]),
        ("strasse", "Straße", "xx", ["Straße"]),
        ("地震", "北海道で地震", "ja", ["地震"]),
        ("แผ่นดินไหว", "เกิดแผ่นดินไหวรุนแรง", "th", ["แผ่นดินไหว"]),
        ("भूकंप", "जापान में भूकंप", "hi", ["भूकंप"]),
        ('"new york"', "In New  York, the new yorkers", "en", ["New  York"]),
        ('"quake"', "quakes quake", "en", ["quake"]),
        ("well-known", "a well known case", "en", ["well known"]),
        ("covid-19", "COVID-19 cases", "en", ["COVID-19"]),
        ("42", "At 42, not 142", "en", ["42"]),
    ],
)
def test_a_leaf_is_found_and_shown_as_it_stands(
    query: str, title: str, language: str, words: list[str]
) -> None:
    assert proofs(query, article(title, language=language)) == [("title", word) for word in words]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("quake", "earthquake"),
        ('"new york"', "york new"),
        ('"new york"', "new, in york"),
        ("quake AND japan", "quake in Chile"),
        ("quake -japan", "quake in Japan"),
        ("entity:Russia", "Russell speaks"),
    ],
)
def test_what_is_not_there_is_no_match(query: str, title: str) -> None:
    assert proofs(query, article(title)) is None


def test_entities_are_found_in_the_articles_language() -> None:
    query = 'entity:"North Korea" AND entity:Russia AND topic:military'

    assert proofs(query, article("Die Armee Nordkoreas in Russland", language="de")) == [
        ("title", "Nordkoreas"),
        ("title", "Russland"),
        ("title", "Armee"),
    ]
    assert proofs(query, article("Nordkoreas Bahn in Russland", language="de")) is None


def test_every_alternative_that_holds_is_proved_and_a_not_is_not() -> None:
    found = article("quake and flood", body="a flood")

    assert proofs("(quake OR flood OR fire) -war", found) == [
        ("title", "quake"),
        ("title", "flood"),
        ("body", "flood"),
    ]


def test_the_same_text_as_lead_and_body_is_proved_once() -> None:
    assert proofs("flood", article("x", lead="a flood", body="a flood")) == [("lead", "flood")]


def test_proof_snippet_and_offsets_are_exact() -> None:
    body = "wörd " * 100 + "the Čapek quake, " + "end " * 100
    explained = explain(parse("quake", CATALOGUE), read(article(body=body), FINDER))

    assert explained is not None
    [proof] = explained
    assert proof.field is Field.BODY
    assert body[proof.start : proof.end] == proof.text == "quake"
    assert proof.snippet[proof.mark_start : proof.mark_end] == "quake"
    assert proof.snippet in body
    assert len(proof.snippet) <= MAX_SNIPPET_CHARS
    assert proof.snippet.startswith("wörd ")
    assert proof.snippet.endswith(" end")


def test_many_proofs_are_cut_and_every_leaf_keeps_one() -> None:
    words = [f"w{n}" for n in range(40)]
    body = " ".join(words * 3)
    explained = explain(parse(" ".join(words), CATALOGUE), read(article(body=body), FINDER))

    assert explained is not None
    assert len(explained) == MAX_PROOFS
    assert {proof.leaf for proof in explained} == set(words)


def _holds(query: Query, reading: Reading) -> bool:
    """What And, Or and Not mean, without any proof."""
    match query:
        case And(parts):
            return all(_holds(part, reading) for part in parts)
        case Or(parts):
            return any(_holds(part, reading) for part in parts)
        case Not(part):
            return not _holds(part, reading)
        case leaf:
            return matches(leaf, reading)


@given(queries(), articles())
@settings(max_examples=300, deadline=None)
def test_logic_and_offsets_hold_for_any_query(query: Query, found: Article) -> None:
    reading = read(found, FINDER)
    texts = [(each.field, each.text) for each in reading.fields]

    explained = explain(query, reading)

    assert (explained is not None) == _holds(query, reading)
    for proof in explained or ():
        assert proof.snippet[proof.mark_start : proof.mark_end] == proof.text
        # Of several authors it is one of them.
        known = [text for field, text in texts if field is proof.field] or [proof.text]
        assert any(text[proof.start : proof.end] == proof.text for text in known)


@pytest.mark.parametrize(
    ("query", "title", "language", "words"),
    [
        # Accents are what the rules of Snowball look for: they are folded after stemming.
        ("ракетный", "Новой ракетной базы", "ru", ["ракетной"]),
        ("négocier", "Il a négocié", "fr", ["négocié"]),
        # A word is found by its written form or its stem: Snowball parts these.
        ("militar", "Fuerzas militares", "es", ["militares"]),
        ("seçim", "Seçimler", "tr", ["Seçimler"]),
        ("북한", "북한이 발표했다", "ko", ["북한이"]),
        ("missile-launch", "Missile launches", "en", ["Missile launches"]),
        ('צה"ל', 'דובר צה"ל הודיע', "he", ['צה"ל']),
        ("12:30", "At 12:30 sharp", "en", ["12:30"]),
    ],
)
def test_more_forms(query: str, title: str, language: str, words: list[str]) -> None:
    assert proofs(query, article(title, language=language)) == [("title", word) for word in words]


@pytest.mark.parametrize("query", ["NOT NOT quake", "NOT (NOT quake OR flood)"])
def test_a_leaf_that_is_denied_twice_is_asked_for_and_proved(query: str) -> None:
    assert proofs(query, article("quake")) == [("title", "quake")]


def test_a_phrase_is_found_by_its_rarest_word_and_where_it_repeats() -> None:
    assert proofs('"a a b"', article("a a a a b a b")) == [("title", "a a b")]
    assert proofs('"b a"', article("a b")) is None
    assert proofs('"b a"', article("b")) is None


def test_of_a_phrase_longer_than_a_snippet_the_beginning_is_shown() -> None:
    text = "north" + " -" * 150 + " korea"

    explained = explain(parse('"north korea"', CATALOGUE), read(article(text), FINDER))

    assert explained is not None
    [proof] = explained
    assert len(proof.snippet) == MAX_SNIPPET_CHARS
    assert proof.text == text[: proof.end] == proof.snippet[proof.mark_start : proof.mark_end]


def test_a_snippet_is_cut_at_line_ends_too() -> None:
    text = "\n".join(["word"] * 60 + ["quake"] + ["word"] * 60)

    explained = explain(parse("quake", CATALOGUE), read(article(text), FINDER))

    assert explained is not None
    assert set(explained[0].snippet.split("\n")) == {"word", "quake"}


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("quake AND japan", [("japan", False)]),
        ("quake AND (japan OR chile)", [("japan", False)]),
        ("(japan AND tokyo) OR (chile AND quake)", [("chile", False)]),
        ("quake -flood", [("flood", True)]),
        ("japan AND NOT (flood OR quake)", [("japan", False), ("flood", True), ("quake", True)]),
        ("NOT NOT japan", [("japan", False)]),
        ("lang:de title:quake", [("lang:de", False)]),
        # One leaf in both parts is fewer than the fewest of each part.
        ("(japan OR chile) AND (peru OR chile)", [("chile", False)]),
        ("quake NEAR/1 flood", [("quake NEAR/1 flood", False)]),
        ("ATLEAST/2 quake", [("ATLEAST/2 quake", False)]),
    ],
)
def test_what_is_missing_is_the_smallest_set(query: str, missing: list[tuple[str, bool]]) -> None:
    found = article("quake and then a flood")

    explained = explain_in_full(parse(query, CATALOGUE), read(found, FINDER))

    assert not explained.matches
    assert [(to_text(each.leaf), each.unwanted) for each in explained.missing] == missing


def test_where_it_does_not_match_what_is_there_is_shown_too() -> None:
    query = parse("quake (japan OR flood) -football", CATALOGUE)

    explained = explain_in_full(query, read(article("quake, flood", lead="football"), FINDER))

    assert [(proof.leaf, proof.field, proof.text) for proof in explained.proofs] == [
        ("quake", "title", "quake"),
        ("flood", "title", "flood"),
        ("football", "lead", "football"),
    ]


def test_a_match_lacks_nothing() -> None:
    query = parse("quake -football", CATALOGUE)
    reading = read(article("quake"), FINDER)

    explained = explain_in_full(query, reading)

    assert (explained.matches, explained.missing) == (True, ())
    assert explained.proofs == explain(query, reading)


def _would_hold(query: Query, changed: set[Missing], reading: Reading, *, wanted: bool) -> bool:
    """Say whether `query` (with `wanted` false its NOT) holds once `changed` are changed."""
    match query:
        case Not(part):
            return _would_hold(part, changed, reading, wanted=not wanted)
        case And(parts) | Or(parts):
            each = [_would_hold(part, changed, reading, wanted=wanted) for part in parts]
            return all(each) if isinstance(query, And) is wanted else any(each)
        case leaf:
            is_there = bool(places(leaf, reading))
            return is_there is wanted or Missing(leaf, unwanted=not wanted) in changed


@given(queries(), articles())
@settings(max_examples=200, deadline=None)
def test_to_change_what_is_missing_is_enough_and_less_is_not(query: Query, found: Article) -> None:
    reading = read(found, FINDER)
    missing = set(explain_in_full(query, reading).missing)

    assert _would_hold(query, missing, reading, wanted=True)
    every = [Missing(leaf, unwanted) for leaf in set(leaves(query)) for unwanted in (False, True)]
    for fewer in combinations(every, max(0, len(missing) - 1)):
        assert not missing or not _would_hold(query, set(fewer), reading, wanted=True)


def test_an_author_is_shown_whichever_it_is() -> None:
    found = article("x", authors=("", "Ana", "Bob Cruz", "Bob Cruz"))

    explained = explain(parse("author:cruz", CATALOGUE), read(found, FINDER))

    assert explained is not None
    assert [(proof.text, proof.snippet) for proof in explained] == [("Cruz", "Bob Cruz")] * 2


def test_a_filter_is_proved_by_what_is_known() -> None:
    found = article("x", language="pt-BR", source="a.news.example")
    query = parse("lang:pt source:news.example", CATALOGUE)

    explained = explain(query, read(found, FINDER))

    assert explained is not None
    assert [
        (proof.leaf, proof.field, proof.text, proof.start, proof.end) for proof in explained
    ] == [
        ("lang:pt", "lang", "pt-BR", 0, 5),
        ("source:news.example", "source", "a.news.example", 0, 14),
    ]
