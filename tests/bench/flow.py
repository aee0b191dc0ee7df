"""From feeds on two thousand hosts to acknowledged articles, beside the peers.

One round: each feed has changed once, then nothing has changed. The peers take
turns with ingest within each round, on the same documents.
"""

import asyncio
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wirewatch.runtime.kafka import LogReader
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ARTICLES, FEEDS

from .make_feeds import ARTICLES as CHANGES
from .make_feeds import ENTRIES
from .peers import Peer, peer
from .processes import Meter, Use
from .publishers import Publishers, publishers
from .under_test import (
    Service,
    acknowledged,
    held,
    ingest,
    installation,
    kafka,
    producing,
    reading,
    until,
)

INTERVAL_S = 1
"""All feeds are always due: what is measured is how many looks are done, not when."""
BARE_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    feeds: int
    reader_feeds: int
    rounds: int
    still_s: float


FULL = Size(feeds=2_000, reader_feeds=400, rounds=3, still_s=10)
QUICK = Size(feeds=400, reader_feeds=40, rounds=1, still_s=3)


@dataclass(frozen=True, slots=True)
class Sample:
    """Looks at feeds in one round, and what they took.

    `own_cpu` is what the process itself used of the CPU time, the rest are its workers'.
    """

    who: str
    case: str
    looks: int
    use: Use
    own_cpu: float

    @property
    def per_s(self) -> float:
        """Looks in a second."""
        return self.looks / self.use.seconds

    @property
    def cpu_per_1000(self) -> float:
        """CPU seconds for a thousand looks."""
        return 1000 * self.use.cpu / self.looks


def median(samples: Sequence[Sample], who: str, case: str, of: Callable[[Sample], float]) -> float:
    """Return the median over the rounds of what `of` says."""
    return statistics.median(of(s) for s in samples if (s.who, s.case) == (who, case))


async def measure(size: Size, *, profile: Path | None = None) -> list[Sample]:
    """Return the samples of all rounds. Raises AssertionError if an article is missing or twice."""
    with kafka() as bootstrap, publishers(size.feeds) as feeds, TemporaryDirectory() as folder:
        feeds.prepare(0, size.rounds)
        async with installation(bootstrap) as settings, reading(settings, ARTICLES) as articles:
            flow = _Flow(settings, feeds, articles, size)
            samples = [await flow.first()]
            urls = [feeds.url(number) for number in range(size.feeds)]
            with (
                peer("reader", urls[: size.reader_feeds], Path(folder)) as reader,
                peer("bare", urls, Path(folder), BARE_PROCESSES) as bare,
            ):
                for one in (reader, bare):
                    await asyncio.to_thread(one.look)
                for number in range(1, size.rounds + 1):
                    samples += await flow.round(number, profile)
                    samples += await asyncio.to_thread(_peer_round, "reader", reader)
                    samples += await asyncio.to_thread(_peer_round, "bare", bare)
            await _require_each_once(settings, size)
    return samples


class _Flow:
    def __init__(
        self, settings: Settings, feeds: Publishers, articles: LogReader[Any], size: Size
    ) -> None:
        self._settings = settings
        self._publishers = feeds
        self._articles = articles
        self._size = size

    async def first(self) -> Sample:
        """Read all feeds for the first time: every entry is an article."""
        async with producing(self._settings) as producer, ingest(self._settings) as service:
            feeds = [
                self._publishers.feed(number, INTERVAL_S) for number in range(self._size.feeds)
            ]
            return await self._changed(
                service, "first", ENTRIES, lambda: producer.send_all(FEEDS, feeds)
            )

    async def round(self, version: int, profile: Path | None) -> list[Sample]:
        async with ingest(self._settings, profile=profile) as service:
            seen = self._publishers.served()[1] + 2 * self._size.feeds

            async def warm() -> bool:
                return self._publishers.served()[1] >= seen

            await until(warm, "each feed was looked at")
            still = await self._still(service)

            async def show() -> None:
                self._publishers.show(version)

            return [still, await self._changed(service, "changed", CHANGES, show)]

    async def _still(self, service: Service) -> Sample:
        meter, own = Meter(service.cpu_s), service.own_cpu_s()
        served = self._publishers.served()[1]
        await asyncio.sleep(self._size.still_s)
        looks = self._publishers.served()[1] - served
        return Sample("wirewatch", "304", looks, meter.read(), service.own_cpu_s() - own)

    async def _changed(
        self, service: Service, case: str, each: int, change: Callable[[], Any]
    ) -> Sample:
        """Return how long it takes from `change` until `each` articles of every feed stand."""
        goal = await acknowledged(self._articles) + each * self._size.feeds
        meter, own = Meter(service.cpu_s), service.own_cpu_s()
        await change()

        async def all_stand() -> bool:
            return await acknowledged(self._articles) >= goal

        await until(all_stand, f"{goal} articles", limit_s=600)
        # Feeds that were done early were looked at again meanwhile: that is in our figure.
        own = service.own_cpu_s() - own
        return Sample("wirewatch", case, self._size.feeds, meter.read(), own)


def _peer_round(who: str, one: Peer) -> list[Sample]:
    samples = []
    for case in ("changed", "304"):
        meter = Meter(one.cpu_s)
        changed, unchanged = one.look()
        use = meter.read()
        if (changed if case == "changed" else unchanged) != changed + unchanged:
            raise AssertionError(f"{who} {case}: {changed} changed, {unchanged} did not")
        samples.append(Sample(who, case, changed + unchanged, use, use.cpu))
    return samples


async def _require_each_once(settings: Settings, size: Size) -> None:
    found = Counter((one.id, one.revision) for one in await held(settings, ARTICLES))
    wanted = size.feeds * (ENTRIES + CHANGES * size.rounds)
    repeats = found.total() - len(found)
    if len(found) != wanted or repeats:
        raise AssertionError(f"{wanted} articles were to be had, {len(found)} are, {repeats} twice")


if __name__ == "__main__":
    for sample in asyncio.run(measure(QUICK)):
        print(sample, f"{sample.per_s:.0f}/s", f"{sample.cpu_per_1000:.2f} CPU s/1000")
