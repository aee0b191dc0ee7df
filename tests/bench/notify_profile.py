"""Show where notify spends its time while it is measured.

`python -m tests.bench.notify_profile throughput|latency|dead [--samples] [--top N]
[--deliveries N]` makes one small round of that part and prints the functions (or, with
--samples, lines) that took the most.
"""

import argparse
import asyncio
import pstats
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from . import command, notify_latency, notify_throughput
from .notify_profiled import CALLS, SAMPLES
from .notify_under_test import Profile

PARTS = ("throughput", "latency", "dead")


async def _measure(part: str, profile: Profile, deliveries: int) -> None:
    if part == "throughput":
        size = replace(notify_throughput.QUICK, rounds=1, deliveries=deliveries)
        print(await notify_throughput.measure(size, profile=profile))
        return
    latency = replace(notify_latency.QUICK, rounds=1)
    found = await notify_latency.measure(latency, with_dead=part == "dead", profile=profile)
    print(found)


def show(way: str, out: Path, top: int) -> None:
    """Print what was seen."""
    if way == CALLS:
        seen = pstats.Stats(str(out))
        seen.sort_stats("tottime").print_stats(top)
        seen.sort_stats("cumulative").print_stats(top)
        return
    for part in out.read_text().split("\n\n"):
        print("\n".join(part.splitlines()[: top + 1]) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--samples", action="store_true", help="sample instead of counting calls")
    parser.add_argument("--top", type=int, default=40, help="so many functions or lines are shown")
    parser.add_argument("--deliveries", type=int, default=10_000, help="of the part throughput")
    wanted = parser.parse_args()
    way = SAMPLES if wanted.samples else CALLS
    with TemporaryDirectory(prefix="wirewatch-bench-") as folder:
        out = Path(folder) / "profile"
        asyncio.run(_measure(wanted.part, Profile(way, out), wanted.deliveries))
        show(way, out, wanted.top)
    return 0


if __name__ == "__main__":
    command.exit_with(main)
