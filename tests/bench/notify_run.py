"""`make bench-notify`: measure notify on a Kafka, beside a bare HTTP client.

Writes docs/benchmarks.md. Exit code 1: a figure that was wanted is not reached; 2: a part broke
off, and the page is left as it was.
"""

import asyncio
from collections.abc import Callable

from . import (
    command,
    notify_fanout,
    notify_latency,
    notify_pending,
    notify_report,
    notify_throughput,
)
from .report import Section


def _throughput(quick: bool) -> Section:
    size = notify_throughput.QUICK if quick else notify_throughput.FULL
    return notify_report.of_throughput(asyncio.run(notify_throughput.measure(size)))


def _latency(quick: bool) -> Section:
    size = notify_latency.QUICK if quick else notify_latency.FULL
    return notify_report.of_latency(asyncio.run(notify_latency.measure(size, with_dead=False)))


def _dead(quick: bool) -> Section:
    size = notify_latency.QUICK if quick else notify_latency.FULL
    return notify_report.of_latency(asyncio.run(notify_latency.measure(size)))


def _pending(quick: bool) -> Section:
    size = notify_pending.QUICK if quick else notify_pending.FULL
    return notify_report.of_pending(asyncio.run(notify_pending.measure(size)))


def _fanout(quick: bool) -> Section:
    size = notify_fanout.QUICK if quick else notify_fanout.FULL
    return notify_report.of_fanout(asyncio.run(notify_fanout.measure(size)))


PARTS: dict[str, Callable[[bool], Section]] = {
    "throughput": _throughput,
    "latency": _latency,
    "dead": _dead,
    "pending": _pending,
    "fanout": _fanout,
}
USUAL = ("throughput", "dead", "pending", "fanout")
"""`dead` has the latency without dead endpoints in it, in turns."""


def main() -> int:
    return command.run(PARTS, USUAL, notify_report.BENCH_NOTIFY, str(__doc__))


if __name__ == "__main__":
    command.exit_with(main)
