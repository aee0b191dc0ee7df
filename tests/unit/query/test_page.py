"""docs/query-language.md tells the truth."""

import re
from pathlib import Path

import pytest

from wirewatch.entities.catalogue import Catalogue
from wirewatch.query.errors import QueryError
from wirewatch.query.limits import MAX_DEPTH, MAX_LEAVES, MAX_QUERY_CHARS
from wirewatch.query.parse import parse

PAGE = (Path(__file__).parents[3] / "docs" / "query-language.md").read_text()
OPERATORS, _, ERRORS = PAGE.partition("## What is wrong with a query")


@pytest.mark.parametrize(
    ("query", "says"), re.findall(r"^\| `(.+?)` \| (.+?) \|$", ERRORS, re.MULTILINE)
)
def test_an_error_is_as_the_page_says(query: str, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query, Catalogue.load())

    assert str(caught.value) == says


def test_every_example_of_the_page_can_be_read() -> None:
    examples = re.findall(r"\| `([^`]+)`[^|]*\|$", OPERATORS, re.MULTILINE)
    assert len(examples) >= 8
    for example in examples:
        parse(example, Catalogue.load())


def test_the_limits_are_those_of_the_program() -> None:
    assert f"{MAX_QUERY_CHARS:,} characters, {MAX_LEAVES} terms, {MAX_DEPTH} levels" in PAGE
