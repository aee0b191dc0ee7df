"""The starter set: real feeds, example alerts, and a newsroom that behaves like a publisher."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache
from html import unescape

import aiohttp
import feedparser
import pytest

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.index.index import QueryIndex
from wirewatch.query.parse import parse
from wirewatch.starter.alerts import starter_alerts
from wirewatch.starter.articles import SampleArticle, sample_articles
from wirewatch.starter.newsroom import ATOM_LANGUAGES, Newsroom, start_newsroom
from wirewatch.starter.opml import (
    MAX_DEPTH,
    MAX_OUTLINES,
    FeedOutline,
    OpmlProblem,
    read_opml,
    read_starter_feeds,
    write_opml,
)
from wirewatch.topics.articles import Article

NOW = datetime(2026, 11, 23, 9, 0, 0, 123, tzinfo=UTC)
BY_GUID = {article.guid: article for article in sample_articles()}


def test_forty_real_feeds_in_twelve_languages() -> None:
    feeds = read_starter_feeds()

    assert len(feeds) >= 40
    assert len({feed.url for feed in feeds}) == len(feeds)
    assert len({feed.language for feed in feeds}) >= 12
    assert all(feed.url.startswith("https://") and feed.title and feed.tags for feed in feeds)


def test_the_example_alerts_can_be_read_and_the_main_one_comes_first() -> None:
    alerts = starter_alerts()

    assert alerts[0].query == 'entity:"North Korea" AND entity:Russia AND topic:military'
    for alert in alerts:
        parse(alert.query, Catalogue.load())


def test_guids_are_unique_and_one_event_is_told_in_ten_languages() -> None:
    assert len(BY_GUID) == len(sample_articles())
    told = {a.language for a in sample_articles() if a.event == "arms-plant-visit"}
    assert len(told) >= 10


@cache
def _index() -> QueryIndex:
    catalogue = Catalogue.load()
    index = QueryIndex(Finder(catalogue))
    index.put_all((alert.name, parse(alert.query, catalogue)) for alert in starter_alerts())
    return index


def alerts_for(article: SampleArticle) -> set[str]:
    found = Article(
        id=article.guid,
        story_id=article.guid,
        feed_id="f",
        url="u",
        title=article.title,
        lead=article.summary,
        body=" ".join(article.body),
        language=article.language,
        published_at=NOW,
        fetched_at=NOW,
    )
    return set(_index().search([found])[0])


EXPECTED = {
    "arms-plant-visit": {"North Korea, Russia, military"},
    "japan-quake": {"Earthquakes near Japan"},
    "kenya-count": {"Elections in Africa"},
    "eu-brazil-trade": {"EU trade beyond Europe"},
    "korean-league": set(),
}


@pytest.mark.parametrize("guid", BY_GUID)
def test_each_article_fires_its_alert_in_its_language_and_no_other(guid: str) -> None:
    article = BY_GUID[guid]

    assert alerts_for(article) == EXPECTED[article.event]


@pytest.fixture
async def newsroom() -> AsyncIterator[Newsroom]:
    newsroom = await start_newsroom("127.0.0.1", 0, now=NOW)
    yield newsroom
    await newsroom.close()


async def test_every_feed_is_flawless(newsroom: Newsroom) -> None:
    async with aiohttp.ClientSession() as session:
        for feed in newsroom.feeds:
            async with session.get(feed.url) as answer:
                body, kind = await answer.read(), answer.headers["Content-Type"]
            parsed = feedparser.parse(body, response_headers={"content-type": kind})
            assert not parsed.bozo, (feed.url, parsed.get("bozo_exception"))
            assert parsed.version == ("atom10" if feed.language in ATOM_LANGUAGES else "rss20")
            assert len(parsed.entries) == len(
                [a for a in sample_articles() if a.language == feed.language]
            )
            for entry in parsed.entries:
                guid = entry.id.removeprefix("urn:wirewatch:newsroom:")
                assert entry.title == BY_GUID[guid].title
                assert entry.summary == BY_GUID[guid].summary
                assert BY_GUID[guid].body[0] in unescape(entry.content[0].value)
                assert entry.author == BY_GUID[guid].author
                async with session.get(entry.link) as answer:
                    assert BY_GUID[guid].title in unescape(await answer.text())


async def test_conditional_requests_are_answered_with_304(newsroom: Newsroom) -> None:
    url = newsroom.feeds[0].url
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as first:
            etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
        for headers, status in [
            ({"If-None-Match": etag}, 304),
            ({"If-None-Match": f'"other", W/{etag}'}, 304),
            ({"If-None-Match": '"other"', "If-Modified-Since": modified}, 200),
            ({"If-Modified-Since": modified}, 304),
            ({"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}, 200),
            ({"If-Modified-Since": "once upon a time"}, 200),
        ]:
            async with session.get(url, headers=headers) as answer:
                assert answer.status == status, headers


async def test_what_is_not_there(newsroom: Newsroom) -> None:
    base = newsroom.feeds[0].url.rpartition("/feeds/")[0]
    async with aiohttp.ClientSession() as session:
        for path in ("/feeds/xx.xml", "/articles/none"):
            async with session.get(base + path) as answer:
                assert answer.status == 404
        async with session.get(base + "/feeds.opml") as answer:
            assert read_opml(await answer.read()) == list(newsroom.feeds)


def test_opml_goes_out_and_comes_back() -> None:
    feeds = [
        FeedOutline("https://a.example/?x=1&y=2", "A & B", "de", ("World",)),
        FeedOutline("https://c.example/", "C", None, ("World", "Asia")),
        FeedOutline("https://b.example/", "https://b.example/"),
        FeedOutline("https://d.example/", "D", "pt-BR", ("Asia",)),
        FeedOutline("https://e.example/", "E", None, tuple(f"tag {n}" for n in range(20))),
    ]

    assert read_opml(write_opml(feeds)) == feeds


def test_opml_folders_are_tags_and_a_url_counts_once() -> None:
    raw = b"""<opml version="1.0"><body><outline text="News"><outline title="Asia">
      <outline text="One" xmlUrl=" https://one.example/ "/></outline></outline>
      <outline text="Again" xmlUrl="https://one.example/"/><outline text="empty"/></body></opml>"""

    assert read_opml(raw) == [FeedOutline("https://one.example/", "One", None, ("News", "Asia"))]


def test_a_feed_in_several_folders_has_the_tags_of_all_each_once() -> None:
    raw = b"""<opml><body>
      <outline text="Asia"><outline text="Asia"><outline text="A" xmlUrl="u:a"/></outline></outline>
      <outline text="War"><outline text="Again" xmlUrl="u:a"/></outline></body></opml>"""

    assert read_opml(raw) == [FeedOutline("u:a", "A", None, ("Asia", "War"))]


@pytest.mark.parametrize(
    ("raw", "feed"),
    [
        (b'<opml><outline text="A" xmlurl="u:a"/></opml>', FeedOutline("u:a", "A")),
        (b'<OPML><outline TEXT="A" XMLURL="u:a"/></OPML>', FeedOutline("u:a", "A")),
        (
            b'\n <?xml version="1.0"?><opml><outline xmlUrl="u:a"/></opml>',
            FeedOutline("u:a"),
        ),
        (
            b'<opml><outline text="A" xmlUrl="u:a" language="unknown"/></opml>',
            FeedOutline("u:a", "A"),
        ),
        (
            b'<opml><outline text="A" xmlUrl="u:a" language="pt_BR"/></opml>',
            FeedOutline("u:a", "A", "pt-BR"),
        ),
        (
            '<?xml version="1.0" encoding="koi8-r"?><opml><outline text="Мир" xmlUrl="u:a"/></opml>'
            .encode("koi8-r"),
            FeedOutline("u:a", "Мир"),
        ),
        (
            '<opml><outline text="世界" xmlUrl="u:a"/></opml>'.encode("utf-16"),
            FeedOutline("u:a", "世界"),
        ),
    ],
)  # fmt: skip
def test_odd_files_of_other_readers_are_understood(raw: bytes, feed: FeedOutline) -> None:
    assert read_opml(raw) == [feed]


def test_what_xml_cannot_hold_is_left_out_so_that_the_file_can_be_read_again() -> None:
    written = write_opml([FeedOutline("u:a", "A\x08\ufffe\ud800B", None, ("t\x00ag",))])

    assert read_opml(written) == [FeedOutline("u:a", "AB", None, ("tag",))]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "line 1 is not well-formed XML"),
        (b"<opml>\n<body>\n</opml>", "line 3 is not well-formed XML"),
        (b"\n\n<opml>\n<body>\n</opml>", "line 5 is not well-formed XML"),
        (b"<html/>", "line 1: the document is not OPML: its root is <html>"),
        (b'<html><opml/><outline xmlUrl="u:a"/></html>', "its root is <html>"),
        (b'<?xml version="1.0" encoding="klingon"?><opml/>', "line 1: the encoding cannot be read"),
        (b'<?xml version="1.0" encoding="gb2312"?><opml/>', "line 1: the encoding cannot be read"),
        (b'<!DOCTYPE o [<!ENTITY a "b">]><opml/>', "line 1: .* document type"),
        (b"<opml>" + b"<outline>" * (MAX_DEPTH + 1), "nested more than 32 deep"),
        (b"<opml>\n" + b"<outline/>" * (MAX_OUTLINES + 1), "line 2: .* more than 20000 outlines"),
        (b" " * 6_000_000, "6000000 bytes"),
    ],
)
def test_what_is_not_opml_says_so(raw: bytes, says: str) -> None:
    with pytest.raises(OpmlProblem, match=says):
        read_opml(raw)
