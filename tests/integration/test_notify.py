"""notify on a real Kafka, between a producer of alerts and a receiver on this machine."""

import asyncio
import shutil
import signal
from collections import Counter

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from fakes.notifying import (
    Receiver,
    Start,
    Worker,
    alert,
    held,
    ids,
    spawn,
    until,
)
from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALERTS, ATTEMPTS, DEAD_LETTERS, DELIVERIES, ENDPOINTS
from wirewatch.topics.alerts import Alert
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.ids import delivery_id


async def test_each_alert_is_delivered_once_also_when_it_is_repeated_and_after_a_restart(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start_notify: Start,
) -> None:
    alerts = [alert(n) for n in range(20)]
    await producer.send_all(ALERTS, alerts + alerts)
    first = await start_notify()
    await receiver.has(ids(range(20)))
    await until(lambda: first.count("deliveries_total", state="delivered") == 20, "all recorded")
    assert first.count("deliveries_total", state="accepted") == 20
    await first.stop()

    await producer.send_all(ALERTS, [*alerts, alert(20)])
    second = await start_notify()
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
    start_notify: Start,
) -> None:
    receiver.statuses = [500, 503]
    worker = await start_notify()
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
    start_notify: Start,
) -> None:
    receiver.statuses = [410]
    worker = await start_notify()
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
    start_notify: Start,
) -> None:
    name = ALERTS.full_name(kafka_settings.topic_prefix)
    raw = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap)
    await raw.start()
    at = await producer.send(ALERTS, alert(1))
    bad = await raw.send_and_wait(name, b"{ not json", partition=at.partition)
    await raw.stop()
    await producer.send(ALERTS, alert(2))

    worker = await start_notify()
    await receiver.has(ids(range(1, 3)))

    [letter] = await held(kafka_settings, DEAD_LETTERS)
    assert (letter.topic, letter.offset, letter.payload) == (name, bad.offset, b"{ not json")
    assert worker.count("unreadable_records_total", topic="alerts") == 1


async def test_after_the_disk_is_wiped_nothing_is_lost_and_nothing_doubled(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start_notify: Start,
) -> None:
    waiting = replace(endpoint, id="end_b", paused=True)
    await producer.send(ENDPOINTS, waiting)
    first = await start_notify()
    await producer.send_all(ALERTS, [alert(n) for n in range(5)])
    await producer.send_all(ALERTS, [alert(n, "end_b") for n in range(5)])
    await until(lambda: first.count("deliveries_total", state="delivered") == 5, "five delivered")
    await until(lambda: first.count("deliveries_total", state="accepted") == 10, "five wait")
    await first.stop()
    [file] = (kafka_settings.data_dir / "notify").glob("*.sqlite3")
    shutil.rmtree(file.parent)

    await producer.send_all(ALERTS, [alert(n) for n in range(5)])
    second = await start_notify()
    await until(lambda: second.count("deliveries_total", state="repeated") == 5, "all dropped")
    await until(lambda: second.count("pending_deliveries") == 5, "five still wait")
    await producer.send(ENDPOINTS, replace(waiting, paused=False))
    await receiver.has(ids(range(5), "end_b"))

    assert Counter(receiver.got) == Counter(ids(range(5)) | ids(range(5), "end_b"))


async def test_two_workers_share_the_work_and_one_takes_over(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start_notify: Start,
) -> None:
    receiver.delay_s = 0.01
    names = [f"end_{letter}" for letter in "abcdefghijkl"]
    for name in names:
        await producer.send(ENDPOINTS, replace(endpoint, id=name))
    one = await start_notify(instance="one")
    await producer.send_all(ALERTS, [alert(n, name) for name in names for n in range(10)])
    two = await start_notify(instance="two")
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


async def test_kill_9_in_the_middle_again_and_again(
    kafka_settings: Settings, producer: Producer, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.delay_s = 0.2
    await producer.send_all(ALERTS, [alert(n) for n in range(120)])
    kills = 3
    for kill in range(kills):
        process = spawn(kafka_settings)
        goal = (kill + 1) * 25
        try:
            await until(lambda: len(set(receiver.got)) >= goal, f"{goal} received")  # noqa: B023
            # The next requests come as the last ones end: those are to be recorded by then.
            await asyncio.sleep(receiver.delay_s / 2)
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


def of_one_article(count: int) -> list[Alert]:
    """Return alerts of one article, each for another endpoint."""
    first = alert(1)
    return [replace(first, endpoint_id=f"end_{number}") for number in range(count)]


def crowd_ids(count: int) -> set[str]:
    return {delivery_id("alert_1", f"end_{number}") for number in range(count)}


async def test_who_stands_behind_a_crowd_that_hangs_is_told_and_then_so_is_the_crowd(
    producer: Producer, endpoint: Endpoint, receiver: Receiver, start_notify: Start
) -> None:
    count = 600
    receiver.hanging.add("/crowd")
    url = f"{receiver.url.rpartition('/')[0]}/crowd"
    crowd = [replace(endpoint, id=f"end_{number}", url=url) for number in range(count)]
    await producer.send_all(ENDPOINTS, crowd)
    await producer.send_all(ALERTS, [*of_one_article(count), *(alert(n) for n in range(2, 12))])
    worker = await start_notify()
    await receiver.has(ids(range(2, 12)))
    assert len(crowd_ids(count) & set(receiver.got)) < count

    receiver.hanging.clear()
    await receiver.has(crowd_ids(count))
    await worker.counts(count + 10, "delivered")
    await worker.stop()
    second = await start_notify()
    await producer.send(ALERTS, alert(12))
    await receiver.has(ids(range(12, 13)))

    assert Counter(receiver.got) == Counter(crowd_ids(count) | ids(range(2, 13)))
    assert second.count("deliveries_total", state="repeated") == 0, "all offsets were committed"
    await second.stop()


async def test_kill_9_in_the_middle_of_a_crowd(
    kafka_settings: Settings, producer: Producer, endpoint: Endpoint, receiver: Receiver
) -> None:
    count, kills = 300, 2
    await producer.send_all(
        ENDPOINTS, [replace(endpoint, id=f"end_{number}") for number in range(count)]
    )
    await producer.send_all(ALERTS, of_one_article(count))
    receiver.delay_s = 0.2
    for kill in range(kills):
        process = spawn(kafka_settings)
        try:
            goal = (kill + 1) * count // 3
            await until(lambda: len(set(receiver.got)) >= goal, f"{goal} received")  # noqa: B023
            await asyncio.sleep(receiver.delay_s / 2)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    process = spawn(kafka_settings)
    try:
        await receiver.has(crowd_ids(count))
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 30)

    assert code == 0
    assert set(receiver.got) == crowd_ids(count)
    repeats = len(receiver.got) - count
    assert repeats <= kills * kafka_settings.notify_concurrency
    newest = {one.id: one.state for one in await held(kafka_settings, DELIVERIES)}
    assert newest == dict.fromkeys(crowd_ids(count), DeliveryState.DELIVERED)
