"""`make bench-match`: measure matching beside Lucene Monitor, and the service on a Kafka.

Writes docs/benchmarks.md. Exit code 1: a figure that was wanted is not reached; 2: a part broke
off, and the page is left as it was.
"""

import argparse
import asyncio
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from . import match_corpus, match_index, match_report, match_service, report
from .report import Section


def _index(quick: bool) -> Section:
    sizes = match_index.QUICK if quick else match_index.FULL
    return match_report.of_index(match_index.measure(sizes))


def _huge(quick: bool) -> Section:
    return match_report.of_index(match_index.measure((match_index.HUGE,)))


def _service(quick: bool) -> Section:
    size = match_service.QUICK if quick else match_service.FULL
    found = asyncio.run(match_service.measure(size, match_corpus.vocabularies(1)))
    return match_report.of_service(found)


PARTS: dict[str, Callable[[bool], Section]] = {"index": _index, "service": _service, "huge": _huge}
USUAL = ("index", "service")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.match_run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, and the page is not written")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="not written either")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended
    sections: list[Section] = []
    failed: list[str] = []
    for name in wanted.only or USUAL:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        try:
            sections.append(PARTS[name](wanted.quick))
        except Exception:  # noqa: BLE001 - what else was measured is not lost
            traceback.print_exc()
            failed.append(name)
    command = match_report.BENCH_MATCH
    figures = report.render(sections, at=datetime.now(UTC), quick=wanted.quick, command=command)
    print(figures)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
        return 2
    if not wanted.quick and not wanted.only:
        report.publish(figures, match_report.BEGIN)
    return 0 if all(goal.is_met for section in sections for goal in section.goals) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
