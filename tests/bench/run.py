"""`make bench-ingest`: measure ingest beside its peers and write docs/benchmarks.md.

Figures are medians of interleaved rounds. Everything that is started is ended, also
after Ctrl-C. Exit code 1: a figure that was wanted is not reached; 2: a part broke off, and
the page is left as it was.
"""

import argparse
import asyncio
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from . import flow, hostile, latency, many, parse, report
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
    parser = argparse.ArgumentParser(prog="python -m tests.bench.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, and the page is not written")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="not written either")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended
    sections: list[Section] = []
    failed: list[str] = []
    for name in wanted.only or PARTS:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        try:
            sections.append(PARTS[name](wanted.quick))
        except Exception:  # noqa: BLE001 - what else was measured is not lost
            traceback.print_exc()
            failed.append(name)
    figures = report.render(sections, at=datetime.now(UTC), quick=wanted.quick)
    print(figures)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
        return 2
    if not wanted.quick and not wanted.only:
        report.publish(figures)
    return 0 if all(goal.is_met for section in sections for goal in section.goals) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
