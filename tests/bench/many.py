"""A hundred thousand feeds, fifteen minutes apart, in one process: memory, and CPU when still.

The feeds are known and unchanged, as after a restart: their states and what was
published of them stand in Kafka, as ingest would have written them.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wirewatch.ingest.change import Policy
from wirewatch.ingest.memory import LAYOUT
from wirewatch.ingest.reading import Task, read_document
from wirewatch.topics import FEED_ENTRIES, FEED_STATES, FEEDS
from wirewatch.topics.feed_entries import FeedEntries
from wirewatch.topics.feed_states import FeedState
from wirewatch.topics.feeds import Feed

from .make_feeds import Outlet
from .processes import Memory, Meter, Use
from .publishers import Publishers, publishers
from .under_test import ingest, installation, kafka, producing

BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    feeds: int
    hosts: int
    interval_s: int
    watch_s: float


FULL = Size(feeds=100_000, hosts=2_000, interval_s=900, watch_s=120)
QUICK = Size(feeds=10_000, hosts=1_000, interval_s=90, watch_s=15)
"""The same number of fetches a second."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one ingest process needed for so many feeds."""

    feeds: int
    fetches: int
    loading_s: float
    use: Use
    memory: Memory


async def measure(size: Size) -> Held:
    """Return what ingest needs while nothing changes. Raises AssertionError if it reads feeds."""
    with kafka() as bootstrap, publishers(size.hosts, documents=1) as feeds:
        async with installation(bootstrap) as settings:
            async with producing(settings) as producer:
                for first in range(0, size.feeds, BATCH):
                    numbers = range(first, min(first + BATCH, size.feeds))
                    some = [feeds.feed(number, size.interval_s) for number in numbers]
                    entries = [_entries(feed, feeds) for feed in some]
                    await producer.send_all(FEEDS, some)
                    await producer.send_all(FEED_ENTRIES, entries)
                now = datetime.now(UTC)
                for first in range(0, size.feeds, BATCH):
                    numbers = range(first, min(first + BATCH, size.feeds))
                    await producer.send_all(
                        FEED_STATES, [_state(n, feeds, size, now) for n in numbers]
                    )
            begun = time.monotonic()
            async with ingest(settings) as service:
                loading_s = time.monotonic() - begun
                # What came due while it was loading is made up for first.
                await asyncio.sleep(size.watch_s / 3)
                meter, before = Meter(service.cpu_s), feeds.served()
                await asyncio.sleep(size.watch_s)
                use, after, memory = meter.read(), feeds.served(), service.memory()
    if after[0]:
        raise AssertionError(f"{after[0]} feeds were read whole, though all are known")
    return Held(size.feeds, after[1] - before[1], loading_s, use, memory)


_packed: dict[int, bytes] = {}


def _entries(feed: Feed, feeds: Publishers) -> FeedEntries:
    """Return what is remembered of a feed with thirty entries."""
    number = int(feed.id.rpartition("_")[2]) % 50
    if number not in _packed:
        _packed[number] = _pack(feed, Outlet(number, feeds.begins_at))
    return FeedEntries(feed_id=feed.id, layout=LAYOUT, packed=_packed[number])


def _pack(feed: Feed, outlet: Outlet) -> bytes:
    day = timedelta(days=1)
    reading = read_document(
        Task(
            feed=feed,
            body=outlet.document(0),
            codings=(),
            content_type=outlet.content_type,
            body_digest="",
            packed=b"",
            first=True,
            now=datetime.now(UTC),
            policy=Policy(first_max_age=day, max_age=day),
            max_bytes=10_000_000,
            max_entries=1_000,
        )
    )
    assert reading.packed is not None
    return reading.packed


def _state(number: int, feeds: Publishers, size: Size, now: datetime) -> FeedState:
    feed = feeds.feed(number, size.interval_s)
    due_at = now + timedelta(seconds=size.interval_s * number / size.feeds)
    return FeedState(
        feed_id=feed.id,
        url=feed.url,
        title=f"Outlet {number}",
        etag='"v0"',
        body_digest=f"{number:024x}",
        fetched_at=due_at - timedelta(seconds=size.interval_s),
        changed_at=due_at - timedelta(days=1),
        change_gap_s=7_200.0,
        next_fetch_at=due_at,
    )


if __name__ == "__main__":
    print(asyncio.run(measure(QUICK)))
