"""Notify under a profiler that looks only while it is told to.

`python -m tests.bench.notify_profiled calls|samples OUT notify` runs `wirewatch notify`. SIGUSR1
begins, SIGUSR2 ends and writes what was seen into OUT. `calls` is cProfile: it counts every call
and makes calls dearer than they are. `samples` looks every few milliseconds of CPU time at the
stack of the main thread and costs next to nothing; time in C counts for the line that called it.
"""

import contextlib
import cProfile
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Protocol

EVERY_S = 0.001
"""Linux makes it a tick of its clock, 4 ms on most machines."""
CALLS = "calls"
SAMPLES = "samples"
ALWAYS = 0.98


class Profiler(Protocol):
    """Looks from `begin` until `end`, which writes into a file what it saw."""

    def begin(self) -> None: ...

    def end(self, out: Path) -> None: ...


class Calls:
    """cProfile."""

    def __init__(self) -> None:
        self._profile = cProfile.Profile()

    def begin(self) -> None:
        self._profile.enable()

    def end(self, out: Path) -> None:
        self._profile.disable()
        self._profile.dump_stats(out)


class Samples:
    """Counts the stacks that a timer of CPU time comes upon."""

    def __init__(self) -> None:
        self._own: Counter[str] = Counter()
        self._below: Counter[str] = Counter()
        self._total = 0

    def begin(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def _look(self, _: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self._total += 1
        self._own[f"{_function(frame)}:{frame.f_lineno}"] += 1
        seen: set[str] = set()
        at: FrameType | None = frame
        while at is not None:
            seen.add(_function(at))
            at = at.f_back
        self._below.update(seen)

    def end(self, out: Path) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        lines = [f"{self._total} samples", "", "share  line that ran"]
        lines += self._table(self._own)
        lines += ["", "share  function, with what it called"]
        lines += self._table(self._below)
        out.write_text("\n".join(lines) + "\n")

    def _table(self, counts: Counter[str]) -> list[str]:
        told = counts.most_common(300)
        # What is below everything, from `main` to the loop, says nothing.
        return [f"{n / self._total:5.1%}  {what}" for what, n in told if n < ALWAYS * self._total]


def _function(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return f"{path.parent.name}/{path.name}:{frame.f_code.co_qualname}"


def main() -> int:
    way, out, *arguments = sys.argv[1:]
    profiler: Profiler = Samples() if way == SAMPLES else Calls()
    signal.signal(signal.SIGUSR1, lambda *_: profiler.begin())
    signal.signal(signal.SIGUSR2, lambda *_: profiler.end(Path(out)))
    sys.argv = ["wirewatch", *arguments]
    from wirewatch.cli.main import main as run  # noqa: PLC0415 - its options are read from argv

    with contextlib.suppress(KeyboardInterrupt):
        run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
