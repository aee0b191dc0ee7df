"""Odd documents, each with what is expected of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from wirewatch.ingest.article import make_article, normal_language
from wirewatch.ingest.errors import FeedProblem
from wirewatch.ingest.parse import ParsedFeed, parse_feed
from wirewatch.ingest.plain import plain_text
from wirewatch.topics.articles import MAX_TITLE_CHARS, Article
from wirewatch.topics.feed_states import FetchReason
from wirewatch.topics.feeds import Feed
from wirewatch.topics.ids import article_id

DOCUMENTS = Path(__file__).parents[2] / "documents"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FEED = Feed(id="feed_1", url="https://news.example/feed.xml", created_at=NOW, updated_at=NOW)


def parsed(name: str, content_type: str = "application/xml", most: int = 100) -> ParsedFeed:
    return parse_feed(
        (DOCUMENTS / name).read_bytes(),
        content_type=content_type,
        url=FEED.url,
        max_entries=most,
    )


def articles(name: str, content_type: str = "application/xml", feed: Feed = FEED) -> list[Article]:
    document = parsed(name, content_type)
    made = (make_article(feed, document, entry, NOW) for entry in document.entries)
    return [one for one in made if one is not None]


def test_rss_with_every_field() -> None:
    [article] = articles("rss-2.0-plain.xml")

    assert article == Article(
        id=article_id("feed_1", "urn:1"),
        story_id=article_id("feed_1", "urn:1"),
        feed_id="feed_1",
        feed_title="Daily Example",
        url="https://www.news.example/1",
        title="Quake & flood",
        lead="A short lead.",
        body="First. Secondly.",
        language="en-GB",
        authors=("Ann Author",),
        categories=("World",),
        source="news.example",
        published_at=datetime(2026, 11, 23, 7, 30, tzinfo=UTC),
        fetched_at=NOW,
    )


def test_atom_language_base_and_html_title() -> None:
    first, second = articles("atom-1.0-xml-lang-and-base.xml")

    assert (first.title, first.language, first.lead) == ("Séisme", "fr", "Un résumé")
    assert first.url == "https://news.example/fr/un"
    assert first.updated_at == datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    assert (second.title, second.language) == ("Terremoto", "pt-BR")
    assert second.published_at == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "content_type", "title"),
    [
        ("rss-1.0-rdf.xml", "application/rdf+xml", "Beben"),
        (
            "windows-1251-only-in-http-header.xml",
            "text/xml; charset=windows-1251",
            "Землетрясение",
        ),
        ("unescaped-ampersand.xml", "text/xml", "Fish & chips"),
        ("control-characters.xml", "text/xml", "Bad byte"),
        ("external-entity.xml", "text/xml", "see here"),
    ],
)
def test_what_is_a_little_wrong_is_read(name: str, content_type: str, title: str) -> None:
    assert [article.title for article in articles(name, content_type)] == [title]


def test_an_entry_without_id_is_known_by_its_link_and_one_without_anything_is_left_out() -> None:
    [article] = articles("no-guid-no-date.xml")

    assert article.id == article_id("feed_1", "https://news.example/bare")
    assert article.published_at == NOW
    assert article.published_is_guess


def test_a_date_in_the_future_is_not_believed() -> None:
    [article] = articles("date-in-the-future.xml")

    assert (article.published_at, article.published_is_guess) == (NOW, True)


@pytest.mark.parametrize(
    ("name", "reason", "says"),
    [
        ("cut-off-in-an-entry.xml", FetchReason.MALFORMED, "the document is cut off"),
        ("html-page.html", FetchReason.NOT_A_FEED, "the document is an HTML page"),
        ("empty.xml", FetchReason.NOT_A_FEED, "the document is empty"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, reason: FetchReason, says: str) -> None:
    with pytest.raises(FeedProblem) as caught:
        parsed(name)

    assert caught.value.reason is reason
    assert caught.value.detail.startswith(says)


def test_entities_do_not_explode() -> None:
    [article] = articles("billion-laughs.xml")

    assert len(article.title) <= MAX_TITLE_CHARS


def test_no_more_entries_than_allowed() -> None:
    assert len(parsed("no-guid-no-date.xml", most=1).entries) == 1


def test_the_subscribers_language_goes_before_the_feeds_but_not_before_the_entrys() -> None:
    spanish = Feed(id="feed_1", url=FEED.url, language="es", created_at=NOW, updated_at=NOW)

    assert [a.language for a in articles("rss-2.0-plain.xml", feed=spanish)] == ["es"]
    assert [a.language for a in articles("atom-1.0-xml-lang-and-base.xml", feed=spanish)] == [
        "fr",
        "pt-BR",
    ]
    assert [a.language for a in articles("no-guid-no-date.xml")] == ["und"]


@pytest.mark.parametrize(
    ("tag", "normal"),
    [("en_us", "en-US"), ("DE", "de"), ("zh-Hans", "zh-Hans"), ("und", ""), ("english!", "")],
)
def test_languages_are_written_as_bcp_47(tag: str, normal: str) -> None:
    assert normal_language(tag) == normal


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("Nord<b>korea</b>", "Nordkorea"),
        ("one<br>two<p>three", "one two three"),
        ("a<script>alert('x')</script>b<style>p{}</style>c", "abc"),
        ("x &lt; y &amp; z", "x < y & z"),
        ("  many \n\t spaces\u00a0here ", "many spaces here"),
        ("e\u0301", "é"),
        ("1 < 2", "1 < 2"),
        ("\x00bad\x0b", "bad"),
        ("<svg><text>no</text></svg>yes", "yes"),
    ],
)
def test_html_becomes_what_a_reader_sees(html: str, plain: str) -> None:
    assert plain_text(html, 100) == plain


def test_plain_text_is_cut() -> None:
    assert plain_text("<p>" + "word " * 100, 12) == "word word wo"
