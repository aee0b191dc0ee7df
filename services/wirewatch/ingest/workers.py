"""Processes that read documents: one huge or hostile document costs its own fetch and no more.

Each task has a limit of CPU time and of memory, both kept by the operating system:
a worker that exceeds the first is ended and replaced, the second fails its task.
"""

import asyncio
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from pebble import ProcessExpired, ProcessPool

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.page import PageText, read_page
from wirewatch.documents.unpack import unpack
from wirewatch.ingest.reading import (
    Reading,
    Task,
    decode_reading,
    decode_task,
    encode_reading,
    encode_task,
    read_document,
)
from wirewatch.runtime.logs import get_logger
from wirewatch.topics.feed_states import FetchReason

MOST_BY_DEFAULT = 4
"""Each holds 150 MB, and reads 500 feeds a second: more than this is a decision."""
LARGE_BYTES = 262_144
"""On the wire. Nine of ten feeds of newspapers are below, most of them compressed far below."""
WALL_S = 60.0
"""A worker that neither answers nor uses CPU time is replaced after this."""
TASKS_PER_WORKER = 20_000
"""Then a worker is replaced: what libraries leak does not add up."""
TRIES = 2
"""Of a document whose pool was broken by another's end."""
_ENDED_BY_CPU_LIMIT = -signal.SIGPROF
_ENDED_BY_MEMORY_LIMIT = 77

log = get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one document may cost: CPU seconds, and bytes beyond what a worker has when idle."""

    cpu_s: float
    memory_bytes: int


def default_workers() -> int:
    """Return how many processes read documents when nothing is said: all cores but one, to four."""
    return min(MOST_BY_DEFAULT, max(1, len(os.sched_getaffinity(0)) - 1))


class Workers:
    """Reading processes: some for most documents, one for the large.

    So a burst of large ones, which may each take all that a document may cost,
    does not hold up the others.
    """

    def __init__(self, count: int, cost: Cost) -> None:
        self._cost = cost
        self._usual = _Lane(count or default_workers(), cost)
        self._large = _Lane(1, cost)

    async def start(self) -> None:
        """Start the processes that are always needed; return when one answers."""
        await self._usual.run(_ready)

    async def read(self, task: Task) -> Reading:
        """Return what a feed document says. Raises DocumentProblem."""
        lane = self._lane(task.body)
        return decode_reading(await lane.run(_read, encode_task(task)))

    async def read_page(
        self, body: bytes, *, codings: tuple[str, ...], content_type: str, url: str, max_bytes: int
    ) -> PageText:
        """Return the text of an article's page. Raises DocumentProblem."""
        lane = self._lane(body)
        page: PageText = await lane.run(_read_page, body, codings, content_type, url, max_bytes)
        return page

    def _lane(self, body: bytes) -> "_Lane":
        return self._large if len(body) > LARGE_BYTES else self._usual

    async def stop(self) -> None:
        """End the processes; what is in hand is dropped."""
        await asyncio.gather(self._usual.stop(), self._large.stop())


class _Lane:
    """A pool of processes, started with its first document."""

    def __init__(self, count: int, cost: Cost) -> None:
        self._count = count
        self._cost = cost
        self._stopped = False
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._count,
            max_tasks=TASKS_PER_WORKER,
            initializer=_prepare,
            initargs=(self._cost,),
            context=multiprocessing.get_context("spawn"),
        )

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return what `function` returns in one of the processes. Raises DocumentProblem."""
        for _ in range(TRIES):
            pool = self._pool
            try:
                return await self._run_in(pool, function, args)
            except BrokenProcessPool:
                await self._replace(pool)
        raise DocumentProblem(FetchReason.TOO_COSTLY, "the processes that were to read it ended")

    async def _run_in(
        self, pool: ProcessPool, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> Any:
        try:
            future = pool.schedule(
                _limited, args=(self._cost.cpu_s, function, args), timeout=WALL_S
            )
        except RuntimeError as error:  # so pebble says that a pool is broken or stopped
            raise BrokenProcessPool(str(error)) from error
        try:
            return await asyncio.wrap_future(future)
        except (TimeoutError, ProcessExpired) as error:
            raise DocumentProblem(FetchReason.TOO_COSTLY, self._words(error)) from error

    async def _replace(self, broken: ProcessPool) -> None:
        """Go on with a new pool: pebble gives up when a worker ends that had nothing in hand."""
        if self._pool is broken and not self._stopped:
            log.warning("a reading process was ended from outside; new ones are started")
            self._pool = self._new_pool()
            await _end(broken)

    def _words(self, error: Exception) -> str:
        code = getattr(error, "exitcode", None)
        if code == _ENDED_BY_CPU_LIMIT:
            return f"reading it needs more than {self._cost.cpu_s:g} s of CPU time"
        if code == _ENDED_BY_MEMORY_LIMIT:
            return f"reading it needs more than {self._cost.memory_bytes // 1_000_000} MB"
        if isinstance(error, TimeoutError):
            return f"reading it takes more than {WALL_S:g} s"
        return "the process that read it ended"

    async def stop(self) -> None:
        """End the processes."""
        self._stopped = True
        await _end(self._pool)


async def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    await asyncio.to_thread(pool.join)


def _prepare(cost: Cost) -> None:
    """Set a worker up: signals are its parent's business, and memory has its limit."""
    # numpy would start threads, whose stacks would count as a document's memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    limit = _data_bytes() + cost.memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _data_bytes() -> int:
    """Return the private memory of this process (proc(5), statm: data + stack)."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[5]) * resource.getpagesize()


def _limited(cpu_s: float, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call `function`; when it uses more CPU time the kernel ends this process (setitimer(2)).

    It also ends when memory runs out: what is left of it then may be too little for the next.
    """
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    try:
        return function(*args)
    except MemoryError:
        os._exit(_ENDED_BY_MEMORY_LIMIT)
    except RecursionError as error:
        raise DocumentProblem(FetchReason.TOO_COSTLY, "it is nested too deep") from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _ready() -> None:
    """Do nothing, in a process that then has all it needs imported."""


def _read(raw: bytes) -> bytes:
    return encode_reading(read_document(decode_task(raw)))


def _read_page(
    body: bytes, codings: tuple[str, ...], content_type: str, url: str, max_bytes: int
) -> PageText:
    return read_page(unpack(body, codings, max_bytes), content_type=content_type, url=url)
