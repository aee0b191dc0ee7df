"""Receivers of webhooks on this machine, of every temper. The tests and the benchmark share them.

async with Receiver(drip_head) as receiver:
    await sender.send(HttpRequest(receiver.url("/in"), ...))
"""

import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Self

DRIP_S = 0.02
CHUNK = b"no " * 10_000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Line:
    """One connection: what its receiver reads from and writes to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    receiver: "Receiver"

    async def read(self) -> Asked:
        """Read one request and write it down."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        asked = Asked(method, path, headers, body)
        self.receiver.asked.append(asked)
        return asked

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        self.receiver.written_bytes += len(data)

    async def stay(self) -> None:
        """Keep the connection until the other side ends it."""
        while await self.reader.read(65_536):
            pass


Talk = Callable[[Line], Awaitable[None]]


@dataclass
class Receiver:
    """Listens on `host` and lets `talk` have each connection; closes it when that returns."""

    talk: Talk
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    ended: int = 0
    written_bytes: int = 0
    port: int = 0
    receive_buffer: int = 0
    """Bytes that the system takes for it unread; 0 is as many as usual."""

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.receive_buffer:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        listening.bind((self.host, self.port))
        self.port = listening.getsockname()[1]
        self._server = await asyncio.start_server(self._take, sock=listening, ssl=self.tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()  # without waiting for whoever does not listen
        await self._server.wait_closed()
        await asyncio.sleep(0)

    def url(self, path: str = "/in", host: str = "") -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host or self.host}:{self.port}{path}"

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        task = asyncio.ensure_future(self._serve(Line(reader, writer, self)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, line: Line) -> None:
        try:
            await self.talk(line)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.ended += 1
            line.writer.close()


def answering(
    status: str = "200 OK", *headers: tuple[str, str], body: bytes = b"", times: int = 1_000_000
) -> Talk:
    """Return a receiver that answers so, over a connection that is kept."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    answer = f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def talk(line: Line) -> None:
        for _ in range(times):
            await line.read()
            await line.write(answer)

    return talk


def by_path(**talks: Talk) -> Talk:
    """Return a receiver that answers each path (without its slash) in its own way."""

    async def talk(line: Line) -> None:
        peeked = Line(line.reader, line.writer, line.receiver)
        asked = await peeked.read()
        await talks[asked.path.strip("/").partition("?")[0]](_Again(line, asked))

    return talk


class _Again(Line):
    """A line whose first request has been read already."""

    def __init__(self, line: Line, asked: Asked) -> None:
        super().__init__(line.reader, line.writer, line.receiver)
        self._asked: Asked | None = asked

    async def read(self) -> Asked:
        if self._asked is None:
            raise ConnectionError("one request a connection")
        asked, self._asked = self._asked, None
        return asked


def redirecting(location: str, status: str = "307 Temporary Redirect") -> Talk:
    """Return a receiver that sends everybody elsewhere."""
    return answering(status, ("Location", location), ("Connection", "close"))


def saying(data: bytes) -> Talk:
    """Return a receiver that says `data` and leaves."""

    async def talk(line: Line) -> None:
        await line.read()
        await line.write(data)

    return talk


async def hang(line: Line) -> None:
    """Take the connection and never say a word."""
    await line.stay()


async def never_read(line: Line) -> None:
    """Take the connection and not even what is sent."""
    line.writer.transport.pause_reading()
    await asyncio.Event().wait()


async def answer_unread(line: Line) -> None:
    """Answer at once, and take nothing of the request."""
    line.writer.transport.pause_reading()
    await line.write(ANSWER)
    await asyncio.Event().wait()


async def drip_head(line: Line) -> None:
    """Send the head of an answer a byte at a time, and never all of it."""
    await line.read()
    await line.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while True:
        await line.write(b"x")
        await asyncio.sleep(DRIP_S)


async def drip_body(line: Line) -> None:
    """Send the body of an answer a byte at a time."""
    await line.read()
    await line.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nthanks")
    while True:
        await asyncio.sleep(DRIP_S)
        await line.write(b".")


async def huge_body(line: Line) -> None:
    """Send 10 GB."""
    await line.read()
    await line.write(b"HTTP/1.1 500 No\r\nContent-Length: 10000000000\r\n\r\n")
    while True:
        await line.write(CHUNK)


async def endless_chunks(line: Line) -> None:
    """Send without end, a byte in each chunk."""
    await line.read()
    await line.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await line.write(b"1\r\nx\r\n" * 5_000)


async def huge_headers(line: Line) -> None:
    """Send 10 GB of headers, each of them small."""
    await line.read()
    await line.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        await line.write(b"X-More: no\r\n" * 1_000)


async def huge_header(line: Line) -> None:
    """Send one header of 10 GB."""
    await line.read()
    await line.write(b"HTTP/1.1 200 OK\r\nX-More: ")
    while True:
        await line.write(CHUNK)


async def endless_interim(line: Line) -> None:
    """Say `100 Continue` without end."""
    await line.read()
    while True:
        await line.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000)


async def reset(line: Line) -> None:
    """Reset the connection once the request is here."""
    await line.read()
    _reset(line.writer)


async def reset_midway(line: Line) -> None:
    """Reset the connection in the middle of the body."""
    await line.read()
    await line.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthanks")
    await asyncio.sleep(DRIP_S)
    _reset(line.writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()


async def half_close(line: Line) -> None:
    """Say that nothing more comes without having said anything, and stay."""
    await line.read()
    line.writer.write_eof()
    await line.stay()


async def two_answers(line: Line) -> None:
    """Give two answers to each request, the second one a moment later."""
    while True:
        await line.read()
        await line.write(ANSWER)
        await asyncio.sleep(DRIP_S)
        await line.write(ANSWER.replace(b"ok", b"no"))


@cache
def _bomb() -> bytes:
    return gzip.compress(b"\0" * 100_000_000, 1)


async def gzip_bomb(line: Line) -> None:
    """Send 100 MB packed into some 100 KB."""
    bomb = _bomb()
    await line.read()
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    await line.write(head.encode() + bomb)
    await line.stay()


HOSTILE: dict[str, Talk] = {
    talk.__name__: talk
    for talk in (
        *(hang, never_read, answer_unread, drip_head, drip_body, huge_body, endless_chunks),
        *(huge_headers, huge_header, endless_interim, reset, reset_midway, half_close),
        *(two_answers, gzip_bomb),
    )
}
"""Receivers that cost an attempt, and must cost nobody else anything."""


async def until(true: Callable[[], bool]) -> None:
    """Return when something is true that only the other side or the next turns can bring about."""
    while not true():  # noqa: ASYNC110 - there is nothing to wait for but time
        await asyncio.sleep(0.005)


@asynccontextmanager
async def nobody_accepts(host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Yield the URL of a port that is listened at and never looked after."""
    with socket.socket() as listening:
        listening.bind((host, 0))
        listening.listen()
        yield f"http://{host}:{listening.getsockname()[1]}/in"
