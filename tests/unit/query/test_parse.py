import pytest

from fakes.news import CATALOGUE
from wirewatch.query.errors import QueryError
from wirewatch.query.limits import (
    MAX_COUNT,
    MAX_DEPTH,
    MAX_DISTANCE,
    MAX_LEAVES,
    MAX_NEARS,
    MAX_PREFIXES,
    MAX_QUERY_CHARS,
)
from wirewatch.query.parse import parse
from wirewatch.query.tree import (
    And,
    AtLeast,
    EntityLeaf,
    Exact,
    Filter,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    TopicLeaf,
    Word,
)
from wirewatch.topics.alerts import Field

NO_FIELD = (
    "there is no field xyz: (there are title:, lead:, body:, url:, author:, category:, lang:, "
    "source:, feed:, country:, entity:, topic:, person:, place:, organisation:)"
)
WILD = (
    "can only stand for the rest of a word, as in nuke* "
    "(write the forms with OR, or in quotes as it stands:"
)
RUSSIA = "Russia (Q159, country)"
TOO_MANY = "would stand for too many words (write at least 2 letters before the *)"
NO_DISTANCE = (
    'NEAR needs a distance in words behind it (NEAR/5, or in quotes to look for the word: "NEAR")'
)
TAKES = (
    "takes words, phrases, entities and topics, or some of them joined by OR "
    "(join the rest with AND outside)"
)
NK = EntityLeaf("Q423", "North Korea")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("quake", Word("quake")),
        ("quake japan", And((Word("quake"), Word("japan")))),
        ("quake AND japan", And((Word("quake"), Word("japan")))),
        ("a OR b c", Or((Word("a"), And((Word("b"), Word("c")))))),
        ("(a OR b) c", And((Or((Word("a"), Word("b"))), Word("c")))),
        ("a NOT b", And((Word("a"), Not(Word("b"))))),
        ("a -b", And((Word("a"), Not(Word("b"))))),
        ("a -(b OR c)", And((Word("a"), Not(Or((Word("b"), Word("c"))))))),
        ("well-known", Word("well-known")),
        ("and or not", And((Word("and"), Word("or"), Word("not")))),
        ('"exact phrase"', Phrase("exact phrase")),
        ("„exakte Phrase“", Phrase("exakte Phrase")),
        (r'"say \"no\""', Phrase('say "no"')),
        ('entity:"North Korea"', NK),
        ("entity:nordkorea", EntityLeaf("Q423", "nordkorea")),
        ("ENTITY:Q423", EntityLeaf("Q423", "Q423")),
        ("topic:military", TopicLeaf("topic:military", "military")),
        ("北朝鮮 地震", And((Word("北朝鮮"), Word("地震")))),
        ("a AND (b AND (c AND d))", And((Word("a"), Word("b"), Word("c"), Word("d")))),
        ("nuke*", Prefix("nuke")),
        ("covid-1*", Prefix("covid-1")),
        ("मि*", Prefix("मि")),
        ("=Turkey", Exact("Turkey")),
        ('="New York"', Exact("New York")),
        ("=AND", Exact("AND")),
        ("==x", Exact("=x")),
        ("title:a", Word("a", Field.TITLE)),
        ("TITLE:a", Word("a", Field.TITLE)),
        ("title:AND", Word("AND", Field.TITLE)),
        ("url:https://x.example/a", Word("https://x.example/a", Field.URL)),
        ('lead:"a b"', Phrase("a b", Field.LEAD)),
        ("body:=A", Exact("A", Field.BODY)),
        ('author:="Ana"', Exact("Ana", Field.AUTHOR)),
        ("category:ro*", Prefix("ro", Field.CATEGORY)),
        ("title:(a OR =B)", Or((Word("a", Field.TITLE), Exact("B", Field.TITLE)))),
        ("title:(entity:Q423)", EntityLeaf("Q423", "Q423", Field.TITLE)),
        ("lead:(topic:(military))", TopicLeaf("topic:military", "military", Field.LEAD)),
        ("entity:(Q423 OR Russia)", Or((EntityLeaf("Q423", "Q423"), EntityLeaf("Q159", "Russia")))),
        ("lang:pt_BR", Filter(Field.LANG, "pt-br")),
        ("source:https://www.BBC.co.uk/news", Filter(Field.SOURCE, "bbc.co.uk")),
        ("country:jp", Filter(Field.COUNTRY, "JP")),
        ('feed:"World News"', Filter(Field.FEED, "World News")),
        ("a NEAR/5 b", Near(Word("a"), Word("b"), 5)),
        ("a ONEAR/5 b", Near(Word("a"), Word("b"), 5, ordered=True)),
        ("a NEAR/5 b NEAR/2 c", Near(Near(Word("a"), Word("b"), 5), Word("c"), 2)),
        ("a b NEAR/1 c", And((Word("a"), Near(Word("b"), Word("c"), 1)))),
        ("-a NEAR/1 b c", And((Not(Near(Word("a"), Word("b"), 1)), Word("c")))),
        ("(a OR b) NEAR/1 c", Near(Or((Word("a"), Word("b"))), Word("c"), 1)),
        ("ATLEAST/3 a b", And((AtLeast(3, Word("a")), Word("b")))),
        ("ATLEAST/3 (a NEAR/2 b)", AtLeast(3, Near(Word("a"), Word("b"), 2))),
        ("near/5 Near/5", And((Word("near/5"), Word("Near/5")))),
    ],
)
def test_reads(text: str, query: Query) -> None:
    assert parse(text, CATALOGUE) == query


@pytest.mark.parametrize(
    ("text", "offset", "length", "says"),
    [
        ("", 0, 1, "the query is empty (write a word to look for)"),
        ("   ", 0, 1, "the query is empty (write a word to look for)"),
        ('a "b', 2, 2, 'this quote is not closed (add a " at the end of the phrase)'),
        ("(a OR b", 0, 1, "this parenthesis is not closed (add a ) at its end)"),
        ("a)", 1, 1, "this parenthesis was never opened (remove it)"),
        (")", 0, 1, "this parenthesis was never opened (remove it)"),
        ("a AND", 2, 3, "after AND something to look for is missing"),
        ("a AND OR b", 2, 3, "after AND something to look for is missing"),
        ("OR a", 0, 2, "before OR something to look for is missing"),
        ("a ()", 2, 1, "after ( something to look for is missing"),
        ("a !!", 2, 2, "there is no word in !! (write one or drop it)"),
        ('a ""', 2, 2, "there is no word in this phrase (write one or drop it)"),
        ("colour:red", 0, 7, "there is no field colour: (did you mean country:?)"),
        ("xyz:red", 0, 4, NO_FIELD),
        ("a titel:b", 2, 6, "there is no field titel: (did you mean title:?)"),
        ("entity: Russia", 0, 7, 'entity: needs a name right behind it (entity:"…")'),
        ("title:-a", 0, 6, 'title: needs a name right behind it (title:"…")'),
        ("title:(a lead:b)", 9, 5, "lead: cannot stand inside title:( )"),
        (
            "entity:=Russia",
            7,
            1,
            "entity: takes no = (drop the =, entity: is looked up as a whole)",
        ),
        ("lang:=en", 5, 1, "lang: takes no = (drop the =, lang: is looked up as a whole)"),
        ("lang:english!", 5, 8, "english! is no language tag (as in lang:en or lang:pt-BR)"),
        ("source:b_c", 7, 3, "b_c is no host (as in source:bbc.co.uk)"),
        ("country:JPN", 8, 3, "JPN is no country code (two letters, as in country:JP)"),
        ('feed:""', 5, 2, "feed: needs a value"),
        ('lang:" "', 5, 3, "lang: needs a value (as in lang:en or lang:pt-BR)"),
        ("feed:" + "a" * 201, 5, 201, "the value of feed: is longer than 200 characters"),
        ("nu*e", 0, 4, f'* {WILD} "nu*e")'),
        ("nuke**", 0, 6, f'* {WILD} "nuke**")'),
        ("wom?n", 0, 5, f'? {WILD} "wom?n")'),
        ("a*", 0, 2, f"a* {TOO_MANY}"),
        ("C++*", 0, 4, f"C++* {TOO_MANY}"),
        ("=nuke*", 1, 5, "= takes a whole word, and no * (drop the = or the *)"),
        ("a NEAR b", 2, 4, NO_DISTANCE),
        ("a NEAR/0 b", 2, 6, "NEAR takes 1 to 50"),
        ("a ONEAR/51 b", 2, 8, "ONEAR takes 1 to 50"),
        ("ATLEAST/101 a", 0, 11, "ATLEAST takes 1 to 100"),
        ("a NEAR/5 (b c)", 9, 1, f"NEAR {TAKES}"),
        ("a NEAR/5 -b", 2, 6, "after NEAR/5 something to look for is missing"),
        ("ATLEAST/3 lang:en", 10, 5, f"ATLEAST {TAKES}"),
        ("title:a NEAR/5 body:b", 8, 6, "both sides of NEAR have to be in the same field"),
        ("!" * 50, 0, 50, f"there is no word in {'!' * 39}… (write one or drop it)"),
        (
            "x entity:Rusia",
            9,
            5,
            f"there is no entity “Rusia” (did you mean {RUSSIA}?)",
        ),
        ("topic:militry", 6, 7, "there is no topic “militry” (did you mean military?)"),
    ],
)
def test_an_error_says_where_and_what_to_do(text: str, offset: int, length: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, CATALOGUE)

    assert (caught.value.offset, caught.value.length) == (offset, length)
    assert str(caught.value) == says


def test_an_error_is_pointed_at() -> None:
    with pytest.raises(QueryError) as caught:
        parse("quake AND entity:Rusia", CATALOGUE)

    assert caught.value.pointed("quake AND entity:Rusia") == (
        "quake AND entity:Rusia\n                 ^^^^^"
    )


@pytest.mark.parametrize(
    "text",
    [
        "NOT a",
        "-a",
        "NOT lang:en",
        "-title:a",
        "-(a NEAR/2 b)",
        "a OR -b",
        "-a -b",
        "NOT (a AND b)",
        "NOT (a OR NOT b) OR NOT c",
    ],
)
def test_what_nearly_every_article_matches_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="only says what must not be there"):
        parse(text, CATALOGUE)


@pytest.mark.parametrize("text", ["NOT NOT a", "NOT (NOT a OR b)", "a OR (b -c)"])
def test_a_negation_that_asks_for_something_is_fine(text: str) -> None:
    parse(text, CATALOGUE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a" * (MAX_QUERY_CHARS + 1), "the query has 4097 characters, 4096 are allowed"),
        ("a " * (MAX_LEAVES + 1), "the query has more than 256 terms"),
        ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), "nested more than 32 deep"),
        ("-" * 2000 + "a", "nested more than 32 deep"),
        ("ATLEAST/2 " * 200 + "a", "nested more than 32 deep"),
        ("ab* " * (MAX_PREFIXES + 1), "the query has more than 32 prefixes"),
        ("a" + " NEAR/2 a" * (MAX_NEARS + 1), "at most 3 NEAR can be joined"),
        (f"a NEAR/{MAX_DISTANCE + 1} b", "NEAR takes 1 to 50"),
        (f"a NEAR/{'9' * 3000} b", "NEAR takes 1 to 50"),
        (f"ATLEAST/{MAX_COUNT + 1} b", "ATLEAST takes 1 to 100"),
    ],
)
def test_limits(text: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        parse(text, CATALOGUE)


@pytest.mark.parametrize("dash", "-‐‑‒–—−－")
def test_whatever_dash_a_keyboard_makes_in_front_of_a_word_is_not(dash: str) -> None:
    assert parse(f"a {dash}b", CATALOGUE) == And((Word("a"), Not(Word("b"))))


@pytest.mark.parametrize("text", ["ـ", "\u0301", '"ـ ـ"', 'a OR "\u0301"', "\u200b"])
def test_what_folds_to_nothing_is_no_word(text: str) -> None:
    with pytest.raises(QueryError, match="there is no word in"):
        parse(text, CATALOGUE)


@pytest.mark.parametrize(("text", "offset"), [("a\ud800", 1), ("a OR \x00b", 5)])
def test_characters_that_are_no_text_are_refused(text: str, offset: int) -> None:
    with pytest.raises(QueryError, match="is no text") as caught:
        parse(text, CATALOGUE)

    assert (caught.value.offset, caught.value.length) == (offset, 1)


def test_a_word_is_the_same_however_its_accents_are_encoded() -> None:
    assert parse("cafe\u0301", CATALOGUE) == Word("caf\u00e9")
