"""Alerts become deliveries: each one once, and no offset is free before it is safe."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from fakes.notify import FakeClock, FakeLog, settle
from wirewatch.notify.intake import AT_A_TIME, CROWD, Intake
from wirewatch.notify.lanes import TICK
from wirewatch.notify.ledger import Ledger
from wirewatch.notify.metrics import NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.paces import AT_ONCE
from wirewatch.notify.put_off import PutOff
from wirewatch.notify.recorder import Recorder
from wirewatch.runtime.kafka import Position, Received
from wirewatch.topics.alerts import Alert
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import DigestWhy
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.subscriptions import Pace

KEY = delivery_id("alert_1", "end_1")
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Ways:
    """Takes deliveries in, and holds them until a test says that they are done."""

    def __init__(self) -> None:
        self.got: list[tuple[Delivery, tuple[int, int]]] = []
        self.late: list[str] = []
        self.strict: set[str] = set()
        self.waits: dict[str, int] = {}
        self.in_hand: set[str] = set()
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.asked = 0

    def accept(
        self, delivery: Delivery, receipt: tuple[int, int], *, is_late: bool = False
    ) -> None:
        self.got.append((delivery, receipt))
        if is_late:
            self.late.append(delivery.id)
        self.in_hand.add(delivery.id)

    def waiting(self, article_id: str) -> int:
        return self.waits.get(article_id, 0)

    def may_pass(self, endpoint_id: str) -> bool:
        return endpoint_id not in self.strict

    def is_in_hand(self, endpoint_id: str, delivery_id: str) -> bool:
        return delivery_id in self.in_hand

    async def room(self) -> None:
        self.asked += 1
        await self.has_room.wait()

    def deliveries(self) -> list[Delivery]:
        return [delivery for delivery, _ in self.got]


class World:
    """An intake and all around it; `paces` by subscription."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock(AT)
        self.outbox = Outbox(path, self.clock)
        self.log, self.ways, self.ledger = FakeLog(), Ways(), Ledger()
        self.recorder = Recorder(self.outbox, self.log)
        self.recorder.partitions = {0}
        self.registry = CollectorRegistry()
        self.paces: dict[str, Pace] = {}
        self.offset = 0
        self.start()

    def start(self) -> None:
        self.put_off = PutOff(most=20)
        self.intake = Intake(
            self.outbox,
            self.recorder,
            self.ledger,
            self.ways,
            self.put_off,
            pace_of=lambda key: self.paces.get(key, AT_ONCE),
            metrics=NotifyMetrics(self.registry),
            clock=self.clock,
        )

    async def read(self, *alerts: Alert | None) -> None:
        await self.intake.accept(self.records(*alerts))

    def records(self, *alerts: Alert | None) -> Sequence[Received[Alert]]:
        found = []
        for alert in alerts:
            key = "" if alert is None else alert.endpoint_id
            found.append(Received(Position(0, self.offset), key, alert))
            self.offset += 1
        return found

    def counted(self, state: str) -> float | None:
        name = "wirewatch_notify_deliveries_total"
        return self.registry.get_sample_value(name, {"state": state})


def of_their_own(alert: Alert, count: int) -> list[Alert]:
    """Return alerts, each of another article."""
    return [
        replace(alert, id=f"alert_{n}", article=replace(alert.article, id=f"art_{n}"))
        for n in range(count)
    ]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path / "box")
    recording = asyncio.create_task(world.recorder.run())
    yield world
    recording.cancel()
    await asyncio.gather(recording, return_exceptions=True)
    world.outbox.close()


async def test_an_alert_becomes_a_delivery_that_is_due_at_once(world: World, alert: Alert) -> None:
    await world.read(alert)

    expected = Delivery(
        id=KEY, endpoint_id="end_1", alert_id="alert_1", due_at=AT, created_at=AT, alert=alert
    )
    assert world.ways.got == [(expected, (0, 0))]
    assert world.log.sent == [], "nothing is written for what can be sent at once"
    assert world.ledger.due() == {0: 0}, "its alert holds the offset"
    assert (world.counted("accepted"), world.counted("repeated")) == (1, 0)


async def test_the_same_alert_for_two_endpoints_is_two_deliveries(
    world: World, alert: Alert
) -> None:
    await world.read(alert, replace(alert, endpoint_id="end_2"))

    one, other = world.ways.deliveries()
    assert (one.endpoint_id, other.endpoint_id) == ("end_1", "end_2")
    assert one.id != other.id


async def test_deliveries_are_due_in_the_order_of_their_alerts(world: World, alert: Alert) -> None:
    await world.read(*of_their_own(alert, 300))
    world.clock.pass_by(-60)  # the clock is set back
    await world.read(replace(alert, id="alert_late"))

    due = [one.due_at for one in world.ways.deliveries()]
    assert due == sorted(set(due))
    assert due[299] - due[0] == 299 * TICK


async def test_an_alert_that_comes_again_is_dropped_while_its_delivery_is_in_hand(
    world: World, alert: Alert
) -> None:
    await world.read(alert, alert)
    await world.read(alert)

    assert len(world.ways.got) == 1
    assert world.ledger.due() == {0: 0}, "the first record holds the offset"
    world.ledger.done(0, 0)
    assert world.ledger.due() == {0: 3}
    assert (world.counted("accepted"), world.counted("repeated")) == (1, 2)


@pytest.mark.parametrize("state", list(DeliveryState))
async def test_an_alert_whose_delivery_is_known_is_dropped(
    world: World, alert: Alert, make_delivery: Callable[..., Delivery], state: DeliveryState
) -> None:
    world.outbox.put(make_delivery(KEY, state=state, ended_at=AT), Position(0, 0))

    await world.read(alert)

    assert world.ways.got == []
    assert world.ledger.due() == {0: 1}
    assert world.counted("repeated") == 1


async def test_an_unreadable_record_holds_nothing(world: World, alert: Alert) -> None:
    await world.read(None, alert, None)
    world.ledger.done(0, 1)

    assert world.ledger.due() == {0: 3}
    assert len(world.ways.got) == 1


async def test_alerts_are_taken_in_some_at_a_time_as_there_is_room(
    world: World, alert: Alert
) -> None:
    world.ways.has_room.clear()
    reading = asyncio.create_task(world.read(*of_their_own(alert, 2 * AT_A_TIME + 1)))
    await settle()
    assert world.ways.got == []
    assert len(world.ledger) == 2 * AT_A_TIME + 1, "none of them may be committed meanwhile"

    world.ways.has_room.set()
    await reading

    assert world.ways.asked == 3
    assert len(world.ways.got) == 2 * AT_A_TIME + 1


# Paces


async def test_a_muted_source_is_written_down_as_muted_and_told_to_nobody(
    world: World, alert: Alert
) -> None:
    world.paces["sub_1"] = Pace(muted_sources=("news.example",))

    await world.read(alert)
    assert world.ledger.due() == {0: 0}
    await world.recorder.flush()

    assert world.ways.got == []
    [muted] = world.log.deliveries()
    assert (muted.state, muted.alert, muted.ended_at) == (DeliveryState.MUTED, None, AT)
    assert world.ledger.due() == {0: 1}
    assert world.counted("muted") == 1
    await world.read(alert)
    assert len(world.log.deliveries()) == 1


async def test_what_is_held_is_safe_before_its_alert_is_free(world: World, alert: Alert) -> None:
    world.paces["sub_1"] = Pace(every_min=60)
    world.log.go_away()
    await world.read(alert)
    await settle()
    assert world.ledger.due() == {0: 0}

    world.log.come_back()
    await world.recorder.flush()

    assert world.ways.got == []
    [held] = world.log.deliveries()
    assert (held.state, held.held_for, held.alert) == (
        DeliveryState.HELD,
        DigestWhy.SCHEDULE,
        alert,
    )
    assert held.due_at == AT + timedelta(hours=1)
    assert world.ledger.due() == {0: 1}
    assert world.outbox.get(KEY) == held
    assert world.counted("held") == 1


async def test_more_than_so_many_an_hour_are_held_for_its_end(world: World, alert: Alert) -> None:
    world.paces["sub_1"] = Pace(most_per_hour=2)
    for number in range(4):
        await world.read(replace(alert, id=f"alert_{number}"))
        world.clock.pass_by(60)
    await world.recorder.flush()

    assert len(world.ways.got) == 2
    held = world.log.deliveries()
    assert {one.held_for for one in held} == {DigestWhy.RATE}
    assert {one.due_at for one in held} == {AT + timedelta(hours=1)}

    world.clock.now = AT + timedelta(hours=1)
    await world.read(replace(alert, id="alert_next"))
    assert len(world.ways.got) == 3


async def test_each_endpoint_of_a_subscription_has_its_own_hour(world: World, alert: Alert) -> None:
    world.paces["sub_1"] = Pace(most_per_hour=1)

    await world.read(alert, replace(alert, endpoint_id="end_2"))

    assert len(world.ways.got) == 2


async def test_who_asks_for_nothing_is_not_held_up_by_another_subscription(
    world: World, alert: Alert
) -> None:
    world.paces["sub_2"] = Pace(every_min=60)

    await world.read(alert)

    assert len(world.ways.got) == 1


# Sent again


@pytest.fixture
def again(alert: Alert) -> Alert:
    return replace(alert, resend_id="r1")


@pytest.mark.parametrize("state", list(DeliveryState))
async def test_what_is_asked_for_once_more_is_pending_again_whatever_it_was(
    world: World, again: Alert, make_delivery: Callable[..., Delivery], state: DeliveryState
) -> None:
    before = make_delivery(KEY, state=state, attempts=10, ended_at=AT)
    world.outbox.put(before, Position(0, 0))
    world.log.end()

    await world.read(again)
    assert world.ledger.due() == {0: 0}
    await world.recorder.flush()

    found = world.outbox.get(KEY)
    assert found is not None
    assert (found.state, found.alert, found.due_at) == (DeliveryState.PENDING, again, AT)
    assert (found.attempts, found.attempts_before, found.resend_id) == (10, 10, "r1")
    assert world.ledger.due() == {0: 1}
    assert world.counted("resent") == 1
    assert world.ways.got == [], "it comes out of the outbox"


async def test_what_is_forgotten_just_now_is_sent_again_afterwards(
    world: World, again: Alert, make_delivery: Callable[..., Delivery]
) -> None:
    before = make_delivery(KEY, state=DeliveryState.DEAD, ended_at=AT, alert=None)
    world.outbox.put(before, Position(0, 0))
    world.log.end()
    with world.intake.forgetting(KEY) as may_be:
        assert may_be
        await world.read(again)
        await world.recorder.flush()
        assert world.log.sent == []
        assert world.ledger.due() == {0: 0}
        world.outbox.remove(KEY, Position(0, world.log.end()))

    await world.read()
    with world.intake.forgetting(KEY) as may_be:
        assert not may_be, "it is on its way into the outbox"
    await world.recorder.flush()
    assert world.outbox.get(KEY).state is DeliveryState.PENDING
    assert world.ledger.due() == {0: 1}
    with world.intake.forgetting(KEY) as may_be:
        assert not may_be, "it waits"


async def test_a_request_to_send_again_is_followed_once(world: World, again: Alert) -> None:
    await world.read(again)
    await world.recorder.flush()
    await world.read(again)
    await world.read(replace(again, resend_id="r2"))
    await world.recorder.flush()

    assert [one.resend_id for one in world.log.deliveries()] == ["r1", "r2"]
    assert world.ledger.due() == {0: 3}


async def test_what_was_never_heard_of_can_be_sent_again(world: World, again: Alert) -> None:
    await world.read(again)
    await world.recorder.flush()

    [found] = world.log.deliveries()
    assert (found.id, found.attempts, found.state) == (KEY, 0, DeliveryState.PENDING)


async def test_what_is_sent_again_is_not_held_by_a_pace(world: World, again: Alert) -> None:
    world.paces["sub_1"] = Pace(every_min=60, muted_sources=("news.example",))

    await world.read(again)
    await world.recorder.flush()

    assert world.log.deliveries()[0].state is DeliveryState.PENDING


async def test_a_request_to_send_again_is_not_lost_while_the_delivery_is_in_hand(
    world: World, alert: Alert, again: Alert
) -> None:
    await world.read(alert)
    await world.read(again)
    await world.recorder.flush()
    assert world.log.deliveries() == []
    assert world.ledger.due() == {0: 0}

    world.ways.in_hand.clear()
    await world.read()
    await world.recorder.flush()

    assert [one.resend_id for one in world.log.deliveries()] == ["r1"]


async def test_a_request_to_send_again_that_comes_twice_at_once_is_followed_once(
    world: World, again: Alert
) -> None:
    await world.read(again, again)
    await world.read(again, replace(again, resend_id="r2"), replace(again, resend_id="r2"))
    await world.recorder.flush()

    assert [one.resend_id for one in world.log.deliveries()] == ["r1", "r2"]
    assert world.ledger.due() == {0: 5}


async def test_what_is_being_written_holds_the_offsets_of_its_repeats_too(
    world: World, alert: Alert
) -> None:
    """The partition went and came back while Kafka took no records: nothing is safe yet."""
    world.paces["sub_1"] = Pace(every_min=60)
    world.log.go_away()
    await world.read(alert)
    await settle()
    world.ledger.clear()
    world.offset = 0

    await world.read(alert)
    await settle()
    assert world.ledger.due() == {0: 0}

    world.log.come_back()
    await world.recorder.flush()
    assert world.ledger.due() == {0: 1}
    assert len(world.log.deliveries()) == 1


# Crowds


def crowd(alert: Alert, count: int, article: str = "art_crowd", first: int = 0) -> list[Alert]:
    """Return alerts of one article for `count` endpoints."""
    about = replace(alert.article, id=article)
    return [
        replace(alert, id=f"{article}_{number}", endpoint_id=f"end_{number}", article=about)
        for number in range(first, first + count)
    ]


async def test_of_a_crowd_the_first_are_taken_in_and_others_alerts_with_them(
    world: World, alert: Alert
) -> None:
    many = crowd(alert, CROWD + 3)
    await world.read(*many, alert)
    await world.read(*crowd(alert, 1, first=CROWD + 3))

    assert [one.alert_id for one in world.ways.deliveries()] == [
        *(one.id for one in many[:CROWD]),
        "alert_1",
    ]
    assert len(world.put_off) == 4
    assert world.registry.get_sample_value("wirewatch_notify_put_off_alerts") == 4
    assert world.put_off.begins() == {0: CROWD}
    for one, receipt in world.ways.got:
        assert one.state is DeliveryState.PENDING
        world.ledger.done(*receipt)
    assert world.ledger.due() == {0: CROWD}, "what is put off holds its offset"


async def test_what_was_put_off_is_taken_in_late_and_frees_its_offset(
    world: World, alert: Alert
) -> None:
    records = world.records(*crowd(alert, CROWD + 2))
    await world.intake.accept(records)
    again = [one for one in records if world.put_off.take(one.position)]
    await world.intake.accept_late(again)

    assert [receipt for _, receipt in world.ways.got] == [(0, n) for n in range(CROWD + 2)]
    assert world.ways.late == [one.id for one in world.ways.deliveries()[CROWD:]]
    for _, receipt in world.ways.got:
        world.ledger.done(*receipt)
    assert world.ledger.due() == {0: CROWD + 2}


async def test_a_crowd_is_counted_with_what_waits_already(world: World, alert: Alert) -> None:
    world.ways.waits["art_crowd"] = CROWD - 1
    await world.read(*crowd(alert, 2))

    assert len(world.ways.got) == 1
    assert len(world.put_off) == 1


async def test_strict_endpoints_and_what_is_sent_again_are_never_put_off(
    world: World, alert: Alert
) -> None:
    many = crowd(alert, CROWD + 2)
    world.ways.strict.add(many[-2].endpoint_id)
    await world.read(*many[:-1], replace(many[-1], resend_id="again"))

    assert len(world.put_off) == 0
    assert len(world.ways.got) == CROWD + 1
    await world.recorder.flush()
    assert world.log.deliveries()[-1].resend_id == "again"


async def test_when_enough_is_put_off_alerts_are_taken_in_as_they_come(
    world: World, alert: Alert
) -> None:
    await world.read(*crowd(alert, CROWD + 20 + 5))

    assert len(world.put_off) == 20
    assert len(world.ways.got) == CROWD + 5


async def test_what_is_put_off_and_known_already_is_dropped(world: World, alert: Alert) -> None:
    """After a crash all of a crowd is read again, what was delivered of it too."""
    records = world.records(*crowd(alert, CROWD + 1))
    known = records[-1].value
    assert known is not None
    key = delivery_id(known.id, known.endpoint_id)
    ended = Delivery(
        id=key,
        endpoint_id=known.endpoint_id,
        alert_id=known.id,
        state=DeliveryState.DELIVERED,
        due_at=AT,
        created_at=AT,
        ended_at=AT,
    )
    world.outbox.put(ended, Position(0, 0))
    await world.intake.accept(records)
    await world.intake.accept_late([one for one in records if world.put_off.take(one.position)])

    assert key not in {one.id for one in world.ways.deliveries()}
    assert world.counted("repeated") == 1
