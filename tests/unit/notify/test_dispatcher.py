"""The dispatcher with a real outbox, between a receiver and a log made by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook

from wirewatch.notify.dispatcher import Dispatcher, shown_url
from wirewatch.notify.metrics import NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.projection import MemoryTable
from wirewatch.runtime.settings import Settings
from wirewatch.topics.attempts import Attempt, AttemptReason
from wirewatch.topics.codec import decode
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.spec import Topic

Make = Callable[..., Delivery]


@dataclass
class FakePost:
    """A receiver: answers by URL, one that is held does not answer before it is let go."""

    answers: dict[str, list[Answer | NoAnswer]] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    got: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    under_way: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer | NoAnswer:
        self.got.append((url, body, headers))
        for name in (url, "all"):
            self.under_way[name] = self.under_way.get(name, 0) + 1
            self.most[name] = max(self.most.get(name, 0), self.under_way[name])
        try:
            if url in self.held:
                await self.held[url].wait()
            await asyncio.sleep(0)
        finally:
            for name in (url, "all"):
                self.under_way[name] -= 1
        queue = self.answers.get(url, [])
        return queue.pop(0) if queue else Answer(200)

    def ids(self, url: str) -> list[str]:
        return [headers["webhook-id"] for to, _, headers in self.got if to == url]


@dataclass
class FakeLog:
    """Takes records, in order."""

    sent: list[Any] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    fails: Exception | None = None

    async def send(self, topic: Topic[Any], record: Any) -> Position:
        if self.fails is not None:
            raise self.fails
        assert isinstance(record, topic.record)
        self.sent.append(record)
        return Position(0, 1000 + len(self.sent))

    async def bury(self, payload: bytes, **about: Any) -> None:
        self.sent.append("letter")
        self.letters.append({"payload": payload, **about})

    def deliveries(self) -> list[Delivery]:
        return [one for one in self.sent if isinstance(one, Delivery)]

    def attempts(self) -> list[Attempt]:
        return [one for one in self.sent if isinstance(one, Attempt)]


@dataclass
class World:
    """A dispatcher that runs, and all around it."""

    dispatcher: Dispatcher
    outbox: Outbox
    endpoints: MemoryTable[Endpoint]
    post: FakePost
    log: FakeLog
    registry: CollectorRegistry
    run: asyncio.Task[None]
    late: list[Endpoint] = field(default_factory=list)
    offset: int = 0

    def put(self, *deliveries: Delivery) -> None:
        for delivery in deliveries:
            self.offset += 1
            self.outbox.put(delivery, Position(0, self.offset))
        self.dispatcher.wake()

    def set(self, *endpoints: Endpoint) -> None:
        for endpoint in endpoints:
            self.offset += 1
            at = Position(0, self.offset)
            self.endpoints.apply([Received(at, endpoint.id, endpoint)])
        self.dispatcher.wake()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - it looks at records and counters
                await asyncio.sleep(0.005)

    async def until_ended(self, *ids: str) -> None:
        def ended() -> set[str]:
            done = self.log.deliveries()
            return {one.id for one in done if one.state is not DeliveryState.PENDING}

        await self.until(lambda: set(ids) <= ended())

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"wirewatch_notify_{name}", labels)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    def clock() -> datetime:
        return datetime.now(UTC)

    outbox = Outbox(tmp_path / "box", clock)
    endpoints: MemoryTable[Endpoint] = MemoryTable()
    post, log, registry = FakePost(), FakeLog(), CollectorRegistry()
    late: list[Endpoint] = []

    async def catch_up() -> None:
        for endpoint in late:
            endpoints.apply([Received(Position(0, 1), endpoint.id, endpoint)])

    dispatcher = Dispatcher(
        Settings(topic_prefix="ww.", notify_concurrency=6, notify_endpoint_concurrency=2),
        outbox,
        endpoints=endpoints,
        catch_up=catch_up,
        post=post,
        results=log,
        metrics=NotifyMetrics(registry),
        clock=clock,
    )
    run = asyncio.create_task(dispatcher.run())
    dispatcher.resume()
    yield World(dispatcher, outbox, endpoints, post, log, registry, run, late)
    await dispatcher.drain(0)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    outbox.close()


async def test_a_delivery_is_signed_sent_and_written_down(
    world: World, delivery: Delivery, endpoint: Endpoint
) -> None:
    world.set(endpoint)
    with structlog.testing.capture_logs() as lines:
        world.put(delivery)
        await world.until_ended("msg_1")
        await world.until(lambda: world.value("deliveries_total", state="delivered") == 1)

    [(url, body, headers)] = world.post.got
    assert url == "https://hook.example/in"
    Webhook(endpoint.secret).verify(body.decode(), dict(headers))
    assert headers["webhook-id"] == "msg_1"
    assert json.loads(body)["data"]["alert_id"] == "alert_1"
    attempt, after = world.log.sent
    assert (attempt.number, attempt.outcome.value, attempt.status) == (1, "delivered", 200)
    assert (after.state, after.attempts, after.alert) == (DeliveryState.DELIVERED, 1, None)
    assert world.outbox.knows("msg_1")
    assert world.outbox.pending_count() == 0
    assert world.value("attempts_total", outcome="delivered") == 1
    assert world.value("attempt_seconds_count") == 1
    assert [(line["log_level"], line["event"]) for line in lines] == [("info", "delivered")]


async def test_500_then_200_with_one_warning_and_no_secret_in_it(
    world: World, delivery: Delivery, endpoint: Endpoint
) -> None:
    url = "https://hook.example/in?token=geheim"
    world.set(replace(endpoint, url=url, retry_schedule_s=(0.0,) * 5))
    world.post.answers[url] = [Answer(500, head="oops"), Answer(500), Answer(200)]

    with structlog.testing.capture_logs() as lines:
        world.put(delivery)
        await world.until_ended("msg_1")
        await world.until(lambda: world.value("deliveries_total", state="delivered") == 1)

    assert world.post.ids(url) == ["msg_1"] * 3
    assert [(a.number, a.outcome.value) for a in world.log.attempts()] == [
        (1, "retry"),
        (2, "retry"),
        (3, "delivered"),
    ]
    assert [line["log_level"] for line in lines] == ["warning", "debug", "info"]
    first = lines[0]
    assert first["delivery"] == "msg_1"
    assert first["endpoint"] == "https://hook.example/in"
    assert (first["reason"], first["detail"]) == ("server_error", "the receiver answered 500")
    assert first["next_attempt_at"].endswith("+00:00")
    assert "geheim" not in str(lines)
    assert endpoint.secret not in str(lines)
    assert world.value("attempt_failures_total", reason="server_error") == 2


async def test_410_is_buried_before_the_delivery_ends(
    world: World, delivery: Delivery, endpoint: Endpoint
) -> None:
    world.set(endpoint)
    world.post.answers[endpoint.url] = [Answer(410)]

    with structlog.testing.capture_logs() as lines:
        world.put(delivery)
        await world.until_ended("msg_1")
        await world.until(lambda: world.value("deliveries_total", state="dead") == 1)

    [letter] = world.log.letters
    assert decode(letter.pop("payload"), Delivery) == delivery
    assert letter == {
        "reason": DeadReason.REJECTED,
        "detail": "the receiver answered 410",
        "topic": "ww.deliveries",
        "key": "msg_1",
    }
    assert [type(one).__name__ for one in world.log.sent] == ["Attempt", "str", "Delivery"]
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "delivery given up")
    ]


async def test_an_endpoint_that_is_only_just_read_is_not_taken_for_deleted(
    world: World, delivery: Delivery, endpoint: Endpoint
) -> None:
    world.late.append(endpoint)

    world.put(delivery)
    await world.until_ended("msg_1")

    assert world.log.deliveries()[-1].state is DeliveryState.DELIVERED


async def test_a_deleted_endpoint_ends_its_deliveries(world: World, delivery: Delivery) -> None:
    world.put(delivery)
    await world.until_ended("msg_1")

    [letter] = world.log.letters
    assert letter["reason"] is DeadReason.NO_ENDPOINT
    [attempt] = world.log.attempts()
    assert (attempt.reason, attempt.detail) == (
        AttemptReason.NO_ENDPOINT,
        "the endpoint was deleted",
    )
    assert world.post.got == []
    assert world.value("attempt_seconds_count") == 0


async def test_a_disabled_endpoint_waits_until_it_is_enabled(
    world: World, delivery: Delivery, endpoint: Endpoint, make_delivery: Make
) -> None:
    world.set(
        replace(endpoint, disabled=True), replace(endpoint, id="end_2", url="https://two.example/")
    )
    world.put(delivery, make_delivery("msg_2", endpoint_id="end_2"))
    await world.until_ended("msg_2")
    assert world.post.ids(endpoint.url) == []

    world.set(endpoint)
    await world.until_ended("msg_1")

    assert world.post.ids(endpoint.url) == ["msg_1"]


async def test_hanging_endpoints_hold_up_nobody_and_have_their_own_limit(
    world: World, make_delivery: Make, endpoint: Endpoint
) -> None:
    hanging, fine = ("https://hang.example/1", "https://hang.example/2"), "https://fine.example/"
    gate = asyncio.Event()
    before = datetime(2024, 1, 1, tzinfo=UTC) - timedelta(hours=1)
    for n, url in enumerate(hanging):
        world.post.held[url] = gate
        world.set(replace(endpoint, id=f"end_{n}", url=url))
        world.put(
            *(make_delivery(f"h{n}-{i}", endpoint_id=f"end_{n}", due_at=before) for i in range(25))
        )
    world.set(replace(endpoint, id="end_f", url=fine))
    world.put(*(make_delivery(f"f{n}", endpoint_id="end_f") for n in range(30)))

    await world.until_ended(*(f"f{n}" for n in range(30)))

    assert sorted(world.post.ids(fine)) == sorted(f"f{n}" for n in range(30))
    assert [len(world.post.ids(url)) for url in hanging] == [2, 2]
    assert world.post.most[fine] == 2
    gate.set()
    await world.until_ended(*(f"h{n}-{i}" for n in range(2) for i in range(25)))
    for n, url in enumerate(hanging):
        assert sorted(world.post.ids(url)) == sorted(f"h{n}-{i}" for i in range(25))
        assert world.post.most[url] == 2


async def test_an_endpoint_with_one_attempt_under_way_gets_only_one_more(
    world: World, make_delivery: Make, endpoint: Endpoint
) -> None:
    gate = world.post.held[endpoint.url] = asyncio.Event()
    world.set(endpoint)
    world.put(make_delivery("m0"))
    await world.until(lambda: len(world.post.got) == 1)
    world.put(*(make_delivery(f"m{n}") for n in range(1, 5)))
    await world.until(lambda: len(world.post.got) >= 2)
    gate.set()

    await world.until_ended(*(f"m{n}" for n in range(5)))

    assert world.post.most[endpoint.url] == 2


async def test_no_more_than_so_many_at_once(
    world: World, make_delivery: Make, endpoint: Endpoint
) -> None:
    gate = asyncio.Event()
    for n in range(10):
        url = f"https://{n}.example/"
        world.post.held[url] = gate
        world.set(replace(endpoint, id=f"end_{n}", url=url))
        world.put(*(make_delivery(f"m{n}-{i}", endpoint_id=f"end_{n}") for i in range(3)))
    await world.until(lambda: len(world.post.got) == 6)
    gate.set()

    await world.until_ended(*(f"m{n}-{i}" for n in range(10) for i in range(3)))

    assert world.post.most["all"] == 6
    assert len(world.post.got) == 30


async def test_drain_lets_those_in_hand_finish_and_begins_nothing(
    world: World, make_delivery: Make, endpoint: Endpoint
) -> None:
    gate = world.post.held[endpoint.url] = asyncio.Event()
    world.set(endpoint)
    world.put(*(make_delivery(f"m{n}") for n in range(4)))
    await world.until(lambda: len(world.post.got) == 2)

    draining = asyncio.create_task(world.dispatcher.drain(10))
    await asyncio.sleep(0.01)
    gate.set()
    await draining

    assert {one.id for one in world.log.deliveries()} == set(world.post.ids(endpoint.url))
    assert len(world.post.got) == 2
    assert world.outbox.pending_count() == 2


async def test_what_drain_breaks_off_stays_due(
    world: World, delivery: Delivery, endpoint: Endpoint
) -> None:
    world.post.held[endpoint.url] = asyncio.Event()
    world.set(endpoint)
    world.put(delivery)
    await world.until(lambda: len(world.post.got) == 1)

    await world.dispatcher.drain(0.01)

    assert world.log.sent == []
    assert world.outbox.pending_count() == 1
    world.post.held[endpoint.url].set()
    world.dispatcher.resume()
    await world.until_ended("msg_1")
    assert world.post.ids(endpoint.url) == ["msg_1", "msg_1"]


async def test_a_malformed_secret_is_tried_again_and_never_shown(
    world: World, delivery: Delivery, endpoint: Endpoint
) -> None:
    world.set(replace(endpoint, secret="whsec_kaputt"))
    with structlog.testing.capture_logs() as lines:
        world.put(delivery)
        await world.until(lambda: len(world.log.deliveries()) == 1)
        await world.until(lambda: len(lines) == 1)

    [attempt] = world.log.attempts()
    assert (attempt.outcome.value, attempt.reason) == ("retry", AttemptReason.CONNECT)
    assert attempt.detail == "not sent: the secret is not base64 after whsec_"
    assert "kaputt" not in str(lines)
    assert world.post.got == []


async def test_a_pending_delivery_without_its_alert_is_buried(
    world: World, delivery: Delivery, endpoint: Endpoint
) -> None:
    world.set(endpoint)
    world.put(replace(delivery, alert=None))
    await world.until_ended("msg_1")

    [letter] = world.log.letters
    assert letter["reason"] is DeadReason.UNREADABLE
    assert world.post.got == []


async def test_an_unexpected_error_ends_the_loop(
    world: World, delivery: Delivery, endpoint: Endpoint
) -> None:
    world.log.fails = RuntimeError("a bug")
    world.set(endpoint)
    world.put(delivery)

    with pytest.raises(RuntimeError, match="a bug"):
        await asyncio.wait_for(world.run, 10)
    assert world.outbox.pending_count() == 1


async def test_the_gauges_tell_of_the_backlog_but_not_of_disabled_endpoints_as_late(
    world: World, make_delivery: Make, endpoint: Endpoint
) -> None:
    assert world.value("oldest_due_seconds") == 0
    world.set(replace(endpoint, disabled=True))
    world.post.held["https://two.example/"] = asyncio.Event()
    world.set(replace(endpoint, id="end_2", url="https://two.example/"))
    long_ago = datetime.now(UTC) - timedelta(days=2)
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    world.put(
        make_delivery("m1", due_at=long_ago),
        make_delivery("m2", endpoint_id="end_2", due_at=hour_ago),
    )

    await world.until(lambda: world.value("pending_deliveries") == 2)

    late = world.value("oldest_due_seconds")
    assert late is not None
    assert 3_600 <= late < 86_400


async def test_a_loop_that_does_not_turn_is_a_problem(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.dispatcher.problem() is None
    world.run.cancel()
    await asyncio.gather(world.run, return_exceptions=True)
    world.dispatcher._turned_at -= 31

    assert world.dispatcher.problem() == "no turn for 31 s"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/in?token=1#x", "https://a.example/in"),
        ("https://user:pass@a.example:8443/in", "https://a.example:8443/in"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("http://[::1", "(not a URL)"),
    ],
)
def test_the_url_in_a_log(url: str, shown: str) -> None:
    assert shown_url(url) == shown
