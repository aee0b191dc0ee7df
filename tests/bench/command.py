"""The command line of a benchmark: its parts one after the other, then the page."""

import argparse
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from . import report
from .report import Section

Parts = Mapping[str, Callable[[bool], Section]]


def run(parts: Parts, usual: Sequence[str], name: str, about: str) -> int:
    """Measure what the command line asks for, show it, and write the page of `make` target `name`.

    Exit code 1: a figure that was wanted is not reached; 2: a part broke off, and the page is
    left as it was.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.bench.{Path(sys.argv[0]).stem}", description=about
    )
    parser.add_argument("--quick", action="store_true", help="small, and the page is not written")
    parser.add_argument("--only", choices=list(parts), action="append", help="not written either")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended
    sections: list[Section] = []
    failed: list[str] = []
    for each in wanted.only or usual:
        print(f"measuring: {each}", file=sys.stderr, flush=True)
        try:
            sections.append(parts[each](wanted.quick))
        except Exception:  # noqa: BLE001 - what else was measured is not lost
            traceback.print_exc()
            failed.append(each)
    figures = report.render(sections, at=datetime.now(UTC), quick=wanted.quick, command=name)
    print(figures)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
        return 2
    if not wanted.quick and not wanted.only:
        report.publish(figures, report.begin(name))
    return 0 if all(goal.is_met for section in sections for goal in section.goals) else 1


def exit_with(main: Callable[[], int]) -> None:
    """End the process with what `main` returns, or as Ctrl-C ends one."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
