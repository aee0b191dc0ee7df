"""A process that serves feeds on many loopback hosts and costs little.

`python -m tests.bench.feed_server HOSTS PORT FEEDS BEGINS_AT` listens on `host_of(0)` and
the following, one socket each. Path `/<n>` is feed `n`; its validator is the version, so
the server keeps no state for whoever asks. It obeys lines on standard input and answers
each with one line; at their end it ends:

    prepare FIRST LAST   make the documents of these versions
    version N            serve version N from now on
    count                say how many answers there were: 200, 304
"""

import asyncio
import gzip
import re
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import cast

import uvloop

from .make_feeds import Outlet

_PATH = re.compile(rb"GET /(\d+)[ ?]")
_ETAG = re.compile(rb'[Ii]f-[Nn]one-[Mm]atch: *"v(\d+)"')
BACKLOG = 16
LEVEL = 6


def host_of(number: int) -> str:
    """Return loopback host `number`, from 0."""
    return f"127.{10 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


class Shelf:
    """The documents of each version, packed, with the head of their answers."""

    def __init__(self, feeds: int, begins_at: datetime) -> None:
        self._feeds = feeds
        self._begins_at = begins_at
        self._answers: dict[int, list[bytes]] = {}
        self._not_modified = b""
        self.version = 0
        self.changed = 0
        self.unchanged = 0
        self.serve(0)

    def prepare(self, first: int, last: int) -> None:
        """Make versions `first` to `last`, in two processes; forget others."""
        half = (self._feeds + 1) // 2
        jobs = [(at, first, last, self._begins_at) for at in _halves(self._feeds, half)]
        self._answers.clear()
        with ProcessPoolExecutor(2, get_context("fork")) as pool:
            for part in pool.map(make_answers, jobs):
                self.add(part)

    def add(self, part: dict[int, list[bytes]]) -> None:
        """Take in the answers of the next feeds, for each version."""
        for version, answers in part.items():
            self._answers.setdefault(version, []).extend(answers)

    def serve(self, version: int) -> None:
        """Serve `version` from now on."""
        self.version = version
        self._not_modified = (
            b'HTTP/1.1 304 Not Modified\r\nServer: bench\r\nETag: "v%d"\r\n\r\n' % (version)
        )

    def answer(self, request: bytes) -> bytes:
        """Return the answer to `request`."""
        etag = _ETAG.search(request)
        if etag is not None and int(etag[1]) == self.version:
            self.unchanged += 1
            return self._not_modified
        path = _PATH.match(request)
        answers = self._answers.get(self.version)
        if path is None or answers is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        self.changed += 1
        return answers[int(path[1]) % len(answers)]


def _halves(feeds: int, half: int) -> Iterator[range]:
    yield range(half)
    yield range(half, feeds)


def make_answers(job: tuple[range, int, int, datetime]) -> dict[int, list[bytes]]:
    """Return the answers of some feeds at each version."""
    numbers, first, last, begins_at = job
    made: dict[int, list[bytes]] = {version: [] for version in range(first, last + 1)}
    for number in numbers:
        outlet = Outlet(number, begins_at)
        for version, answers in made.items():
            answers.append(_whole_answer(outlet, version))
    return made


def _whole_answer(outlet: Outlet, version: int) -> bytes:
    body = gzip.compress(outlet.document(version), LEVEL, mtime=0)
    head = (
        f"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: {outlet.content_type}\r\n"
        f'Content-Encoding: gzip\r\nETag: "v{version}"\r\nVary: Accept-Encoding\r\n'
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One connection; requests have no body."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            self._transport.write(self._shelf.answer(data[: end + 2]))
            data = data[end + 4 :]
        self._rest = data


def obey(shelf: Shelf, line: str) -> str:
    """Do what `line` says; return the line that answers it."""
    word, *numbers = line.split()
    match word, [int(number) for number in numbers]:
        case "prepare", [first, last]:
            shelf.prepare(first, last)
        case "version", [version]:
            shelf.serve(version)
        case "count", []:
            return f"{shelf.changed} {shelf.unchanged}"
        case _:
            return "what?"
    return "done"


async def serve(hosts: int, port: int, shelf: Shelf) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(
            lambda: Connection(shelf), host_of(number), port, backlog=BACKLOG, reuse_address=True
        )
        for number in range(hosts)
    ]
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("listening", flush=True)
    while line := await lines.readline():
        print(obey(shelf, line.decode()), flush=True)
    for server in servers:
        server.close()


def main() -> None:
    hosts, port, feeds, begins_at = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    shelf = Shelf(int(feeds), datetime.fromisoformat(begins_at))
    uvloop.run(serve(int(hosts), int(port), shelf))


if __name__ == "__main__":
    main()
