import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from wirewatch.cli.client import ApiAway, ApiClient, ApiProblem


async def _answers(status: int, body: bytes) -> TestServer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type="text/html")

    app = web.Application()
    app.router.add_get("/v1/status", answer)
    server = TestServer(app, access_log=None)
    await server.start_server()
    return server


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (502, b"<h1>Bad gateway</h1>",
         r"What answers at http://127.0.0.1:\d+ is not wirewatch's API \(status 502\)"),
        (200, b"<h1>hello</h1>", r"The answer of http://127.0.0.1:\d+ cannot be read"),
        (404, b'{"title": "Not Found", "status": 404, "detail": "There is no feed."}',
         "There is no feed."),
    ],
)  # fmt: skip
async def test_what_another_server_says_is_explained(status, body, sentence):
    server = await _answers(status, body)
    try:
        with pytest.raises(ApiProblem, match=sentence):
            await ApiClient(f"http://127.0.0.1:{server.port}/").get("/v1/status")
    finally:
        await server.close()


async def test_an_answer_without_a_view_is_plain_values():
    server = await _answers(200, b'{"feeds": {"ok": 1}}')
    try:
        api = ApiClient(f"http://127.0.0.1:{server.port}")
        assert await api.get("/v1/status") == {"feeds": {"ok": 1}}
    finally:
        await server.close()


async def test_silence_is_away(monkeypatch):
    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with pytest.raises(ApiAway, match=f"The API at http://127.0.0.1:{port} does not answer"):
            await ApiClient(f"http://127.0.0.1:{port}").get("/v1/status")
    finally:
        server.close()
        await server.wait_closed()
