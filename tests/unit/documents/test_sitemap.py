"""Sitemaps and their indexes."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import Entry, Format, ParsedFeed
from wirewatch.documents.sitemap import MAX_SITEMAPS, read_sitemap
from wirewatch.topics.feed_states import FetchReason

URL = "https://news.example/sitemaps/news.xml"
SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
NEWS = 'xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"'
IMAGE = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def read(xml: str, max_entries: int = 100) -> ParsedFeed:
    return read_sitemap(etree.fromstring(xml.encode()), url=URL, max_entries=max_entries)


def links(found: ParsedFeed) -> list[str]:
    return [entry.link for entry in found.entries]


def test_a_news_sitemap_is_read() -> None:
    found = read(f"""<urlset {SITEMAP} {NEWS} {IMAGE}>
      <!-- by hand -->
      <url>
        <loc> https://news.example/port </loc>
        <lastmod>2026-03-01T12:30:00Z</lastmod>
        <n:news>
          <n:publication>
            <n:name>Harbour &amp; Sea</n:name><n:language>en</n:language>
          </n:publication>
          <n:publication_date>2026-03-01T10:00:00+02:00</n:publication_date>
          <n:title><![CDATA[Port reopens: 2 < 3]]></n:title>
          <n:keywords>ports, trade,, ports</n:keywords>
        </n:news>
        <image:image><image:loc>/p.jpg</image:loc></image:image>
        <image:image><image:loc>/second.jpg</image:loc></image:image>
      </url>
    </urlset>""")

    assert found == ParsedFeed(
        format=Format.SITEMAP,
        title="Harbour &amp; Sea",
        language="en",
        entries=(
            Entry(
                link="https://news.example/port",
                title="Port reopens: 2 &lt; 3",
                language="en",
                categories=("ports", "trade"),
                image="https://news.example/p.jpg",
                published_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
                updated_at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
            ),
        ),
    )


def test_a_plain_sitemap_has_links_and_times() -> None:
    found = read(
        f"<urlset {SITEMAP}><url><loc>/a</loc><lastmod>2026-03-01</lastmod></url></urlset>"
    )

    assert found.entries == (
        Entry(link="https://news.example/a", updated_at=datetime(2026, 3, 1, tzinfo=UTC)),
    )


def test_the_newest_entries_come_first_and_are_the_ones_taken() -> None:
    xml = """<urlset>
      <url><loc>/none</loc></url>
      <url><loc>/old</loc><lastmod>2026-01-01</lastmod></url>
      <url><loc>/new</loc><lastmod>2026-03-01</lastmod></url>
      <url><loc>/wrong</loc><lastmod>soon</lastmod></url>
      <url><loc>/same</loc><lastmod>2026-01-01</lastmod></url>
    </urlset>"""

    assert [link.rpartition("/")[2] for link in links(read(xml))] == [
        "new", "old", "same", "none", "wrong",
    ]  # fmt: skip
    assert links(read(xml, max_entries=1)) == ["https://news.example/new"]


def test_prefixes_and_namespaces_may_be_wrong() -> None:
    found = read("""<x:urlset xmlns:x="urn:x" xmlns:y="urn:y">
      <x:url><x:loc>/a</x:loc><y:news><y:title>A</y:title></y:news></x:url>
    </x:urlset>""")

    assert [entry.title for entry in found.entries] == ["A"]


def test_a_title_that_was_escaped_twice_is_left_as_html() -> None:
    [entry] = read(
        "<urlset><url><loc>/a</loc><news><title>Q&amp;amp;A</title></news></url></urlset>"
    ).entries

    assert entry.title == "Q&amp;A"


def test_pages_without_an_address_are_passed_over() -> None:
    xml = "<urlset><url/><url><loc> </loc></url><url><loc>http://[</loc></url><other/></urlset>"

    assert links(read(xml)) == []


def test_an_index_names_the_newest_sitemaps_first() -> None:
    found = read(f"""<sitemapindex {SITEMAP}>
      <sitemap><loc>https://news.example/1.xml</loc></sitemap>
      <sitemap><loc>/2.xml</loc><lastmod>2026-01-01</lastmod></sitemap>
      <sitemap><loc>/3.xml</loc><lastmod>2026-03-01T00:00:00Z</lastmod></sitemap>
      <sitemap><loc>/3.xml</loc></sitemap>
      <sitemap><loc>file:///etc/passwd</loc></sitemap>
      <sitemap><loc>http://[</loc></sitemap>
    </sitemapindex>""")

    assert found == ParsedFeed(
        format=Format.SITEMAP_INDEX,
        sitemaps=(
            "https://news.example/3.xml",
            "https://news.example/2.xml",
            "https://news.example/1.xml",
        ),
    )


def test_an_index_names_no_more_than_a_few() -> None:
    many = "".join(f"<sitemap><loc>/{n}.xml</loc></sitemap>" for n in range(MAX_SITEMAPS + 5))

    assert len(read(f"<sitemapindex>{many}</sitemapindex>").sitemaps) == MAX_SITEMAPS


def test_other_xml_is_no_sitemap() -> None:
    with pytest.raises(DocumentProblem) as caught:
        read("<opml/>")

    assert caught.value.reason is FetchReason.NOT_A_FEED
