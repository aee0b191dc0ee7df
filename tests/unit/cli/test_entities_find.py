"""`wirewatch entities find`: what texts name, from files."""

import json
import unicodedata
from pathlib import Path

import pytest

from wirewatch.cli.jsonlines import MAX_LINE_BYTES

TEXTS = [
    {"id": "a", "text": "Rain.\nNorth Korea and Vladimir Putin; North Korea", "language": "en"},
    {"id": "b", "text": "nothing", "language": "en", "title": "North Korea"},
    {"id": "c", "text": "", "language": "en"},
]


def found(wirewatch, texts: object, *words: str, stdin: str | bytes | None = None) -> list[dict]:
    result = wirewatch("entities", "find", "--json", str(texts), *words, stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def lines(*records: object) -> str:
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text(lines(*TEXTS), encoding="utf-8")
    return path


def test_each_text_has_a_line_with_spans_in_code_points(wirewatch, file):
    first, second, third = found(wirewatch, file)

    assert first == {
        "id": "a",
        "entities": [
            {"id": "Q423", "qid": "Q423", "kind": "country", "name": "North Korea",
             "spans": [[6, 17], [38, 49]], "title_spans": []},
            {"id": "Q7747", "qid": "Q7747", "kind": "person", "name": "Vladimir Putin",
             "spans": [[22, 36]], "title_spans": []},
        ],
    }  # fmt: skip
    assert [(each["spans"], each["title_spans"]) for each in second["entities"]] == [
        ([], [[0, 11]])
    ]
    assert third == {"id": "c", "entities": []}


def test_spans_count_characters_beyond_the_basic_plane_once(wirewatch):
    (one,) = found(
        wirewatch, "-", stdin=lines({"id": "x", "text": "🚀🚀 Nordkorea", "language": "de"})
    )

    assert one["entities"][0]["spans"] == [[3, 12]]
    assert one["entities"][0]["name"] == "Nordkorea"


@pytest.mark.parametrize(
    ("text", "language", "span"),
    [
        (unicodedata.normalize("NFD", "é 북한은"), "ko", [3, 12]),
        ("x \u095a\u095b\u093e y", "hi", [2, 5]),
        (unicodedata.normalize("NFD", "é Nordkorea"), "de", [3, 12]),
    ],
)
def test_spans_are_those_of_the_text_as_it_came(wirewatch, text, language, span):
    """Not of the composed one, in which it is looked through."""
    (one,) = found(wirewatch, "-", stdin=lines({"id": "x", "text": text, "language": language}))

    assert [each["spans"] for each in one["entities"]] == [[span]]


def test_a_theme_has_no_id_of_wikidata(wirewatch):
    text = {"id": "x", "text": "Soldiers marched; the troops left.", "language": "en"}
    (one,) = found(wirewatch, "-", stdin=lines(text))

    themes = {each["id"]: each for each in one["entities"]}
    assert themes["topic:military"]["qid"] is None
    assert themes["topic:military"]["kind"] == "theme"


def test_a_text_without_a_language_is_read_in_all(wirewatch):
    (one,) = found(wirewatch, "-", stdin=lines({"id": "x", "text": "Hier Nordkorea, hier 北朝鮮"}))

    assert [each["id"] for each in one["entities"]] == ["Q423"]
    assert one["entities"][0]["spans"] == [[5, 14], [21, 24]]


def test_without_json_a_line_is_for_people(wirewatch, file):
    result = wirewatch("entities", "find", str(file))

    assert result.stdout == (
        "a\tNorth Korea (Q423): North Korea; Vladimir Putin (Q7747): Vladimir Putin\n"
        "b\tNorth Korea (Q423): North Korea\n"
        "c\t-\n"
    )


def test_a_line_for_people_stays_one_line(wirewatch):
    text = {"id": "x\n\ty\x1b[31m", "text": "here North\nKorea was", "language": "en"}
    result = wirewatch("entities", "find", stdin=lines(text))

    assert result.stdout == "x y [31m\tNorth Korea (Q423): North Korea\n"


def test_standard_input_is_read_where_no_file_is_named(wirewatch):
    result = wirewatch("entities", "find", "--json", stdin=lines(TEXTS[2]))

    assert result.stdout == '{"id":"c","entities":[]}\n'


@pytest.mark.parametrize(
    "bad",
    [
        b"no json",
        b'{"id": "x"}',
        b'{"id": 5, "text": "x"}',
        b'{"id": "x", "text": "x", "language": null}',
        b'{"id": "x", "text": "\xff"}',
        b'["x"]',
        b'{"id": "x", "text": "y", "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_a_bad_line_is_told_and_left_out(wirewatch, file, bad):
    file.write_bytes(b"\n" + bad + b"\n" + lines(TEXTS[2]).encode())
    result = wirewatch("entities", "find", "--json", str(file))

    assert result.exit_code == 1
    assert result.stdout == '{"id":"c","entities":[]}\n'
    (said,) = result.stderr.splitlines()
    assert said.startswith(
        f'wirewatch: {file}, line 2 is left out: it is not {{"id", "text", "language", "title"}}: '
    )


def test_a_line_that_is_too_long_is_one_line(wirewatch, file):
    long = b'{"id": "x", "text": "' + b"a" * MAX_LINE_BYTES + b'"}' + lines(TEXTS[2]).encode()
    file.write_bytes(long + b"no json\n" + lines(TEXTS[2]).encode())
    result = wirewatch("entities", "find", "--json", str(file))

    assert result.stdout == '{"id":"c","entities":[]}\n'
    first, second = result.stderr.splitlines()
    assert first == (
        f"wirewatch: {file}, line 1 is left out: it has {MAX_LINE_BYTES} bytes or more"
    )
    assert second.startswith(f"wirewatch: {file}, line 2 is left out: ")


def test_a_mark_of_utf_8_and_line_ends_of_windows_are_no_mistakes(wirewatch):
    raw = b"\xef\xbb\xbf" + lines(TEXTS[2]).encode().replace(b"\n", b"\r\n")

    assert found(wirewatch, "-", stdin=raw) == [{"id": "c", "entities": []}]


@pytest.mark.parametrize("name", ["none.jsonl", ""])
def test_a_file_that_cannot_be_read_is_told(wirewatch, tmp_path, name):
    result = wirewatch("entities", "find", str(tmp_path / name))

    why = "No such file or directory" if name else "Is a directory"
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"wirewatch: {tmp_path / name} cannot be read: {why}.\n"
