"""What is made of the times and sizes that were noted. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NS = 1_000_000_000
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """When an alert was given to the producer, and when Kafka had it (nanoseconds)."""

    at_ns: int
    acknowledged_ns: int


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from sending an alert until its request arrived.

    `after_ack_p99` counts from Kafka's acknowledgement. What never came is in `missing`, and
    counts as having waited until the receivers were asked.
    """

    count: int
    missing: int
    p50: float
    p90: float
    p99: float
    worst: float
    after_ack_p99: float


@dataclass(frozen=True, slots=True)
class Held:
    """Memory of one process in MB: resident, of it anonymous and of files, and the highest."""

    resident: float
    anonymous: float
    of_files: float
    peak: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the ordered values are."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def waits(sent: Mapping[str, Sent], arrived: Mapping[str, int], *, asked_ns: int) -> Waits:
    """Return how long what was sent waited. Raises ValueError if nothing was sent."""
    if not sent:
        raise ValueError("nothing was sent, so nothing waited: send alerts before asking")
    here = {key: arrived.get(key, asked_ns) for key in sent}
    since_sent = sorted((here[key] - one.at_ns) / NS for key, one in sent.items())
    since_ack = sorted((here[key] - one.acknowledged_ns) / NS for key, one in sent.items())
    return Waits(
        count=len(sent),
        missing=sum(key not in arrived for key in sent),
        p50=percentile(since_sent, 0.5),
        p90=percentile(since_sent, 0.9),
        p99=percentile(since_sent, 0.99),
        worst=since_sent[-1],
        after_ack_p99=percentile(since_ack, 0.99),
    )


def read_arrivals(text: str) -> dict[str, int]:
    """Return when each webhook arrived, from what a receiver wrote."""
    pairs = (line.split() for line in text.splitlines())
    return {key: int(at) for key, at in pairs}


def held(status: str) -> Held:
    """Return the memory of a process from its /proc/PID/status."""
    kb = {}
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            kb[name] = int(value.split()[0])
    return Held(*(kb.get(name, 0) * 1024 / MB for name in ("VmRSS", "RssAnon", "RssFile", "VmHWM")))
