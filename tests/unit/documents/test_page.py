"""The text of an article out of its page."""

from datetime import UTC, datetime

import pytest

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.page import MAX_PAGE_BYTES, MAX_TAGS, PageText, read_page
from wirewatch.topics.feed_states import FetchReason

URL = "https://www.news.example/world/port?utm=1"
HEAD = """
    <title>Port reopens after storm | Harbour &amp; Sea</title>
    <link rel="canonical" href="/world/port">
    <meta property="og:title" content="Port reopens after storm">
    <meta property="og:image" content="/p.jpg">
    <script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle",
      "headline": "Port reopens after storm", "datePublished": "2026-03-01T10:00:00+02:00",
      "dateModified": "2026-03-01T12:30:00Z",
      "author": [{"@type": "Person", "name": "Ana Ruiz"}, {"@type": "Person", "name": "Bo Li"}]}
    </script>"""
TEXT = """
    <p>The port of Veliky Ozersk reopened on Sunday, two days after a storm had closed it. Nine
    ships were waiting outside, the harbour office said.</p>
    <p>Cranes had to be checked one by one, an engineer said. The &lt;new&gt; part of the eastern
    pier stays closed until the summer, and ferries leave from the old town.</p>
    <p>Traders expect that the delays will be made up for within a week. Prices of grain, which
    rose on Friday, fell again.</p>"""
BODY = (
    "The port of Veliky Ozersk reopened on Sunday, two days after a storm had closed it. Nine "
    "ships were waiting outside, the harbour office said. "
    "Cranes had to be checked one by one, an engineer said. The <new> part of the eastern "
    "pier stays closed until the summer, and ferries leave from the old town. "
    "Traders expect that the delays will be made up for within a week. Prices of grain, which "
    "rose on Friday, fell again."
)


def page(head: str = HEAD, text: str = TEXT) -> str:
    return f"""<!doctype html><html lang="en-GB"><head><meta charset="utf-8">{head}</head><body>
      <nav><ul><li><a href="/">Home</a></li><li><a href="/world">World</a></li></ul></nav>
      <article><h1>Port reopens after storm</h1>{text}</article>
      <div class="comments"><p>First comment of a reader, who is angry.</p></div>
      <footer>All rights reserved. <a href="/contact">Contact us</a></footer></body></html>"""


def read(html: str | bytes, content_type: str = "text/html; charset=utf-8") -> PageText:
    body = html.encode() if isinstance(html, str) else html
    return read_page(body, content_type=content_type, url=URL)


def reason(html: str | bytes, content_type: str = "") -> FetchReason:
    with pytest.raises(DocumentProblem) as caught:
        read(html, content_type)
    return caught.value.reason


def test_an_article_is_read_without_what_stands_around_it() -> None:
    assert read(page()) == PageText(
        title="Port reopens after storm",
        body=BODY,
        language="en-GB",
        published_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        authors=("Ana Ruiz", "Bo Li"),
        image="https://www.news.example/p.jpg",
        canonical_url="https://www.news.example/world/port",
    )


def test_a_page_that_says_nothing_of_itself_is_read() -> None:
    found = read(page(head="").replace(' lang="en-GB"', ""))

    assert found == PageText(title="Port reopens after storm", body=BODY)


@pytest.mark.parametrize(
    ("head", "published_at"),
    [
        (
            """<meta property="article:published_time" content="2026-03-01T08:00:00Z">
            <meta name="date" content="2020-01-01">""",
            datetime(2026, 3, 1, 8, tzinfo=UTC),
        ),
        (
            "<META CONTENT='Sun, 01 Mar 2026 08:00:00 GMT' NAME='DC.date.issued'>",
            datetime(2026, 3, 1, 8, tzinfo=UTC),
        ),
        (
            '<time itemprop="datePublished" datetime="2026-03-01T08:00:00Z">today</time>',
            datetime(2026, 3, 1, 8, tzinfo=UTC),
        ),
        ('<meta property="article:published_time" content="soon">', None),
    ],
)
def test_the_time_is_where_the_page_says_it(head: str, published_at: datetime | None) -> None:
    assert read(page(head)).published_at == published_at


def test_a_page_in_another_charset_is_read() -> None:
    text = "<p>" + "Порт снова открыт после бури, сообщила администрация в воскресенье. " * 6

    found = read(page("", text).encode("cp1251"), "text/html; charset=windows-1251")

    assert found.body.startswith("Порт снова открыт после бури, сообщила")


def test_addresses_that_are_none_are_left_out() -> None:
    head = '<link rel="canonical" href="http://["><meta property="og:image" content="http://[">'

    found = read(page(head))

    assert (found.image, found.canonical_url) == ("", "")


@pytest.mark.parametrize(
    ("html", "content_type"),
    [
        ("", ""),
        (" ", "text/html"),
        ("\0" * 100, ""),
        ("<html><body></body></html>", ""),
        ("<!--", ""),
        ("<div>" * 10_000, ""),
        (page(), "application/pdf"),
        ("<html><body><script>var text = 'none';</script></body></html>", "text/html"),
    ],
)
def test_a_page_without_an_article_is_none(html: str, content_type: str) -> None:
    assert reason(html, content_type) is FetchReason.NOT_A_FEED


def test_the_problem_is_said_in_words() -> None:
    with pytest.raises(DocumentProblem) as caught:
        read("<html></html>")

    assert caught.value.detail == "no article text on the page"


def test_pages_that_would_take_too_long_are_refused() -> None:
    assert reason(b" " * (MAX_PAGE_BYTES + 1)) is FetchReason.TOO_LARGE
    assert reason("<p>" * (MAX_TAGS + 1)) is FetchReason.TOO_COSTLY
    assert reason("<p " + "a " * 300 + ">") is FetchReason.TOO_COSTLY
    assert reason("<p " + "a=1 " * 300) is FetchReason.TOO_COSTLY
    assert reason("<p " + "a='1'" * 300 + ">") is FetchReason.TOO_COSTLY


def test_only_the_headline_itself_is_taken_off() -> None:
    text = page(text="<p>Port reopens after stormy days. " + TEXT)

    assert read(text).body == f"Port reopens after stormy days. {BODY}"


def test_what_looks_like_a_tag_in_a_script_is_none() -> None:
    words = "and more " * 1_000

    assert read(page(f"<script>if (a<b) {words}</script><!-- a<b {words} -->")).body == BODY
    assert reason(page(f"<script {words}></script>")) is FetchReason.TOO_COSTLY
    assert reason(page(f"<!--><p {words}>")) is FetchReason.TOO_COSTLY


def test_long_tags_and_long_texts_are_none_of_them() -> None:
    path = "M 0 0 L 1 1 " * 1_000

    assert read(page(text=f'<svg><path d="{path}"/></svg>{TEXT}')).body == BODY
    assert read(page(text="<p>" + "word " * 2_000)).body.startswith("word word")
