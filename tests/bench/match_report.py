"""Tell what was measured of matching. Pure."""

from collections.abc import Sequence

from .match_index import Comparison, Side
from .match_service import RATE_OF_CHANGES, Measured
from .report import Goal, Section

BENCH_MATCH = "make bench-match"
OURS = "wirewatch"


def of_index(found: Sequence[Comparison]) -> Section:
    """Tell how fast the index is, beside Lucene Monitor."""
    rows = [_row(one, side) for one in found for side in one.sides]
    proved = " and ".join(
        f"{one.proved:,} at {one.queries:,} queries" for one in found if one.proved
    )
    return Section(
        "Articles held against stored queries, one core each",
        (
            "queries",
            "who",
            "articles/s",
            "beside Lucene",
            "text alone",
            "index alone",
            "loaded in",
            "bytes a query",
            "matches an article",
        ),
        tuple(rows),
        tuple(goal for one in found for goal in _index_goals(one)),
        f"Before the clock starts both sides tell all matches of the same articles, and they are "
        f"the same: {proved}. Medians of rounds in which the sides take turns; *beside Lucene* is "
        f"the median of the rounds' ratios. *Text alone* is cutting, folding, stemming and looking "
        f"up words, *index alone* the search for queries. Bytes are ours by our own count of all "
        f"structures, Lucene's heap after a collection divided by queries. Lucene is Monitor "
        f"{found[0].lucene} with the multipass presearcher at the library's own defaults, one "
        f"article at a time, which is faster there than batches.",
    )


def _row(one: Comparison, side: Side) -> tuple[str, ...]:
    beside = f"{one.ratio(side.name):.0f} x" if one.lucene else "-"
    ours = bool(side.rounds[0].reading)
    return (
        f"{one.queries:,}",
        side.name,
        f"{side.articles_per_s:,.0f}",
        beside,
        f"{side.part('reading'):,.0f}/s" if ours else "-",
        f"{side.part('searching'):,.0f}/s" if ours else "-",
        f"{side.load_s:.0f} s",
        f"{side.bytes_per_query:,.0f}",
        f"{side.matches_per_article:.1f}",
    )


def _index_goals(one: Comparison) -> list[Goal]:
    ours = next(side for side in one.sides if side.name == OURS)
    goals = []
    if one.queries == 100_000:
        ratio = one.ratio(OURS)
        goals.append(Goal("100,000 queries", "40 x Lucene", f"{ratio:.0f} x", ratio >= 40))
    if one.queries == 1_000_000:
        ratio, rate, size = one.ratio(OURS), ours.articles_per_s, ours.bytes_per_query
        goals += [
            Goal("1,000,000 queries", "30 x Lucene", f"{ratio:.0f} x", ratio >= 30),
            Goal("1,000,000 queries", "1,000 articles/s", f"{rate:,.0f}/s", rate >= 1000),
            Goal("bytes a query at 1,000,000", "300", f"{size:.0f}", size <= 300),
        ]
    return goals


def of_service(found: Measured) -> Section:
    """Tell what the service does on a Kafka."""
    flow, latency, many = found.flow, found.latency, found.many
    return Section(
        "The whole service on a Kafka",
        ("what", "figure"),
        (
            ("articles in, alerts out, 100,000 subscriptions", f"{flow.articles_per_s:,.0f}/s"),
            ("alerts for an article", f"{flow.alerts_per_article:.1f}"),
            ("CPU seconds for 1,000 articles", f"{flow.cpu_per_1000:.2f}"),
            ("memory of the process", f"{flow.memory_mb:.0f} MB"),
            ("article sent to alert in hand, median", f"{latency.p50 * 1000:.0f} ms"),
            ("the same, p99", f"{latency.p99 * 1000:.0f} ms"),
            ("the same, worst", f"{latency.worst * 1000:.0f} ms of {latency.alerts:,}"),
            (f"ready with {many.subscriptions:,} from the log", f"{many.from_log_s:.0f} s"),
            (
                f"ready with {many.subscriptions:,} from its snapshot",
                f"{many.from_snapshot_s:.0f} s",
            ),
            (f"memory with {many.subscriptions:,}", f"{many.memory_mb:.0f} MB"),
            ("a new subscription in force, median", f"{many.change_p50 * 1000:.0f} ms"),
            (
                "the same, p99",
                f"{many.change_p99 * 1000:.0f} ms of {many.changes} changes",
            ),
        ),
        (
            Goal(
                "whole service, 100,000 queries",
                "2,000 articles/s",
                f"{flow.articles_per_s:,.0f}/s",
                flow.articles_per_s >= 2000,
            ),
            Goal(
                "article to alert at 200/s, p99",
                "100 ms",
                f"{latency.p99 * 1000:.0f} ms",
                latency.p99 <= 0.1,
            ),
            Goal(
                "1,000,000 from the log", "60 s", f"{many.from_log_s:.0f} s", many.from_log_s < 60
            ),
            Goal(
                "1,000,000 from the snapshot",
                "30 s",
                f"{many.from_snapshot_s:.0f} s",
                many.from_snapshot_s < 30,
            ),
            Goal(
                "a change in force, p99, 1,000,000 loaded",
                "1 s",
                f"{many.change_p99:.2f} s",
                many.change_p99 < 1,
            ),
        ),
        "Times of starting count from the start of the process until it says that it is ready. "
        f"Changes are made while {RATE_OF_CHANGES} articles a second flow, some 65 alerts each.",
    )
