import pytest
from hypothesis import given, settings

from fakes.news import CATALOGUE
from fakes.queries import queries
from wirewatch.query.parse import parse
from wirewatch.query.printing import to_text
from wirewatch.query.tree import Query


@given(queries())
@settings(max_examples=300, deadline=None)
def test_printing_gives_back_the_same_query(query: Query) -> None:
    assert parse(to_text(query), CATALOGUE) == query


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ('a  (b OR -c "d e")', 'a AND (b OR NOT c AND "d e")'),
        ("title:(a OR b) c", "(title:a OR title:b) AND c"),
        ("a NEAR/5 (b OR c)", "a NEAR/5 (b OR c)"),
        ("a NEAR/5 b ONEAR/2 c", "a NEAR/5 b ONEAR/2 c"),
        ("a NEAR/5 (b ONEAR/2 c)", "a NEAR/5 (b ONEAR/2 c)"),
        ("ATLEAST/3 (a OR b) -c", "ATLEAST/3 (a OR b) AND NOT c"),
        ("-(a NEAR/2 b) c", "NOT a NEAR/2 b AND c"),
        ("nuke* =Turkey", "nuke* AND =Turkey"),
        ('="New York" =U.S.', '="New York" AND ="U.S."'),
        ("title:(entity:Russia OR a)", "title:(entity:Russia) OR title:a"),
        ("title:(entity:(Russia OR Q423))", "title:(entity:Russia) OR title:(entity:Q423)"),
        ("title:AND =OR", "title:AND AND =OR"),
        ("LANG:pt_BR SOURCE:https://www.BBC.co.uk/news", "lang:pt-br AND source:bbc.co.uk"),
        ('country:jp feed:"World News"', 'country:JP AND feed:"World News"'),
        ("lang:(en OR de) a", "(lang:en OR lang:de) AND a"),
    ],
)
def test_a_query_is_printed_as_it_is_understood(written: str, printed: str) -> None:
    assert str(parse(written, CATALOGUE)) == printed
