"""What notify promises of endpoints that rest, fail, hang or go, on a real Kafka."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from fakes.notifying import AT, SECRET, Receiver, Start, alert, held, ids, spawn, until
from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.local_kafka import LocalKafka
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.topic_admin import create_topics
from wirewatch.topics import (
    ALERTS,
    ATTEMPTS,
    DEAD_LETTERS,
    DELIVERIES,
    ENDPOINT_STATES,
    ENDPOINTS,
    SUBSCRIPTIONS,
)
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import DeliveryState
from wirewatch.topics.endpoints import Endpoint, OperationalEvent, Order, Verification
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.subscriptions import Pace, Subscription


def subscription(pace: Pace) -> Subscription:
    return Subscription(
        id="sub_1",
        name="Panzer",
        query="Panzer",
        endpoint_ids=("end_a",),
        pace=pace,
        created_at=AT,
        updated_at=AT,
    )


async def test_what_waits_for_a_paused_endpoint_goes_out_in_order_after_a_restart(
    producer: Producer, endpoint: Endpoint, receiver: Receiver, start_notify: Start
) -> None:
    strict = replace(endpoint, paused=True, order=Order.STRICT)
    await producer.send(ENDPOINTS, strict)
    first = await start_notify()
    await producer.send_all(ALERTS, [alert(n) for n in range(30)])
    await first.counts(30, "accepted")
    await first.stop()
    receiver.statuses = [500, 503]
    second = await start_notify()
    await until(lambda: second.count("pending_deliveries") == 30, "all wait")
    assert receiver.got == []

    await producer.send(ENDPOINTS, replace(strict, paused=False))
    await second.counts(30, "delivered")

    each_once = list(dict.fromkeys(receiver.got))
    assert each_once == [delivery_id(f"alert_{n}", "end_a") for n in range(30)]
    assert receiver.got[:3] == [each_once[0]] * 3


async def test_a_disabled_endpoint_gets_nothing_and_what_it_missed_can_be_sent_again(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start_notify: Start,
) -> None:
    await producer.send(ENDPOINTS, replace(endpoint, paused=True))
    worker = await start_notify()
    await producer.send(ALERTS, alert(1))
    await worker.counts(1, "accepted")
    await producer.send(ENDPOINTS, replace(endpoint, disabled=True))
    await producer.send(ALERTS, alert(2))
    await worker.counts(2, "dead")
    letters = await held(kafka_settings, DEAD_LETTERS)
    assert {letter.reason for letter in letters} == {DeadReason.DISABLED}

    await producer.send(ENDPOINTS, replace(endpoint, enabled_at=datetime.now(UTC)))
    again = [replace(alert(n), resend_id="resend_1") for n in (1, 2)]
    await producer.send_all(ALERTS, again + again)
    await worker.counts(2, "delivered")

    assert Counter(receiver.got) == Counter(ids(range(1, 3)))
    assert worker.count("deliveries_total", state="resent") == 2
    attempts = await held(kafka_settings, ATTEMPTS)
    assert sorted((a.number, a.outcome.value) for a in attempts) == [
        (1, "dead"),
        (1, "dead"),
        (2, "delivered"),
        (2, "delivered"),
    ]


async def test_410_disables_the_endpoint_and_its_owner_is_told(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start_notify: Start,
) -> None:
    watcher = replace(
        endpoint,
        id="end_w",
        url=f"{receiver.url}watcher",
        events=(OperationalEvent.ENDPOINT_DISABLED, OperationalEvent.DELIVERY_EXHAUSTED),
    )
    await producer.send(ENDPOINTS, watcher)
    receiver.statuses = [410]
    worker = await start_notify()
    await producer.send(ALERTS, alert(1))
    await worker.counts(1, "delivered")
    await producer.send(ALERTS, alert(2))
    await worker.counts(2, "dead")

    assert receiver.types() == ["alert.created", "endpoint.disabled"]
    told = receiver.bodies[1]["data"]
    assert (told["endpoint"]["id"], told["reason"]) == ("end_a", "gone")
    states = {state.endpoint_id: state for state in await held(kafka_settings, ENDPOINT_STATES)}
    assert states["end_a"].disabled_reason == "gone"
    reasons = {letter.reason for letter in await held(kafka_settings, DEAD_LETTERS)}
    assert reasons == {DeadReason.REJECTED, DeadReason.DISABLED}
    await until(lambda: worker.count("endpoints", state="disabled") == 1, "shown as disabled")


async def test_an_exhausted_delivery_is_a_dead_letter_and_its_owner_is_told(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start_notify: Start,
) -> None:
    await producer.send(ENDPOINTS, replace(endpoint, retry_schedule_s=(0.01, 0.01)))
    watcher = replace(
        endpoint,
        id="end_w",
        url=f"{receiver.url}watcher",
        events=(OperationalEvent.DELIVERY_EXHAUSTED,),
    )
    await producer.send(ENDPOINTS, watcher)
    receiver.statuses = [400] * 3
    worker = await start_notify()
    await producer.send(ALERTS, alert(1))
    await worker.counts(1, "dead")
    await worker.counts(1, "delivered")

    assert receiver.types() == ["alert.created"] * 3 + ["delivery.exhausted"]
    assert receiver.bodies[-1]["data"]["delivery"]["id"] == delivery_id("alert_1", "end_a")
    [letter] = await held(kafka_settings, DEAD_LETTERS)
    assert letter.reason is DeadReason.EXHAUSTED


async def test_an_endpoint_is_told_nothing_before_it_has_proved_itself(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start_notify: Start,
) -> None:
    asked = replace(endpoint, verification=Verification.PING)
    receiver.hanging = {"/"}
    await producer.send(ENDPOINTS, asked)
    worker = await start_notify()
    await producer.send_all(ALERTS, [alert(n) for n in range(5)])
    await worker.counts(5, "accepted")
    await until(lambda: bool(receiver.got), "asked")
    assert receiver.types() == ["endpoint.verify"]

    receiver.hanging = set()
    await worker.counts(6, "delivered")

    assert Counter(receiver.types()) == {"endpoint.verify": 1, "alert.created": 5}
    [state] = await held(kafka_settings, ENDPOINT_STATES)
    assert state.verified


async def test_one_that_hangs_holds_up_nobody_and_no_offset(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start_notify: Start,
) -> None:
    hanging = [
        replace(endpoint, id=f"end_h{n}", url=f"{receiver.url}h", timeout_s=60.0) for n in range(40)
    ]
    receiver.hanging = {"/h"}
    await producer.send_all(ENDPOINTS, hanging)
    worker = await start_notify(notify_concurrency=8, notify_slow_concurrency=100)
    await producer.send_all(ALERTS, [alert(n, each.id) for each in hanging for n in range(3)])
    await producer.send_all(ALERTS, [alert(n) for n in range(50)])

    await worker.counts(50, "delivered")
    assert set(receiver.got) >= ids(range(50))
    # What hangs or waits behind it has been written down, so that its offsets are free.
    await until(lambda: worker.count("pending_deliveries") == 120, "all that hangs is pending")

    receiver.hanging = set()
    await worker.counts(170, "delivered")
    everything = ids(range(50)).union(*(ids(range(3), each.id) for each in hanging))
    assert Counter(receiver.got) == Counter(everything)


async def test_what_is_held_is_told_in_one_digest_and_what_is_muted_is_not(
    kafka_settings: Settings,
    producer: Producer,
    endpoint: Endpoint,
    receiver: Receiver,
    start_notify: Start,
) -> None:
    until_then = datetime.now(UTC) + timedelta(days=1)
    snoozed = subscription(Pace(snoozed_until=until_then, muted_stories=("story_3",)))
    await producer.send(SUBSCRIPTIONS, snoozed)
    first = await start_notify()
    await producer.send_all(ALERTS, [alert(n) for n in range(10)])
    await first.counts(9, "held")
    assert first.count("deliveries_total", state="muted") == 1
    await first.stop()

    awake = replace(snoozed, pace=Pace(muted_stories=("story_4",)))
    await producer.send(SUBSCRIPTIONS, awake)
    second = await start_notify()
    await second.counts(8, "digested")
    await second.counts(1, "delivered")
    await producer.send_all(ALERTS, [alert(n) for n in range(10)])
    await second.counts(10, "repeated")

    assert receiver.types() == ["alert.digest"]
    digest = receiver.bodies[0]["data"]
    assert (digest["why"], digest["alerts"]) == ("snooze", 8)
    newest = {d.id: d for d in await held(kafka_settings, DELIVERIES)}
    states = Counter(delivery.state for delivery in newest.values())
    assert states == {
        DeliveryState.DIGESTED: 8,
        DeliveryState.MUTED: 2,
        DeliveryState.DELIVERED: 1,
    }
    told_in = {d.told_in for d in newest.values() if d.state is DeliveryState.DIGESTED}
    assert told_in == set(receiver.got)


async def test_strict_order_survives_kill_9_again_and_again(
    kafka_settings: Settings, producer: Producer, endpoint: Endpoint, receiver: Receiver
) -> None:
    await producer.send(ENDPOINTS, replace(endpoint, order=Order.STRICT))
    receiver.delay_s = 0.02
    await producer.send_all(ALERTS, [alert(n) for n in range(60)])
    for kill in range(3):
        process = spawn(kafka_settings)
        goal = (kill + 1) * 12
        try:
            await until(lambda: len(set(receiver.got)) >= goal, f"{goal} received")  # noqa: B023
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        receiver.statuses = [500]
    process = spawn(kafka_settings)
    try:
        await receiver.has(ids(range(60)))
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 30)

    wanted = [delivery_id(f"alert_{n}", "end_a") for n in range(60)]
    assert list(dict.fromkeys(receiver.got)) == wanted
    # Whoever repeats does so before the next one begins: there is one at a time.
    places = [wanted.index(key) for key in receiver.got]
    assert places == sorted(places)


@pytest.mark.timeout(240)
async def test_kafka_away_for_a_while_loses_nothing_and_doubles_little(
    tmp_path: Path, receiver: Receiver, free_ports: Callable[[int], int], start_notify: Start
) -> None:
    port = free_ports(2)
    changes = {"kafka": f"127.0.0.1:{port}", "topic_prefix": "away."}
    settings = Settings(kafka_port=port, topic_partitions=4)
    broker = LocalKafka(tmp_path / "kafka", cache_dir=settings.cache_dir, port=port)
    await asyncio.to_thread(broker.start)
    try:
        settings = settings.model_copy(update=changes)
        await create_topics(settings)
        producer = Producer(settings, "test")
        await producer.start()
        endpoint = Endpoint(
            id="end_a", url=receiver.url, secret=SECRET, created_at=AT, updated_at=AT
        )
        await producer.send(ENDPOINTS, endpoint)
        worker = await start_notify(**changes)
        receiver.delay_s = 0.02
        await producer.send_all(ALERTS, [alert(n) for n in range(300)])
        await until(lambda: len(receiver.got) >= 100, "some received")
        broker.kill()
        await asyncio.sleep(3)
        await asyncio.to_thread(broker.start)

        await receiver.has(ids(range(300)))
        await until(lambda: worker.count("deliveries_total", state="delivered") >= 300, "recorded")
        await worker.stop()
        newest = {d.id: d.state for d in await held(settings, DELIVERIES)}
        assert newest == dict.fromkeys(ids(range(300)), DeliveryState.DELIVERED)
        await producer.stop()
    finally:
        await asyncio.to_thread(broker.stop)
