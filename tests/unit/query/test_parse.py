import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.news import CATALOGUE
from fakes.queries import queries
from wirewatch.query.errors import QueryError
from wirewatch.query.limits import MAX_DEPTH, MAX_LEAVES, MAX_QUERY_CHARS
from wirewatch.query.parse import parse
from wirewatch.query.printing import to_text
from wirewatch.query.tree import And, EntityLeaf, Not, Or, Phrase, Query, TopicLeaf, Word

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
        ("a AND", 2, 3, "after AND something to look for is missing"),
        ("a AND OR b", 2, 3, "after AND something to look for is missing"),
        ("OR a", 0, 2, "before OR something to look for is missing"),
        ("a ()", 2, 1, "after ( something to look for is missing"),
        ("a !!", 2, 2, "there is no word in !! (write one or drop it)"),
        ('a ""', 2, 2, "there is no word in this phrase (write one or drop it)"),
        ("colour:red", 0, 7, "there is no field colour: (there are entity: and topic:)"),
        ("entity: Russia", 0, 7, 'entity: needs a name right behind it (entity:"…")'),
        ("x entity:Rusia", 9, 5, "there is no entity “Rusia” (did you mean Russia?)"),
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
    "text", ["NOT a", "-a", "a OR -b", "-a -b", "NOT (a AND b)", "NOT (a OR NOT b) OR NOT c"]
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
    ],
)
def test_limits(text: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        parse(text, CATALOGUE)


@given(st.text(max_size=60) | st.text(alphabet='ab ()"\\-:ANDORT“entiy', max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_query_or_an_error_in_place(text: str) -> None:
    try:
        query = parse(text, CATALOGUE)
    except QueryError as error:
        caught = error
    else:
        assert parse(to_text(query), CATALOGUE) == query
        return
    assert 0 <= caught.offset <= len(text)
    assert caught.length >= 1


@given(queries())
@settings(max_examples=300, deadline=None)
def test_printing_gives_back_the_same_query(query: Query) -> None:
    # The word in front makes also those trees readable that ask for nothing themselves.
    parts = query.parts if isinstance(query, And) else (query,)
    asked = And((Word("first"), *parts))

    assert parse(to_text(asked), CATALOGUE) == asked


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


@pytest.mark.parametrize("text", ["nuke*", "=Turkey", "NEAR/5", "ATLEAST/3"])
def test_operators_to_come_are_refused_and_not_read_as_words(text: str) -> None:
    with pytest.raises(QueryError, match="does not exist yet") as caught:
        parse(f"quake {text}", CATALOGUE)

    assert (caught.value.offset, caught.value.length) == (6, len(text))
    assert parse(f'"{text}"', CATALOGUE) == Phrase(text)


def test_a_word_is_the_same_however_its_accents_are_encoded() -> None:
    assert parse("cafe\u0301", CATALOGUE) == Word("caf\u00e9")


def test_a_query_prints_itself_as_it_is_understood() -> None:
    assert str(parse('a  (b OR -c "d e")', CATALOGUE)) == 'a AND (b OR NOT c AND "d e")'
