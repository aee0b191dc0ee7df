"""`wirewatch alerts match`: many queries against many articles, from files."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

QUERIES = [
    {"id": "q2", "query": "rocket* AND NOT football"},
    {"id": "q1", "query": '"long range" OR rakete'},
    {"id": "q3", "query": "lang:de"},
    {"id": "q4", "query": "missile NEAR/3 tested"},
]
ARTICLES = [
    {"id": "a", "title": "Rockets", "body": "A missile was tested", "language": "en"},
    {"id": "b", "title": "Raketen", "body": "", "language": "de", "source": "x.example"},
    {"id": "c", "title": "Rocket football", "body": "long-range", "language": "en", "source": ""},
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The queries and the articles."""
    queries, articles = tmp_path / "q.jsonl", tmp_path / "a.jsonl"
    queries.write_text("".join(json.dumps(each) + "\n" for each in QUERIES))
    articles.write_text("".join(json.dumps(each) + "\n" for each in ARTICLES))
    return queries, articles


def match(wirewatch, queries: object, articles: object, *more: str, stdin: str | None = None):
    words = ("--queries", str(queries), "--articles", str(articles), *more)
    return wirewatch("alerts", "match", *words, stdin=stdin)


def test_each_article_has_a_line_in_order(wirewatch, files):
    found = match(wirewatch, *files, "--json")

    assert found.exit_code == 0
    assert list(map(json.loads, found.stdout.splitlines())) == [
        {"article": "a", "matches": ["q2", "q4"]},
        {"article": "b", "matches": ["q1", "q3"]},
        {"article": "c", "matches": ["q1"]},
    ]
    assert re.fullmatch(
        r"4 queries loaded in [\d.]+ s, [\d,]+ bytes each; "
        r"3 articles: [\d,]+/s read, [\d,]+/s searched, [\d,]+/s both\n",
        found.stderr,
    )


def test_without_json_a_line_is_for_people(wirewatch, files):
    assert match(wirewatch, *files).stdout == "a\tq2 q4\nb\tq1 q3\nc\tq1\n"


def test_what_is_wrong_is_told_with_its_line_and_left_out(wirewatch, files):
    queries, articles = files
    with queries.open("a") as file:
        file.write('{"id": "q5", "query": "(a"}\n\nno json\n{"id": 5, "query": "x"}\n')
    with articles.open("ab") as file:
        file.write(b'{"title": "no id"}\n\xff\n{"id": "d", "title": "rocket"}')

    found = match(wirewatch, queries, articles, "--json")

    assert found.exit_code == 0
    assert json.loads(found.stdout.splitlines()[-1]) == {"article": "d", "matches": ["q2"]}
    said = found.stderr.splitlines()
    assert said[0] == (
        f"wirewatch: {queries}, line 5: query q5 is left out: this parenthesis is not closed, "
        "at character 1 (add a ) at its end)"
    )
    assert [line.partition(" is left out")[0] for line in said[1:5]] == [
        f"wirewatch: {queries}, line 7",
        f"wirewatch: {queries}, line 8",
        f"wirewatch: {articles}, line 4",
        f"wirewatch: {articles}, line 5",
    ]
    assert said[5].endswith("; 5 lines left out")


def test_of_queries_with_one_id_the_last_counts(wirewatch, files):
    queries, articles = files
    queries.write_text('{"id": "q", "query": "rocket"}\n{"id": "q", "query": "raketen"}\n')

    assert match(wirewatch, queries, articles).stdout == "a\t-\nb\tq\nc\t-\n"


def test_articles_may_come_from_a_pipe(wirewatch, files):
    queries, articles = files

    assert match(wirewatch, queries, "-", stdin=articles.read_text()).stdout.count("\n") == 3


def test_a_file_that_is_not_there_is_told(wirewatch, files):
    missing = match(wirewatch, files[0].with_name("none"), files[1])

    assert missing.exit_code == 1
    assert missing.stderr == (
        f"wirewatch: {files[0].with_name('none')} cannot be read: No such file or directory.\n"
    )


def test_decomposed_letters_are_composed(wirewatch, files):
    queries, articles = files
    queries.write_text('{"id": "q", "query": "한국"}\n')
    decomposed = unicodedata.normalize("NFD", "한국")
    articles.write_text(json.dumps({"id": "a", "title": decomposed}, ensure_ascii=False))

    assert match(wirewatch, queries, articles).stdout == "a\tq\n"
