"""What hostile input costs: CPU time and memory of each document, and the neighbours' patience."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wirewatch.runtime.settings import Settings
from wirewatch.topics import ARTICLES, FEED_STATES, FEEDS
from wirewatch.topics.feed_states import FeedState
from wirewatch.topics.feeds import Feed

from .attacker import Attacker, attacking
from .hostile_documents import Hostile, documents
from .latency import Arrival, due_times, waits
from .make_feeds import ENTRIES
from .prices import Price, prices
from .publishers import Publishers, publishers
from .under_test import (
    acknowledged,
    held,
    ingest,
    installation,
    kafka,
    producing,
    reading,
    until,
)

NEIGHBOURS = 50
INTERVAL_S = 2
CHANGE_EVERY_S = 2.5
VERSIONS = 60
PORT_OFFSET = 1


@dataclass(frozen=True, slots=True)
class Patience:
    """How long neighbours' articles took, in seconds at the 99th percentile.

    `endings` counts how the hostile feeds ended, `most_asked` is how often one was asked for.
    """

    quiet_p99: float
    hostile_p99: float
    endings: dict[str, int]
    most_asked: int


async def patience(some: Sequence[Hostile], quiet_s: float) -> Patience:
    """Return what neighbours feel of all hostile feeds at once. Waits for the last to fail."""
    attacker = Attacker(some)
    with kafka() as bootstrap, publishers(NEIGHBOURS) as neighbours:
        neighbours.prepare(0, VERSIONS)
        async with (
            installation(bootstrap) as settings,
            producing(settings) as producer,
            attacking(attacker, neighbours.port + PORT_OFFSET) as feeds,
            ingest(settings),
        ):
            good = [neighbours.feed(number, INTERVAL_S) for number in range(NEIGHBOURS)]
            await producer.send_all(FEEDS, good)
            async with _changing(settings, neighbours) as seen:
                await asyncio.sleep(quiet_s)
                attacked_at = datetime.now(UTC)
                await producer.send_all(FEEDS, feeds)
                last = await _until_all_recorded(settings, feeds)
            states = [state for state in await held(settings, FEED_STATES) if state is not None]
    found = due_times(states)
    quiet = [one for one in seen.arrivals if one.at < attacked_at]
    during = [one for one in seen.arrivals if attacked_at <= one.at <= last]
    return Patience(
        _p99(waits(quiet, seen.shown, found)),
        _p99(waits(during, seen.shown, found)),
        dict(Counter(_ending(state) for state in states if "hostile" in state.feed_id)),
        max(attacker.asked[path] for path in attacker.paths if path != "circle"),
    )


def _ending(state: FeedState) -> str:
    return state.reason.value if state.reason else "read"


def _p99(found: Sequence[float]) -> float:
    return sorted(found)[int(len(found) * 0.99)] if found else float("nan")


@dataclass(frozen=True, slots=True)
class _Seen:
    shown: list[datetime]
    arrivals: list[Arrival]


@contextlib.asynccontextmanager
async def _changing(settings: Settings, feeds: Publishers) -> AsyncIterator[_Seen]:
    """Change all feeds again and again, and collect the articles, until the block ends."""
    seen = _Seen([], [])
    async with reading(settings, ARTICLES) as reader:

        async def all_known() -> bool:
            return await acknowledged(reader) >= NEIGHBOURS * ENTRIES

        await until(all_known, "the neighbours are known")
        await reader.read_from(await reader.ends(await reader.partitions()))

        async def change() -> None:
            for version in range(1, VERSIONS):
                feeds.show(version)
                seen.shown.append(datetime.now(UTC))
                await asyncio.sleep(CHANGE_EVERY_S)

        async def collect() -> None:
            while True:
                records = await reader.poll()
                now = datetime.now(UTC)
                seen.arrivals.extend(Arrival(r.value, now) for r in records if r.value)

        tasks = [asyncio.create_task(change()), asyncio.create_task(collect())]
        try:
            yield seen
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _until_all_recorded(settings: Settings, feeds: Sequence[Feed]) -> datetime:
    """Wait until each of `feeds` has a state; return when."""
    wanted = {feed.id for feed in feeds}

    async def recorded() -> bool:
        return wanted <= {s.feed_id for s in await held(settings, FEED_STATES) if s is not None}

    await until(recorded, "all hostile feeds have had their look", limit_s=120, every_s=1)
    return datetime.now(UTC)


async def measure(*, quick: bool) -> tuple[list[Price], Patience]:
    """Return what hostile documents cost, and what neighbours feel of them."""
    some = documents()
    return await prices(some), await patience(some, 5 if quick else 20)
