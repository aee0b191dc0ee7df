"""notify on a real Kafka, between a producer of alerts and a receiver on this machine."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook

from wirewatch.notify.service import main
from wirewatch.runtime.kafka import LogReader, Producer, read_all
from wirewatch.runtime.lifecycle import Context, run_until_stopped
from wirewatch.runtime.observe import Health
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALERTS, ATTEMPTS, DEAD_LETTERS, DELIVERIES, ENDPOINTS
from wirewatch.topics.alerts import Alert, ArticleDigest
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.spec import Topic

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
AT = datetime(2026, 11, 23, tzinfo=UTC)


def alert(number: int, endpoint: str = "end_a") -> Alert:
    return Alert(
        id=f"alert_{number}",
        endpoint_id=endpoint,
        subscription_id="sub_1",
        subscription_name="Panzer",
        query="Panzer",
        article=ArticleDigest(
            id=f"art_{number}",
            story_id=f"story_{number}",
            revision=1,
            url=f"https://news.example/{number}",
            title=f"Meldung {number}",
            summary="",
            language="de",
            source="news.example",
            feed_id="feed_1",
            feed_title="",
            authors=(),
            published_at=AT,
            fetched_at=AT,
        ),
        proofs=(),
        found_at=AT,
    )


def ids(numbers: range, endpoint: str = "end_a") -> set[str]:
    return {delivery_id(f"alert_{number}", endpoint) for number in numbers}


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(40):
            while not condition():  # noqa: ASYNC110 - it looks at what others do
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never came to pass: {what}")


class Receiver:
    """Verifies and collects. Answers the statuses it is given, then 200, after `delay_s`."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.delay_s = 0.0
        self.got: list[str] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        Webhook(SECRET).verify(await request.text(), dict(request.headers))
        self.got.append(request.headers["webhook-id"])
        await asyncio.sleep(self.delay_s)
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def has(self, expected: set[str]) -> None:
        await until(lambda: expected <= set(self.got), f"all of {len(expected)} received")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def endpoint(producer: Producer, receiver: Receiver) -> Endpoint:
    """An endpoint that is known, and whose failures are tried again at once."""
    endpoint = Endpoint(
        id="end_a",
        url=receiver.url,
        secret=SECRET,
        retry_schedule_s=(0.05,) * 5,
        created_at=AT,
        updated_at=AT,
    )
    await producer.send(ENDPOINTS, endpoint)
    return endpoint


class Worker:
    """A notify worker in this process."""

    def __init__(self, settings: Settings) -> None:
        self.context = Context("notify", settings, CollectorRegistry(), Health())
        self.task = asyncio.create_task(run_until_stopped(main, self.context))

    def problems(self) -> list[str]:
        health = self.context.health
        checks = health.alive | health.ready
        return [problem for check in checks.values() if (problem := check()) is not None]

    def is_ready(self) -> bool:
        if self.task.done():
            self.task.result()
        return bool(self.context.health.ready) and not self.problems()

    def count(self, name: str, **labels: str) -> float:
        found = self.context.registry.get_sample_value(f"wirewatch_notify_{name}", labels)
        assert found is not None
        return found

    async def stop(self) -> None:
        self.context.stopping.set()
        await self.task


@pytest.fixture
async def start(kafka_settings: Settings) -> AsyncIterator[Callable[..., Awaitable[Worker]]]:
    """Return a function that starts a worker and waits until it is ready."""
    workers: list[Worker] = []

    async def start(**changes: Any) -> Worker:
        worker = Worker(kafka_settings.model_copy(update=changes))
        workers.append(worker)
        await until(worker.is_ready, "the worker is ready")
        return worker

    yield start
    for worker in workers:
        worker.context.stopping.set()
    await asyncio.gather(*(worker.task for worker in workers))


async def held(settings: Settings, topic: Topic[Any]) -> list[Any]:
    """Return all records of a topic; None for a tombstone."""

    async def never(message: object, error: Exception) -> None:
        raise AssertionError(f"unreadable: {message} {error}")

    reader = LogReader(settings, topic, never)
    await reader.start()
    found = [record.value async for record in read_all(reader)]
    await reader.stop()
    return found


Start = Callable[..., Awaitable[Worker]]


async def test_each_alert_is_delivered_once_also_when_it_is_repeated_and_after_a_restart(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start: Start,
) -> None:
    alerts = [alert(n) for n in range(20)]
    await producer.send_all(ALERTS, alerts + alerts)
    first = await start()
    await receiver.has(ids(range(20)))
    await until(lambda: first.count("deliveries_total", state="delivered") == 20, "all recorded")
    assert first.count("deliveries_total", state="accepted") == 20
    await first.stop()

    await producer.send_all(ALERTS, [*alerts, alert(20)])
    second = await start()
    await receiver.has(ids(range(21)))
    await until(lambda: second.count("deliveries_total", state="repeated") == 20, "all dropped")

    assert Counter(receiver.got) == Counter(ids(range(21)))
    assert second.count("deliveries_total", state="accepted") == 1
    await second.stop()
    attempts = await held(kafka_settings, ATTEMPTS)
    assert {a.delivery_id: (a.number, a.status) for a in attempts} == dict.fromkeys(
        ids(range(21)), (1, 200)
    )
    deliveries: list[Delivery] = await held(kafka_settings, DELIVERIES)
    newest = {d.id: (d.state, d.attempts, d.alert) for d in deliveries}
    assert newest == dict.fromkeys(ids(range(21)), (DeliveryState.DELIVERED, 1, None))


async def test_500_then_200(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start: Start,
) -> None:
    receiver.statuses = [500, 503]
    worker = await start()
    await producer.send(ALERTS, alert(1))

    await until(lambda: worker.count("deliveries_total", state="delivered") == 1, "delivered")

    assert receiver.got == [delivery_id("alert_1", "end_a")] * 3
    attempts = await held(kafka_settings, ATTEMPTS)
    assert [(a.number, a.outcome.value, a.status) for a in attempts] == [
        (1, "retry", 500),
        (2, "retry", 503),
        (3, "delivered", 200),
    ]


async def test_what_is_given_up_becomes_a_dead_letter_that_holds_all(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start: Start,
) -> None:
    receiver.statuses = [410]
    worker = await start()
    await producer.send(ALERTS, alert(1))
    await until(lambda: worker.count("deliveries_total", state="dead") == 1, "given up")
    await producer.delete(ENDPOINTS, "end_a")
    await producer.send(ALERTS, alert(2))
    await until(lambda: worker.count("deliveries_total", state="dead") == 2, "given up")

    letters = {letter.key: letter for letter in await held(kafka_settings, DEAD_LETTERS)}

    gone = letters[delivery_id("alert_1", "end_a")]
    assert (gone.service, gone.reason) == ("notify", DeadReason.REJECTED)
    assert gone.topic == DELIVERIES.full_name(kafka_settings.topic_prefix)
    assert b"Meldung 1" in gone.payload
    assert letters[delivery_id("alert_2", "end_a")].reason is DeadReason.NO_ENDPOINT
    assert len(receiver.got) == 1


async def test_an_unreadable_alert_is_buried_and_holds_up_nothing(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start: Start,
) -> None:
    name = ALERTS.full_name(kafka_settings.topic_prefix)
    raw = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap)
    await raw.start()
    at = await producer.send(ALERTS, alert(1))
    bad = await raw.send_and_wait(name, b"{ not json", partition=at.partition)
    await raw.stop()
    await producer.send(ALERTS, alert(2))

    worker = await start()
    await receiver.has(ids(range(1, 3)))

    [letter] = await held(kafka_settings, DEAD_LETTERS)
    assert (letter.topic, letter.offset, letter.payload) == (name, bad.offset, b"{ not json")
    assert worker.count("unreadable_records_total", topic="alerts") == 1


async def test_after_the_disk_is_wiped_nothing_is_lost_and_nothing_doubled(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start: Start,
) -> None:
    waiting = replace(endpoint, id="end_b", disabled=True)
    await producer.send(ENDPOINTS, waiting)
    first = await start()
    await producer.send_all(ALERTS, [alert(n) for n in range(5)])
    await producer.send_all(ALERTS, [alert(n, "end_b") for n in range(5)])
    await until(lambda: first.count("deliveries_total", state="delivered") == 5, "five delivered")
    await until(lambda: first.count("deliveries_total", state="accepted") == 10, "five wait")
    await first.stop()
    [file] = (kafka_settings.data_dir / "notify").glob("*.sqlite3")
    shutil.rmtree(file.parent)

    await producer.send_all(ALERTS, [alert(n) for n in range(5)])
    second = await start()
    await until(lambda: second.count("deliveries_total", state="repeated") == 5, "all dropped")
    await until(lambda: second.count("pending_deliveries") == 5, "five still wait")
    await producer.send(ENDPOINTS, replace(waiting, disabled=False))
    await receiver.has(ids(range(5), "end_b"))

    assert Counter(receiver.got) == Counter(ids(range(5)) | ids(range(5), "end_b"))


async def test_two_workers_share_the_work_and_one_takes_over(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start: Start,
) -> None:
    receiver.delay_s = 0.01
    names = [f"end_{letter}" for letter in "abcdefghijkl"]
    for name in names:
        await producer.send(ENDPOINTS, replace(endpoint, id=name))
    one = await start(instance="one")
    await producer.send_all(ALERTS, [alert(n, name) for name in names for n in range(10)])
    two = await start(instance="two")
    await producer.send_all(ALERTS, [alert(n, name) for name in names for n in range(10, 30)])
    first = set().union(*(ids(range(30), name) for name in names))
    await receiver.has(first)

    def delivered(*workers: Worker) -> float:
        return sum(w.count("deliveries_total", state="delivered") for w in workers)

    await until(lambda: delivered(one, two) >= len(first), "all recorded")
    assert delivered(two) > 0
    assert Counter(receiver.got) == Counter(first)

    await one.stop()
    await producer.send_all(ALERTS, [alert(n, name) for name in names for n in range(25, 35)])
    everything = set().union(*(ids(range(35), name) for name in names))
    await receiver.has(everything)
    assert Counter(receiver.got) == Counter(everything)


RUN = (
    "from wirewatch.notify.service import main\n"
    "from wirewatch.runtime.lifecycle import run_service\n"
    "from wirewatch.runtime.settings import load_settings\n"
    "raise SystemExit(run_service('notify', main, load_settings()))\n"
)


def spawn(settings: Settings) -> subprocess.Popen[bytes]:
    """Start a worker as a process of its own."""
    names = ("kafka", "topic_prefix", "instance", "data_dir", "session_timeout_s", "metrics_port")
    env = os.environ | {f"WIREWATCH_{n.upper()}": str(getattr(settings, n)) for n in names}
    env |= {
        "WIREWATCH_ALLOW_NETWORKS": ",".join(settings.allow_networks),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.Popen([sys.executable, "-c", RUN], env=env, stderr=subprocess.DEVNULL)


async def test_kill_9_in_the_middle_again_and_again(
    kafka_settings: Settings, producer: Producer, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.delay_s = 0.05
    await producer.send_all(ALERTS, [alert(n) for n in range(120)])
    kills = 3
    for kill in range(kills):
        process = spawn(kafka_settings)
        goal = (kill + 1) * 25
        try:
            await until(lambda: len(set(receiver.got)) >= goal, f"{goal} received")  # noqa: B023
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        await producer.send_all(ALERTS, [alert(n) for n in range(120)])

    process = spawn(kafka_settings)
    try:
        await receiver.has(ids(range(120)))
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 30)

    assert code == 0
    assert set(receiver.got) == ids(range(120))
    # Only what was under way at a kill may come twice, and it has the same id.
    repeats = len(receiver.got) - 120
    assert repeats <= kills * kafka_settings.notify_endpoint_concurrency
    deliveries: list[Delivery] = await held(kafka_settings, DELIVERIES)
    newest = {d.id: d.state for d in deliveries}
    assert newest == dict.fromkeys(ids(range(120)), DeliveryState.DELIVERED)
