"""`make bench-ingest`: measure ingest beside its peers and write docs/benchmarks.md.

Figures are medians of interleaved rounds. Everything that is started is ended, also
after Ctrl-C. Exit code 1: a figure that was wanted is not reached; 2: a part broke off, and
the page is left as it was.
"""

import asyncio
from collections.abc import Callable

from . import command, flow, hostile, latency, many, parse, report
from .report import Section


def _parse(quick: bool) -> Section:
    return report.of_parse(parse.run(quick=quick))


def _flow(quick: bool) -> Section:
    return report.of_flow(asyncio.run(flow.measure(flow.QUICK if quick else flow.FULL)))


def _latency(quick: bool) -> Section:
    found = asyncio.run(latency.measure(latency.QUICK if quick else latency.FULL))
    return report.of_latency(found)


def _many(quick: bool) -> Section:
    return report.of_many(asyncio.run(many.measure(many.QUICK if quick else many.FULL)))


def _hostile(quick: bool) -> Section:
    return report.of_hostile(*asyncio.run(hostile.measure(quick=quick)))


PARTS: dict[str, Callable[[bool], Section]] = {
    "parse": _parse,
    "flow": _flow,
    "latency": _latency,
    "many": _many,
    "hostile": _hostile,
}


def main() -> int:
    return command.run(PARTS, list(PARTS), report.BENCH_INGEST, str(__doc__))


if __name__ == "__main__":
    command.exit_with(main)
