"""Documents are read in processes of their own, each with a limit of CPU time and memory."""

import asyncio
import gzip
import multiprocessing
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from wirewatch.documents.errors import DocumentProblem
from wirewatch.ingest.change import Policy
from wirewatch.ingest.reading import Task
from wirewatch.ingest.workers import Cost, Workers
from wirewatch.topics.feed_states import FetchReason
from wirewatch.topics.feeds import Feed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FEED = Feed(id="feed_1", url="https://news.example/feed.xml", created_at=NOW, updated_at=NOW)
GOOD = (
    b"<rss><channel><title>News</title><item><guid>1</guid><title>One</title>"
    b"<pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>"
)
MANY = b"<rss><channel>" + b"<item><title>A title of some words</title></item>" * 60_000


def task(body: bytes, **changes: object) -> Task:
    fields: dict[str, object] = {
        "feed": FEED,
        "body": body,
        "codings": (),
        "content_type": "application/rss+xml",
        "body_digest": "",
        "packed": b"",
        "first": True,
        "now": NOW,
        "policy": Policy(timedelta(days=1), timedelta(days=14)),
        "max_bytes": 100_000_000,
        "max_entries": 100_000,
    }
    return Task(**fields | changes)  # type: ignore[arg-type]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cheap() -> AsyncIterator[Workers]:
    """Workers whose documents may cost next to nothing."""
    workers = Workers(1, Cost(cpu_s=0.3, memory_bytes=60_000_000))
    yield workers
    await workers.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def small() -> AsyncIterator[Workers]:
    """Workers whose documents may take hardly any memory, but their time."""
    workers = Workers(1, Cost(cpu_s=20.0, memory_bytes=60_000_000))
    yield workers
    await workers.stop()


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def reason_of(workers: Workers, one: Task) -> tuple[FetchReason, str]:
    with pytest.raises(DocumentProblem) as problem:
        await workers.read(one)
    return problem.value.reason, problem.value.detail


async def test_a_document_comes_back_as_what_is_to_be_published(cheap: Workers) -> None:
    reading = await cheap.read(task(GOOD))

    assert [one.article.title for one in reading.publications] == ["One"]
    assert reading.title == "News"
    again = await cheap.read(task(GOOD, packed=reading.packed, first=False))
    assert again.publications == ()
    same = await cheap.read(task(GOOD, body_digest=reading.body_digest, first=False))
    assert same.packed is None


async def test_one_that_takes_too_long_is_ended_and_the_next_is_read(cheap: Workers) -> None:
    reason, detail = await reason_of(cheap, task(MANY + b"</channel></rss>"))

    assert (reason, detail) == (
        FetchReason.TOO_COSTLY,
        "reading it needs more than 0.3 s of CPU time",
    )
    assert len((await cheap.read(task(GOOD))).publications) == 1


async def test_one_that_takes_too_much_memory_fails_and_the_next_is_read(small: Workers) -> None:
    spaces = gzip.compress(b"<rss><channel><title>" + b" " * 90_000_000, 1)
    said = await reason_of(small, task(spaces, codings=("gzip",)))

    assert said == (FetchReason.TOO_COSTLY, "reading it needs more than 60 MB")
    assert len((await small.read(task(GOOD))).publications) == 1


async def test_what_cannot_be_read_says_why(cheap: Workers) -> None:
    reason, detail = await reason_of(cheap, task(b"<html><body>Moved</body></html>"))

    assert reason is FetchReason.NOT_A_FEED
    assert "HTML page" in detail


async def test_a_neighbour_is_read_while_one_takes_its_time() -> None:
    workers = Workers(2, Cost(cpu_s=20, memory_bytes=500_000_000))
    try:
        await asyncio.gather(*(workers.read(task(GOOD)) for _ in range(2)))
        slow = asyncio.create_task(workers.read(task(MANY + b"</channel></rss>")))
        for _ in range(5):
            await workers.read(task(GOOD))
        assert not slow.done()
        assert len((await slow).publications) == 0
    finally:
        await workers.stop()


async def test_the_end_of_an_idle_process_is_made_good(cheap: Workers) -> None:
    await cheap.read(task(GOOD))
    for child in multiprocessing.active_children():
        if child.name == "pebble_pool_worker":
            child.kill()
            child.join()

    assert len((await cheap.read(task(GOOD))).publications) == 1


async def test_a_large_one_does_not_hold_up_the_others() -> None:
    workers = Workers(1, Cost(cpu_s=20, memory_bytes=500_000_000))
    try:
        await workers.start()
        large = asyncio.create_task(workers.read(task(MANY + b"</channel></rss>")))
        for _ in range(5):
            await workers.read(task(GOOD))
        assert not large.done()
        assert (await large).publications == ()
    finally:
        await workers.stop()


async def test_no_process_is_left_behind() -> None:
    before = {child.pid for child in multiprocessing.active_children()}
    workers = Workers(2, Cost(cpu_s=2, memory_bytes=200_000_000))
    await workers.read(task(GOOD))
    await workers.stop()

    assert {child.pid for child in multiprocessing.active_children()} == before
