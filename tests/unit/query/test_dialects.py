"""What queries of other tools become, and what is said about it."""

import random

import pytest

from wirewatch.entities.catalogue import Catalogue
from wirewatch.query.dialects.translate import Dialect, Translation, translate
from wirewatch.query.errors import QueryError
from wirewatch.query.limits import MAX_QUERY_CHARS
from wirewatch.query.parse import parse

NO_NAMES = Catalogue([])
ONLY_NOT = (
    "the query only says what must not be there and would match nearly every article "
    "(add a word, an entity or a topic that must be there)"
)
NEAR_TAKES = (
    "NEAR takes words, phrases, entities and topics, or some of them joined by OR "
    "(join the rest with AND outside)"
)
TOO_MANY = (
    "*tion would stand for too many words "
    "(write at least 2 letters before it, or the words with OR)"
)


def notes(text: str, translation: Translation) -> list[tuple[str, str]]:
    """Return what each note marks and says."""
    return [
        (text[note.offset : note.offset + note.length], note.message) for note in translation.notes
    ]


@pytest.mark.parametrize(
    ("text", "query", "said"),
    [
        ('"a b" OR c -d site:x.org', '("a b" OR c) -d source:x.org', []),
        ("a b OR c d", "a (b OR c) d", []),
        ("quake | flood", "quake OR flood", []),
        (
            '"largest * in the world"',
            '"largest" ONEAR/5 "in the world"',
            [('"largest * in the world"', "* stands for 0 to 4 words here")],
        ),
        ('intitle:quake intitle:"land slide"', 'title:quake title:"land slide"', []),
        ("allintitle: quake chile -site:x.org", "title:(quake chile) -source:x.org", []),
        ("inurl:news/world", "url:news/world", []),
        (
            "site:bbc.co.uk/news",
            'source:bbc.co.uk url:"news"',
            [("bbc.co.uk/news", "the path is looked for anywhere in the URL")],
        ),
        ("site:.gov", "source:gov", []),
        ("-site:*.example.com a", "-source:example.com a", []),
        (
            "a AROUND(5) b",
            "a NEAR/6 b",
            [("AROUND(5)", "the words between are counted: read as NEAR/6")],
        ),
        (
            "filetype:pdf report",
            "report",
            [("filetype:pdf", "articles of feeds have no file type: left out")],
        ),
        (
            "before:2024-01-01 after:2023 x",
            "x",
            [
                ("before:2024-01-01", "alerts are about what is published from now on: left out"),
                ("after:2023", "alerts are about what is published from now on: left out"),
            ],
        ),
        ("+Apple", '"Apple"', []),
        ('"apple"', '"apple"', []),
        (
            "~car",
            "car",
            [("~car", "synonyms are not looked for; topic: knows the words of some themes")],
        ),
        ('-"x y" -(a OR b) c', '-"x y" -(a OR b) c', []),
        (
            "appl*",
            "appl*",
            [("appl*", "Google does not know *: here it stands for the rest of the word")],
        ),
        ("* x", "x", [("*", "* for whole words is left out: it can stand inside a phrase")]),
        ("foo:bar", '"foo:bar"', [("foo:bar", "foo: is no operator: read as it stands")]),
        ("(a OR b) AND c", "(a OR b) c", []),
        ("NOT a b", "-a b", [("NOT", "Google has no NOT: read as -")]),
        (
            "100..200 dollars",
            '"100..200" dollars',
            [("100..200", "ranges of numbers are not understood: read as a phrase")],
        ),
        ("intext:quake", "quake", [("intext:quake", "title, lead and body are searched")]),
        ("site: x", "source:x", []),
        ("source:bbc.co.uk", "source:bbc.co.uk", []),
        ("a & b", "a b", [("&", "there is no word in it: left out")]),
        ("NEAR/5 x", '"NEAR/5" x', []),
        ("{x y}", '"x y"', [("{x y}", "braces mean nothing to Google: read as a phrase")]),
        ("“a b”", '"a b"', []),
        ("intitle:(a OR b)", "title:(a OR b)", []),
        (
            "https://x.org",
            '"https://x.org"',
            [("https://x.org", "https: is no operator: read as it stands")],
        ),
    ],
)
def test_google_becomes(text: str, query: str, said: list[tuple[str, str]]) -> None:
    translation = translate(text, Dialect.GOOGLE)

    assert translation.query == query
    assert notes(text, translation) == said
    parse(translation.query, NO_NAMES)


@pytest.mark.parametrize(
    ("text", "offset", "length", "says"),
    [
        ("OR a", 0, 2, "before OR something to look for is missing"),
        ("a OR", 2, 2, "after OR something to look for is missing"),
        ("(a", 0, 1, "this parenthesis is not closed (add a ) at its end)"),
        ("a)", 1, 1, "this parenthesis was never opened (remove it)"),
        ('"a', 0, 2, 'this quote is not closed (add a " at its end)'),
        (
            "-a",
            0,
            2,
            ONLY_NOT,
        ),
        ("filetype:pdf", 0, 12, "nothing is left of this query (write a word to look for)"),
        ("allintitle:a (b", 13, 1, "this parenthesis is not closed (add a ) at its end)"),
        ('site:"a b" c', 5, 5, "a b is no host (as in source:bbc.co.uk)"),
        ('"a * b * c * d * e"', 0, 19, "at most 3 NEAR can be joined"),
    ],
)
def test_what_is_wrong_in_google_is_told_in_its_own_place(
    text: str, offset: int, length: int, says: str
) -> None:
    with pytest.raises(QueryError) as caught:
        translate(text, Dialect.GOOGLE)

    assert (caught.value.offset, caught.value.length) == (offset, length)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("text", "query", "said"),
    [
        (
            "apple NEAR/5 juice",
            "apple NEAR/6 juice",
            [("NEAR/5", "the words between are counted: read as NEAR/6")],
        ),
        (
            "apple NEAR juice",
            "apple NEAR/5 juice",
            [("NEAR", "the words between are counted: read as NEAR/5")],
        ),
        (
            "apple ONEAR/5 juice",
            "apple ONEAR/6 juice",
            [("ONEAR/5", "the words between are counted: read as ONEAR/6")],
        ),
        ("apple near5 juice", "apple NEAR/5 juice", []),
        ("apple w/5 juice", "apple NEAR/5 juice", []),
        ("apple pre/5 juice", "apple ONEAR/5 juice", []),
        ("apple adj5 juice", "apple ONEAR/5 juice", []),
        (
            '"apple" NEAR/2f "pie"',
            '"apple" ONEAR/3 "pie"',
            [("NEAR/2f", "the words between are counted: read as ONEAR/3")],
        ),
        ("title=quake", "title:quake", []),
        ("title:(a OR b)", "title:(a OR b)", []),
        ('headline("iced coffee")', 'title:"iced coffee"', []),
        ("hlead=(quake and chile)", "(title:(quake AND chile) OR lead:(quake AND chile))", []),
        ("hlp=quake and la=en", "(title:quake OR lead:quake) AND lang:en", []),
        ("la=(en or de) quake", "(lang:en OR lang:de) AND quake", []),
        ("language:english a", "lang:en AND a", []),
        ("country=uk a", "country:GB AND a", []),
        (
            "country=(US OR France) a",
            "country:US AND a",
            [("France", "a country is written in two letters here, as in country:JP: left out")],
        ),
        (
            "rst=tdjw a",
            "a",
            [("tdjw", "a source is named by its host here, as in source:bbc.co.uk: left out")],
        ),
        ("source:bbc.co.uk a", "source:bbc.co.uk AND a", []),
        ("nuke*", "nuke*", []),
        ("nuke!", "nuke*", []),
        (
            "wom?n",
            "wom*",
            [("wom?n", "read as wom*: a sign inside or for one letter has no equal")],
        ),
        (
            "colo*r",
            "colo*",
            [("colo*r", "read as colo*: a sign inside or for one letter has no equal")],
        ),
        ('"nuclear weapon*"', '"nuclear" ONEAR/1 weapon*', []),
        ("atleast5(word)", "ATLEAST/5 word", []),
        ("atleast5 microsoft", "ATLEAST/5 microsoft", []),
        ("{BAT}", '="BAT"', []),
        ('cs("BEST")', '="BEST"', []),
        ("allcaps(RICO) and money /5 launder!", '="RICO" AND money NEAR/5 launder*', []),
        ("caps(apple)", '="Apple"', [("caps", "read as Apple; other capitals are not found")]),
        (
            "nocaps(Apple)",
            '="apple"',
            [("nocaps", "read as apple in small letters; not found where a sentence begins")],
        ),
        (
            "a and b or c",
            "a AND b OR c",
            [("or", "AND binds before OR here; LexisNexis reads OR first: use ( )")],
        ),
        ("(a and b) or c", "(a AND b) OR c", []),
        ("a AND NOT b", "a AND NOT b", []),
        ("a andnot b", "a AND NOT b", []),
        ("a not b", "a AND NOT b", []),
        (
            "rico NOT W/5 puerto",
            "rico AND NOT (rico NEAR/5 puerto)",
            [("NOT", "stricter here: nowhere may both sides stand within NEAR/5")],
        ),
        ("a w/s b", "a NEAR/15 b", [("w/s", "a sentence is not known: read as NEAR/15")]),
        ("a same b", "a NEAR/50 b", [("same", "a paragraph is not known: read as NEAR/50")]),
        (
            '"apple juice"~5',
            "apple NEAR/6 juice",
            [('"apple juice"~5', "the words in any order, each near to the one before")],
        ),
        (
            "(a AND b)~5",
            "(a AND b)",
            [("~5", "~ behind a group is left out: use NEAR between words")],
        ),
        (
            "apple juice",
            "apple AND juice",
            [("juice", "words side by side: all have to be there, in any place; use quotes")],
        ),
        ("raw:Google+", '="Google+"', []),
        ("sentiment:negative a", "a", [("sentiment:negative", "it is not measured: left out")]),
        (
            "fds=IBM or ibm",
            "ibm",
            [
                (
                    "fds=IBM",
                    "codes are not known here, use entity: and topic: instead: left out",
                )
            ],
        ),
        ("wc>1000 a", "a", [("wc>1000", "it is not known of articles: left out")]),
        (
            "date after 1",
            "date AND after AND 1",
            [("after", "words side by side: all have to be there, in any place; use quotes")],
        ),
        (
            "engineer$3",
            "engineer*",
            [("engineer$3", "read as engineer*: a sign inside or for one letter has no equal")],
        ),
        ("foo:bar a", '"foo:bar" AND a', [("foo:bar", "there is no field foo: read as it stands")]),
        ('author:"Ana Cruz"', 'author:"Ana Cruz"', []),
        ("by=smith", "author:smith", []),
        ("a /n30/ b", "a NEAR/30 b", []),
        ("[a or b] and c", "(a OR b) AND c", []),
        ("body=x", "body:x", []),
        ("ingress:x", "lead:x", []),
        ("site:x.org", "source:x.org", []),
        (
            "a NEAR/99 b",
            "a NEAR/50 b",
            [("NEAR/99", "50 is the greatest distance: read as NEAR/50")],
        ),
        ("singular(car)", "car", [("singular", "a word is found in singular and plural")]),
        ('"is this it?"', '"is this it?"', []),
        ('URL:msn.com/news AND "Simon Cowell"', 'url:msn.com/news AND "Simon Cowell"', []),
        ("a | b", "a OR b", []),
        ("!NASA", '="NASA"', []),
        (
            "(((“coffee” OR “tea”) w/5 (“great” OR “best”)) AND “Chicago”)",
            '((("coffee" OR "tea") NEAR/5 ("great" OR "best")) AND "Chicago")',
            [],
        ),
        ("atleast500 x", "ATLEAST/100 x", [("atleast500", "100 is the greatest number")]),
        (
            '"a * b"',
            '"a" ONEAR/5 "b"',
            [('"a * b"', "* between words stands for 0 to 4 words here")],
        ),
    ],
)
def test_boolean_becomes(text: str, query: str, said: list[tuple[str, str]]) -> None:
    translation = translate(text, Dialect.BOOLEAN)

    assert translation.query == query
    assert notes(text, translation) == said
    parse(translation.query, NO_NAMES)


@pytest.mark.parametrize(
    ("text", "offset", "length", "says"),
    [
        (
            "*tion",
            0,
            5,
            TOO_MANY,
        ),
        (
            "(a AND b) NEAR/5 c",
            1,
            1,
            NEAR_TAKES,
        ),
        ("a AND", 2, 3, "after AND something to look for is missing"),
        ("a AND OR b", 6, 2, "before OR something to look for is missing"),
        ("title=", 0, 6, "title= needs something behind it"),
        (
            "not a",
            0,
            5,
            ONLY_NOT,
        ),
        ("and", 0, 3, "before and something to look for is missing"),
        ("", 0, 1, "the query is empty (write a word to look for)"),
    ],
)
def test_what_is_wrong_in_boolean_is_told_in_its_own_place(
    text: str, offset: int, length: int, says: str
) -> None:
    with pytest.raises(QueryError) as caught:
        translate(text, Dialect.BOOLEAN)

    assert (caught.value.offset, caught.value.length) == (offset, length)
    assert str(caught.value) == says


PIECES = [
    *"abé日ק()[]{}\"'“”*?!=:-+~|&/.,$ \n\x00\ud800\u0301",
    *(" ", " ", " ", "AND", "OR", "not", "AROUND(3)", "NEAR/5", "w/3", "pre/2", "adj", "same"),
    *("title=", "hlead(", "la=", "site:", "intitle:", "allintitle:", "atleast3", "caps(", "foo"),
    *("ba*", "b?d", "~4", "1..2", "filetype:", "rst=", "raw:", "NOT w/5"),
]


@pytest.mark.parametrize("dialect", list(Dialect))
def test_any_text_is_translated_or_an_error_in_place(dialect: Dialect) -> None:
    chance = random.Random(5)
    for _ in range(10_000):
        _translated_or_refused("".join(chance.choices(PIECES, k=chance.randrange(14))), dialect)


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "-",
        "NOT ",
        "hlead(",
        "intitle:",
        "a|",
        '"a * ',
        "atleast2 ",
        "title=",
        "a ",
        "allintitle: a ",
        "caps(",
        "(a) NOT w/2 ",
    ],
)
def test_what_repeats_to_the_limit(piece: str, dialect: Dialect) -> None:
    _translated_or_refused((piece * MAX_QUERY_CHARS)[:MAX_QUERY_CHARS], dialect)


def _translated_or_refused(text: str, dialect: Dialect) -> None:
    try:
        translation = translate(text, dialect)
    except QueryError as error:
        caught = error
    else:
        parse(translation.query, NO_NAMES)
        assert all(0 <= n.offset < n.offset + n.length <= len(text) for n in translation.notes)
        return
    assert 0 <= caught.offset <= len(text)
    assert 1 <= caught.length <= max(1, len(text) - caught.offset)
