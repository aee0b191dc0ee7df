"""Which requests can be sent, by value."""

import pytest

from wirewatch.notify.redirect import next_request
from wirewatch.notify.request import HttpRequest, Tls
from wirewatch.web.target import MAX_URL_CHARS, BadTarget, check_headers, read_target


@pytest.mark.parametrize(
    ("url", "sent", "to"),
    [
        ("https://a.example", "https://a.example", "a.example:443"),
        ("HTTP://A.Example:8080/In?x=%20#part", "http://a.example:8080/In?x=%20", "a.example:8080"),
        ("https://a_b.example./x", "https://a_b.example./x", "a_b.example.:443"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC", None),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", None),
        ("https://例え.テスト/", "https://xn--r8jz45g.xn--zckzah/", None),
        ("http://127.0.0.1:80/", "http://127.0.0.1/", "127.0.0.1:80"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/", "127.0.0.1:80"),
        ("http://[2001:DB8::1]:81/", "http://[2001:db8::1]:81/", "[2001:db8::1]:81"),
        ("http://localhost/", "http://localhost/", "localhost:80"),
        ("http://a.example/;a?b|c={d}", "http://a.example/;a?b%7Cc=%7Bd%7D", "a.example:80"),
    ],
)
def test_what_is_sent_where(url: str, sent: str, to: str | None) -> None:
    target = read_target(url)

    assert str(target.url) == sent
    assert to is None or target.to == to


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "neither http:// nor https://"),
        ("/in?token=geheim", "neither http:// nor https://"),
        ("ftp://a.example/?token=geheim", "neither http:// nor https://"),
        ("file:///etc/passwd", "neither http:// nor https://"),
        ("javascript:alert(1)", "neither http:// nor https://"),
        ("http:///?token=geheim", "names no host|cannot be read"),
        ("http://?token=geheim", "names no host|cannot be read"),
        ("http://a.example/ b?token=geheim", "holds a space"),
        ("http://a.example/\r\nX-A: geheim", "holds a space, a line break"),
        ("http://a.example/\n", "line break"),
        ("http://a.example/\0geheim", "another character"),
        ("http://a.example\\@b.example/", "another character"),
        ("http://a.example/\ud800", "another character"),
        ("http://me:geheim@a.example/", "user name or a password"),
        ("http://me@a.example/", "user name or a password"),
        ("http://:geheim@a.example/", "user name or a password"),
        ("http://a.example:99999/?token=geheim", "port is no number up to 65535"),
        ("http://a.example:x/?token=geheim", "port is no number"),
        ("http://a.example:-1/?token=geheim", "port is no number"),
        ("http://a.example:0/", "port 0"),
        ("http://x..y/?token=geheim", "no host name|host name is none"),
        ("http://-a.example/", "no host name"),
        ("http://a-.example/", "no host name"),
        ("http://a%20b.example/", "no host name|host name is none"),
        ("http://a,b.example/", "no host name|host name is none"),
        (f"http://{'a' * 64}.example/", "no host name|host name is none"),
        (f"http://{'a.' * 127}example/", "no host name|host name is none"),
        (f"http://{'ü' * 64}.example/", "no host name|host name is none"),
        ("http://ab\u00ad\u200d.example/", "no host name|host name is none"),
        ("http://2130706433/?token=geheim", "is a number"),
        ("http://0x7f000001/", "is a number"),
        ("http://0177.0.0.1/", "is a number"),
        ("http://127.1/", "is a number"),
        ("http://127.0.0.1./", "is a number"),
        ("http://1.2.3.4.5/", "is a number"),
        ("http://a.example.0x1/", "is a number"),
        ("http://[fe80::1%25eth0]/", "zone"),
        ("http://[::1/?token=geheim", "cannot be read"),
        ("http://[geheim]/", "cannot be read"),
        ("http://a.example/" + "x" * MAX_URL_CHARS, "has 8209 characters, at most 8192"),
    ],
)
def test_a_url_that_is_none(url: str, words: str) -> None:
    with pytest.raises(BadTarget, match=words) as caught:
        read_target(url)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("X-A", "b\r\nX-C: d", "X-A holds a line break"),
        ("X-A", "b\nX-C: d", "X-A holds a line break"),
        ("X-A", "b\rX-C: d", "X-A holds a line break"),
        ("X-A", "b\0c", "X-A holds a line break"),
        ("X-A\r\nX-B", "c", "header's name"),
        ("X A", "c", "header's name"),
        ("X-A:", "c", "header's name"),
        ("", "c", "header's name"),
        ("X-Ä", "c", "header's name"),
        ("x" * 101, "c", "header's name"),
        ("X-A", "b" * 8_191, "more than 8190"),
        ("Host", "b", "Host is not for endpoints to set"),
        ("content-length", "1", "not for endpoints to set"),
        ("Transfer-Encoding", "chunked", "not for endpoints to set"),
        ("Connection", "close", "not for endpoints to set"),
        ("Expect", "100-continue", "not for endpoints to set"),
    ],
)
def test_a_header_that_is_none(name: str, value: str, words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        check_headers({"webhook-id": "m", name: value})


def test_headers_that_can_be_sent() -> None:
    check_headers({"X-A": "ä b\tc", "Authorization": "Bearer x", "x" * 100: "y" * 8_190})
    with pytest.raises(BadTarget, match="there are 101 headers"):
        check_headers({f"X-{number}": "" for number in range(101)})


REQUEST = HttpRequest(
    "https://a.example/in?key=1",
    b"{}",
    {
        "webhook-id": "m",
        "ce-source": "wirewatch",
        "User-Agent": "wirewatch",
        "X-Key": "secret",
        "User-Agent-Key": "secret",
        "Content-Type-Key": "secret",
    },
    redirects=2,
    tls=Tls(ca="ca", certificate="certificate", private_key="key"),
)
PUBLIC = {"webhook-id": "m", "ce-source": "wirewatch", "User-Agent": "wirewatch"}


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("new", "https://a.example/new"),
        ("?x", "https://a.example/in?x"),
        ("//a.example:443/y", "https://a.example/y"),
        ("https://a.example/z#f", "https://a.example/z"),
    ],
)
def test_within_an_origin_all_goes_along(location: str, url: str) -> None:
    onward = next_request(REQUEST, read_target(REQUEST.url), location)

    assert (onward.url, onward.redirects) == (url, 1)
    assert (onward.headers, onward.tls, onward.body) == (REQUEST.headers, REQUEST.tls, b"{}")


@pytest.mark.parametrize(
    "location", ["https://b.example/", "https://a.example:8443/", "https://sub.a.example/"]
)
def test_to_another_origin_go_no_secrets(location: str) -> None:
    onward = next_request(REQUEST, read_target(REQUEST.url), location)

    assert onward.headers == PUBLIC
    assert onward.tls == Tls(ca="ca")
    assert onward.body == b"{}"


def test_the_same_host_made_safe_is_the_same_origin() -> None:
    here = read_target("http://a.example/in")

    assert next_request(REQUEST, here, "https://a.example/in").headers == REQUEST.headers
    assert next_request(REQUEST, here, "https://b.example/in").headers == PUBLIC
    odd = read_target("http://a.example:8080/in")
    assert next_request(REQUEST, odd, "https://a.example/in").headers == PUBLIC


@pytest.mark.parametrize("location", ["http://a.example/in", "HTTP://b.example/"])
def test_nothing_leads_from_https_to_http(location: str) -> None:
    with pytest.raises(BadTarget, match="from https to http"):
        next_request(REQUEST, read_target(REQUEST.url), location)


def test_nothing_secret_is_in_a_representation() -> None:
    assert "key=1" not in repr(read_target("https://a.example/in?key=1"))
    assert "secret" not in repr(REQUEST)
