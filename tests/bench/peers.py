"""Peers that look at the same feeds: `reader`, and bare aiohttp with our parser.

`python -m tests.bench.peers NAME FOLDER` reads addresses, one a line, until an empty
line, then looks at all of them for each line, and answers how many documents had
changed and how many had not. The end of its input ends it.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import aiohttp
import feedparser_sgmllib
import uvloop

from wirewatch.documents.read import read_feed

from .processes import ask, cpu_s, listen, running

READER_WORKERS = 8
CONCURRENCY = 64
MAX_ENTRIES = 2_000

Look = Callable[[], tuple[int, int]]


def with_reader(urls: Sequence[str], folder: Path) -> Look:
    """Look as the package `reader` does: requests and feedparser in threads, SQLite."""
    # reader brings an older feedparser, which needs the name under which this was once installed.
    sys.modules["sgmllib"] = feedparser_sgmllib
    from reader import make_reader  # noqa: PLC0415 - after that name is known

    peer = make_reader(str(folder / "reader.sqlite"))
    for url in urls:
        peer.add_feed(url)

    def look() -> tuple[int, int]:
        changed = unchanged = 0
        for result in peer.update_feeds_iter(workers=READER_WORKERS, scheduled=False):
            if isinstance(result.value, Exception):
                raise result.value
            if result.value is not None and result.value.new + result.value.modified:
                changed += 1
            else:
                unchanged += 1
        return changed, unchanged

    return look


class Bare:
    """Fetches with aiohttp and parses at once: no limits, no schedule, nothing kept but validators.

    No service that does more can be faster.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._etags: dict[str, str] = {}

    def look(self) -> tuple[int, int]:
        """Look at all."""
        return uvloop.run(self._look())

    async def _look(self) -> tuple[int, int]:
        slots = asyncio.Semaphore(CONCURRENCY)
        connector = aiohttp.TCPConnector(limit=CONCURRENCY)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def one(url: str) -> bool:
                async with slots:
                    return await self._fetch(session, url)

            changed = sum(await asyncio.gather(*map(one, self._urls)))
        return changed, len(self._urls) - changed

    async def _fetch(self, session: aiohttp.ClientSession, url: str) -> bool:
        etag = self._etags.get(url)
        async with session.get(url, headers={"If-None-Match": etag} if etag else {}) as answer:
            body = await answer.read()
        if answer.status == 304:
            return False
        self._etags[url] = answer.headers["ETag"]
        kind = answer.headers["Content-Type"]
        return bool(read_feed(body, content_type=kind, url=url, max_entries=MAX_ENTRIES).entries)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    name, folder = sys.argv[1:]
    urls = list(iter(lambda: sys.stdin.readline().strip(), ""))
    look = with_reader(urls, Path(folder)) if name == "reader" else Bare(urls).look
    print("ready", flush=True)
    while sys.stdin.readline():
        print(*look(), flush=True)


@dataclass(frozen=True, slots=True)
class Peer:
    """A running peer; one may be several processes with their share of the feeds."""

    processes: Sequence[Popen[str]]

    def look(self) -> tuple[int, int]:
        """Look at all feeds once; return how many had changed and had not."""
        for process in self.processes[1:]:
            assert process.stdin is not None
            process.stdin.write("look\n")
            process.stdin.flush()
        answers = [ask(self.processes[0], "look"), *map(listen, self.processes[1:])]
        pairs = [tuple(map(int, answer.split())) for answer in answers]
        return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its processes."""
        return sum(cpu_s(process.pid) for process in self.processes)


@contextlib.contextmanager
def peer(name: str, urls: Sequence[str], folder: Path, processes: int = 1) -> Iterator[Peer]:
    """Run the peer `name`."""
    with contextlib.ExitStack() as stack:
        started: list[Popen[str]] = []
        for number in range(processes):
            process = stack.enter_context(running("tests.bench.peers", name, folder))
            assert process.stdin is not None
            process.stdin.write("".join(f"{url}\n" for url in urls[number::processes]))
            ask(process, "")
            started.append(process)
        yield Peer(started)


if __name__ == "__main__":
    main()
