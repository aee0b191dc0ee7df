"""Tell what was measured of notify. Pure."""

import statistics
from collections.abc import Callable, Sequence

from . import notify_fanout, notify_latency, notify_pending, notify_throughput
from .notify_figures import Waits
from .report import Goal, Section

BENCH_NOTIFY = "make bench-notify"
SHARE = 0.33
P99_S = 0.05
BESIDE_DEAD = 1.5
PENDING = 1_000_000
PENDING_MB = 500
READY_S = 60
FANOUT = 100_000
GROWTH_MB = 200


def of_throughput(found: notify_throughput.Throughput) -> Section:
    """Tell how many deliveries are made, beside a bare client."""
    share, rounds = found.share(), found.rounds
    body = rounds[0].body_bytes
    senders: tuple[tuple[str, Callable[[notify_throughput.Round], notify_throughput.Run]], ...] = (
        (f"notify, {notify_throughput.ENDPOINTS} endpoints", lambda one: one.notify),
        ("bare aiohttp and uvloop", lambda one: one.bare),
        ("notify, one endpoint", lambda one: one.single),
    )
    return Section(
        "Deliveries of one process",
        (
            "who",
            "requests/s",
            "beside bare",
            "CPU us a request",
            "beside bare",
            "receiver, us",
            "Kafka, us",
            "others, cores",
        ),
        tuple(_sender(name, [of(one) for one in rounds], rounds) for name, of in senders),
        (
            Goal(
                "deliveries/s beside a bare client",
                f"{SHARE:.0%}",
                f"{share:.0%} ({statistics.median(o.notify.per_s for o in rounds):,.0f}/s)",
                share >= SHARE,
            ),
        ),
        f"Medians of the rounds ({len(rounds)}), in which the two take turns. Both post the "
        f"same {body:,} bytes with the same headers to the same receiver, another process. "
        "Notify reads alerts "
        "that wait in Kafka, from being ready until the last attempt is recorded; its time has "
        "the beginning and the end of that in it, and Kafka and the receiver share the cores with "
        f"it. The bare client makes {notify_throughput.BARE_CONCURRENCY} requests at once, as "
        f"many as notify by default. {_OTHERS}",
    )


def _sender(
    name: str,
    runs: Sequence[notify_throughput.Run],
    rounds: Sequence[notify_throughput.Round],
) -> tuple[str, ...]:
    pairs = [(run, one.bare) for run, one in zip(runs, rounds, strict=True)]
    rate = statistics.median(run.per_s for run in runs)
    cpu = statistics.median(run.cpu_us for run in runs)
    beside = statistics.median(run.per_s / bare.per_s for run, bare in pairs)
    costs = statistics.median(run.cpu_us / bare.cpu_us for run, bare in pairs)
    receiver = statistics.median(run.receiver_cpu / run.requests * 1e6 for run in runs)
    kafka = statistics.median(run.kafka_cpu / run.requests * 1e6 for run in runs)
    return (
        name,
        f"{rate:,.0f}",
        f"{beside:.0%}",
        f"{cpu:,.0f}",
        f"{costs:.1f} x",
        f"{receiver:,.0f}",
        f"{kafka:,.0f}" if kafka else "-",
        f"{statistics.median(run.foreign / run.seconds for run in runs):.2f}",
    )


def of_latency(found: notify_latency.Latency) -> Section:
    """Tell how soon a request is made, alone and beside dead endpoints."""
    p99 = found.p99_alone()
    goals = [Goal("alert to request at 200/s, p99", _ms(P99_S), _ms(p99), p99 <= P99_S)]
    if found.beside:
        ratio = found.ratio()
        goals.append(
            Goal(
                f"the same beside {notify_latency.DEAD:,} dead endpoints",
                f"{BESIDE_DEAD} x",
                f"{ratio:.2f} x ({_ms(found.p99_beside())})",
                ratio <= BESIDE_DEAD and not any(one.waits.missing for one in found.beside),
            )
        )
    cases = (("alone", found.alone), ("beside the dead", found.beside))
    rows = [
        (f"{number}", name, *_waits(one.waits), f"{one.use.cpu / one.use.seconds:.2f}",
         f"{one.use.foreign / one.use.seconds:.2f}")
        for number in range(1, len(found.alone) + 1)
        for name, phases in cases
        for one in phases[number - 1 : number]
    ]  # fmt: skip
    return Section(
        f"From an alert to its request, {notify_latency.RATE} alerts/s",
        ("round", "case", *_WAITS, "notify, cores", "others, cores"),
        tuple(rows),
        tuple(goals),
        "From just before an alert is given to the producer until the receiver, another process, "
        "has the head of its request; *after ack* from Kafka's acknowledgement. What had not come "
        f"{notify_latency.PATIENCE_S:g} s after the last alert is missing, and counts as having "
        "waited until then. Goals are medians of the rounds. A third of the dead endpoints "
        "refuse, a third never answer, a third answer with a byte a second; some alerts wait for "
        f"each of them from the start, and {notify_latency.DEAD_RATE} new ones a second come. "
        + _OTHERS,
    )


_OTHERS = (
    "*Others* are programs that have nothing to do with it: where they took a good part of a "
    "core, the figures are worse than they would be."
)
_WAITS = ("alerts", "median", "p90", "p99", "worst", "after ack, p99", "missing")


def _waits(one: Waits) -> tuple[str, ...]:
    times = (one.p50, one.p90, one.p99, one.worst, one.after_ack_p99)
    return (f"{one.count:,}", *map(_ms, times), f"{one.missing:,}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def of_pending(found: notify_pending.Pending) -> Section:
    """Tell what many pending deliveries cost."""
    starts = (("an empty disk", found.wiped), ("its own disk", found.kept))
    peak = max(one.settled.peak for _, one in starts)
    rows = [
        (
            name,
            f"{one.ready_s:.1f} s",
            f"{one.cpu:.1f} s",
            f"{one.pending:,}",
            *(f"{mb:,.0f} MB" for mb in (
                one.settled.peak,
                one.settled.resident,
                one.settled.anonymous,
                one.settled.of_files,
                one.peak_anonymous,
            )),
        )
        for name, one in starts
    ]  # fmt: skip
    all_held = all(one.pending >= found.deliveries for _, one in starts)
    scale = _scaled(found.deliveries, PENDING)
    return Section(
        f"{found.deliveries:,} pending deliveries to {found.endpoints:,} endpoints",
        (
            "started on",
            "ready after",
            "CPU until then",
            "pending",
            "resident, peak",
            "resident, settled",
            "of it anonymous",
            "of files",
            "anonymous, peak once ready",
        ),
        tuple(rows),
        (
            Goal(
                f"memory of {found.deliveries:,} pending{scale}",
                f"{PENDING_MB} MB",
                f"{peak:,.0f} MB",
                peak < PENDING_MB and all_held,
            ),
            Goal(
                f"ready again with its disk{scale}",
                f"{READY_S} s",
                f"{found.kept.ready_s:.1f} s",
                found.kept.ready_s < READY_S,
            ),
            Goal(
                f"ready again, disk wiped{scale}",
                f"{READY_S} s",
                f"{found.wiped.ready_s:.1f} s",
                found.wiped.ready_s < READY_S,
            ),
        ),
        f"Each stands in the topic with an alert of some 3 KB and is due in six hours. Times are "
        f"from the start of the process until /readyz says yes. What it keeps on disk has "
        f"{found.disk_mb:,.0f} MB. Beside them {notify_latency.RATE} other alerts a second had "
        f"their requests after {_ms(found.beside.p50)} (median), {_ms(found.beside.p99)} (p99).",
    )


def of_fanout(found: notify_fanout.Fanout) -> Section:
    """Tell what one article for very many endpoints costs, and the others."""
    scale = _scaled(found.endpoints, FANOUT)
    beside = found.beside
    return Section(
        f"One article for {found.endpoints:,} endpoints, {notify_latency.RATE} other alerts/s",
        ("case", *_WAITS),
        (
            ("before", *_waits(found.alone)),
            ("meanwhile", *_waits(beside)),
        ),
        (
            Goal(
                f"memory grows by, {found.endpoints:,} endpoints{scale}",
                f"{GROWTH_MB} MB",
                f"{found.growth_mb:,.0f} MB",
                found.growth_mb <= GROWTH_MB and found.arrived >= found.endpoints,
            ),
            Goal(
                f"others' p99 meanwhile{scale}",
                _ms(P99_S),
                _ms(beside.p99),
                beside.p99 <= P99_S and not beside.missing,
            ),
        ),
        f"The many alerts were sent within {found.sent_s:.1f} s and {found.arrived:,} requests "
        f"had arrived after {found.all_s:.1f} s. Notify held {found.before_mb:,.0f} MB before, "
        f"{found.peak_mb:,.0f} MB at most (of its own, not of files, "
        f"{found.anonymous_growth_mb:,.0f} MB more than before), and used "
        f"{found.use.cpu / found.use.seconds:.2f} cores; programs that have nothing to do with it "
        f"took {found.use.foreign / found.use.seconds:.2f}.",
    )


def _scaled(count: int, wanted: int) -> str:
    return "" if count >= wanted else f" (of {wanted:,})"
