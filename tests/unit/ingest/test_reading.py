"""From a document's packed bytes to what is published."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from wirewatch.documents.page import PageText
from wirewatch.ingest.change import Policy
from wirewatch.ingest.reading import (
    Reading,
    Task,
    decode_reading,
    decode_task,
    encode_reading,
    encode_task,
    read_document,
    with_page,
)
from wirewatch.topics.articles import MAX_BODY_CHARS, Article
from wirewatch.topics.feeds import Feed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FEED = Feed(id="feed_1", url="https://news.example/feed.xml", created_at=NOW, updated_at=NOW)
RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
     xmlns:dc="http://purl.org/dc/elements/1.1/"
     xmlns:content="http://purl.org/rss/1.0/modules/content/"
     xmlns:media="http://search.yahoo.com/mrss/">
 <channel>
  <title>The &lt;b&gt;Daily&lt;/b&gt; Example</title><link>https://www.news.example.co.uk/</link>
  <language>en-gb</language><ttl>90</ttl>
  <atom:link rel="hub" href="https://hub.example/"/>
  <atom:link rel="self" href="https://news.example/feed.xml"/>
  <item>
   <guid isPermaLink="false">tag:1</guid>
   <title>Ferry &amp;amp; crew safe</title>
   <link>https://www.news.example.co.uk/ferry?utm_source=rss&amp;id=7#top</link>
   <description>&lt;p&gt;All aboard were saved.&lt;/p&gt;</description>
   <content:encoded><![CDATA[<p>All aboard were saved.</p>
    <p>The ferry had left at noon.</p>]]></content:encoded>
   <dc:creator>Ann Example</dc:creator><category>Sea</category><category>Sea</category>
   <media:thumbnail url="/ferry.jpg"/>
   <enclosure url="https://media.example/ferry.mp3" type="audio/mpeg" length="1234"/>
   <pubDate>Mon, 23 Nov 2026 09:30:00 +0100</pubDate>
  </item>
  <item>
   <title>From the future</title><link>/2</link>
   <pubDate>Mon, 23 Nov 2036 09:30:00 GMT</pubDate>
  </item>
 </channel>
</rss>"""


def task(body: bytes = RSS.encode(), **changes: object) -> Task:
    fields: dict[str, object] = {
        "feed": FEED,
        "body": body,
        "codings": (),
        "content_type": "text/xml",
        "body_digest": "",
        "packed": b"",
        "first": False,
        "now": NOW,
        "policy": Policy(timedelta(days=1), timedelta(days=14)),
        "max_bytes": 1_000_000,
        "max_entries": 100,
    }
    return Task(**fields | changes)  # type: ignore[arg-type]


def articles(reading: Reading) -> dict[str, Article]:
    return {one.article.title: one.article for one in reading.publications}


def test_an_entry_becomes_an_article_with_all_its_fields() -> None:
    article = articles(read_document(task()))["Ferry & crew safe"]

    assert article.url == "https://www.news.example.co.uk/ferry?id=7"
    assert article.lead == "All aboard were saved."
    assert "The ferry had left at noon." in article.body
    assert (article.language, article.language_is_guess) == ("en-GB", False)
    assert article.authors == ("Ann Example",)
    assert article.categories == ("Sea",)
    assert article.source == "news.example.co.uk"
    assert article.source_name == "The Daily Example"
    assert article.source_country == "GB"
    assert article.image == "https://news.example/ferry.jpg"
    [enclosure] = article.enclosures
    assert (enclosure.url, enclosure.length) == ("https://media.example/ferry.mp3", 1234)
    assert article.published_at == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    assert not article.published_is_guess
    assert article.fetched_at == NOW


def test_a_time_in_the_future_is_not_believed() -> None:
    article = articles(read_document(task()))["From the future"]

    assert (article.published_at, article.published_is_guess) == (NOW, True)
    assert article.url == "https://news.example/2"


def test_what_the_document_says_of_its_feed() -> None:
    reading = read_document(task())

    assert reading.title == "The Daily Example"
    assert reading.pace.ttl == timedelta(minutes=90)
    assert reading.hubs == ("https://hub.example/",)
    assert reading.self_url == "https://news.example/feed.xml"


def test_packed_bytes_are_unpacked_and_the_same_bytes_are_not_read_again() -> None:
    reading = read_document(task(gzip.compress(RSS.encode()), codings=("gzip",)))
    assert len(reading.publications) == 2

    again = read_document(task(body_digest=reading.body_digest))
    assert again.packed is None


def test_a_feed_that_was_never_read_tells_only_what_is_new() -> None:
    old = RSS.replace("Mon, 23 Nov 2026", "Mon, 02 Nov 2026")
    reading = read_document(task(old.encode(), first=True))

    assert reading.publications == ()
    assert reading.withheld == 2


def test_it_travels_to_the_worker_and_back_unchanged() -> None:
    one = task()
    assert decode_task(encode_task(one)) == one
    reading = read_document(one)
    assert decode_reading(encode_reading(reading)) == reading


TEXT = "The council met for nine hours. " * 20
PAGE = PageText(body=TEXT, title="Council votes", language="fr")


def article(**changes: object) -> Article:
    fields: dict[str, object] = {
        "id": "art_1",
        "story_id": "art_1",
        "feed_id": "feed_1",
        "url": "https://news.example/1",
        "title": "Vote taken",
        "language": "en",
        "published_at": NOW,
        "fetched_at": NOW,
    }
    return Article(**fields | changes)  # type: ignore[arg-type]


def test_a_page_gives_the_body_and_what_the_feed_left_out() -> None:
    filled = with_page(article(title=""), PAGE, NOW)

    assert filled.body == TEXT
    assert filled.full_text
    assert filled.title == "Council votes"
    assert filled.language == "en"


def test_a_page_with_less_than_the_feed_changes_nothing() -> None:
    whole = article(body=TEXT + " And more.")
    assert with_page(whole, PAGE, NOW) is whole


def test_a_huge_page_is_cut() -> None:
    filled = with_page(article(), PageText(body="word " * 100_000, title="", language=""), NOW)
    assert len(filled.body) == MAX_BODY_CHARS


@pytest.mark.parametrize("is_guess", [True, False])
def test_the_date_of_a_page_counts_only_where_the_feed_had_none(is_guess: bool) -> None:
    earlier = NOW - timedelta(hours=5)
    page = PageText(body=TEXT, title="", language="", published_at=earlier)
    filled = with_page(article(published_is_guess=is_guess), page, NOW)

    assert filled.published_at == (earlier if is_guess else NOW)
    assert not filled.published_is_guess
