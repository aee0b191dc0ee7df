"""A server of hostile feeds: each on a host of its own, each bad in its own way."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from wirewatch.topics.feeds import Feed

from .feed_server import host_of
from .hostile_documents import Hostile

HOUR_S = 3_600
AT = datetime(2026, 11, 20, tzinfo=UTC)
FIRST_HOST = 50_000
"""Away from the hosts of their neighbours."""


class Attacker:
    """Serves hostile documents, and behaves badly on the wire, each path its own way."""

    def __init__(self, some: Sequence[Hostile]) -> None:
        self._documents = {str(number): one for number, one in enumerate(some)}
        self.asked: Counter[str] = Counter()

    @property
    def paths(self) -> list[str]:
        """All there is to be asked for."""
        return [*self._documents, "endless", "drip", "silent", "circle", "headers", "cut"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        endings = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*endings):
            request = await reader.readuntil(b"\r\n\r\n")
            path = request.split()[1].decode().removeprefix("/")
            self.asked[path] += 1
            await self._answer(path, writer)
        writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/rss+xml\r\n"
        match path:
            case "endless":
                writer.write(head + b"\r\n<rss><channel>")
                while True:
                    writer.write(b"<item>" * 10_000)
                    await writer.drain()
            case "drip":
                writer.write(head + b"\r\n<rss><channel>")
                while True:
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.5)
            case "silent":
                await asyncio.sleep(HOUR_S)
            case "circle":
                writer.write(
                    b"HTTP/1.1 301 Moved\r\nConnection: close\r\nLocation: /circle\r\n\r\n"
                )
            case "headers":
                writer.write(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500_000 + b"\r\n")
            case "cut":
                writer.write(head + b"Content-Length: 1000\r\n\r\n<rss><channel>")
            case _:
                self._write_document(writer, head, self._documents[path])
        await writer.drain()

    @staticmethod
    def _write_document(writer: asyncio.StreamWriter, head: bytes, document: Hostile) -> None:
        if document.codings:
            head += f"Content-Encoding: {', '.join(document.codings)}\r\n".encode()
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(document.body) + document.body)


@contextlib.asynccontextmanager
async def attacking(attacker: Attacker, port: int) -> AsyncIterator[list[Feed]]:
    """Serve on a host for each path; yield the feeds."""
    hosts = [host_of(FIRST_HOST + number) for number in range(len(attacker.paths))]
    server = await asyncio.start_server(attacker.serve, hosts, port)
    try:
        yield [
            Feed(
                id=f"feed_hostile_{path}",
                url=f"http://{host}:{port}/{path}",
                interval_s=HOUR_S,
                created_at=AT,
                updated_at=AT,
            )
            for host, path in zip(hosts, attacker.paths, strict=True)
        ]
    finally:
        server.close()
