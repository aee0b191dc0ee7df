"""The dispatcher with a real outbox and recorder, between receivers and a log made by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import structlog
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook

from fakes.notify import NOBODY, FakeClock, FakeLog, FakePost, settle, until
from wirewatch.notify import dispatcher as dispatcher_module
from wirewatch.notify.attempts import Attempts
from wirewatch.notify.breaker import OPEN_AFTER
from wirewatch.notify.dispatcher import (
    CROWDED_S,
    FRESH_S,
    MOST_UNRECORDED,
    SLOW_S,
    UNSURE_A_TURN,
    Dispatcher,
)
from wirewatch.notify.lane import Trust
from wirewatch.notify.lanes import TICK
from wirewatch.notify.ledger import Ledger
from wirewatch.notify.metrics import Event, NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.outcome import Answer
from wirewatch.notify.places import LATE_S, LEAST_BACKLOG, Places
from wirewatch.notify.recorder import Entry, Recorder
from wirewatch.notify.states import States
from wirewatch.notify.telling import Teller
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.projection import MemoryTable
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.vault import Vault
from wirewatch.topics import DELIVERIES
from wirewatch.topics.alerts import Alert
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.codec import decode
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoint_states import (
    Breaker,
    DisabledReason,
    EndpointState,
    disabled_by,
    is_verified,
)
from wirewatch.topics.endpoints import Endpoint, OperationalEvent, Order, Verification

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
Make = Callable[..., Delivery]


def endpoint(key: str = "a", **fields: Any) -> Endpoint:
    """Return an endpoint at `https://<key>.example/`."""
    about: dict[str, Any] = {
        "id": key,
        "url": url(key),
        "secret": SECRET,
        "created_at": AT - timedelta(days=30),
        "updated_at": AT,
    }
    return Endpoint(**(about | fields))


def url(key: str = "a") -> str:
    return f"https://{key}.example/"


@dataclass
class World:
    """A dispatcher that runs, and all around it. Time passes when a test says so."""

    path: Path
    alert: Alert
    settings: Settings
    clock: FakeClock = field(default_factory=lambda: FakeClock(AT))
    post: FakePost = field(default_factory=FakePost)
    log: FakeLog = field(default_factory=FakeLog)
    late: list[Endpoint] = field(default_factory=list)
    offset: int = 0
    receipts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def start(self) -> None:
        self.outbox = Outbox(self.path, self.clock)
        self.table: MemoryTable[Endpoint] = MemoryTable(self._changed)
        self.state_table: MemoryTable[EndpointState] = MemoryTable()
        self.states = States(self.state_table, timedelta(days=5))
        self.registry = CollectorRegistry()
        metrics = NotifyMetrics(self.registry)
        self.recorder = Recorder(
            self.outbox,
            self.log,
            topic_prefix=self.settings.topic_prefix,
            clock=self.clock,
            on_given_up=metrics.deliveries.labels(Event.DEAD).inc,
        )
        self.recorder.partitions = {0}
        self.ledger = Ledger()
        teller = Teller(
            self.outbox,
            self.recorder,
            metrics,
            watchers=lambda: [one for one in self.table if one.events],
            clock=self.clock,
        )
        self.dispatcher = Dispatcher(
            self.settings,
            self.outbox,
            endpoints=self.table.get,
            catch_up=self.catch_up,
            states=self.states,
            attempts=Attempts(self.post, Vault([b"k" * 32]), self.clock, "wirewatch"),
            recorder=self.recorder,
            teller=teller,
            ledger=self.ledger,
            metrics=metrics,
            clock=self.clock,
        )
        self.run = asyncio.create_task(self.dispatcher.run())
        self.recording = asyncio.create_task(self.recorder.run())
        self.dispatcher.resume()

    async def stop(self) -> None:
        for task in (self.run, self.recording):
            task.cancel()
        await asyncio.gather(self.run, self.recording, return_exceptions=True)
        await self.dispatcher.break_off()
        self.outbox.close()

    def _changed(self, key: str, _: Endpoint | None, __: Endpoint | None) -> None:
        if hasattr(self, "dispatcher"):
            self.dispatcher.touch(key)

    async def catch_up(self) -> None:
        await asyncio.sleep(0)
        self.set(*self.late)

    # What happens

    def set(self, *endpoints: Endpoint) -> None:
        for one in endpoints:
            self.offset += 1
            self.table.apply([Received(Position(0, self.offset), one.id, one)])

    def delete(self, key: str) -> None:
        self.offset += 1
        self.table.apply([Received(Position(0, self.offset), key, None)])

    def delivery(self, key: str, endpoint_id: str = "a", **fields: Any) -> Delivery:
        alert = replace(self.alert, id=f"alert_{key}", endpoint_id=endpoint_id)
        article = replace(alert.article, id=f"art_{key}")
        about: dict[str, Any] = {
            "id": key,
            "endpoint_id": endpoint_id,
            "alert_id": alert.id,
            "due_at": self.clock(),
            "created_at": self.clock(),
            "alert": replace(alert, article=article),
        }
        return Delivery(**(about | fields))

    def accept(self, *keys: str, endpoint_id: str = "a") -> None:
        """Have alerts read, whose offsets are held."""
        for key in keys:
            self.clock.now += TICK
            self.offset += 1
            self.receipts[key] = (0, self.offset)
            self.ledger.take(0, self.offset)
            self.dispatcher.accept(self.delivery(key, endpoint_id), (0, self.offset))

    def put(self, *deliveries: Delivery) -> None:
        """Let records stand in the topic."""
        for one in deliveries:
            self.outbox.put(one, Position(0, self.log.end()))

    def pass_by(self, seconds: float) -> None:
        self.clock.pass_by(seconds)
        self.dispatcher.wake()

    # What came of it

    def state(self, key: str) -> DeliveryState | None:
        last = self.log.last(key)
        return last.state if last else None

    async def until_recorded(self, *keys: str, attempts: int = 1) -> None:
        await until(lambda: all(len(self.log.attempts(key)) >= attempts for key in keys), f"{keys}")
        await self.recorder.flush()
        await settle()

    async def until_got(self, count: int, to: str | None = None) -> None:
        await until(lambda: len(self.post.ids(to)) >= count, f"{count} requests to {to}")

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"wirewatch_notify_{name}", labels)

    def is_free(self, key: str) -> bool:
        """Say whether the alert's offset is done."""
        partition, offset = self.receipts[key]
        return offset not in self.ledger._open[partition]


@pytest.fixture
async def world(tmp_path: Path, alert: Alert) -> AsyncIterator[World]:
    settings = Settings(
        topic_prefix="ww.",
        notify_concurrency=8,
        notify_slow_concurrency=4,
        notify_endpoint_concurrency=3,
        notify_fresh_alerts=20,
    )
    world = World(tmp_path / "box", alert, settings)
    world.start()
    world.set(endpoint())
    yield world
    await world.stop()


# One attempt


async def test_a_delivery_is_signed_sent_and_written_down(world: World) -> None:
    world.clock.now = datetime.now(UTC)  # the official library looks at the time
    with structlog.testing.capture_logs() as lines:
        world.accept("m1")
        await world.until_recorded("m1")

    [request] = world.post.got
    assert request.url == url()
    Webhook(SECRET).verify(request.body.decode(), dict(request.headers))
    assert request.headers["webhook-id"] == "m1"
    assert json.loads(request.body)["data"]["alert_id"] == "alert_m1"
    attempt, after = world.log.sent
    assert (attempt.number, attempt.outcome, attempt.status) == (1, "delivered", 200)
    assert attempt.request_bytes == len(request.body)
    assert (after.state, after.attempts, after.telling) == (DeliveryState.DELIVERED, 1, None)
    assert world.outbox.get("m1") == after
    assert world.is_free("m1")
    assert not world.dispatcher.lanes.fresh_ids & {"m1"}
    assert world.value("attempts_total", outcome="delivered") == 1
    assert world.value("deliveries_total", state="delivered") == 1
    assert world.value("attempt_seconds_count") == 1
    assert lines == [], "some thousand a second are delivered"


async def test_an_alert_holds_its_offset_until_what_came_of_it_is_written(world: World) -> None:
    world.log.go_away()
    world.accept("m1")
    await world.until_got(1)
    await settle()

    assert not world.is_free("m1")
    assert world.dispatcher.lanes.fresh_ids & {"m1"}

    world.log.come_back()
    await world.until_recorded("m1")
    assert world.is_free("m1")


async def test_500_then_200_with_one_warning_and_no_secret_in_it(world: World) -> None:
    at = "https://a.example/in?token=geheim"
    world.set(endpoint(url=at, retry_schedule_s=(1.0,) * 5))
    world.post.answers[at] = [Answer(500, head="oops"), Answer(500), Answer(200)]

    with structlog.testing.capture_logs() as lines:
        world.accept("m1")
        for attempts in (1, 2, 3):
            await world.until_recorded("m1", attempts=attempts)
            world.pass_by(2)

    assert world.post.ids(at) == ["m1"] * 3
    assert [(a.number, a.outcome) for a in world.log.attempts()] == [
        (1, "retry"),
        (2, "retry"),
        (3, "delivered"),
    ]
    assert [line["log_level"] for line in lines] == ["warning", "debug", "info"]
    first, _, last = lines
    assert last["event"] == "endpoint takes deliveries again"
    assert "geheim" not in str(last)
    assert (first["delivery"], first["attempt"]) == ("m1", 1)
    assert first["endpoint"] == "https://a.example/in"
    assert (first["reason"], first["detail"]) == ("server_error", "the receiver answered 500")
    assert first["next_attempt_at"].endswith("+00:00")
    assert "geheim" not in str(lines)
    assert SECRET not in str(lines)
    assert world.value("attempt_failures_total", reason="server_error") == 2


async def test_what_is_given_up_is_buried_as_it_was(world: World) -> None:
    world.set(endpoint(retry_schedule_s=()))
    world.post.always[url()] = Answer(404)
    before = world.delivery("m1")
    world.put(before)

    with structlog.testing.capture_logs() as lines:
        await world.until_recorded("m1")

    [letter] = world.log.letters()
    assert decode(letter.payload, Delivery) == before
    assert (letter.reason, letter.topic, letter.key) == (
        DeadReason.EXHAUSTED,
        "ww.deliveries",
        "m1",
    )
    assert letter.detail == "the receiver answered 404"
    assert world.state("m1") is DeliveryState.DEAD
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "delivery given up")
    ]
    assert world.value("deliveries_total", state="dead") == 1


async def test_a_malformed_secret_is_tried_again_and_never_shown(world: World) -> None:
    world.set(endpoint(secret="whsec_kaputt"))
    with structlog.testing.capture_logs() as lines:
        world.accept("m1")
        await world.until_recorded("m1")

    [attempt] = world.log.attempts()
    assert (attempt.outcome, attempt.reason, attempt.status) == (
        "retry",
        AttemptReason.SECRETS,
        None,
    )
    assert "kaputt" not in str(lines) + attempt.detail
    assert world.post.got == []
    assert world.log.states() == [], "that is not the receiver's fault"


async def test_a_pending_delivery_that_tells_nothing_is_buried(world: World) -> None:
    world.put(world.delivery("m1", alert=None))
    await until(lambda: world.state("m1") is DeliveryState.DEAD)

    [letter] = world.log.letters()
    assert letter.reason is DeadReason.UNREADABLE
    assert world.post.got == []
    await settle()
    assert world.outbox.count(DeliveryState.PENDING) == 0


async def test_an_attempt_that_fails_unforeseen_is_tried_again_and_ends_nothing(
    world: World,
) -> None:
    world.post.error = RuntimeError("a bug")
    world.accept("m1")
    await world.until_recorded("m1")

    [attempt] = world.log.attempts()
    assert (attempt.outcome, attempt.reason) == ("retry", AttemptReason.INTERNAL)
    assert world.log.states() == [], "that is not the receiver's fault"
    world.post.error = None
    world.pass_by(60)
    await until(lambda: world.state("m1") is DeliveryState.DELIVERED)
    assert not world.run.done()


async def test_an_unexpected_error_ends_the_loop_and_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher_module, "conclude", Mock(side_effect=RuntimeError("a bug")))
    world.accept("m1")

    with pytest.raises(RuntimeError, match="a bug"):
        await asyncio.wait_for(world.run, 10)

    assert not world.is_free("m1")


# Places


async def test_a_new_endpoint_has_one_place_and_then_its_own_concurrency(world: World) -> None:
    gate = world.post.hold(url())
    world.accept(*(f"m{n}" for n in range(6)))
    await world.until_got(1)
    await settle()
    assert world.post.under_way[url()] == 1

    gate.set()
    await world.until_recorded(*(f"m{n}" for n in range(6)))
    assert world.post.most[url()] <= 3

    gate.clear()
    world.accept(*(f"n{n}" for n in range(6)))
    await until(lambda: world.post.under_way[url()] == 3)
    await settle()
    assert world.post.under_way[url()] == 3
    gate.set()
    await world.until_recorded(*(f"n{n}" for n in range(6)))
    assert sorted(world.post.ids()) == sorted({f"{k}{n}" for k in "mn" for n in range(6)})


async def test_receivers_that_hang_leave_the_places_of_the_others_alone(world: World) -> None:
    """Not for a moment: they have not answered yet, so they have places of their own."""
    hanging = [f"h{n}" for n in range(30)]
    world.accept("first")
    await world.until_recorded("first")
    world.post.hold(*map(url, hanging))
    world.set(*map(endpoint, hanging))
    for key in hanging:
        world.accept(f"m-{key}", endpoint_id=key)
    await settle()

    world.accept(*(f"fine{n}" for n in range(10)))
    await world.until_recorded(*(f"fine{n}" for n in range(10)))

    assert 0 < sum(world.post.under_way[url(key)] for key in hanging) <= 4


async def test_what_takes_long_frees_its_place_and_its_offset(world: World) -> None:
    world.accept("first")
    await world.until_recorded("first")
    keys = [f"h{n}" for n in range(4)]
    gate = world.post.hold(*map(url, keys))
    world.set(*map(endpoint, keys))
    for key in keys:
        world.accept(f"m-{key}", endpoint_id=key)
    await world.until_got(5)
    assert not world.is_free("m-h0")

    world.pass_by(SLOW_S)
    await until(lambda: world.is_free("m-h0"))

    assert world.state("m-h0") is DeliveryState.PENDING
    assert world.dispatcher.lanes.fresh_ids & {"m-h0"}, (
        "its alert, if it comes again, is no other one"
    )
    world.accept("more")
    await world.until_recorded("more")
    gate.set()
    await world.until_recorded("m-h0", "m-h3")
    assert world.post.ids(url("h0")) == ["m-h0"], "its record did not make it begin again"
    assert world.state("m-h0") is DeliveryState.DELIVERED


async def test_no_more_hang_at_once_than_there_are_slow_places(world: World) -> None:
    keys = [f"h{n}" for n in range(9)]
    gate = world.post.hold(*map(url, keys))
    world.set(*map(endpoint, keys))
    for key in keys:
        world.accept(f"m-{key}", endpoint_id=key)
    for _ in range(5):
        await settle()
        world.pass_by(SLOW_S)
    await settle()

    assert world.post.under_way["all"] == 4
    gate.set()
    for _ in range(5):
        world.pass_by(SLOW_S)
        await settle(200)
    await world.until_recorded(*(f"m-{key}" for key in keys))


async def test_a_result_that_came_in_time_is_not_followed_by_the_record_of_a_slow_one(
    world: World,
) -> None:
    """A pending record behind the ended one would have it sent again.

    The result is there and the task has ended, but what follows its end has not run yet.
    """
    gate = world.post.hold(url())
    add = world.recorder.add

    def and_at_once_a_turn(entry: Entry) -> None:
        add(entry)
        if entry.attempt is not None:
            world.clock.pass_by(SLOW_S)
            world.dispatcher._turn()

    world.recorder.add = and_at_once_a_turn  # type: ignore[method-assign]
    world.accept("m1")
    await world.until_got(1)
    gate.set()
    await world.until_recorded("m1")

    assert [one.state for one in world.log.deliveries("m1")] == [DeliveryState.DELIVERED]
    assert world.post.ids() == ["m1"]


async def test_alerts_wait_outside_when_there_is_no_room(world: World) -> None:
    gate = world.post.hold(url())
    world.accept(*(f"m{n}" for n in range(21)))
    coming = asyncio.create_task(world.dispatcher.room())
    await settle()
    assert not coming.done()

    gate.set()
    await asyncio.wait_for(coming, 10)


async def test_what_waits_too_long_in_memory_is_written_down_and_frees_its_alert(
    world: World,
) -> None:
    world.post.hold(url())
    world.accept("m1", "m2", "m3")
    await world.until_got(1)

    world.pass_by(FRESH_S)
    await until(lambda: world.is_free("m3"))

    assert {one.id: one.state for one in world.log.deliveries()} == dict.fromkeys(
        ["m1", "m2", "m3"], DeliveryState.PENDING
    )
    assert not world.dispatcher.lanes.fresh_ids & {"m3"}
    assert world.dispatcher.lanes.fresh == 0


async def test_what_waits_in_memory_is_written_down_sooner_while_it_takes_up_the_room(
    world: World,
) -> None:
    world.post.hold(url())
    world.accept(*(f"m{number}" for number in range(11)))
    await world.until_got(1)
    assert world.dispatcher.lanes.fresh == 10  # half of the room
    world.pass_by(CROWDED_S)
    await settle(20)
    assert world.dispatcher.lanes.fresh == 10

    world.accept("m11")
    world.pass_by(CROWDED_S)
    await until(lambda: world.is_free("m10"))
    assert world.dispatcher.lanes.fresh == 0


async def test_a_crowd_of_endpoints_not_proven_is_asked_a_few_at_a_time(world: World) -> None:
    crowd = [f"e{number}" for number in range(UNSURE_A_TURN + 3)]
    world.dispatcher._places = Places(100, 4)
    for key in crowd:
        world.set(endpoint(key))
        world.post.hold(url(key))
        world.accept(f"m_{key}", endpoint_id=key)
    world.dispatcher._turn()
    assert world.dispatcher._places.quick.total() == UNSURE_A_TURN
    await world.until_got(len(crowd))


async def test_those_that_failed_are_asked_one_after_the_other(world: World) -> None:
    crowd = [f"e{number}" for number in range(3)]
    for key in crowd:
        world.set(endpoint(key))
        world.dispatcher.lanes.lane(key).trust = Trust.DOUBTED
        world.post.hold(url(key))
        world.accept(f"m_{key}", endpoint_id=key)
    world.dispatcher._places = Places(100, 4)
    world.dispatcher._turn()
    assert world.dispatcher._places.quick[Trust.DOUBTED] == 1
    await world.until_got(len(crowd))


async def test_less_of_the_backlog_is_under_way_while_the_loop_is_late(world: World) -> None:
    dispatcher = world.dispatcher
    places = dispatcher._places = Places(100, 4)
    for _ in range(10):
        places.note_late(2 * LATE_S)
    assert places.most_backlog == LEAST_BACKLOG
    ids = [f"e{number}" for number in range(LEAST_BACKLOG + 2)]
    world.set(*(endpoint(key) for key in ids))
    gate = world.post.hold(*(url(key) for key in ids))
    world.put(*(world.delivery(f"m_{key}", key) for key in ids))
    await world.until_got(LEAST_BACKLOG)
    await settle(20)
    assert len(world.post.got) <= LEAST_BACKLOG + 1  # it has been in time once or twice since
    world.accept("fresh")
    await world.until_got(1, url())

    for _ in range(4 * 100):
        places.note_late(0.0)
    assert places.most_backlog == 100
    dispatcher.wake()
    await world.until_got(len(ids) + 1)
    assert places.backlog == len(ids)
    gate.set()
    await world.until_recorded(*(f"m_{key}" for key in ids))
    assert places.backlog == 0


# Order, rate


async def test_strict_order_is_kept_through_failures(world: World) -> None:
    world.set(endpoint(order=Order.STRICT, retry_schedule_s=(5.0,) * 4))
    world.post.answers[url()] = [Answer(200), Answer(500), Answer(500)]
    world.accept("m1", "m2", "m3")

    for attempts in (1, 2, 3):
        await world.until_recorded("m2", attempts=attempts)
        await settle(200)
        world.pass_by(6)
    await world.until_recorded("m3")

    assert world.post.ids() == ["m1", "m2", "m2", "m2", "m3"]
    assert world.post.most[url()] == 1


async def test_in_no_order_one_that_failed_lets_the_others_pass(world: World) -> None:
    world.post.answers[url()] = [Answer(500)]
    world.accept("m1", "m2")
    await world.until_recorded("m2")
    world.pass_by(6)
    await world.until_recorded("m1", attempts=2)

    assert world.post.ids() == ["m1", "m2", "m1"]


async def test_a_rate_is_kept_and_what_is_only_ended_does_not_use_it_up(world: World) -> None:
    world.set(endpoint(rate_per_s=0.1, disabled=True))
    world.put(*(world.delivery(f"gone{n}") for n in range(30)))
    await until(lambda: len(world.log.letters()) == 30)
    world.set(endpoint(rate_per_s=0.1))

    world.accept("m1", "m2")
    await world.until_recorded("m1")
    assert world.post.ids() == ["m1"]
    await settle(200)
    world.pass_by(9)
    await settle(200)
    assert world.post.ids() == ["m1"]
    world.pass_by(1.5)
    await world.until_recorded("m2")


async def test_retry_after_silences_the_endpoint_not_only_the_delivery(world: World) -> None:
    world.post.answers[url()] = [Answer(429, "600")]
    world.accept("m1", "m2")
    await world.until_recorded("m1")
    world.accept("m3")
    world.pass_by(590)
    await settle(200)
    assert world.post.ids() == ["m1"]

    world.pass_by(15)
    await world.until_recorded("m2", "m3")
    await world.until_recorded("m1", attempts=2)
    assert world.log.states() == [], "who asks for time is there"


async def test_retry_after_silences_for_an_hour_at_most(world: World) -> None:
    world.post.answers[url()] = [Answer(429, "999999")]
    world.accept("m1", "m2")
    await world.until_recorded("m1")
    await settle(200)
    world.pass_by(3_601)
    await world.until_recorded("m2")


# Endpoints come, change and go


async def test_a_paused_endpoints_deliveries_wait_and_go_on(world: World) -> None:
    world.set(endpoint(paused=True))
    world.accept("m1", "m2")
    await until(lambda: world.is_free("m1") and world.is_free("m2"))
    world.pass_by(86_400)
    await settle(200)
    assert world.post.got == []

    world.set(endpoint())
    await world.until_recorded("m1", "m2")
    assert world.post.ids() == ["m1", "m2"]


async def test_a_disabled_endpoints_deliveries_are_given_up(world: World) -> None:
    world.set(endpoint(disabled=True))
    with structlog.testing.capture_logs() as lines:
        world.accept("m1")
        await world.until_recorded("m1")

    [attempt] = world.log.attempts()
    assert (attempt.reason, attempt.status, attempt.to) == (AttemptReason.DISABLED, None, "")
    assert attempt.detail == "the endpoint is disabled (by_hand)"
    assert world.log.letters()[0].reason is DeadReason.DISABLED
    assert world.post.got == []
    assert [line["log_level"] for line in lines] == ["debug"]


async def test_a_deleted_endpoints_deliveries_are_given_up_waiting_or_in_memory(
    world: World,
) -> None:
    world.set(endpoint(paused=True))
    world.accept("m1")
    await until(lambda: world.is_free("m1"))

    world.delete("a")
    world.accept("m2")
    await world.until_recorded("m1", "m2")

    assert {letter.reason for letter in world.log.letters()} == {DeadReason.NO_ENDPOINT}
    assert {one.detail for one in world.log.attempts()} == {"the endpoint was deleted"}
    assert world.post.got == []


async def test_an_endpoint_that_is_only_just_read_is_not_taken_for_deleted(world: World) -> None:
    world.late.append(endpoint("new"))
    world.accept("m1", endpoint_id="new")
    await world.until_recorded("m1")

    assert world.state("m1") is DeliveryState.DELIVERED


@pytest.mark.parametrize(
    ("fields", "most"),
    [({"order": Order.STRICT}, 1), ({"concurrency": 2}, 2), ({"paused": True}, 0)],
)
async def test_an_endpoint_that_is_only_just_read_is_asked_as_it_wants_it(
    world: World, fields: dict[str, Any], most: int
) -> None:
    world.late.append(endpoint("new", **fields))
    keys = [f"m{n}" for n in range(6)]
    world.accept(*keys, endpoint_id="new")
    if most:
        await world.until_recorded(*keys)
    else:
        await until(lambda: all(map(world.is_free, keys)))
        await settle(200)

    assert world.post.most[url("new")] <= most
    if "order" in fields:
        assert world.post.ids() == keys
    assert world.log.letters() == []


async def test_unverified_endpoints_are_sent_the_question_alone(world: World) -> None:
    asked = endpoint(verification=Verification.PING)
    world.set(asked)
    world.accept("m1")
    challenge = "challenge_1"
    world.post.answers[url()] = [
        Answer(200, head="no"),
        Answer(200, head=json.dumps({"challenge": challenge})),
    ]
    notice = Notice(
        type=NoticeType.ENDPOINT_VERIFY, endpoint_id="a", challenge=challenge, at=world.clock()
    )
    world.put(world.delivery("verify", alert=None, notice=notice, alert_id=""))
    await world.until_recorded("verify")
    assert world.post.ids() == ["verify"]
    state = world.states.get("a")
    assert state is not None
    assert state.unverified_detail
    assert state.failing_since is None, "it is not failing, it has not proved itself"

    world.pass_by(6)
    await world.until_recorded("verify", attempts=2)
    await world.until_recorded("m1")

    assert world.post.ids() == ["verify", "verify", "m1"]
    assert is_verified(asked, world.states.get("a"))
    assert is_verified(asked, world.log.states()[-1])


async def test_a_test_is_sent_to_a_paused_or_disabled_endpoint_and_says_nothing_of_it(
    world: World,
) -> None:
    notice = Notice(type=NoticeType.ENDPOINT_TEST, endpoint_id="a", at=AT)
    world.post.always[url()] = Answer(500)
    for number, fields in enumerate(({"paused": True}, {"disabled": True})):
        world.set(endpoint(**fields))
        world.put(world.delivery(f"test{number}", alert=None, alert_id="", notice=notice))
        await world.until_recorded(f"test{number}")

    assert world.post.ids() == ["test0", "test1"]
    assert world.log.states() == []


# Who is not there


async def test_the_circuit_opens_is_written_down_and_closes_again(world: World) -> None:
    world.post.always[url()] = NOBODY
    world.accept(*(f"m{n}" for n in range(OPEN_AFTER + 3)))
    await until(lambda: len(world.log.attempts()) == OPEN_AFTER)
    await settle(200)
    assert len(world.post.got) == OPEN_AFTER

    opened = world.log.states()[-1]
    assert (opened.breaker, opened.failures) == (Breaker.OPEN, OPEN_AFTER)
    assert [state.breaker for state in world.log.states()] == [Breaker.CLOSED, Breaker.OPEN]
    world.post.always.clear()
    world.pass_by(11)
    await until(lambda: world.log.states()[-1].breaker is Breaker.CLOSED)
    await until(lambda: len(world.post.got) >= OPEN_AFTER + 3)


async def test_410_disables_the_endpoint_and_tells_who_asked_for_it(world: World) -> None:
    watcher = endpoint("w", events=(OperationalEvent.ENDPOINT_DISABLED,))
    world.set(watcher)
    world.post.answers[url()] = [Answer(410)]
    with structlog.testing.capture_logs() as lines:
        world.accept("m1", "m2")
        await world.until_recorded("m1", "m2")
        world.pass_by(1)
        await world.until_got(1, url("w"))

    state = world.log.states()[-1]
    assert disabled_by(endpoint(), state) is DisabledReason.GONE
    assert [letter.reason for letter in world.log.letters()] == [
        DeadReason.REJECTED,
        DeadReason.DISABLED,
    ]
    assert world.post.ids(url()) == ["m1"]
    [told] = [one for one in world.post.got if one.url == url("w")]
    assert json.loads(told.body)["type"] == "endpoint.disabled"
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == [
        "endpoint disabled",
        "delivery given up",
    ]


async def test_several_that_were_under_way_when_it_was_disabled_tell_it_once(
    world: World,
) -> None:
    world.set(endpoint("w", events=(OperationalEvent.ENDPOINT_DISABLED,)))
    world.accept("first")
    await world.until_recorded("first")
    gate = world.post.hold(url())
    world.post.always[url()] = Answer(410)
    world.accept("m1", "m2", "m3")
    await world.until_got(4, url())
    gate.set()
    await world.until_recorded("m1", "m2", "m3")
    world.pass_by(1)
    await world.until_got(1, url("w"))
    await settle(200)

    assert len(world.post.ids(url("w"))) == 1


async def test_enabled_by_hand_and_disabled_again_it_is_told_again(world: World) -> None:
    world.set(endpoint("w", events=(OperationalEvent.ENDPOINT_DISABLED,)))
    world.post.always[url()] = Answer(410)
    world.accept("m1")
    await world.until_recorded("m1")
    world.pass_by(60)
    world.set(endpoint(enabled_at=world.clock()))
    world.pass_by(60)
    world.accept("m2")
    await world.until_recorded("m2")
    world.pass_by(1)
    await world.until_got(2, url("w"))

    assert world.post.ids(url()) == ["m1", "m2"]
    assert len(set(world.post.ids(url("w")))) == 2


async def test_five_days_of_failures_disable_and_enabling_begins_anew(world: World) -> None:
    world.set(endpoint(retry_schedule_s=(43_200.0,) * 30))
    world.post.always[url()] = Answer(500)
    world.accept("m1")
    for attempts in range(1, 12):
        await world.until_recorded("m1", attempts=attempts)
        world.pass_by(43_200 * 1.1)
    await until(lambda: world.state("m1") is DeliveryState.DEAD)

    state = world.log.states()[-1]
    assert state.disabled_reason is DisabledReason.FAILING
    assert world.log.letters()[-1].reason is DeadReason.DISABLED

    world.set(endpoint(enabled_at=world.clock()))
    world.accept("m2")
    await world.until_recorded("m2")
    assert world.state("m2") is DeliveryState.PENDING
    found = world.states.get("a")
    assert found is not None
    assert (found.failures, found.breaker) == (1, Breaker.CLOSED)


async def test_what_is_exhausted_is_told_once_an_hour_and_not_of_notices(world: World) -> None:
    world.set(
        endpoint(retry_schedule_s=()),
        endpoint("w", retry_schedule_s=(), events=(OperationalEvent.DELIVERY_EXHAUSTED,)),
        endpoint("v", events=(OperationalEvent.DELIVERY_EXHAUSTED,)),
    )
    world.post.always |= {url(): Answer(404), url("w"): Answer(404)}
    world.accept("m1", "m2")
    await world.until_recorded("m1", "m2")
    await world.until_got(1, url("w"))
    await world.until_got(1, url("v"))
    await settle(200)

    world.accept("m4")
    await world.until_recorded("m4")
    world.pass_by(1)
    await settle(200)
    assert len(world.post.ids(url("w"))) == 1
    [told] = [one for one in world.post.got if one.url == url("v")]
    body = json.loads(told.body)
    assert body["type"] == "delivery.exhausted"
    assert "m1" in told.body.decode()

    world.pass_by(3_600)
    world.accept("m3")
    await world.until_got(2, url("v"))


# Kafka away, partitions given up, restarts


async def test_with_kafka_away_no_more_is_made_than_can_be_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher_module, "MOST_UNRECORDED", 10)
    assert MOST_UNRECORDED == 2_000
    world.accept("m")
    await world.until_recorded("m")
    world.log.go_away()
    for number in range(19):
        world.accept(f"m{number}")
        await settle(5)

    assert len(world.post.got) <= 1 + 10 + 3
    assert world.dispatcher.lanes.fresh < world.settings.notify_fresh_alerts
    coming = asyncio.create_task(world.dispatcher.room())
    await settle(200)
    assert not coming.done(), "nor are more alerts taken in"

    world.log.come_back()
    await coming
    await world.until_recorded(*(f"m{number}" for number in range(19)))
    assert sorted(world.post.ids()) == sorted(["m", *(f"m{number}" for number in range(19))])


async def test_drain_lets_those_in_hand_finish_and_begins_nothing(world: World) -> None:
    world.accept("first")
    await world.until_recorded("first")
    gate = world.post.hold(url())
    world.accept(*(f"m{n}" for n in range(5)))
    await world.until_got(1 + 3)

    draining = asyncio.create_task(world.dispatcher.drain(10))
    await settle()
    gate.set()
    await draining

    begun = world.post.ids()[1:]
    assert len(begun) == 3
    assert all(world.state(key) is DeliveryState.DELIVERED for key in begun)
    assert all(world.is_free(key) == (key in begun) for key in (f"m{n}" for n in range(5)))
    assert world.dispatcher.lanes.fresh == 0
    assert not world.dispatcher.lanes.fresh_ids & {"m4"}


async def test_what_drain_breaks_off_is_repeated_by_whoever_is_next(world: World) -> None:
    gate = world.post.hold(url())
    world.put(world.delivery("old"))
    world.accept("m1")
    await world.until_got(1)

    await world.dispatcher.drain(0.01)

    assert world.log.attempts() == []
    assert not world.is_free("m1")
    assert world.outbox.count(DeliveryState.PENDING) == 1
    gate.set()
    world.dispatcher.resume()
    await world.until_recorded("old")
    assert world.post.ids() == ["old", "old"]


async def test_drain_does_not_wait_for_ever_for_kafka_and_what_is_written_late_counts(
    world: World,
) -> None:
    world.accept("m1")
    await world.until_recorded("m1")
    world.log.go_away()
    world.accept("m2")
    await world.until_got(2)
    with structlog.testing.capture_logs() as lines:
        await world.dispatcher.drain(0)
    assert [line["log_level"] for line in lines if "in time" in line["event"]] == ["warning"]
    assert not world.is_free("m2")

    world.log.come_back()
    await world.until_recorded("m2")
    assert world.outbox.get("m2") is not None


async def test_whoever_waits_for_room_is_let_go_by_a_drain_and_not_held_again(
    world: World,
) -> None:
    """They hold what has to be given up: to wait here would be to wait for ever."""
    world.post.hold(url())
    world.accept(*(f"m{n}" for n in range(25)))
    coming = asyncio.create_task(world.dispatcher.room())
    await until(lambda: len(world.post.got) == 1)
    draining = asyncio.create_task(world.dispatcher.drain(10))

    await asyncio.wait_for(coming, 5)
    assert not draining.done()
    await asyncio.wait_for(world.dispatcher.room(), 5)
    world.post.held[url()].set()
    await draining
    world.accept(*(f"n{n}" for n in range(25)))
    await asyncio.wait_for(world.dispatcher.room(), 10)

    assert not world.dispatcher.lanes.fresh_ids & {"n1"}, "it is read again by whoever is next"
    assert not world.is_free("n1")


async def test_after_a_restart_all_that_waited_goes_out_in_order(world: World) -> None:
    world.set(endpoint(order=Order.STRICT))
    world.post.always[url()] = NOBODY
    world.accept("m1", "m2", "m3")
    await world.until_recorded("m1")
    world.pass_by(FRESH_S)
    await until(lambda: world.is_free("m3"))
    await world.stop()

    world.post.always.clear()
    world.start()
    world.set(endpoint(order=Order.STRICT))
    await settle(100)
    world.pass_by(10)
    await world.until_recorded("m2", "m3")

    assert world.post.ids() == ["m1", "m1", "m2", "m3"]


async def test_what_another_writes_into_our_partitions_is_sent(world: World) -> None:
    """A digest, a notice of another worker, a resend: it comes through the outbox."""
    world.recorder.add(Entry((world.delivery("m1"),)))
    await world.until_recorded("m1")
    at = Position(0, world.log.end())
    other = world.delivery("m2")
    world.outbox.apply([Received(at, DELIVERIES.key(other), other)])
    await world.until_recorded("m2")

    assert world.post.ids() == ["m1", "m2"]


# What it shows


async def test_the_gauges_tell_of_the_backlog(world: World) -> None:
    world.post.hold(url())
    world.set(endpoint("p", paused=True))
    world.accept("m1", "m2")
    world.accept("p1", endpoint_id="p")
    held = world.delivery("h1", state=DeliveryState.HELD, due_at=AT + timedelta(hours=1))
    world.put(held)
    await world.until_got(1)
    world.pass_by(SLOW_S)
    await until(lambda: world.is_free("m1"))
    await until(lambda: world.value("held_deliveries") == 1)
    await until(lambda: world.value("attempts_under_way", pace="slow") == 1)

    assert world.value("attempts_under_way", pace="quick") == 0
    assert world.value("pending_deliveries") == 3


async def test_a_loop_that_does_not_turn_is_a_problem(world: World) -> None:
    assert world.dispatcher.problem() is None
    world.run.cancel()
    await asyncio.gather(world.run, return_exceptions=True)
    world.dispatcher._turned_at -= 31

    assert world.dispatcher.problem() == "no turn for 31 s"
