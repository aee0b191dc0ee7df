"""docs/query-language.md tells the truth."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wirewatch.cli.main import app
from wirewatch.entities.catalogue import Catalogue
from wirewatch.query import limits
from wirewatch.query import parse as parse_module
from wirewatch.query.breadth import warnings_of
from wirewatch.query.dialects.translate import Dialect, translate
from wirewatch.query.errors import QueryError
from wirewatch.query.fields import FIELDS
from wirewatch.query.parse import parse
from wirewatch.text.stem import COMPOUNDING, HEBREW, KOREAN, LEMMAS, algorithm_of

PAGE = (Path(__file__).parents[3] / "docs" / "query-language.md").read_text()
SECTIONS = {
    section.partition("\n")[0]: section.partition("\n")[2] for section in PAGE.split("\n## ")
}
PAIR = re.compile(r"^\| `(.+?)` \| (.+?) \|$", re.MULTILINE)
ERRORS, _, WARNINGS = SECTIONS["What is wrong with a query"].partition("| warning |")
GOOGLE, _, BOOLEAN = SECTIONS["From other tools"].partition("| boolean |")


@pytest.mark.parametrize(("query", "says"), PAIR.findall(ERRORS))
def test_an_error_is_as_the_page_says(query: str, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query, Catalogue.load())

    assert str(caught.value) == says


def _messages() -> Iterator[ast.expr]:
    """Yield the message of each error that the parser raises."""
    room = Path(parse_module.__file__).parent
    for name in ("parse", "tokens", "fields", "names"):
        for node in ast.walk(ast.parse((room / f"{name}.py").read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                arguments = {"_at": 1, "QueryError": 0}
                if node.func.id in arguments:
                    yield node.args[arguments[node.func.id]]


def test_every_error_of_the_program_is_on_the_page() -> None:
    literal = [
        part.value
        for message in _messages()
        for part in (message.values if isinstance(message, ast.JoinedStr) else [message])
        if isinstance(part, ast.Constant)
    ]

    assert len(literal) > 30
    assert [words for words in literal if words not in PAGE] == []


@pytest.mark.parametrize(("query", "says"), PAIR.findall(WARNINGS))
def test_a_warning_is_as_the_page_says(query: str, says: str) -> None:
    assert [each.message for each in warnings_of(parse(query, Catalogue.load()))] == [says]


@pytest.mark.parametrize("section", ["Operators", "Fields", "Filters"])
def test_every_example_of_the_page_can_be_read(section: str) -> None:
    cells = re.findall(r"^\|.*\| ([^|]*`[^|]*) \|$", SECTIONS[section], re.MULTILINE)
    examples = [example for cell in cells for example in re.findall(r"`([^`]+)`", cell)]

    assert len(examples) >= 4
    for example in examples:
        parse(example, Catalogue.load())


def test_every_field_is_on_the_page() -> None:
    assert all(f"`{field}:" in PAGE for field in FIELDS)


def test_the_limits_are_those_of_the_program() -> None:
    assert (
        SECTIONS["Limits"]
        .strip()
        .startswith(
            f"{limits.MAX_QUERY_CHARS:,} characters, {limits.MAX_LEAVES} terms, "
            f"{limits.MAX_DEPTH} levels of nesting, {limits.MAX_PREFIXES} prefixes, "
            f"{limits.MAX_NEARS} `NEAR` inside one another, a distance of {limits.MAX_DISTANCE} "
            f"words, a number of {limits.MAX_COUNT} for `ATLEAST`"
        )
    )


def test_the_languages_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| (.+) \|$", SECTIONS["Languages"], re.MULTILINE)
    by_reading = {reading.split()[0] + reading[-20:]: tags.split() for tags, reading in rows}
    snowball, lemmas, korean, particles, compounds = list(by_reading.values())[1:]

    assert all(algorithm_of(tag).startswith(LEMMAS) for tag in lemmas)
    assert not any(algorithm_of(tag).startswith(LEMMAS) for tag in snowball)
    assert [algorithm_of(tag) for tag in korean] == [KOREAN]
    assert [algorithm_of(tag) for tag in particles] == ["arabic", HEBREW]
    assert {algorithm_of(tag) for tag in compounds} == COMPOUNDING


@pytest.mark.parametrize(
    ("dialect", "text", "query"),
    [
        (dialect, text, query.strip("`"))
        for dialect, part in ((Dialect.GOOGLE, GOOGLE), (Dialect.BOOLEAN, BOOLEAN))
        for text, query in PAIR.findall(part)
    ],
)
def test_a_translation_is_as_the_page_says(dialect: Dialect, text: str, query: str) -> None:
    assert translate(text, dialect).query == query


@pytest.mark.parametrize(
    ("command", "shown"),
    re.findall(r"^```\n\$ wirewatch (.+)\n((?:.+\n)+)```", PAGE, re.MULTILINE),
)
def test_the_command_line_answers_as_the_page_says(command: str, shown: str) -> None:
    words = [whole or bare for whole, bare in re.findall(r"'([^']*)'|(\S+)", command)]

    answer = CliRunner(env={"COLUMNS": "80"}).invoke(app, words)

    assert answer.stdout + answer.stderr == shown
