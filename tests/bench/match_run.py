"""`make bench-match`: measure matching beside Lucene Monitor, and the service on a Kafka.

Writes docs/benchmarks.md. Exit code 1: a figure that was wanted is not reached; 2: a part broke
off, and the page is left as it was.
"""

import asyncio
from collections.abc import Callable

from . import command, match_corpus, match_index, match_report, match_service
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
    return command.run(PARTS, USUAL, match_report.BENCH_MATCH, str(__doc__))


if __name__ == "__main__":
    command.exit_with(main)
