"""JSON Feed."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import MAX_LISTED, Enclosure, Entry, Format, ParsedFeed
from wirewatch.documents.json_feed import MAX_CONTAINERS, read_json_feed
from wirewatch.topics.feed_states import FetchReason

URL = "https://news.example/feeds/feed.json"
VERSION = "https://jsonfeed.org/version/1.1"


def read(raw: bytes, max_entries: int = 100) -> ParsedFeed:
    return read_json_feed(raw, url=URL, max_entries=max_entries)


def feed(*items: object, **fields: object) -> ParsedFeed:
    return read(json.dumps({"version": VERSION, "items": items} | fields).encode())


def entry(**fields: object) -> Entry:
    [found] = feed(fields).entries
    return found


def reason(raw: bytes) -> FetchReason:
    with pytest.raises(DocumentProblem) as caught:
        read(raw)
    return caught.value.reason


def test_a_whole_feed_is_read() -> None:
    raw = """{
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Harbour & Sea", "language": "en-GB",
        "home_page_url": "/", "feed_url": "https://news.example/feed.json",
        "hubs": [{"type": "rssCloud", "url": "https://cloud.example"},
                 {"type": "WebSub", "url": "https://hub.example/"}],
        "items": [{
            "id": "tag:1", "url": "../2026/port", "external_url": "https://other.example/",
            "title": "Port <reopens>", "summary": "Ships are back.",
            "content_html": "<p>The port reopens.</p>", "content_text": "The port reopens.",
            "date_published": "2026-03-01T10:00:00+02:00", "date_modified": "2026-03-01T09:30:00Z",
            "authors": [{"name": " Ana Ruiz "}, {"name": "Bo Li"}, {"name": "Ana Ruiz"}],
            "tags": ["ports", "trade", ""], "language": "en", "image": "/p.jpg",
            "attachments": [{"url": "/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 1200}]
        }]
    }"""

    assert read(b"\xef\xbb\xbf" + raw.encode()) == ParsedFeed(
        format=Format.JSON,
        title="Harbour &amp; Sea",
        link="https://news.example/",
        language="en-GB",
        hubs=("https://hub.example/",),
        self_url="https://news.example/feed.json",
        entries=(
            Entry(
                id="tag:1",
                link="https://news.example/2026/port",
                title="Port &lt;reopens&gt;",
                summary="Ships are back.",
                content="<p>The port reopens.</p>",
                language="en",
                authors=("Ana Ruiz", "Bo Li"),
                categories=("ports", "trade"),
                enclosures=(Enclosure("https://news.example/a.mp3", "audio/mpeg", 1200),),
                image="https://news.example/p.jpg",
                published_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
                updated_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
            ),
        ),
    )


def test_the_author_of_version_1_0_is_read() -> None:
    assert entry(author={"name": "Ana Ruiz"}).authors == ("Ana Ruiz",)
    assert entry(author={"url": "mailto:ana@news.example"}).authors == ("ana@news.example",)
    assert entry(author={"url": "https://news.example/ana"}).authors == ()
    assert entry(authors=["Ana Ruiz"]).authors == ("Ana Ruiz",)


def test_the_feeds_authors_are_those_of_entries_without() -> None:
    found = feed({"id": "1"}, {"id": "2", "author": {"name": "Bo"}}, authors=[{"name": "Ana"}])

    assert [each.authors for each in found.entries] == [("Ana",), ("Bo",)]


def test_plain_text_is_escaped_and_html_in_its_place_is_not() -> None:
    assert entry(content_text="a < b & c").content == "a &lt; b &amp; c"
    assert entry(title="Q&A <i").title == "Q&amp;A &lt;i"
    assert entry(title="Q&amp;A").title == "Q&amp;A"
    assert entry(summary="<p>Ships</p>").summary == "<p>Ships</p>"


@pytest.mark.parametrize(
    ("value", "text"),
    [(7, "7"), (7.0, "7"), (1.5, "1.5"), (" a ", "a"), (True, ""), (None, ""), ([1], "")],
)
def test_an_id_may_be_a_number(value: object, text: str) -> None:
    assert entry(id=value).id == text


def test_the_external_link_is_taken_where_there_is_no_other() -> None:
    assert entry(external_url="https://other.example/").link == "https://other.example/"
    assert entry(url="http://[", image="http://[").link == ""


def test_the_banner_is_the_image_where_there_is_no_other() -> None:
    assert entry(banner_image="/b.jpg").image == "https://news.example/b.jpg"


@pytest.mark.parametrize("wrong", [None, True, 7, -1.5, "text", [], [[]], {}, {"a": 1}, [None, 7]])
def test_what_has_the_wrong_type_is_passed_over(wrong: object) -> None:
    keys = (
        "title url external_url summary content_html content_text date_published date_modified "
        "author authors tags attachments image banner_image language hubs feed_url home_page_url"
    )
    fields = dict.fromkeys(keys.split(), wrong)

    found = feed(
        fields, wrong, {"id": "last", "attachments": [{"url": "/a", "mime_type": wrong}]}, **fields
    )

    assert found.entries[-1].id == "last"
    assert found.entries[-1].published_at is None
    assert [each.url for each in found.entries[-1].enclosures] == ["https://news.example/a"]


@pytest.mark.parametrize(
    ("size", "length"), [(0, 0), (5.0, 5), (-1, None), ("5", None), (True, None)]
)
def test_sizes_are_numbers_of_bytes(size: object, length: int | None) -> None:
    [found] = entry(attachments=[{"url": "/a", "size_in_bytes": size}]).enclosures

    assert found.length == length


def test_no_more_is_taken_than_allowed() -> None:
    raw = json.dumps({"version": VERSION, "items": [{"id": n} for n in range(5)]}).encode()

    assert [each.id for each in read(raw, max_entries=2).entries] == ["0", "1"]
    assert len(entry(tags=[str(n) for n in range(100)]).categories) == MAX_LISTED


@pytest.mark.parametrize(
    "raw",
    [
        b'{"items": [{"id": 1, "content_text": "x"}]}',
        b'{"feed_url": "/", "items": [{"id": 1}]}',
        b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": 1, "title": "a\tb"}]}',
        b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": 1, "title": "\\ud83d"}]}',
        b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": 1, "title": "\xff"}]}',
        b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": 1, "title": NaN}]}',
    ],
)
def test_what_is_nearly_a_feed_is_read(raw: bytes) -> None:
    [found] = read(raw).entries

    assert found.id == "1"
    assert found.title.encode().decode() == found.title


@pytest.mark.parametrize(
    "raw", [b"{}", b"[]", b"7", b'"feed"', b'{"items": [{"id": 1}]}', b'{"version": "1.1"}']
)
def test_other_json_is_no_feed(raw: bytes) -> None:
    assert reason(raw) is FetchReason.NOT_A_FEED


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b'{"version": "https://jsonfeed.org/version/1", "items": [],}',
        b'{"version": "https://jsonfeed.org/version/1", "items": [',
        b'{"items": []} and more',
        b"[" * 100_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
)
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    assert reason(raw) is FetchReason.MALFORMED


def test_more_structure_than_feeds_have_is_too_costly() -> None:
    assert reason(b"[" + b"{}," * MAX_CONTAINERS + b"{}]") is FetchReason.TOO_COSTLY


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)
FIELDS = st.sampled_from(["id", "url", "authors", "tags", "attachments", "date_published"])


@given(st.lists(JSON | st.dictionaries(FIELDS, JSON, max_size=4), max_size=4))
def test_whatever_the_items_are_the_feed_is_read(items: list[object]) -> None:
    found = feed(*items)

    assert len(found.entries) == sum(isinstance(item, dict) for item in items)
