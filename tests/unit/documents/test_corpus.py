"""The odd and ill-formed documents of tests/documents, each with what is expected of it."""

import html
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import struct_time
from typing import Any

import feedparser
import pytest

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import Entry
from wirewatch.documents.plain import plain_text
from wirewatch.documents.read import read_feed

DOCUMENTS = Path(__file__).parents[2] / "documents"
EXPECTED = ".expected.json"
NO_DOCUMENTS = {"README.md", ".gitattributes"}
AT_LEAST = 150
MOST_ENTRIES = 100
LONGEST = 10_000

Values = dict[str, Any]


def _documents() -> list[Path]:
    return sorted(
        path
        for path in DOCUMENTS.iterdir()
        if path.is_file() and path.name not in NO_DOCUMENTS and not path.name.endswith(EXPECTED)
    )


every_document = pytest.mark.parametrize(
    "document", _documents(), ids=[path.name for path in _documents()]
)


@cache
def _expectation(document: Path) -> Values:
    text = document.with_name(document.stem + EXPECTED).read_text(encoding="utf-8")
    expectation: Values = json.loads(text)
    return expectation


def _answer(expectation: Values) -> Values:
    """Return of an expectation what an answer has to be."""
    return {key: expectation[key] for key in ("error", "feed", "entries") if key in expectation}


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.replace(tzinfo=None).isoformat() + "Z"


def _entry(entry: Entry) -> Values:
    return {
        "id": entry.id,
        "title": plain_text(entry.title, LONGEST),
        "link": entry.link,
        "published": _time(entry.published_at),
        "updated": _time(entry.updated_at),
        "authors": [plain_text(author, LONGEST) for author in entry.authors],
        "summary_text": plain_text(entry.summary, LONGEST),
        "content_text": plain_text(entry.content, LONGEST),
        "categories": list(entry.categories),
        "enclosures": [
            {"url": each.url, "type": each.type, "length": each.length} for each in entry.enclosures
        ],
    }


def _read(document: Path, expectation: Values) -> Values:
    try:
        found = read_feed(
            document.read_bytes(),
            content_type=expectation["content_type"],
            url=expectation["url"],
            max_entries=MOST_ENTRIES,
        )
    except DocumentProblem as problem:
        return {"error": problem.reason.value}
    feed = {
        "title": plain_text(found.title, LONGEST),
        "link": found.link,
        "language": found.language,
        "sitemaps": list(found.sitemaps),
    }
    return {
        "feed": {key: feed[key] for key in expectation.get("feed", feed)},
        "entries": [_entry(entry) for entry in found.entries],
    }


def _text(element: Values, key: str) -> str:
    """Return a text of feedparser's, which is HTML unless its detail says text."""
    detail = dict.get(element, f"{key}_detail") or {}
    value = dict.get(element, key) or ""
    if detail.get("type") == "text/plain":
        value = html.escape(value, quote=False)
    return plain_text(value, LONGEST)


def _feedparsers_time(value: struct_time | None) -> str | None:
    if value is None:
        return None
    try:
        return _time(datetime(*value[:6], tzinfo=UTC))
    except ValueError:
        return f"of the year {value.tm_year}"


def _length(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() else None


def _feedparsers_content(element: Values) -> str:
    contents = dict.get(element, "content") or []
    return max((_text({**each, "value_detail": each}, "value") for each in contents), key=len)


def _feedparsers_entry(element: Values) -> Values:
    authors = [each.get("name") or each.get("email") for each in dict.get(element, "authors") or ()]
    return {
        "id": dict.get(element, "id") or "",
        "title": _text(element, "title"),
        "link": dict.get(element, "link") or "",
        "published": _feedparsers_time(dict.get(element, "published_parsed")),
        "updated": _feedparsers_time(dict.get(element, "updated_parsed")),
        "authors": [author for author in authors if author],
        "summary_text": _text(element, "summary"),
        "content_text": _feedparsers_content(element) if dict.get(element, "content") else "",
        "categories": [tag.get("term") or tag.get("label") for tag in element.get("tags", ())],
        "enclosures": [
            {
                "url": each.get("href", ""),
                "type": each.get("type", ""),
                "length": _length(each.get("length")),
            }
            for each in element.get("enclosures", ())
        ],
    }


def _feedparsers(document: Path, expectation: Values) -> Values:
    headers = {"content-location": expectation["url"]}
    if expectation["content_type"]:
        headers["content-type"] = expectation["content_type"]
    try:
        found = feedparser.parse(document.read_bytes(), response_headers=headers)
    except UnicodeEncodeError:
        return {"crash": "UnicodeEncodeError"}
    if "error" in expectation and not found.entries:
        return {"error": expectation["error"]}
    feed = {
        "title": _text(found.feed, "title"),
        "link": found.feed.get("link", ""),
        "language": found.feed.get("language", ""),
        "sitemaps": [],
    }
    return {
        "feed": {key: feed[key] for key in expectation.get("feed", feed)},
        "entries": [_feedparsers_entry(element) for element in found.entries],
    }


def _differing(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """Yield the fields in which two answers differ; lists of entries by their numbers."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        for key in expected:
            yield from _differing(expected[key], found[key], f"{path}.{key}".lstrip("."))
    elif path == "entries" and len(expected) == len(found):
        for number, pair in enumerate(zip(expected, found, strict=True)):
            yield from _differing(*pair, f"{path}.{number}")
    elif expected != found:
        yield path or "error"  # one of them has no answer


@every_document
def test_reads_as_expected(document: Path) -> None:
    expectation = _expectation(document)

    assert _read(document, expectation) == _answer(expectation)


@every_document
def test_every_difference_from_feedparser_is_explained(document: Path) -> None:
    expectation = _expectation(document)
    explained = expectation.get("feedparser", {"differs": [], "why": "nothing"})

    differing = set(_differing(_answer(expectation), _feedparsers(document, expectation)))

    assert differing == set(explained["differs"])
    assert explained["why"]


def test_every_document_has_an_expectation_and_every_expectation_a_document() -> None:
    documents = [path.stem for path in _documents()]
    expectations = [path.name.removesuffix(EXPECTED) for path in DOCUMENTS.glob(f"*{EXPECTED}")]

    assert len(documents) >= AT_LEAST
    assert sorted(documents) == sorted(expectations)
