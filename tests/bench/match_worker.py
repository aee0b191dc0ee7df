"""The matching index as a child process that is asked in lines of JSON, as its peer is.

It times itself, so that neither the pipe nor reading files is in the figures.
"""

import gc
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from wirewatch.cli.offline import ArticleLine, QueryLine
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.index import kernels, kernels_numpy
from wirewatch.index.index import QueryIndex
from wirewatch.index.reader import batches
from wirewatch.query.parse import parse
from wirewatch.runtime.garbage import collect_rarely, settle_memory
from wirewatch.topics.articles import Article

QUERIES_AT_ONCE = 5_000


class Worker:
    """Holds queries and articles."""

    def __init__(self) -> None:
        self._catalogue = Catalogue.load()
        self._index = QueryIndex(Finder(self._catalogue))
        self._articles: list[Article] = []

    def load(self, queries: str, articles: str) -> dict[str, object]:
        """Load the queries of a file; the articles are read before the clock starts."""
        decoder = msgspec.json.Decoder(ArticleLine)
        self._articles = [decoder.decode(line).article() for line in _lines(articles)]
        collect_rarely()  # as the service and the offline command
        gc.collect()
        before, started = _resident_bytes(), time.perf_counter()
        decode = msgspec.json.Decoder(QueryLine).decode
        some: list[tuple[str, Any]] = []
        for line in _lines(queries):
            query = decode(line)
            some.append((query.id, parse(query.query, self._catalogue)))
            if len(some) == QUERIES_AT_ONCE:
                self._index.put_all(some)
                some = []
        self._index.put_all(some)
        self._index.settle()
        seconds = time.perf_counter() - started
        settle_memory()
        return {
            "seconds": seconds,
            "queries": len(self._index),
            "resident_bytes": _resident_bytes() - before,
            "kernels": kernels.kernels.NAME,
        }

    def match(self, first: int, end: int, results: bool) -> dict[str, object]:
        """Match some articles; reading and searching are timed apart."""
        reading = searching = 0.0
        found: dict[str, list[str]] = {}
        matches = 0
        for batch in batches(self._articles[first:end]):
            begun = time.perf_counter()
            read = self._index.read(batch)
            middle = time.perf_counter()
            slots = self._index.satisfied_by(read)
            searching += time.perf_counter() - middle
            reading += middle - begun
            matches += sum(map(len, slots))
            if results:
                ids = self._index.ids
                found |= {
                    article.id: sorted([ids[slot] for slot in own.tolist()])
                    for article, own in zip(batch, slots, strict=True)
                    if len(own)
                }
        return {"reading": reading, "searching": searching, "matches": matches, "ids": found}

    def tune(self) -> dict[str, object]:
        """Sort the queries by what was learned, as the service does by itself."""
        started = time.perf_counter()
        self._index.tune()
        return {"seconds": time.perf_counter() - started}

    def size(self) -> dict[str, object]:
        """Say how much memory the index takes, by its own count and the system's."""
        size = self._index.size()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return {"bytes": size.total_bytes, "parts": size.bytes_by_part, "peak_bytes": peak}


def _lines(path: str) -> list[bytes]:
    return Path(path).read_bytes().splitlines()


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> None:
    if "--numpy" in sys.argv:
        _without_numba()
    worker = Worker()
    for line in sys.stdin:
        wanted = json.loads(line)
        answer = getattr(worker, wanted.pop("do"))(**wanted)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _without_numba() -> None:
    from wirewatch.index import batch, ids, reader, rows, segment, tokens  # noqa: PLC0415

    for module in (kernels, batch, ids, reader, rows, segment, tokens):
        module.kernels = kernels_numpy  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
