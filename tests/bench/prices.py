"""What each hostile document costs the process that reads it: CPU time and memory."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wirewatch.documents.errors import DocumentProblem
from wirewatch.ingest.change import Policy
from wirewatch.ingest.reading import Task
from wirewatch.ingest.workers import LARGE_BYTES, Cost, Workers
from wirewatch.runtime.settings import Settings
from wirewatch.topics.feeds import Feed

from .hostile_documents import Hostile, documents, ordinary
from .processes import MB, PROC, cpu_of, tree

EVERY_S = 0.01
AT = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Price:
    """What one document cost the process that read it; `outcome` is why it failed, or `read`."""

    name: str
    cpu_s: float
    memory_mb: float
    outcome: str


@dataclass(frozen=True, slots=True)
class _Peak:
    cpu_s: float
    memory_mb: float


class _Watch:
    """Looks at a process again and again, until told to stop or it has ended."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        (PROC / str(pid) / "clear_refs").write_text("5")  # its peak counts from now on
        self._begun = self._last = self._look()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _look(self) -> _Peak:
        folder = PROC / str(self._pid)
        status = (folder / "status").read_text()
        kb = next(int(line.split()[1]) for line in status.splitlines() if line[:6] == "VmHWM:")
        return _Peak(cpu_of((folder / "stat").read_text()), kb * 1024 / MB)

    def _run(self) -> None:
        with contextlib.suppress(OSError, StopIteration):  # it has ended: the last look counts
            while not self._done.wait(EVERY_S):
                self._last = self._look()
            self._last = self._look()

    def stop(self) -> _Peak:
        """Return what was used since the beginning."""
        self._done.set()
        self._thread.join()
        return _Peak(
            self._last.cpu_s - self._begun.cpu_s, self._last.memory_mb - self._begun.memory_mb
        )


async def prices(some: Sequence[Hostile]) -> list[Price]:
    """Return what each document costs in a reading process with the default limits."""
    defaults = Settings()
    workers = Workers(1, Cost(defaults.ingest_cpu_s, defaults.ingest_memory_bytes))
    try:
        return [await _price(workers, one) for one in some]
    finally:
        await workers.stop()


async def _price(workers: Workers, document: Hostile) -> Price:
    for size in (0, LARGE_BYTES):  # both lanes have loaded what they need
        await workers.read(_task(ordinary(size)))
    watches = [_Watch(pid) for pid in tree(os.getpid()) if "spawn_main" in _command(pid)]
    outcome = "read"
    try:
        await workers.read(_task(document))
    except DocumentProblem as problem:
        outcome = str(problem)
    finally:
        peaks = [watch.stop() for watch in watches]
    cpu_s = sum(peak.cpu_s for peak in peaks)
    return Price(document.name, cpu_s, max(peak.memory_mb for peak in peaks), outcome)


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace")
    return ""


def _task(document: Hostile) -> Task:
    settings = Settings()
    return Task(
        feed=Feed(id="feed_x", url="https://h.example/", created_at=AT, updated_at=AT),
        body=document.body,
        codings=document.codings,
        content_type=document.content_type,
        body_digest="",
        packed=b"",
        first=True,
        now=datetime.now(UTC),
        policy=Policy(first_max_age=timedelta(days=1), max_age=timedelta(days=14)),
        max_bytes=settings.ingest_max_bytes,
        max_entries=settings.ingest_max_entries,
    )


if __name__ == "__main__":
    for price in asyncio.run(prices(documents())):
        print(price)
