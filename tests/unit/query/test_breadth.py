import pytest

from fakes.news import CATALOGUE
from wirewatch.query.breadth import QueryWarning, warnings_of
from wirewatch.query.parse import parse

FILTERS = "every article that passes these filters matches: add a word"
IN_MOST = " stands in four of five articles in {}, by estimate: add a rarer word"
SHORT = " stands in very many articles: add a longer word"


@pytest.mark.parametrize(
    ("query", "warnings"),
    [
        ("quake", []),
        ("lang:en quake", []),
        ("quake OR flood -lang:en", []),
        ("日本", []),
        ("EU summit", []),
        ("entity:Russia OR =EU", []),
        ("lang:en", [QueryWarning("lang:en", FILTERS)]),
        ("lang:en country:JP -quake", [QueryWarning("lang:en country:JP", FILTERS)]),
        ("quake OR lang:en", [QueryWarning("lang:en", FILTERS)]),
        ("(lang:en OR lang:de) -quake", [QueryWarning("lang:en lang:de", FILTERS)]),
        ("EU", [QueryWarning("EU", f"EU{SHORT}")]),
        ("the", [QueryWarning("the", f"the{IN_MOST.format('English')}")]),
        ("Para lang:es", [QueryWarning("Para", f"Para{IN_MOST.format('Portuguese and Spanish')}")]),
        (
            '"från"',
            [QueryWarning('"från"', f'"från"{IN_MOST.format("Swedish")}')],
        ),
        ("the quake", []),
        ("title:the", []),
        ("ab* lang:en", [QueryWarning("ab*", f"ab*{SHORT}")]),
        (
            "quake OR a NEAR/2 b",
            [QueryWarning("a NEAR/2 b", f"a NEAR/2 b{SHORT}")],
        ),
        (
            "ATLEAST/2 (a OR quake)",
            [
                QueryWarning(
                    "ATLEAST/2 (a OR quake)",
                    f"ATLEAST/2 (a OR quake){SHORT}",
                )
            ],
        ),
    ],
)
def test_what_is_broad(query: str, warnings: list[QueryWarning]) -> None:
    assert list(warnings_of(parse(query, CATALOGUE))) == warnings
