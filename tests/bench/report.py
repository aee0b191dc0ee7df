"""Write what was measured, for the terminal and for docs/benchmarks.md. Pure but for `publish`."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from . import flow, hostile, latency, many, parse
from .peers import READER_WORKERS
from .prices import Price

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BENCH_INGEST = "make bench-ingest"


def begin(command: str) -> str:
    """Return the line of the page behind which the figures of `command` stand."""
    return f"<!-- figures: written by `{command}` -->"


BEGIN = begin(BENCH_INGEST)
END = "<!-- end of figures -->"


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that was wanted, and what came of it."""

    what: str
    wanted: str
    got: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Section:
    """What one benchmark has to say."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    goals: tuple[Goal, ...]
    note: str = ""


def of_parse(sizes: Sequence[Sequence[parse.Speed]]) -> Section:
    """Tell how fast documents are parsed."""
    rows = []
    least = float("inf")
    for speeds in sizes:
        by_name = {speed.parser: speed for speed in speeds}
        base = by_name["feedparser"].documents_per_s
        least = min(least, by_name["wirewatch"].documents_per_s / base)
        for one in speeds:
            found = one.found
            fields = (found.ids, found.titles, found.links, found.texts, found.dates)
            complete = "all" if all(count == found.entries for count in fields) else str(fields)
            rows.append(
                (
                    f"{one.kb} KB",
                    one.parser,
                    f"{one.documents_per_s:,.0f}",
                    f"{one.documents_per_s / base:.1f} x",
                    f"{found.entries}",
                    complete,
                )
            )
    return Section(
        "Parsing, one core",
        ("document", "parser", "documents/s", "beside feedparser", "entries", "fields found"),
        tuple(rows),
        (Goal("parsing", "10 x feedparser", f"{least:.1f} x at least", least >= 10),),
    )


def of_flow(samples: Sequence[flow.Sample]) -> Section:
    """Tell how fast feeds become articles."""
    rows = []
    for case in dict.fromkeys(sample.case for sample in samples):
        ours = flow.median(samples, "wirewatch", case, lambda s: s.per_s)
        ours_cpu = flow.median(samples, "wirewatch", case, lambda s: s.cpu_per_1000)
        for who in dict.fromkeys(s.who for s in samples if s.case == case):
            rate = flow.median(samples, who, case, lambda s: s.per_s)
            cpu = flow.median(samples, who, case, lambda s: s.cpu_per_1000)
            own = flow.median(samples, who, case, lambda s: s.own_cpu / s.use.cpu)
            foreign = flow.median(samples, who, case, lambda s: s.use.foreign / s.use.seconds)
            rows.append(
                (
                    _CASES[case],
                    who,
                    f"{rate:,.0f}",
                    f"{cpu:.2f}",
                    f"{own:.0%}",
                    f"{ours / rate:.2f} x",
                    f"{cpu / ours_cpu:.2f} x",
                    f"{foreign:.2f}",
                )
            )
    rate = flow.median(samples, "wirewatch", "changed", lambda s: s.per_s)
    cpu = flow.median(samples, "wirewatch", "changed", lambda s: s.cpu_per_1000)
    still = flow.median(samples, "wirewatch", "304", lambda s: s.per_s)
    still_cpu = flow.median(samples, "wirewatch", "304", lambda s: s.cpu_per_1000)
    return Section(
        "From feeds to acknowledged articles",
        (
            "case",
            "who",
            "feeds/s",
            "CPU s/1,000 feeds",
            "of it the event loop's process",
            "ours is faster",
            "ours is cheaper",
            "cores others took",
        ),
        tuple(rows),
        (
            Goal("all changed", "300 feeds/s", f"{rate:,.0f}/s", rate >= 300),
            Goal("CPU, all changed", "5 s per 1,000 feeds", f"{cpu:.1f} s", cpu <= 5),
            Goal("all 304", "2,000 feeds/s", f"{still:,.0f}/s", still >= 2_000),
        ),
        f"`reader` is the package of that name with {READER_WORKERS} threads and a SQLite "
        f"file, on a share of the same feeds; `bare` is {flow.BARE_PROCESSES} processes of aiohttp "
        "and our parser that keep nothing. A changed feed has 3 new entries and an edited one. "
        "In the 304 case each feed is asked for once a second at most, so the rate cannot exceed "
        "the number of feeds; the CPU time is the better figure there: at "
        f"{still_cpu:.2f} s per 1,000 one core does {1000 / still_cpu:,.0f} feeds/s. "
        "The CPU time is that of ingest and its parse workers. Kafka and the feed server share the "
        "cores with them; `cores others took` is what other programs of the machine had.",
    )


_CASES = {"first": "first look: 30 new", "changed": "all changed", "304": "all 304"}


def of_latency(found: latency.Latency) -> Section:
    """Tell how soon an article is there."""
    return Section(
        "From a change to its article, 100 fetches/s",
        ("articles", "median", "p99", "worst", "ingest, cores"),
        (
            (
                f"{found.articles:,}",
                f"{found.p50 * 1000:.0f} ms",
                f"{found.p99 * 1000:.0f} ms",
                f"{found.worst * 1000:.0f} ms",
                f"{found.use.cpu / found.use.seconds:.2f}",
            ),
        ),
        (Goal("change to article, p99", "1 s", f"{found.p99:.2f} s", found.p99 < 1),),
        "From the moment at which the feed is due and has changed, until a consumer has the "
        "article.",
    )


def of_many(found: many.Held) -> Section:
    """Tell what many feeds need."""
    cores = found.use.cpu / found.use.seconds
    held = found.memory.proportional
    return Section(
        f"{found.feeds:,} feeds in one process, nothing new",
        (
            "fetches/s",
            "cores",
            "memory (with workers)",
            "resident, process alone",
            "ready after",
        ),
        (
            (
                f"{found.fetches / found.use.seconds:,.0f}",
                f"{cores:.2f}",
                f"{held:,.0f} MB",
                f"{found.memory.own:,.0f} MB",
                f"{found.loading_s:.0f} s",
            ),
        ),
        (
            Goal(f"memory of {found.feeds:,} feeds", "600 MB", f"{held:,.0f} MB", held < 600),
            Goal("cores when unchanged", "half a core", f"{cores:.2f}", cores < 0.5),
        ),
    )


def of_hostile(prices: Sequence[Price], patience: hostile.Patience) -> Section:
    """Tell what hostile input costs."""
    cpu = max(price.cpu_s for price in prices)
    memory = max(price.memory_mb for price in prices)
    endings = ", ".join(f"{count} {name}" for name, count in sorted(patience.endings.items()))
    return Section(
        "Hostile input",
        ("document", "CPU s", "MB", "outcome"),
        tuple((p.name, f"{p.cpu_s:.2f}", f"{p.memory_mb:.0f}", p.outcome) for p in prices),
        (
            Goal("CPU of a hostile document", "2 s", f"{cpu:.2f} s", cpu <= 2.1),
            Goal("memory of a hostile document", "200 MB", f"{memory:.0f} MB", memory <= 200),
            Goal(
                "fetches of a hostile feed",
                "1",
                f"{patience.most_asked}",
                patience.most_asked == 1,
            ),
            Goal(
                "neighbours beside hostile feeds, p99",
                "1 s",
                f"{patience.hostile_p99:.2f} s ({patience.quiet_p99:.2f} s without)",
                patience.hostile_p99 < 1,
            ),
        ),
        f"All of them, and six servers that misbehave on the wire, were then looked at at once "
        f"beside {hostile.NEIGHBOURS} feeds that change every {hostile.CHANGE_EVERY_S:g} s. "
        f"They ended so: {endings}.",
    )


def render(
    sections: Sequence[Section], *, at: datetime, quick: bool, command: str = BENCH_INGEST
) -> str:
    """Return the figures as Markdown."""
    command += " QUICK=1" if quick else ""
    lines = [
        f"Measured with `{command}` on {at:%Y-%m-%d %H:%M} UTC: {machine()}.",
        "",
        *_goals(goal for section in sections for goal in section.goals),
    ]
    for section in sections:
        lines += ["", f"### {section.title}", "", *table(section.head, section.rows)]
        if section.note:
            lines += ["", section.note]
    return "\n".join(lines) + "\n"


def _goals(goals: Iterable[Goal]) -> list[str]:
    rows = [(g.what, g.wanted, g.got, "yes" if g.is_met else "**no**") for g in goals]
    return table(("what", "wanted", "measured", "met"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]


def machine() -> str:
    """Say what it was measured on."""
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {_processor()}, Linux, Python {platform.python_version()}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def replaced(page: str, figures: str, start: str = BEGIN) -> str:
    """Return `page` with `figures` behind `start`. Raises ValueError if the markers are missing."""
    before, found, rest = page.partition(start)
    _, end, after = rest.partition(END)
    if not found or not end:
        raise ValueError(f"the page has no {start} ... {END}")
    return f"{before}{start}\n\n{figures}\n{END}{after}"


def publish(figures: str, start: str) -> None:
    """Write the figures into docs/benchmarks.md."""
    PAGE.write_text(replaced(PAGE.read_text(), figures, start))
