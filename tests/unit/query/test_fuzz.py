"""Whatever is written: a query, or an error in its place. Never anything else, and at once."""

import random

import pytest

from fakes.news import CATALOGUE
from wirewatch.query.errors import QueryError
from wirewatch.query.limits import MAX_QUERY_CHARS
from wirewatch.query.parse import parse
from wirewatch.query.printing import to_text

RANDOM_TEXTS = 100_000
MUTATED_QUERIES = 10_000
PIECES = [
    *"abXYé日한ก() \"'“”*?=:-–!/\\0123٥,.\n\t\x00\ud800\u0301\u200d\u202e🚀צ",
    *("AND", "OR", "NOT", "NEAR/5", "ONEAR/1", "ATLEAST/2", "NEAR", "title:", "lang:", "entity:"),
    *("topic:", "country:", "Q423", "en", "JP", " ", " ", " ", '"', "(", ")"),
]
QUERIES = [
    'entity:"North Korea" AND (missile OR launch*) -football',
    'title:(quake OR "land slide") lang:en source:bbc.co.uk',
    "(a OR b) NEAR/5 (c ONEAR/2 =Dé) ATLEAST/3 topic:military",
    'צה"ל OR "say \\"no\\"" OR body:="New York" country:JP feed:"World News"',
    "NOT (NOT a OR NOT (b c)) author:x* category:地震 url:a-b",
]


def read(text: str) -> None:
    """Parse `text`; what can be read is read the same when it is printed."""
    try:
        query = parse(text, CATALOGUE)
    except QueryError as error:
        caught = error
    else:
        printed = to_text(query)
        assert len(printed) > MAX_QUERY_CHARS or parse(printed, CATALOGUE) == query
        return
    assert 0 <= caught.offset <= len(text)
    assert 1 <= caught.length <= max(1, len(text) - caught.offset)
    assert caught.message
    assert caught.message == caught.message.strip()


def test_random_texts() -> None:
    chance = random.Random(20_261_125)
    for _ in range(RANDOM_TEXTS):
        read("".join(chance.choices(PIECES, k=chance.randrange(12))))


def test_mutated_queries() -> None:
    chance = random.Random(11)
    for _ in range(MUTATED_QUERIES):
        text = chance.choice(QUERIES)
        for _ in range(chance.randrange(1, 4)):
            begin = chance.randrange(len(text) + 1)
            end = min(len(text), begin + chance.randrange(4))
            text = (
                text[:begin] + "".join(chance.choices(PIECES, k=chance.randrange(3))) + text[end:]
            )
        read(text)


REPEATED = [
    *("(", ")", '"', "-", "a(", "NOT ", "title:(", "a OR ", "=", "\\", '"\\', "a NEAR/2 ", " "),
    *("ATLEAST/2 ", "a*", "日", "\u0301", ":", "a:", 'א"', "e\u0301"),
]


@pytest.mark.parametrize("piece", REPEATED)
def test_what_repeats_to_the_limit(piece: str) -> None:
    read((piece * MAX_QUERY_CHARS)[:MAX_QUERY_CHARS])
