"""What an address says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.web.urls import canonical_url, domain_of, source_country


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        (" HTTPS://News.Example:443/A/b#top ", "https://news.example/A/b"),
        ("http://news.example:80", "http://news.example/"),
        ("http://news.example:/x", "http://news.example/x"),
        ("http://news.example:8080/x?", "http://news.example:8080/x"),
        ("http://[2001:DB8::1]:80/x", "http://[2001:db8::1]/x"),
        ("https://news.example/#!/story/1", "https://news.example/#!/story/1"),
        (
            "https://news.example/%7euser/%e4%b8%ad/a%2fb",
            "https://news.example/~user/%E4%B8%AD/a%2Fb",
        ),
        ("https://news.example/中?q=ü x", "https://news.example/%E4%B8%AD?q=%C3%BC%20x"),
        ("https://news.example/100%/a%zz", "https://news.example/100%/a%zz"),
        ("https://news.example/?b=2&a=1&b=1&&c", "https://news.example/?b=2&a=1&b=1&c"),
        ("https://news.example/?a=1+1%2B1&b=%26", "https://news.example/?a=1+1%2B1&b=%26"),
        ("https://news.example/amp/story?amp=1", "https://news.example/amp/story?amp=1"),
        ("https://www.news.example/a//b/", "https://www.news.example/a//b/"),
    ],
)
def test_an_address_is_written_in_one_way(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "parameter",
    [
        "utm_source=rss",
        "UTM_Medium=x",
        "utm_anything_new",
        "amp;utm_source=rss",
        "fbclid=a",
        "gclid=a",
        "mc_cid=a",
        "mc_eid=a",
        "at_medium=RSS",
        "at_campaign=KARANGA",
        "at_link_id=1",
        "xtor=RSS-3208",
        "cmpid=a",
        "ns_mchannel=rss",
        "wt_mc=rss",
        "ref=rss",
        "ref=share-button",
        "ref_src=twsrc%5Etfw",
        "source=rss----5e5bef33608a---4",
        "partner=rss",
        "emc=rss",
        "traffic_source=rss",
    ],
)
def test_what_tracks_is_left_out(parameter: str) -> None:
    assert canonical_url(f"https://n.example/s?{parameter}") == "https://n.example/s"
    assert (
        canonical_url(f"https://n.example/s?a=1&{parameter}&b=2") == "https://n.example/s?a=1&b=2"
    )


@pytest.mark.parametrize(
    "parameter",
    [
        "id=1",
        "p=123",
        "cid=7",
        "ref=42",
        "ref=rssfeed",
        "source=reuters",
        "partner=7",
        "at=1",
        "rss=12",
        "nsfw=1",
        "from=paris",
        "utm=1",
    ],
)
def test_what_may_name_the_article_stays(parameter: str) -> None:
    assert canonical_url(f"https://n.example/s?{parameter}") == f"https://n.example/s?{parameter}"


@pytest.mark.parametrize(
    "garbage",
    ["", "nonsense", "mailto:me@example.org", "http://", "http://[bad/", "http://h:port/", "//h/x"],
)
def test_what_is_no_web_address_stays(garbage: str) -> None:
    assert canonical_url(f" {garbage}\n") == garbage


@given(st.one_of(st.text(), st.text().map("http://h.example/".__add__)))
def test_anything_is_survived_and_twice_is_once(text: str) -> None:
    once = canonical_url(text)
    assert canonical_url(once) == once
    domain_of(text)
    source_country(text)


def test_half_a_character_is_survived() -> None:
    assert canonical_url("http://h.example/\ud800") == "http://h.example/%ED%A0%80"


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.News.Example:8443/x", "news.example"),
        ("https://me@www.news.example./x", "news.example"),
        ("https://wwwnews.example", "wwwnews.example"),
        ("nonsense", ""),
        ("http://[bad/", ""),
    ],
)
def test_the_domain(url: str, domain: str) -> None:
    assert domain_of(url) == domain


@pytest.mark.parametrize(
    ("domain", "country"),
    [
        ("spiegel.de", "DE"),
        ("bbc.co.uk", "GB"),
        ("Asahi.JP.", "JP"),
        ("news.am", "AM"),
        ("eltiempo.com.co", "CO"),
        ("libya.gov.ly", "LY"),
        ("lenta.xn--p1ai", "RU"),
        ("новости.рф", "RU"),
        ("nytimes.com", ""),
        ("politico.eu", ""),
        ("github.io", ""),
        ("start.co", ""),
        ("twitch.tv", ""),
        ("about.me", ""),
        ("openai.ai", ""),
        ("last.fm", ""),
        ("bit.ly", ""),
        ("x.su", ""),
        ("x.zz", ""),
        ("de", ""),
        ("", ""),
        ("127.0.0.1", ""),
    ],
)
def test_the_country_of_a_domain(domain: str, country: str) -> None:
    assert source_country(domain) == country
