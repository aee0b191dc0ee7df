"""The fetcher against servers of every temper, on 127.0.0.1."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from wirewatch.ingest.errors import FeedProblem
from wirewatch.ingest.fetch import Document, Fetcher, Unchanged, Validators
from wirewatch.runtime.settings import Settings
from wirewatch.topics.feed_states import FetchReason

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NONE = Validators()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers with `handler`; keeps the requests it got."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.handler: Handler
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.handler(request)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/feed"
    yield server
    await runner.cleanup()


async def fetch(
    server: Server, validators: Validators = NONE, **settings: object
) -> Document | Unchanged:
    own = {"allow_networks": ("127.0.0.0/8",), "ingest_timeout_s": 5} | settings
    fetcher = Fetcher(Settings(**own))  # type: ignore[arg-type]
    await fetcher.start()
    try:
        return await fetcher.fetch(server.url, validators, NOW)
    finally:
        await fetcher.stop()


async def problem(server: Server, **settings: object) -> FeedProblem:
    with pytest.raises(FeedProblem) as caught:
        await fetch(server, **settings)
    return caught.value


async def test_a_document_comes_with_its_validators_exactly_as_sent(server: Server) -> None:
    headers = {"ETag": 'W/"odd, one"', "Last-Modified": "yesterday, more or less"}

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b"<rss/>", content_type="application/rss+xml", headers=headers)

    server.handler = handler
    found = await fetch(server, ingest_contact="https://me.example/")

    assert found == Document(
        b"<rss/>",
        "application/rss+xml",
        server.url,
        Validators('W/"odd, one"', "yesterday, more or less"),
    )
    asked = server.requests[0].headers
    assert asked["User-Agent"].startswith("wirewatch/")
    assert asked["User-Agent"].endswith(" (+https://me.example/)")
    assert not {"If-None-Match", "If-Modified-Since", "Cookie", "Referer"} & set(asked)


async def test_both_validators_are_sent_back_and_304_is_nothing_new(server: Server) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=304, headers={"ETag": '"new"', "Set-Cookie": "a=b"})

    server.handler = handler
    found = await fetch(server, Validators('"old"', "Mon, 23 Nov 2026 08:00:00 GMT"))

    assert found == Unchanged(Validators('"new"', "Mon, 23 Nov 2026 08:00:00 GMT"))
    asked = server.requests[0].headers
    assert asked["If-None-Match"] == '"old"'
    assert asked["If-Modified-Since"] == "Mon, 23 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        (404, None, None),
        (429, "120", timedelta(minutes=2)),
        (503, "Mon, 23 Nov 2026 10:00:00 GMT", timedelta(hours=1)),
        (503, "Mon, 23 Nov 2026 08:00:00 GMT", timedelta(0)),
        (500, "soon", None),
    ],
)
async def test_a_status_is_a_problem_with_what_the_server_asks_for(
    server: Server, status: int, header: str | None, wait: timedelta | None
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": header} if header else {})

    server.handler = handler
    found = await problem(server)

    assert found.reason is FetchReason.HTTP_STATUS
    assert found.detail.startswith(str(status))
    assert found.retry_after == wait


async def test_too_large_also_when_packed(server: Server) -> None:
    async def plain(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 5000)

    async def packed(request: web.Request) -> web.Response:
        body = gzip.compress(b"x" * 5_000_000)
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    for handler in (plain, packed):
        server.handler = handler
        found = await problem(server, ingest_max_bytes=4096)
        assert (found.reason, found.detail) == (FetchReason.TOO_LARGE, "more than 4096 bytes")


async def test_an_endless_stream_ends_at_the_limit(server: Server) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * 65_536)

    server.handler = handler

    assert (await problem(server, ingest_max_bytes=1_000_000)).reason is FetchReason.TOO_LARGE


async def test_a_drip_and_a_silence_end_in_time(server: Server) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x")
            await asyncio.sleep(0.02)

    async def silence(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3600)
        return web.Response()

    for handler in (drip, silence):
        server.handler = handler
        found = await problem(server, ingest_timeout_s=0.3)
        assert (found.reason, found.detail) == (FetchReason.TIMEOUT, "no whole answer in 0.3 s")


async def test_a_body_that_breaks_off_is_never_returned_in_part(server: Server) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return answer

    server.handler = handler

    assert (await problem(server)).reason is FetchReason.BROKEN


async def test_what_is_not_gzip_although_it_says_so(server: Server) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b"plain", headers={"Content-Encoding": "gzip"})

    server.handler = handler

    assert (await problem(server)).reason is FetchReason.BROKEN


async def test_redirects_are_followed_up_to_a_limit(server: Server) -> None:
    async def few(request: web.Request) -> web.Response:
        if request.path == "/feed":
            raise web.HTTPMovedPermanently("/there")
        return web.Response(body=b"<rss/>")

    async def endless(request: web.Request) -> web.Response:
        raise web.HTTPFound(request.path + "x")

    server.handler = few
    found = await fetch(server)
    assert isinstance(found, Document)
    assert found.url.endswith("/there")
    server.handler = endless
    assert (await problem(server)).reason is FetchReason.REDIRECTS


async def test_a_redirect_cannot_lead_to_a_forbidden_address(server: Server) -> None:
    async def handler(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data/")

    server.handler = handler
    found = await problem(server)

    assert found.reason is FetchReason.ADDRESS
    assert "169.254.169.254 is not a public address" in found.detail


async def test_loopback_is_refused_unless_allowed(server: Server) -> None:
    found = await problem(server, allow_networks=())

    assert found.reason is FetchReason.ADDRESS
    assert server.requests == []


async def test_nobody_there(server: Server) -> None:
    server.url = "http://127.0.0.1:1/"

    assert (await problem(server)).reason is FetchReason.CONNECT


@pytest.mark.parametrize("url", ["http://", "http://[bad/", "ftp://127.0.0.1/x", "nonsense"])
async def test_what_is_no_web_address(server: Server, url: str) -> None:
    server.url = url

    assert (await problem(server)).reason in {FetchReason.ADDRESS, FetchReason.BROKEN}
