"""The peer of notify: a process that posts bytes with aiohttp and uvloop, and nothing else.

`python -m tests.bench.notify_bare SAMPLE URLS` reads one request as notify made it, and URLs, one
a line. Told `post COUNT CONCURRENCY` it posts the same body with the same headers so often, to
one URL after the other, and answers `<seconds> <CPU seconds>`. At the end of standard input it
ends. No Kafka, no signing, no record: what is left is what HTTP itself costs.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import aiohttp
import uvloop

LEFT_TO_AIOHTTP = frozenset({"host", "content-length", "accept", "connection"})


def read_sample(request: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers that were the sender's choice, and the body."""
    head, _, body = request.partition(b"\r\n\r\n")
    pairs = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name: value for name, _, value in pairs if name.lower() not in LEFT_TO_AIOHTTP}, body


async def post(
    session: aiohttp.ClientSession, urls: Sequence[str], body: bytes, count: int, concurrency: int
) -> tuple[float, float]:
    """Post so often; return the seconds and CPU seconds it took. Raises if one is not answered."""
    left = islice(cycle(urls), count)
    begun, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(_work(session, left, body))
    return time.perf_counter() - begun, time.process_time() - cpu


async def _work(session: aiohttp.ClientSession, urls: Iterator[str], body: bytes) -> None:
    for url in urls:
        async with session.post(url, data=body, allow_redirects=False) as response:
            await response.read()
            response.raise_for_status()


async def serve(request: bytes, urls: Sequence[str]) -> None:
    """Obey until standard input ends."""
    headers, body = read_sample(request)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    ) as session:
        print("ready", flush=True)
        while line := await lines.readline():
            _, count, concurrency = line.split()
            seconds, cpu = await post(session, urls, body, int(count), int(concurrency))
            print(f"{seconds} {cpu}", flush=True)


def main() -> None:
    sample, urls = map(Path, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    uvloop.run(serve(sample.read_bytes(), urls.read_text().split()))


if __name__ == "__main__":
    main()
