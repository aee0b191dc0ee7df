"""Processes that a benchmark starts and watches, and what they use (Linux: proc(5))."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wirewatch.runtime.local_kafka import die_with_parent

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
END_LIMIT_S = 15.0
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Use:
    """CPU time in one stretch of time: of what is measured, and of what is none of ours.

    `foreign` is what other programs took from the machine meanwhile.
    """

    seconds: float
    cpu: float
    foreign: float


class Meter:
    """Begins to measure when it is made; `cpu` says what the measured ones have used so far."""

    def __init__(self, cpu: Callable[[], float]) -> None:
        self._cpu = cpu
        self._begun = self._now()

    def _now(self) -> tuple[float, float, float]:
        return time.monotonic(), self._cpu(), busy_s() - cpu_s(os.getpid())

    def read(self) -> Use:
        """Return what was used since the beginning."""
        seconds, cpu, foreign = (
            now - then for now, then in zip(self._now(), self._begun, strict=True)
        )
        return Use(seconds, cpu, max(0.0, foreign))


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process and those below it hold, in MB.

    `own` is the resident memory of the process itself, `all_` of all; pages they
    share are counted once in `proportional`.
    """

    own: float
    all_: float
    proportional: float


def busy_s() -> float:
    """Return the seconds that all cores together have worked."""
    fields = (PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, soft = map(int, fields[:7])
    return (user + nice + system + irq + soft) / TICKS


def parent_of(stat: str) -> int:
    """Return the parent's id from a process' stat line."""
    return int(stat.rpartition(")")[2].split()[1])


def cpu_of(stat: str) -> float:
    """Return CPU seconds from a stat line: the process', and of its children that have ended."""
    fields = stat.rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS


def _stats() -> Iterator[tuple[int, str]]:
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(folder.name), (folder / "stat").read_text()


def tree(pid: int) -> list[int]:
    """Return `pid` and all processes below it."""
    children: dict[int, list[int]] = {}
    for child, stat in _stats():
        children.setdefault(parent_of(stat), []).append(child)
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that `pid` and those below it have used."""
    total = 0.0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            total += cpu_of((PROC / str(one) / "stat").read_text())
    return total


def own_cpu_s(pid: int) -> float:
    """Return the CPU seconds of the process alone; of its children, those that have ended."""
    return cpu_of((PROC / str(pid) / "stat").read_text())


def memory(pid: int) -> Memory:
    """Return what `pid` and those below it hold now."""
    sizes = [_sizes(one) for one in tree(pid)]
    return Memory(
        own=sizes[0].get("Rss", 0) / MB,
        all_=sum(size.get("Rss", 0) for size in sizes) / MB,
        proportional=sum(size.get("Pss", 0) for size in sizes) / MB,
    )


def _sizes(pid: int) -> dict[str, int]:
    with contextlib.suppress(OSError):
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
        pairs = (line.split() for line in lines)
        return {pair[0].rstrip(":"): int(pair[1]) * 1024 for pair in pairs}
    return {}


def free_port(count: int = 1) -> int:
    """Return a port below the ephemeral ones that is free now, like its next `count - 1`."""
    while True:
        port = random.randint(20_000, 31_000)
        if all(_is_free(port + number) for number in range(count)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextlib.contextmanager
def running(
    module: str, *arguments: object, env: dict[str, str] | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m module` with pipes; it and all below it are ended in any case."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context(log.open("ab")) if log else None
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | (env or {}),
            start_new_session=True,  # Ctrl-C is ours; we end them
            preexec_fn=die_with_parent,  # noqa: PLW1509
        )
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[str]) -> int:
    """End `process` and its session as gently as it lets us; return its exit code."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    return process.returncode


def ask(process: subprocess.Popen[str], line: str) -> str:
    """Send a line and return the line that answers it. Raises RuntimeError if there is none."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return listen(process)


def listen(process: subprocess.Popen[str]) -> str:
    """Return the next line that `process` says. Raises RuntimeError if it has ended."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} has ended with {process.wait()}")
    return line.strip()
