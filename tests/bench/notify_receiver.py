"""A process that receives webhooks on many loopback hosts and costs little.

`python -m tests.bench.notify_receiver FIRST_HOST HOSTS PORT` listens on `host_of(FIRST_HOST)`
and the following, one socket each. The first part of the path says what becomes of a request:

    ok      200 and an empty body
    fail    500 and an empty body
    hang    no answer, ever
    drip    an answer of which one byte comes each second

It notes for each `webhook-id` when its first request arrived (CLOCK_MONOTONIC, which is one
clock for all processes of a machine). It obeys lines on standard input and answers each with
one line; at their end it ends:

    count          how many different webhooks have arrived, and how many requests in all
    take FILE      write `<webhook-id> <nanoseconds>` of each into FILE and forget them
    sample FILE    write the last request into FILE, as it came
    pid            its process id
"""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import uvloop

from .feed_server import host_of

BACKLOG = 512
DRIP_S = 1.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
FAIL = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_MANNER = re.compile(rb"[A-Z]+ /(\w+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"\r\nwebhook-id: *([^\r ]+)", re.IGNORECASE)


class Arrivals:
    """What has arrived since it was last taken."""

    def __init__(self) -> None:
        self._at: dict[bytes, int] = {}
        self._requests = 0
        self._last = b""

    def note(self, head: bytes, at_ns: int) -> None:
        """Note a request by its head."""
        found = _ID.search(head)
        self._requests += 1
        if found is not None:
            self._at.setdefault(found[1], at_ns)

    def keep(self, request: bytes) -> None:
        """Keep a whole request as the sample."""
        self._last = request

    def obey(self, line: str) -> str:
        """Do what `line` says; return the line that answers it."""
        word, _, file = line.strip().partition(" ")
        match word:
            case "count":
                return f"{len(self._at)} {self._requests}"
            case "take":
                lines = [b"%s %d\n" % one for one in self._at.items()]
                Path(file).write_bytes(b"".join(lines))
                self._at, self._requests = {}, 0
            case "sample":
                Path(file).write_bytes(self._last)
            case "pid":
                return str(os.getpid())
            case _:
                return "what?"
        return "done"


class Connection(asyncio.Protocol):
    """One connection; a request has a body of a length that is said."""

    def __init__(self, arrivals: Arrivals, later: Callable[..., object]) -> None:
        self._arrivals = arrivals
        self._later = later
        self._data = b""
        self._wanted = 0
        self._head_end = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data = self._data + data if self._data else data
        while self._data:
            if not self._wanted and not self._read_head():
                return
            if len(self._data) < self._wanted:
                return
            self._answer(self._data[: self._wanted])
            self._data = self._data[self._wanted :]
            self._wanted = 0

    def _read_head(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self._data[: end + 2]
        self._arrivals.note(head, time.monotonic_ns())
        length = _LENGTH.search(head)
        self._head_end = end
        self._wanted = end + 4 + (int(length[1]) if length else 0)
        return True

    def _answer(self, request: bytes) -> None:
        self._arrivals.keep(request)
        found = _MANNER.match(request)
        match found[1] if found else b"":
            case b"ok":
                self._transport.write(OK)
            case b"hang":
                pass
            case b"drip":
                self._drip(0)
            case _:
                self._transport.write(FAIL)

    def _drip(self, at: int) -> None:
        if not self._transport.is_closing() and at < len(OK):
            self._transport.write(OK[at : at + 1])
            self._later(DRIP_S, self._drip, at + 1)


async def serve(first_host: int, hosts: int, port: int) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    arrivals = Arrivals()
    servers = [
        await loop.create_server(
            lambda: Connection(arrivals, loop.call_later),
            host_of(first_host + number),
            port,
            backlog=BACKLOG,
            reuse_address=True,
        )
        for number in range(hosts)
    ]
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("listening", flush=True)
    while line := await lines.readline():
        print(arrivals.obey(line.decode()), flush=True)
    for server in servers:
        server.close()


def main() -> None:
    first_host, hosts, port = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    uvloop.run(serve(first_host, hosts, port))


if __name__ == "__main__":
    main()
