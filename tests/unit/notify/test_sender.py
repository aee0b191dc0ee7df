"""The sender against servers on this machine, well and ill behaved."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.sender import MAX_READ_BYTES, Sender
from wirewatch.runtime.settings import Settings
from wirewatch.topics.attempts import AttemptReason

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
Listen = Callable[[Talk], Awaitable[str]]


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender(Settings(allow_networks=("127.0.0.0/8",), notify_timeout_s=0.5))
    yield sender
    await sender.close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Return a function that serves a handler at every path and returns the URL."""
    runners: list[web.AppRunner] = []

    async def start(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Return a function that lets bare code talk on a socket and returns the URL."""
    servers: list[asyncio.Server] = []
    writers: list[asyncio.StreamWriter] = []

    async def start(talk: Talk) -> str:
        async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            try:
                await reader.readuntil(b"\r\n\r\n")
                await talk(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass

        servers.append(await asyncio.start_server(keep, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    yield start
    for writer in writers:
        writer.close()
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_the_request_is_as_documented(sender: Sender, serve: Serve) -> None:
    seen: list[tuple[str, dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append((request.method, dict(request.headers), await request.read()))
        return web.Response(text="gracias, señora", headers={"Set-Cookie": "a=b"})

    # By name: aiohttp's own cookie jar would keep no cookies of a bare address anyway.
    url = (await serve(take)).replace("127.0.0.1", "localhost")
    answers = [await sender.post(f"{url}/in?key=1", b"{}", {"webhook-id": "m"}) for _ in range(2)]

    assert answers == [Answer(200, None, "gracias, señora")] * 2
    method, headers, body = seen[1]
    assert (method, body) == ("POST", b"{}")
    assert headers["webhook-id"] == "m"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("wirewatch/")
    assert "Cookie" not in headers


@pytest.mark.parametrize("status", [204, 404, 410, 500])
async def test_a_status_is_an_answer(sender: Sender, serve: Serve, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    assert await sender.post(await serve(answer), b"{}", {}) == Answer(status)


async def test_retry_after_comes_along(sender: Sender, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=429, text="slowly", headers={"Retry-After": "120"})

    assert await sender.post(await serve(answer), b"{}", {}) == Answer(429, "120", "slowly")


async def test_a_redirect_is_not_followed(sender: Sender, serve: Serve) -> None:
    paths: list[str] = []

    async def move(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    assert await sender.post(await serve(move) + "/in", b"{}", {}) == Answer(307)
    assert paths == ["/in"]


async def test_who_never_answers_is_a_timeout(sender: Sender, listen: Listen) -> None:
    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    answer = await sender.post(await listen(hang), b"", {})

    assert answer == NoAnswer(AttemptReason.TIMEOUT, "no answer within 0.5 s")


async def test_who_drips_the_head_is_a_timeout(sender: Sender, listen: Listen) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    answer = await sender.post(await listen(drip), b"", {})

    assert answer == NoAnswer(AttemptReason.TIMEOUT, "no answer within 0.5 s")


async def test_who_drips_the_body_has_answered(sender: Sender, listen: Listen) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nthanks")
        while True:
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(b".")

    answer = await sender.post(await listen(drip), b"", {})

    assert isinstance(answer, Answer)
    assert (answer.status, answer.head.rstrip(".")) == (200, "thanks")


async def test_of_a_huge_body_only_the_start_is_read(sender: Sender, listen: Listen) -> None:
    written = 0
    ended = asyncio.Event()

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(b"no " * 10_000)
                await writer.drain()
                written += 30_000
        finally:
            ended.set()

    answer = await sender.post(await listen(pour), b"", {})

    assert isinstance(answer, Answer)
    assert answer.status == 500
    assert answer.head == ("no " * 342)[:1024]
    await ended.wait()  # the connection was cut off, not read to its end
    assert written < 20 * 1024 * 1024
    assert MAX_READ_BYTES == 65_536


async def test_a_compressed_answer_is_not_unpacked(sender: Sender, listen: Listen) -> None:
    async def bomb(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n")
        writer.write(b"\x1f\x8b\x08\x00")

    assert await sender.post(await listen(bomb), b"", {}) == Answer(200, None, "\x1f\ufffd\x08\x00")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 20", b"220 smtp.example ready\r\n"])
async def test_what_is_no_http_answer_is_broken(
    sender: Sender, listen: Listen, said: bytes
) -> None:
    async def leave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    answer = await sender.post(await listen(leave) + "/?token=geheim", b"", {})

    assert isinstance(answer, NoAnswer)
    assert answer.reason is AttemptReason.BROKEN
    assert answer.detail
    assert "geheim" not in answer.detail


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
    ],
)
async def test_an_address_that_is_not_public_is_refused(serve: Serve, url: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    port = (await serve(answer)).rpartition(":")[2]
    strict = Sender(Settings(notify_timeout_s=2))
    found = await strict.post(url.format(port=port), b"{}", {})
    await strict.close()

    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.ADDRESS
    assert "is not a public address" in found.detail
    assert asked == []


async def test_nobody_listens(sender: Sender, free_ports: Callable[[int], int]) -> None:
    found = await sender.post(f"http://127.0.0.1:{free_ports(1)}/", b"{}", {})

    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.CONNECT


@pytest.mark.parametrize(
    "url",
    [
        "not a url?token=geheim",
        "http://?token=geheim",
        "ftp://127.0.0.1/?token=geheim",
        "http://x..y/?token=geheim",
        "http://127.0.0.1:99999/?token=geheim",
        "http://2130706433/?token=geheim",
    ],
)
async def test_a_url_that_is_none(sender: Sender, url: str) -> None:
    found = await sender.post(url, b"{}", {})

    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.CONNECT
    assert found.detail
    assert "geheim" not in found.detail


async def test_plain_http_where_tls_is_expected(sender: Sender, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    url = (await serve(answer)).replace("http:", "https:")
    found = await sender.post(url, b"{}", {})

    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.TLS


def test_the_ssl_error_of_python_is_tls() -> None:
    from wirewatch.notify.sender import _reason  # noqa: PLC0415

    assert _reason(ssl.SSLError(1, "bad")) is AttemptReason.TLS
