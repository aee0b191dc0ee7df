"""The sender against receivers on this machine, well and ill behaved."""

import asyncio
import os
import re
import socket
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.name_server import FAILED, NOT_FOUND, NameServer
from fakes.receiver import (
    HOSTILE,
    Line,
    Receiver,
    Talk,
    answer_unread,
    answering,
    drip_body,
    drip_head,
    endless_chunks,
    endless_interim,
    gzip_bomb,
    half_close,
    hang,
    huge_body,
    huge_header,
    huge_headers,
    never_read,
    nobody_accepts,
    reset,
    reset_midway,
    saying,
    two_answers,
    until,
)
from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.request import HttpRequest
from wirewatch.notify.sender import MAX_READ_BYTES, Sender
from wirewatch.runtime.address import Guard
from wirewatch.runtime.names import Names
from wirewatch.runtime.settings import Settings
from wirewatch.topics.attempts import AttemptReason
from wirewatch.web.connections import GuardedConnector

HERE = Settings(allow_networks=("127.0.0.0/8",), notify_timeout_s=0.5)
LATE = NoAnswer(AttemptReason.TIMEOUT, "no answer within 0.5 s")


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender(HERE)
    yield sender
    await sender.close()


@pytest.fixture
async def patient() -> AsyncIterator[Sender]:
    """A sender that waits long enough for a busy machine."""
    sender = Sender(HERE.model_copy(update={"notify_timeout_s": 30.0}))
    yield sender
    await sender.close()


def to(url: str, **fields: object) -> HttpRequest:
    given: dict[str, object] = {"body": b"{}", "headers": {"webhook-id": "msg_1"}} | fields
    return HttpRequest(url, **given)  # type: ignore[arg-type]


async def refused(sender: Sender, request: HttpRequest) -> NoAnswer:
    found = await sender.send(request)
    assert isinstance(found, NoAnswer), found
    return found


async def answered(sender: Sender, request: HttpRequest) -> Answer:
    found = await sender.send(request)
    assert isinstance(found, Answer), found
    return found


# What is sent and what comes back


async def test_the_request_is_as_documented(patient: Sender) -> None:
    async with Receiver(answering()) as receiver:
        request = to(receiver.url("/in?key=1"), headers={"Content-Type": "a/b", "webhook-id": "m"})
        await patient.send(request)
        await patient.send(request)

    (asked, again), host = receiver.asked, f"127.0.0.1:{receiver.port}"
    assert asked == again
    assert (asked.method, asked.path, asked.body) == ("POST", "/in?key=1", b"{}")
    agent = asked.headers.pop("user-agent")
    assert agent.startswith("wirewatch/")
    assert asked.headers == {
        "host": host,
        "accept": "*/*",
        "accept-encoding": "identity",
        "content-type": "a/b",
        "content-length": "2",
        "webhook-id": "m",
    }


async def test_the_answer_says_all_that_is_recorded(patient: Sender) -> None:
    said = (("Retry-After", "120"), ("X-Odd", "ä"), ("Set-Cookie", "secret=1"), ("X-Odd", "2"))
    talk = answering("429 Slow", *said, body="señora".encode())
    async with Receiver(talk) as receiver:
        assert await patient.send(to(receiver.url())) == Answer(
            status=429,
            retry_after="120",
            head="señora",
            received_bytes=7,
            to=f"127.0.0.1:{receiver.port}",
            headers={"retry-after": "120", "x-odd": "ä", "content-length": "7"},
        )


async def test_no_cookies_are_kept(patient: Sender) -> None:
    async with Receiver(answering("200 OK", ("Set-Cookie", "a=b; Path=/"))) as receiver:
        # By name: aiohttp's own cookie jar would keep no cookies of a bare address anyway.
        for _ in range(2):
            await answered(patient, to(receiver.url(host="localhost")))

    assert [asked.headers.get("cookie") for asked in receiver.asked] == [None, None]


async def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver(answering()) as proxy, Receiver(answering()) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        sender = Sender(HERE)
        await answered(sender, to(receiver.url()))
        await sender.close()

        assert (len(proxy.asked), len(receiver.asked)) == (0, 1)


async def test_another_method_and_no_body(patient: Sender) -> None:
    async with Receiver(answering("200 OK", ("WebHook-Allowed-Origin", "*"))) as receiver:
        request = to(receiver.url(), method="OPTIONS", body=b"", headers={})
        found = await answered(patient, request)

    assert found.headers["webhook-allowed-origin"] == "*"
    assert (receiver.asked[0].method, receiver.asked[0].body) == ("OPTIONS", b"")
    assert "content-type" not in receiver.asked[0].headers


@pytest.mark.parametrize("status", [200, 204, 301, 303, 307, 400, 404, 410, 429, 500, 503])
async def test_a_status_is_an_answer(patient: Sender, status: int) -> None:
    async with Receiver(answering(f"{status} So")) as receiver:
        assert (await answered(patient, to(receiver.url()))).status == status


async def test_of_many_and_long_headers_a_few_are_kept(patient: Sender) -> None:
    many = [(f"X-{number}", "y" * 2_000) for number in range(12)]
    async with Receiver(answering("200 OK", *many)) as receiver:
        found = await answered(patient, to(receiver.url()))
    assert {len(value) for value in found.headers.values()} == {1_024, 1}

    async with Receiver(answering("200 OK", *((f"X-{number}", "y") for number in range(99)))) as r:
        assert len((await answered(patient, to(r.url()))).headers) == 64


async def test_connections_are_used_again(patient: Sender) -> None:
    async with Receiver(answering()) as receiver:
        for _ in range(5):
            await answered(patient, to(receiver.url()))
        assert (len(receiver.asked), receiver.connections) == (5, 1)


async def test_not_many_connections_are_kept_idle() -> None:
    sender = Sender(HERE.model_copy(update={"notify_idle_connections": 2}))
    async with Receiver(answering()) as a, Receiver(answering()) as b, Receiver(answering()) as c:
        for one in (a, b, c, c, b, a):
            await answered(sender, to(one.url()))
        assert [one.connections for one in (a, b, c)] == [2, 1, 1]
        await asyncio.gather(*(sender.send(to(a.url())) for _ in range(8)))
        await until(lambda: not (a.connections - a.ended > 2))
    await sender.close()


async def test_the_timeout_of_a_request_goes_before_the_setting(patient: Sender) -> None:
    async with Receiver(hang) as receiver:
        found = await refused(patient, to(receiver.url(), timeout_s=0.2))

    assert found == NoAnswer(
        AttemptReason.TIMEOUT, "no answer within 0.2 s", f"127.0.0.1:{receiver.port}"
    )


# Hostile receivers


@pytest.mark.parametrize("talk", [hang, never_read, drip_head, half_close])
async def test_who_does_not_answer_is_a_timeout_or_broken(sender: Sender, talk: Talk) -> None:
    async with Receiver(talk) as receiver:
        found = await refused(sender, to(receiver.url(), body=b"x" * 900_000))

    assert (found.reason, found.detail) in {
        (LATE.reason, LATE.detail),
        (AttemptReason.BROKEN, "the connection was closed before an answer came"),
    }


async def test_who_never_answers_is_a_timeout(sender: Sender) -> None:
    async with Receiver(hang) as receiver:
        assert (await refused(sender, to(receiver.url()))).detail == LATE.detail


async def test_who_does_not_even_accept_is_a_timeout(sender: Sender) -> None:
    async with nobody_accepts() as url:
        assert (await refused(sender, to(url))).detail == LATE.detail


async def test_who_hangs_before_tls_is_a_timeout(sender: Sender) -> None:
    async with nobody_accepts() as url:
        found = await refused(sender, to(url.replace("http:", "https:")))

    assert found.reason is AttemptReason.TIMEOUT


async def test_who_drips_the_body_has_answered(sender: Sender) -> None:
    async with Receiver(drip_body) as receiver:
        found = await answered(sender, to(receiver.url()))

    assert (found.status, found.head.rstrip(".")) == (200, "thanks")


async def test_of_a_huge_body_only_the_start_is_read(patient: Sender) -> None:
    async with Receiver(huge_body) as receiver:
        found = await answered(patient, to(receiver.url()))
        await until(lambda: bool(receiver.ended))  # the connection was cut off, not read to its end

    assert (found.status, found.head) == (500, ("no " * 342)[:1024])
    assert 0 < found.received_bytes <= 2 * MAX_READ_BYTES
    assert receiver.written_bytes < 20 * 1024 * 1024


@pytest.mark.parametrize("size", [0, 1, 1_024, 1_025, MAX_READ_BYTES - 1, MAX_READ_BYTES])
async def test_a_body_that_is_short_enough_keeps_the_connection(patient: Sender, size: int) -> None:
    async with Receiver(answering(body=b"y" * size)) as receiver:
        for _ in range(3):
            found = await answered(patient, to(receiver.url()))
            assert (found.received_bytes, found.head) == (size, "y" * min(size, 1_024))
        assert receiver.connections == 1


async def test_of_endless_chunks_only_the_start_is_read(patient: Sender) -> None:
    async with Receiver(endless_chunks) as receiver:
        found = await answered(patient, to(receiver.url()))

    assert (found.status, found.head) == (200, "x" * 1024)
    assert found.received_bytes < MAX_READ_BYTES / 2  # with their sizes they are that many


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (endless_interim, "the receiver sent more than 32768 bytes before an answer"),
        (huge_headers, "what came back is not HTTP"),
        (huge_header, "what came back is not HTTP"),
        (reset, "the connection was reset before an answer came"),
        (saying(b""), "the connection was closed before an answer came"),
        (saying(b"HTTP/1.1 20"), "the connection was closed before an answer came"),
        (saying(b"220 smtp.example ready\r\n"), "what came back is not HTTP"),
        (saying(b"HTTP/1.1 2000 OK\r\n\r\n"), "what came back is not HTTP"),
        (saying(b"\0" * 100), "what came back is not HTTP"),
        (saying(b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"), "what came back is not HTTP"),
    ],
)
async def test_what_is_no_answer_is_broken(patient: Sender, talk: Talk, words: str) -> None:
    async with Receiver(talk) as receiver:
        found = await refused(patient, to(receiver.url("/?token=geheim")))

    assert found == NoAnswer(AttemptReason.BROKEN, words, f"127.0.0.1:{receiver.port}")


async def test_interim_answers_are_passed_over(patient: Sender) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    async with Receiver(saying(interim + b"HTTP/1.1 201 Yes\r\nContent-Length: 0\r\n\r\n")) as one:
        assert (await answered(patient, to(one.url()))).status == 201


async def test_a_reset_after_the_status_is_an_answer(patient: Sender) -> None:
    async with Receiver(reset_midway) as receiver:
        assert (await answered(patient, to(receiver.url()))).status == 200


async def test_a_compressed_answer_is_not_unpacked(patient: Sender) -> None:
    async with Receiver(gzip_bomb) as receiver:
        found = await answered(patient, to(receiver.url()))

    assert found.head.startswith("\x1f\ufffd")
    assert found.received_bytes <= 2 * MAX_READ_BYTES


async def test_an_answer_nobody_asked_for_is_not_taken_for_the_next(patient: Sender) -> None:
    async with Receiver(two_answers) as receiver:
        for _ in range(3):
            assert (await answered(patient, to(receiver.url()))).head == "ok"
            await asyncio.sleep(0.1)  # until the second answer is here

        assert receiver.connections == 3


async def test_two_answers_at_once_end_the_connection(patient: Sender) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

    async def talk(line: Line) -> None:
        while True:
            await line.read()
            await line.write(said + b"ok" + said + b"no")

    async with Receiver(talk) as receiver:
        heads = [(await answered(patient, to(receiver.url()))).head for _ in range(3)]

        assert (heads, receiver.connections) == (["ok"] * 3, 3)


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, and opens nothing


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux does")
@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_receivers_leave_nothing_behind(sender: Sender, name: str) -> None:
    body = b"x" * 900_000
    async with Receiver(HOSTILE[name], receive_buffer=4_096) as receiver:
        before = _open_files()
        request = to(receiver.url(), body=body)
        await asyncio.gather(*(sender.send(request) for _ in range(8)))
        receiver_side = 8  # what the fake itself still has open, at most
        await until(lambda: not (_open_files() > before + receiver_side + _pooled(sender)))


def _pooled(sender: Sender) -> int:
    connector = sender._session.connector
    assert connector is not None
    return sum(map(len, connector._conns.values()))


@pytest.mark.parametrize("name", sorted({*HOSTILE} - {"answer_unread"}))
async def test_hostile_receivers_cost_little_memory(sender: Sender, name: str) -> None:
    async with Receiver(HOSTILE[name]) as receiver:
        await sender.send(to(receiver.url()))
        tracemalloc.start()
        await asyncio.gather(*(sender.send(to(receiver.url())) for _ in range(4)))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 4 * 4_000_000


async def test_others_are_answered_while_hostile_ones_are_asked(patient: Sender) -> None:
    async with Receiver(answering()) as good, Receiver(hang) as hanging, Receiver(drip_head) as bad:
        slow = [
            asyncio.ensure_future(patient.send(to(one.url())))
            for one in (hanging, bad)
            for _ in range(50)
        ]
        await until(lambda: not (hanging.connections + bad.connections < 100))
        for _ in range(20):
            assert (await answered(patient, to(good.url()))).status == 200
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


@pytest.mark.filterwarnings("ignore:Sending a large body")
@pytest.mark.parametrize("size", [20_000, 50_000, 50_000_000])
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux does")
async def test_an_answer_before_the_request_was_taken_counts(sender: Sender, size: int) -> None:
    """What is half sent is no beginning for another request, and nobody waits for the rest."""
    _narrow(sender)
    async with Receiver(answer_unread, receive_buffer=4_096) as receiver:
        before = _open_files()
        found = await answered(sender, to(receiver.url(), body=b"x" * size))

        assert found.head == "ok"
        assert _pooled(sender) == 0
        async with asyncio.timeout(10):
            await until(lambda: _open_files() <= before + 1)  # the receiver's own


def _narrow(sender: Sender) -> None:
    """Let the system take little of what the sender has to send."""
    connector = sender._session.connector
    assert isinstance(connector, GuardedConnector)
    guarded = connector._socket_factory
    assert guarded is not None

    def open_narrow(info: Any) -> socket.socket:
        opened = guarded(info)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        return opened

    connector._socket_factory = open_narrow


# No connection


async def test_nobody_listens(sender: Sender, free_ports: Callable[[int], int]) -> None:
    port = free_ports(1)
    assert await sender.send(to(f"http://127.0.0.1:{port}/?token=geheim")) == NoAnswer(
        AttemptReason.CONNECT,
        "nobody listens there: the connection was refused",
        f"127.0.0.1:{port}",
    )


async def test_a_name_that_is_not_found() -> None:
    server = NameServer(failing={"no.example": NOT_FOUND, "bad.example": FAILED})
    async with server:
        guard = Guard.of(["127.0.0.0/8"])
        sender = Sender(HERE, resolver=Names(guard, servers=[server.address]))
        found = [await refused(sender, to(f"http://{one}.example/?k=1")) for one in ("no", "bad")]
        await sender.close()

    assert found == [
        NoAnswer(AttemptReason.DNS, "the name no.example was not found", "no.example:80"),
        NoAnswer(
            AttemptReason.DNS, "the name servers failed to look up bad.example", "bad.example:80"
        ),
    ]


async def test_names_that_hang_cost_others_nothing() -> None:
    async with (
        NameServer({"good.example": [["127.0.0.1"]]}) as server,
        Receiver(answering()) as receiver,
    ):
        settings = HERE.model_copy(update={"notify_timeout_s": 30.0})
        guard = Guard.of(["127.0.0.0/8"])
        sender = Sender(settings, resolver=Names(guard, servers=[server.address]))
        hanging = [
            asyncio.ensure_future(sender.send(to(f"http://hang{number}.example/")))
            for number in range(100)
        ]
        await server.until_asked(100)
        found = await answered(sender, to(receiver.url(host="good.example")))
        assert not any(task.done() for task in hanging)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        await sender.close()

    assert (found.status, found.to) == (200, f"good.example:{receiver.port}")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::1]:{port}/",
        "http://[64:ff9b::127.0.0.1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
    ],
)
async def test_an_address_that_is_not_public_is_refused(url: str) -> None:
    async with Receiver(answering()) as receiver:
        strict = Sender(Settings(notify_timeout_s=2))
        found = await refused(strict, to(url.format(port=receiver.port)))
        await strict.close()

        assert found.reason is AttemptReason.ADDRESS
        assert re.search("is not a public address|an address that is not public", found.detail)
        assert receiver.connections == 0


async def test_a_port_that_is_not_allowed_is_refused() -> None:
    strict = Sender(Settings(notify_timeout_s=2))
    found = await refused(strict, to("http://93.184.216.34:6379/"))
    await strict.close()

    assert found.reason is AttemptReason.ADDRESS
    assert found.detail.startswith("port 6379 is not one that feeds and endpoints may have")


@pytest.mark.skipif(not socket.has_ipv6, reason="the machine has no IPv6")
async def test_an_ipv6_literal() -> None:
    sender = Sender(Settings(allow_networks=("::1/128",), notify_timeout_s=10))
    async with Receiver(answering(), host="::1") as receiver:
        found = await answered(sender, to(receiver.url(host="[::1]")))
    await sender.close()

    assert found.to == f"[::1]:{receiver.port}"
    assert receiver.asked[0].headers["host"] == f"[::1]:{receiver.port}"


async def test_what_cannot_be_sent_is_not(sender: Sender) -> None:
    found = await refused(sender, to("http://127.0.0.1/", headers={"X-A": "b\r\nX-C: d"}))
    assert found == NoAnswer(
        AttemptReason.URL, "the header X-A holds a line break or another control"
    )
    found = await refused(sender, to("ftp://127.0.0.1/?token=geheim"))
    assert found == NoAnswer(AttemptReason.URL, "the URL begins with neither http:// nor https://")


# Redirects


async def test_a_redirect_is_not_followed_where_none_is_allowed(patient: Sender) -> None:
    async with Receiver(answering("307 There", ("Location", "/elsewhere"))) as receiver:
        found = await answered(patient, to(receiver.url()))

    assert (found.status, found.headers["location"]) == (307, "/elsewhere")
    assert [asked.path for asked in receiver.asked] == ["/in"]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_followed_with_the_same_request(patient: Sender, status: str) -> None:
    headers = {"Content-Type": "a/b", "webhook-signature": "v1,x", "X-Key": "secret"}

    async def talk(line: Line) -> None:
        asked = await line.read()
        if asked.path == "/in":
            await line.write(
                f"HTTP/1.1 {status}\r\nLocation: new?x=1\r\nContent-Length: 0\r\n\r\n".encode()
            )
            asked = await line.read()
        await line.write(b"HTTP/1.1 202 Taken\r\nContent-Length: 0\r\n\r\n")

    async with Receiver(talk) as receiver:
        request = to(receiver.url(), headers=headers, redirects=1)
        assert (await answered(patient, request)).status == 202

    first, second = receiver.asked
    assert (second.method, second.path, second.body) == ("POST", "/new?x=1", b"{}")
    assert second.headers == first.headers


async def test_303_is_not_followed(patient: Sender) -> None:
    async with Receiver(answering("303 See", ("Location", "/elsewhere"))) as receiver:
        assert (await answered(patient, to(receiver.url(), redirects=5))).status == 303
    assert len(receiver.asked) == 1


async def test_as_many_redirects_are_followed_as_are_allowed(patient: Sender) -> None:
    async with Receiver(answering("307 There", ("Location", "/round"))) as receiver:
        found = await answered(patient, to(receiver.url(), redirects=3))

    assert found.status == 307
    assert [asked.path for asked in receiver.asked] == ["/in", "/round", "/round", "/round"]


async def test_another_origin_sees_the_message_and_no_secrets(patient: Sender) -> None:
    async with Receiver(answering(), host="127.0.0.2") as other:
        location = other.url("/there")
        async with Receiver(answering("308 There", ("Location", location))) as receiver:
            headers = {
                "Content-Type": "application/json",
                "webhook-id": "m",
                "webhook-signature": "v1,x",
                "ce-type": "t",
                "Authorization": "Bearer secret",
                "X-Key": "secret",
                "Cookie": "secret",
            }
            request = to(receiver.url("/in?key=secret"), headers=headers, redirects=1)
            found = await answered(patient, request)

    assert found.to == f"127.0.0.2:{other.port}"
    assert "secret" not in str(other.asked[0])
    assert {*other.asked[0].headers} == {
        *("host", "accept", "accept-encoding", "user-agent", "content-length"),
        *("content-type", "webhook-id", "webhook-signature", "ce-type"),
    }
    assert receiver.asked[0].headers["x-key"] == "secret"


@pytest.mark.parametrize(
    ("location", "reason", "words"),
    [
        ("http://169.254.169.254/", AttemptReason.ADDRESS, "not a public address"),
        ("http://[::1]/", AttemptReason.ADDRESS, "not a public address"),
        ("http://93.184.216.34:25/", AttemptReason.ADDRESS, "port 25 is not one"),
        ("http://me:pw@127.0.0.1/", AttemptReason.REDIRECT, "user name or a password"),
        ("ftp://127.0.0.1/", AttemptReason.REDIRECT, "neither http:// nor https://"),
        ("http://a b/", AttemptReason.REDIRECT, "no URL"),
        ("http://[1/", AttemptReason.REDIRECT, "no URL"),
        ("http://0x7f.1/", AttemptReason.REDIRECT, "is a number"),
    ],
)
async def test_a_redirect_is_checked_like_the_first_url(
    patient: Sender, location: str, reason: AttemptReason, words: str
) -> None:
    async with Receiver(answering("307 There", ("Location", location))) as receiver:
        found = await refused(patient, to(receiver.url(), redirects=5))

    assert found.reason is reason
    assert words in found.detail
    assert "pw" not in found.detail


async def test_a_redirect_without_an_address_is_the_answer(patient: Sender) -> None:
    async with Receiver(answering("307 There")) as receiver:
        assert (await answered(patient, to(receiver.url(), redirects=5))).status == 307


async def test_all_redirects_together_have_one_timeout(sender: Sender) -> None:
    async def slowly(line: Line) -> None:
        while True:
            await line.read()
            await asyncio.sleep(0.15)
            await line.write(b"HTTP/1.1 307 T\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n")

    async with Receiver(slowly) as receiver:
        found = await refused(sender, to(receiver.url(), redirects=5))

    assert found.detail == LATE.detail
    assert len(receiver.asked) < 6
