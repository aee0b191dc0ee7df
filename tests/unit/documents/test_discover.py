"""Where a site's feeds may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.documents.discover import (
    COMMON_PATHS,
    MAX_LINKS,
    FeedLink,
    common_urls,
    feed_links,
    robots_sitemaps,
)

URL = "https://www.news.example/world/today.html"
RSS = "application/rss+xml"


def links(html: str, url: str = URL) -> tuple[FeedLink, ...]:
    return feed_links(html.encode(), content_type="text/html; charset=utf-8", url=url)


def urls(html: str) -> list[str]:
    return [link.url for link in links(html)]


def test_the_links_of_the_head_are_found() -> None:
    html = f"""<!doctype html><html><head><title>News</title>
      <link rel="alternate" type="{RSS}" title="World &amp; more" href="/world.rss">
      <LINK REL='Alternate' TYPE='Application/Atom+XML; charset=utf-8' href="//cdn.news.example/a">
      <link rel="alternate home" type="application/feed+json" href="feed.json#top">
      <link rel="feed" href="/plain">
      <link rel="alternate" hreflang="de" href="/de/">
      <link rel="stylesheet" type="text/css" href="/feed.css">
      <link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1">
      <link rel="alternate" type="application/json+oembed" href="/oembed?format=json">
    </head></html>"""

    assert links(html) == (
        FeedLink("https://www.news.example/world.rss", "World & more", RSS),
        FeedLink("https://cdn.news.example/a", "", "application/atom+xml"),
        FeedLink("https://www.news.example/world/feed.json", "", "application/feed+json"),
        FeedLink("https://www.news.example/plain", "", ""),
    )


def test_links_of_the_page_that_look_like_feeds_come_after() -> None:
    html = f"""<a href="/rss">All news</a> <a href="/feedback">Say it</a>
      <a href="/subscribe">Our <b>RSS</b> feed</a> <a href="/pressed">press</a>
      <a href="?feed=rss2"></a> <a href="/icons/rss.png">RSS</a> <a href="mailto:rss@news.example">
      <a href="https://feedly.com/i/subscription/feed/https://news.example/rss">Feedly</a>
      <a href="#rss">RSS</a>
      <link rel=alternate type={RSS} href=/head>"""

    assert links(html) == (
        FeedLink("https://www.news.example/head", "", RSS),
        FeedLink("https://www.news.example/rss", "All news"),
        FeedLink("https://www.news.example/subscribe", "Our RSS feed"),
        FeedLink("https://www.news.example/world/today.html?feed=rss2"),
    )


def test_the_own_site_comes_first_and_comments_last() -> None:
    html = "".join(
        f'<link rel="alternate" type="{RSS}" title="{title}" href="{href}">'
        for title, href in [
            ("Post » Comments Feed", "/post/feed/"),
            ("", "/comments/feed"),
            ("Elsewhere", "https://feeds.other.example/news"),
            ("News", "https://feeds.news.example/news"),
        ]
    )

    assert urls(html + '<a href="/rss">RSS</a>') == [
        "https://feeds.news.example/news",
        "https://feeds.other.example/news",
        "https://www.news.example/rss",
        "https://www.news.example/post/feed/",
        "https://www.news.example/comments/feed",
    ]


def test_the_base_of_the_page_is_honoured() -> None:
    head = f'<link rel=alternate type={RSS} href="feed">'

    assert urls(f'<base href="/a/"><base href="/b/">{head}') == ["https://www.news.example/a/feed"]
    assert urls(f'<base href="http://[">{head}') == ["https://www.news.example/world/feed"]


def test_the_same_feed_is_named_once() -> None:
    hrefs = ["/feed", "/feed/", "http://news.example/feed", "https://news.example/feed#x"]

    assert urls("".join(f'<a href="{href}">RSS</a>' for href in hrefs)) == [
        "https://www.news.example/feed"
    ]


def test_no_more_than_a_few_are_named() -> None:
    assert len(urls("".join(f"<a href='/{n}.rss'>" for n in range(100)))) == MAX_LINKS


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("feed://news.example/x", "http://news.example/x"),
        ("feed:https://news.example/x", "https://news.example/x"),
        (" /x\n", "https://www.news.example/x"),
    ],
)
def test_links_are_read_as_readers_do(href: str, url: str) -> None:
    assert urls(f"<link rel=alternate type={RSS} href='{href}'>") == [url]


@pytest.mark.parametrize(
    "href",
    [
        "",
        "http://[",
        "http://",
        "javascript:rss()",
        "/" + "x" * 5_000,
        "ftp://a/feed",
        "http://a:b:c]",
    ],
)
def test_what_is_no_address_is_passed_over(href: str) -> None:
    assert urls(f"<link rel=alternate type={RSS} href='{href}'><a href='{href}'>RSS</a>") == []


def test_a_page_in_another_charset_is_read() -> None:
    html = f'<link rel="alternate" type="{RSS}" title="Новости" href="/r">'.encode("cp1251")

    [link] = feed_links(html, content_type="text/html; charset=windows-1251", url=URL)

    assert link.title == "Новости"


@pytest.mark.parametrize(
    "html",
    [
        "", " ", "\0", "no page", "<", "<!--", "<![CDATA[", "{}", "<a " * 1_000, "<div>" * 10_000,
        "<a href='/rss'>" * 3_000, "\ufffd",
    ],
)  # fmt: skip
def test_whatever_the_page_is_there_is_an_answer(html: str) -> None:
    assert len(links(html)) <= 1


def test_links_in_a_deep_page_are_found() -> None:
    assert urls("<div>" * 1_000 + "<a href='/rss'>RSS</a>") == ["https://www.news.example/rss"]


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_no_error(html: bytes) -> None:
    assert isinstance(feed_links(html, content_type="", url=URL), tuple)


def test_common_places_are_those_of_the_section_and_the_site() -> None:
    site = tuple("https://www.news.example" + path for path in COMMON_PATHS)

    assert common_urls("https://www.news.example") == site
    assert common_urls("https://www.news.example/index.html?a=b#c") == site
    assert common_urls("https://www.news.example/blog/2026/") == (
        "https://www.news.example/blog/feed",
        "https://www.news.example/blog/rss.xml",
        *site,
    )
    assert common_urls("http://news.example:8080/")[0] == "http://news.example:8080/feed"


@pytest.mark.parametrize("url", ["", "news.example", "http://[", "file:///etc", "http://"])
def test_what_is_no_address_has_no_common_places(url: str) -> None:
    assert common_urls(url) == ()


def test_the_sitemaps_of_robots_txt_are_those_of_news_first() -> None:
    text = """User-agent: *
      Disallow: /sitemap: /
      Sitemap: https://news.example/images.xml
      sitemap:https://news.example/sitemap.xml # all
      SITEMAP : /sitemap-news.xml\r
      Sitemap: http://[
      Sitemap:
      Sitemap: https://news.example/sitemap.xml
    """

    assert robots_sitemaps(text, "https://news.example/a/b") == (
        "https://news.example/sitemap-news.xml",
        "https://news.example/sitemap.xml",
        "https://news.example/images.xml",
    )
    assert robots_sitemaps("", URL) == ()
