"""The client against publishers of every temper, on 127.0.0.0/8."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from fakes.publisher import (
    Asked,
    Header,
    Publisher,
    answer,
    cut,
    forever,
    head,
    redirect,
    silence,
)
from wirewatch.topics.feed_states import FetchReason
from wirewatch.web.client import Document, Limits, Unchanged, Validators, WebClient, user_agent
from wirewatch.web.errors import FetchProblem

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMITS = Limits(max_wire_bytes=1_000_000, timeout_s=10)
NONE = Validators()
KNOWN = Validators('W/"1"', "Mon, 23 Nov 2026 08:00:00 GMT")


async def get(
    client: WebClient, url: str, validators: Validators = NONE, limits: Limits = LIMITS
) -> Document | Unchanged:
    return await client.get(url, validators=validators, limits=limits, accept="text/x", now=NOW)


async def document(client: WebClient, url: str, validators: Validators = NONE) -> Document:
    found = await get(client, url, validators)
    assert isinstance(found, Document)
    return found


async def problem(
    client: WebClient, url: str, validators: Validators = NONE, limits: Limits = LIMITS
) -> FetchProblem:
    with pytest.raises(FetchProblem) as caught:
        await get(client, url, validators, limits)
    return caught.value


# What is asked


async def test_a_document_comes_whole_and_still_packed(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/feed"] = answer(
        b"packed",
        ("Content-Type", "application/rss+xml; charset=utf-8"),
        ("Content-Encoding", "GZip, identity"),
        ("Content-Encoding", "br"),
        ("ETag", 'W/"odd, one"'),
        ("Last-Modified", "yesterday, more or less"),
        ("Cache-Control", "max-age=600"),
        ("Link", '</hub>; rel="hub", <https://me.example/f>; rel=self'),
    )

    assert await document(client, publisher.url()) == Document(
        body=b"packed",
        codings=("gzip", "br"),
        content_type="application/rss+xml; charset=utf-8",
        url=publisher.url(),
        validators=Validators('W/"odd, one"', "yesterday, more or less"),
        fresh_for=timedelta(minutes=10),
        moved_to="",
        hubs=(publisher.url("/hub"),),
        self_url="https://me.example/f",
    )


async def test_a_request_says_who_we_are_and_nothing_else(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/feed?a=%20b"] = answer(b"", ("Set-Cookie", "id=1"))
    url = publisher.url("/feed?a= b#part")
    await document(client, url)
    await document(client, url)

    asked = publisher.asked[1]
    assert asked.path == "/feed?a=%20b"
    assert asked.headers == {
        "host": url.split("/")[2],
        "user-agent": f"wirewatch/{version('wirewatch')} (+https://me.example/)",
        "accept-encoding": "gzip, br, zstd",
        "accept": "text/x",
    }


def test_the_name_without_a_contact() -> None:
    assert user_agent("") == f"wirewatch/{version('wirewatch')}"


async def test_credentials_of_the_url_go_to_its_host_alone(
    client: WebClient, publisher: Publisher
) -> None:
    async with Publisher(host="127.0.0.2") as other:
        publisher.pages["/feed"] = redirect("/here")
        publisher.pages["/here"] = redirect(other.url().replace("://", "://planted:word@"))
        other.pages["/feed"] = answer(b"<rss/>")
        url = publisher.url().replace("://", "://me:p%40ss@")
        found = await document(client, url)

        basic = "Basic bWU6cEBzcw=="  # me:p@ss
        assert [one.headers.get("authorization") for one in publisher.asked] == [basic, basic]
        assert "authorization" not in other.asked[0].headers
        assert found.url == other.url()


async def test_an_address_that_moved_keeps_its_credentials(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/feed"] = redirect("/there", status="301 Moved")
    publisher.pages["/there"] = answer(b"<rss/>")
    found = await document(client, publisher.url().replace("://", "://me:word@"))

    assert found.url == publisher.url("/there")
    assert found.moved_to == publisher.url("/there").replace("://", "://me:word@")


async def test_connections_are_used_again(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/feed"] = redirect("/there")
    publisher.pages["/there"] = answer(b"x" * 300_000)
    publisher.pages["/same"] = head(status="304 Not Modified")
    for _ in range(3):
        await document(client, publisher.url())
        await get(client, publisher.url("/same"), KNOWN)
        await problem(client, publisher.url("/missing"))

    assert (len(publisher.asked), publisher.connections) == (12, 1)


async def test_not_many_connections_are_kept_idle() -> None:
    client = WebClient(user_agent="x", allow=["127.0.0.0/8"], connections=2)
    await client.start()
    async with Publisher() as a, Publisher() as b, Publisher() as c, Publisher() as d:
        for one in (a, b, c, d, d, c, b, a):
            one.pages["/feed"] = answer(b"<rss/>")
            await document(client, one.url())
        assert [one.connections for one in (a, b, c, d)] == [2, 2, 1, 1]
    await client.stop()


async def test_a_cancelled_request_gives_its_connection_back(publisher: Publisher) -> None:
    client = WebClient(user_agent="x", allow=["127.0.0.0/8"], connections=1)
    await client.start()
    heard = asyncio.Event()

    async def hear(asked: Asked, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await silence(asked, writer)

    publisher.pages["/silent"] = hear
    publisher.pages["/feed"] = answer(b"<rss/>")
    task = asyncio.create_task(get(client, publisher.url("/silent")))
    await heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await document(client, publisher.url())).body == b"<rss/>"
    await client.stop()


async def test_what_is_said_beyond_the_length_is_no_answer_to_the_next_request(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/feed"] = answer(b"<rss/>") + answer(b"smuggled")
    publisher.pages["/next"] = answer(b"own")
    assert (await document(client, publisher.url())).body == b"<rss/>"
    assert (await document(client, publisher.url("/next"))).body == b"own"


# Whether it has changed


@pytest.mark.parametrize(
    ("etag", "last_modified"),
    [
        ('"plain"', "Mon, 23 Nov 2026 08:00:00 GMT"),
        ('W/"weak"', "Mon, 23 Nov 2026 08:00:00 +0100"),
        ("no quotes", "2026-11-23"),
        ('"a", "b"\t\\"c""', "0"),
        ('"größe-№1"', "понедельник"),
    ],
)
async def test_validators_go_back_exactly_as_they_came(
    client: WebClient, publisher: Publisher, etag: str, last_modified: str
) -> None:
    publisher.pages["/feed"] = answer(b"", ("ETag", etag), ("Last-Modified", last_modified))
    first = await document(client, publisher.url())
    await get(client, publisher.url(), first.validators)

    asked = publisher.asked[1].raw
    assert b"\r\nIf-None-Match: " + etag.encode() + b"\r\n" in asked
    assert b"\r\nIf-Modified-Since: " + last_modified.encode() + b"\r\n" in asked


@pytest.mark.parametrize("value", [b"", b"\xff\xfe", b'"a\x01"', b"x" * 1025])
async def test_a_validator_that_cannot_be_sent_again_is_none(
    client: WebClient, publisher: Publisher, value: bytes
) -> None:
    publisher.pages["/feed"] = answer(b"", ("ETag", value))

    assert (await document(client, publisher.url())).validators == NONE


async def test_a_stored_validator_cannot_add_headers(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/feed"] = answer(b"<rss/>")
    await document(client, publisher.url(), Validators('"a"\r\nX: y', "\udcff"))

    assert not {"x", "if-none-match", "if-modified-since"} & set(publisher.asked[0].headers)


async def test_an_answer_without_validators_has_none(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/feed"] = answer(b"<rss/>")

    assert (await document(client, publisher.url(), KNOWN)).validators == NONE


async def test_304_is_nothing_new_and_renews_what_it_repeats(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/feed"] = head(
        ("ETag", '"2"'), ("Cache-Control", "max-age=60"), status="304 Not Modified"
    )

    assert await get(client, publisher.url(), KNOWN) == Unchanged(
        Validators('"2"', KNOWN.last_modified), timedelta(minutes=1)
    )


async def test_304_to_a_request_without_validators_is_broken(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/feed"] = head(status="304 Not Modified")
    found = await problem(client, publisher.url())

    assert (found.reason, found.status) == (FetchReason.BROKEN, 304)


async def test_validators_go_along_on_each_hop(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/feed"] = redirect("/there")
    publisher.pages["/there"] = head(status="304 Not Modified")

    assert await get(client, publisher.url(), KNOWN) == Unchanged(KNOWN, None)
    assert [one.headers.get("if-none-match") for one in publisher.asked] == ['W/"1"', 'W/"1"']


@pytest.mark.parametrize(
    ("said", "fresh"),
    [
        ([], None),
        ([("Cache-Control", "public, Max-Age=600")], 600),
        ([("Cache-Control", 'max-age="600"'), ("Age", "100")], 500),
        ([("Cache-Control", "max-age=600"), ("Age", "900")], 0),
        ([("Cache-Control", "max-age=600, no-cache")], 0),
        ([("Cache-Control", "no-store")], 0),
        ([("Cache-Control", "s-maxage=600")], None),
        ([("Cache-Control", "public"), ("Cache-Control", "max-age=60")], 60),
        ([("Cache-Control", "max-age=soon")], None),
        ([("Cache-Control", "max-age=99999999999999999999")], 86_400),
        ([("Cache-Control", "max-age=60"), ("Expires", "Mon, 23 Nov 2026 10:00:00 GMT")], 60),
        ([("Expires", "Mon, 23 Nov 2026 10:00:00 GMT")], 3_600),
        (
            [
                ("Expires", "Mon, 23 Nov 2026 10:00:00 GMT"),
                ("Date", "Mon, 23 Nov 2026 09:50:00 GMT"),
            ],
            600,
        ),
        ([("Expires", "Mon, 23 Nov 2020 10:00:00 GMT")], 0),
        ([("Expires", "0")], 0),
    ],
)
async def test_how_long_it_is_fresh(
    client: WebClient, publisher: Publisher, said: list[Header], fresh: int | None
) -> None:
    publisher.pages["/feed"] = answer(b"", *said)
    found = (await document(client, publisher.url())).fresh_for

    assert found == (None if fresh is None else timedelta(seconds=fresh))


@pytest.mark.parametrize(
    ("said", "hubs", "itself"),
    [
        ("<https://h.example/>; rel=hub", ["https://h.example/"], ""),
        ('<https://h.example/>; title="a, <b>; rel=self"; rel="x HUB"', ["https://h.example/"], ""),
        (
            '<https://a.example/>;rel="hub",<https://b.example/>;rel=hub',
            ["https://a.example/", "https://b.example/"],
            "",
        ),
        ('<https://h.example/>; rel=hub; anchor="/other"', [], ""),
        ("<javascript:alert(1)>; rel=hub", [], ""),
        ("<http://[bad/>; rel=self, <https://s.example/>; rel=self", [], "https://s.example/"),
        ("garbage; rel=hub", [], ""),
        ('<https://h.example/>; rel="hub', [], ""),
    ],
)
async def test_hubs_and_self_of_link_headers(
    client: WebClient, publisher: Publisher, said: str, hubs: list[str], itself: str
) -> None:
    publisher.pages["/feed"] = answer(b"", ("Link", said))
    found = await document(client, publisher.url())

    assert (list(found.hubs), found.self_url) == (hubs, itself)


# Statuses


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        ("404 Not Found", None, None),
        ("429 Too Many", "120", timedelta(minutes=2)),
        ("503 Busy", "Mon, 23 Nov 2026 10:00:00 GMT", timedelta(hours=1)),
        ("503 Busy", "Mon, 23 Nov 2026 08:00:00 GMT", timedelta(0)),
        ("403 Forbidden", "9" * 5000, timedelta(days=30)),
        ("500 Oh", "soon", None),
        ("500 Oh", "-5", None),
        ("301 Moved", "60", timedelta(minutes=1)),
        ("300 Choose", None, None),
        ("305 Proxy", None, None),
        ("204 Nothing", None, None),
        ("205 Reset", None, None),
        ("206 Part", None, None),
    ],
)
async def test_a_status_is_a_problem_with_what_the_server_asks_for(
    client: WebClient, publisher: Publisher, status: str, header: str | None, wait: timedelta | None
) -> None:
    said = [("Retry-After", header)] if header else []
    publisher.pages["/feed"] = answer(b"", *said, status=status)
    found = await problem(client, publisher.url())

    assert (found.reason, found.detail) == (FetchReason.HTTP_STATUS, status)
    assert (found.status, found.retry_after) == (int(status[:3]), wait)


async def test_410_is_gone(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/feed"] = answer(b"", ("Retry-After", "60"), status="410 Gone")
    found = await problem(client, publisher.url())

    assert (found.reason, found.retry_after) == (FetchReason.GONE, timedelta(minutes=1))


async def test_an_empty_document_is_one(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/feed"] = answer(b"")

    assert (await document(client, publisher.url())).body == b""


async def test_words_of_a_server_can_be_stored(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/feed"] = cut(b"HTTP/1.1 500 no\xff\x1b[31m\r\nContent-Length: 0\r\n\r\n")
    found = await problem(client, publisher.url())

    assert found.detail.isprintable()
    assert found.detail.encode()


# Redirects


@pytest.mark.parametrize(
    ("hops", "moved"),
    [
        (("301 Moved",), True),
        (("308 Moved",), True),
        (("301 Moved", "308 Moved"), True),
        (("302 Found",), False),
        (("303 See",), False),
        (("307 Temporary",), False),
        (("301 Moved", "302 Found"), False),
        (("302 Found", "301 Moved"), False),
    ],
)
async def test_only_hops_that_are_all_permanent_move_a_feed(
    client: WebClient, publisher: Publisher, hops: tuple[str, ...], moved: bool
) -> None:
    """miniflux/v2#1387: a 302 rewrote the stored address."""
    for number, status in enumerate(hops):
        publisher.pages[f"/{number}"] = redirect(f"{number + 1}#part", status=status)
    publisher.pages[f"/{len(hops)}"] = answer(b"<rss/>")
    found = await document(client, publisher.url("/0"))

    assert found.url == publisher.url(f"/{len(hops)}")
    assert found.moved_to == (found.url if moved else "")


async def test_redirects_end_at_the_limit(client: WebClient, publisher: Publisher) -> None:
    for number in range(10):
        publisher.pages[f"/{number}"] = redirect(f"/{number + 1}", ("Retry-After", "60"))
    publisher.pages["/5"] = answer(b"<rss/>")
    assert (await document(client, publisher.url("/0"))).url == publisher.url("/5")

    publisher.pages["/5"] = redirect("/6", ("Retry-After", "60"))
    found = await problem(client, publisher.url("/0"))
    assert (found.reason, found.detail) == (FetchReason.REDIRECTS, "more than 5")
    assert found.retry_after == timedelta(minutes=1)
    assert publisher.asked[-1].path == "/5"


async def test_redirects_in_a_circle(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/a"] = redirect("/b")
    publisher.pages["/b"] = redirect("/a#again")
    found = await problem(client, publisher.url("/a"))

    assert (found.reason, found.detail) == (FetchReason.REDIRECTS, "they go in a circle")
    assert len(publisher.asked) == 2


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/ü x", "/%C3%BC%20x"),
        ("/größe".encode("latin-1"), "/gr%F6%DFe"),
        ("?page=2", "/dir/feed?page=2"),
        ("../up", "/up"),
    ],
)
async def test_locations_as_they_are_written(
    client: WebClient, publisher: Publisher, location: str | bytes, path: str
) -> None:
    publisher.pages["/dir/feed"] = redirect(location)
    publisher.pages[path] = answer(b"<rss/>")

    assert (await document(client, publisher.url("/dir/feed"))).url == publisher.url(path)


@pytest.mark.parametrize(
    "location",
    [
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "data:,x",
        "javascript:x",
        "http://",
        "http://[bad/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://a b/",
        "http://a%20b/",
        "http://2130706433/",
        "/" + "x" * 9_000,
    ],
)
async def test_a_redirect_to_what_is_no_web_address(
    client: WebClient, publisher: Publisher, location: str
) -> None:
    publisher.pages["/feed"] = redirect(location)

    assert (await problem(client, publisher.url())).reason is FetchReason.ADDRESS


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "http://",
        "http:///x",
        "http://[bad/",
        "http://[fe80::1%25eth0]/",
        "//127.0.0.1/x",
        "ftp://127.0.0.1/x",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:port/",
        "http://me%3Ax:word@127.0.0.1/",
        "http://a\\@127.0.0.1/",
        "http://.../",
        "http://" + "a" * 300 + "/",
        "http://\ud800/",
        "http://x/" + "x" * 9_000,
    ],
)
async def test_what_is_no_web_address(client: WebClient, url: str) -> None:
    found = await problem(client, url)

    assert found.reason is FetchReason.ADDRESS
    assert found.detail.encode()


async def test_a_host_name_in_another_script_is_asked_for(client: WebClient) -> None:
    found = await problem(client, "http://größe.invalid/")

    assert found.reason is FetchReason.CONNECT
    assert "xn--gre-6ka8i.invalid" in found.detail


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.2",
        "10.0.0.1",
        "192.168.1.1",
        "0.0.0.0",
        "169.254.169.254",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.2]",
        "[64:ff9b::7f00:2]",
        "[fd00::1]",
        "0x7f.2",
        "１２７.０.０.２",
    ],
)
async def test_a_redirect_cannot_lead_to_a_forbidden_address(
    publisher: Publisher, host: str
) -> None:
    client = WebClient(user_agent="x", allow=["127.0.0.1/32"], connections=4)
    await client.start()
    publisher.pages["/feed"] = redirect(f"http://{host}/latest/meta-data/")
    found = await problem(client, publisher.url())
    await client.stop()

    assert found.reason is FetchReason.ADDRESS
    assert "is not a public address" in found.detail


async def test_loopback_is_refused_unless_allowed(publisher: Publisher) -> None:
    client = WebClient(user_agent="x", allow=[], connections=4)
    await client.start()
    for url in (publisher.url(), publisher.url().replace("127.0.0.1", "localhost")):
        assert (await problem(client, url)).reason is FetchReason.ADDRESS
    await client.stop()

    assert publisher.asked == []


async def test_nobody_there(client: WebClient) -> None:
    assert (await problem(client, "http://127.0.0.1:1/")).reason is FetchReason.CONNECT


# Limits


async def test_too_large_is_known_from_the_length(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/feed"] = forever(head(("Content-Length", "1000001")), b"x" * 100)
    found = await problem(client, publisher.url())

    assert (found.reason, found.detail) == (FetchReason.TOO_LARGE, "more than 1000000 bytes")


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_endless_stream_ends_at_the_limit(
    client: WebClient, publisher: Publisher, chunked: bool
) -> None:
    start = head(("Transfer-Encoding", "chunked")) if chunked else head()
    piece = b"x" * 65_536
    publisher.pages["/feed"] = forever(start, b"10000\r\n" + piece + b"\r\n" if chunked else piece)

    assert (await problem(client, publisher.url())).reason is FetchReason.TOO_LARGE


async def test_as_much_as_the_limit_is_not_too_large(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/feed"] = answer(b"x" * 1_000_000)

    assert len((await document(client, publisher.url())).body) == 1_000_000


@pytest.mark.parametrize(
    "piece",
    [b"X: y\r\n", b"x" * 1_000, b"X-" + b"x" * 20_000 + b": y\r\n", b"HTTP/1.1 103 Hint\r\n"],
)
async def test_endless_headers_end(client: WebClient, publisher: Publisher, piece: bytes) -> None:
    publisher.pages["/feed"] = forever(b"HTTP/1.1 200 OK\r\n", piece)

    assert (await problem(client, publisher.url())).reason is FetchReason.BROKEN


async def test_a_drip_and_a_silence_end_in_time(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/drip"] = forever(head(), b"x", 0.02)
    publisher.pages["/heads"] = forever(b"HTTP/1.1 200 OK\r\n", b"x", 0.02)
    publisher.pages["/hints"] = forever(b"", b"HTTP/1.1 103 Hint\r\n\r\n", 0.02)
    publisher.pages["/silence"] = silence
    limits = Limits(max_wire_bytes=1_000, timeout_s=0.2)
    for path in publisher.pages:
        found = await problem(client, publisher.url(path), limits=limits)
        assert (found.reason, found.detail) == (FetchReason.TIMEOUT, "no whole answer in 0.2 s")


async def test_the_time_is_for_all_hops_together(client: WebClient, publisher: Publisher) -> None:
    async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.15)
        writer.write(redirect(f"/{len(publisher.asked)}"))

    publisher.pages.update({f"/{number}": slow for number in range(10)})
    limits = Limits(max_wire_bytes=1_000, timeout_s=0.4, max_redirects=9)

    found = await problem(client, publisher.url("/0"), limits=limits)
    assert found.reason is FetchReason.TIMEOUT


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        head(("Content-Length", "1000")) + b"half",
        head(("Content-Length", "a lot")) + b"x",
        head(("Content-Length", "4"), ("Content-Length", "5")) + b"halfx",
        head(("Transfer-Encoding", "chunked")) + b"ff\r\nhalf",
        head(("Transfer-Encoding", "chunked")) + b"4\r\nhalf\r\n",
        head(("Transfer-Encoding", "chunked")) + b"zz\r\nhalf\r\n0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
)
async def test_an_answer_that_breaks_off_or_is_none_is_never_returned_in_part(
    client: WebClient, publisher: Publisher, said: bytes
) -> None:
    publisher.pages["/feed"] = cut(said)

    assert (await problem(client, publisher.url())).reason is FetchReason.BROKEN


# TLS


async def test_a_certificate_nobody_vouches_for(client: WebClient, tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text(SELF_SIGNED)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "own.pem")
    async with Publisher(tls=tls) as publisher:
        found = await problem(client, publisher.url())
        assert publisher.asked == []

    assert found.reason is FetchReason.TLS
    assert "self-signed certificate" in found.detail


async def test_a_server_that_does_not_speak_tls(client: WebClient, publisher: Publisher) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"", status="400 Plain"))
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = await problem(client, f"https://127.0.0.1:{port}/")
    server.close()
    await server.wait_closed()

    assert found.reason is FetchReason.TLS


SELF_SIGNED = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgk1cbi0lFVA2oN/vv
zo1HmKjyk7XVvjNtQ8Kn8l+Yvu6hRANCAASgFZIbVk2FFV+3069DLmOutMJNRZPB
wvvQT6xHDljTsAml4wnJw8U/C9gicA/oQ1J+qQeMXiG+TU2aIsnuTySc
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUdlkWXR5N8urXVnSPoUz14AzIWEQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyNDAxMzg0MVoYDzIxMjYxMDMx
MDEzODQxWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASgFZIbVk2FFV+3069DLmOutMJNRZPBwvvQT6xHDljTsAml4wnJw8U/
C9gicA/oQ1J+qQeMXiG+TU2aIsnuTySco2QwYjAdBgNVHQ4EFgQU72P2LbwIr5WI
3PvKKBjAKxvv5R4wHwYDVR0jBBgwFoAU72P2LbwIr5WI3PvKKBjAKxvv5R4wDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IQCUFdus3JGd+t28Va+NPf7VrXOKCGbiqvOOJCvX2DNDhAIgXfoQCbgeMnTqQ5D/
2ddl+kzTNsifKHvUWrTDMqVnvK0=
-----END CERTIFICATE-----
"""
"""For 127.0.0.1, valid until 2126; its key is used nowhere else."""
