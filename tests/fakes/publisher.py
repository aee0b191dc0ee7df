"""A publisher's server that says exactly the bytes it is told to, right or wrong."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Header = tuple[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came. `connection` numbers the connections from 0."""

    path: str
    headers: dict[str, str]
    raw: bytes
    connection: int


Act = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = b"", *headers: Header, status: str = "200 OK") -> bytes:
    """Write a whole answer with the right Content-Length."""
    length = ("Content-Length", str(len(body)))
    return head(*headers, length, status=status) + body


def head(*headers: Header, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}".encode()]
    for name, value in headers:
        lines.append(
            name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
        )
    return b"\r\n".join(lines) + b"\r\n\r\n"


def redirect(location: str | bytes, *headers: Header, status: str = "302 Found") -> bytes:
    return answer(b"", ("Location", location), *headers, status=status)


def cut(said: bytes) -> Act:
    """Say it, then close the connection."""

    async def act(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()

    return act


def forever(start: bytes, piece: bytes, pause_s: float = 0.0) -> Act:
    """Say `start`, then `piece` without end."""

    async def act(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return act


async def silence(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other side gives up."""
    await writer.wait_closed()


@dataclass
class Publisher:
    """Answers each path with its page, 404 if it has none; keeps what it was asked."""

    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    pages: dict[str, bytes | Act] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    _port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str = "/feed") -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self._port}{path}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=self.tls)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        number = self.connections
        self.connections += 1
        try:
            while not writer.is_closing():
                await self._answer(_parse(await reader.readuntil(b"\r\n\r\n"), number), writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side has left, or the test is over
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked.append(asked)
        page = self.pages.get(asked.path, answer(b"no such page", status="404 Not Found"))
        if isinstance(page, bytes):
            writer.write(page)
            await writer.drain()
        else:
            await page(asked, writer)


def _parse(raw: bytes, connection: int) -> Asked:
    first, *lines = raw.decode("utf-8", "surrogateescape").split("\r\n")[:-2]
    pairs = (line.split(": ", 1) for line in lines)
    return Asked(
        first.split(" ")[1], {name.lower(): value for name, value in pairs}, raw, connection
    )
