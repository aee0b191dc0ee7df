"""Around the delivery engine: a clock that is set, a log in memory, a post that answers as told."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.request import HttpRequest, Request
from wirewatch.runtime.kafka import Position
from wirewatch.topics import DELIVERIES
from wirewatch.topics.attempts import Attempt, AttemptReason
from wirewatch.topics.dead_letters import DeadLetter
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoint_states import EndpointState
from wirewatch.topics.spec import Topic

OK = Answer(200)
NOBODY = NoAnswer(AttemptReason.CONNECT, "nobody there")


class FakeClock:
    """The time, which stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def at(self) -> float:
        return self.now.timestamp()


class FakeLog:
    """Takes records and gives them positions. While it is away nobody hears of theirs."""

    def __init__(self, partition_of: Callable[[str], int] = lambda place: 0) -> None:
        self.sent: list[Any] = []
        """All records that are safe, in the order they became so."""
        self.batches: list[tuple[str, int]] = []
        """Topic and number of records of each call."""
        self.error: Exception | None = None
        self._partition_of = partition_of
        self._ends: dict[tuple[str, int], int] = defaultdict(int)
        self._is_here = asyncio.Event()
        self._is_here.set()

    def go_away(self) -> None:
        self._is_here.clear()

    def come_back(self) -> None:
        self._is_here.set()

    async def send_all(self, topic: Topic[Any], records: Sequence[Any]) -> list[Position]:
        await asyncio.sleep(0)
        await self._is_here.wait()
        if self.error is not None:
            raise self.error
        assert all(isinstance(record, topic.record) for record in records)
        self.batches.append((topic.name, len(records)))
        self.sent += records
        return [self._place(topic, record) for record in records]

    def _place(self, topic: Topic[Any], record: Any) -> Position:
        partition = self._partition_of(topic.place(record))
        offset = self._ends[topic.name, partition]
        self._ends[topic.name, partition] += 1
        return Position(partition, offset)

    def end(self, partition: int = 0) -> int:
        """Return the offset after the last delivery, which is not used again."""
        self._ends[DELIVERIES.name, partition] += 1
        return self._ends[DELIVERIES.name, partition] - 1

    def deliveries(self, key: str | None = None) -> list[Delivery]:
        found = [one for one in self.sent if isinstance(one, Delivery)]
        return found if key is None else [one for one in found if one.id == key]

    def last(self, key: str) -> Delivery | None:
        return next(reversed(self.deliveries(key)), None)

    def attempts(self, key: str | None = None) -> list[Attempt]:
        found = [one for one in self.sent if isinstance(one, Attempt)]
        return found if key is None else [one for one in found if one.delivery_id == key]

    def letters(self) -> list[DeadLetter]:
        return [one for one in self.sent if isinstance(one, DeadLetter)]

    def states(self) -> list[EndpointState]:
        return [one for one in self.sent if isinstance(one, EndpointState)]


@dataclass
class FakePost:
    """Receivers, by URL. One that is held does not answer before it is let go."""

    answers: dict[str, list[Answer | NoAnswer]] = field(default_factory=dict)
    """What a URL answers, one after the other; then `always`, and else 200."""
    always: dict[str, Answer | NoAnswer] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    got: list[HttpRequest] = field(default_factory=list)
    under_way: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    most: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    error: Exception | None = None

    async def send(self, request: Request) -> Answer | NoAnswer:
        assert isinstance(request, HttpRequest)
        if self.error is not None:
            raise self.error
        url = request.url
        self.got.append(request)
        for name in (url, "all"):
            self.under_way[name] += 1
            self.most[name] = max(self.most[name], self.under_way[name])
        try:
            if url in self.held:
                await self.held[url].wait()
            await asyncio.sleep(0)
        finally:
            for name in (url, "all"):
                self.under_way[name] -= 1
        if queue := self.answers.get(url):
            return queue.pop(0)
        return self.always.get(url, OK)

    def hold(self, *urls: str) -> asyncio.Event:
        """Let requests to `urls` hang until the event is set."""
        gate = asyncio.Event()
        for url in urls:
            self.held[url] = gate
        return gate

    def ids(self, url: str | None = None) -> list[str]:
        """Return the ids of what was sent, to `url` or to all."""
        return [one.headers["webhook-id"] for one in self.got if url in (None, one.url)]


async def until(condition: Callable[[], bool], what: str = "") -> None:
    """Return when `condition` holds; fail after a while."""
    try:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - it looks at records and counters
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"never came to pass: {what or condition}") from None


async def settle(turns: int = 50) -> None:
    """Let everything happen that can happen without time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)
