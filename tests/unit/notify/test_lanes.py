"""Who waits and whose turn it is: lanes over a real outbox, first step by step, then at random."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec.structs import replace

from fakes.notify import NOBODY, OK, FakeClock
from wirewatch.notify import lanes as lanes_module
from wirewatch.notify.lane import BURY_AT_ONCE, Job, Trust, pace
from wirewatch.notify.lanes import (
    BEHIND_S,
    FLOW_FRESH,
    LANE_FRESH,
    LOAD,
    OUTBOX_EVERY_S,
    TICK,
    Lanes,
    Views,
)
from wirewatch.notify.ledger import Ledger
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.outcome import Answer, Failure, NoAnswer
from wirewatch.notify.retry import FREE_RETRY_AFTER
from wirewatch.notify.states import States
from wirewatch.notify.verdict import Tried, conclude
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.projection import MemoryTable
from wirewatch.topics.alerts import Alert, ArticleDigest
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoint_states import Breaker, EndpointState
from wirewatch.topics.endpoints import Endpoint, Order, Verification

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EXPIRED = NoAnswer(AttemptReason.EXPIRED, "it failed for as long as the schedule lasts")


def endpoint(key: str, **fields: Any) -> Endpoint:
    url = f"https://{key}.example/"
    return Endpoint(id=key, url=url, created_at=AT, updated_at=AT, **fields)


def an_alert(key: str, endpoint_id: str, article: str) -> Alert:
    return Alert(
        id=key,
        endpoint_id=endpoint_id,
        subscription_id="sub_1",
        subscription_name="Panzer",
        query="panzer",
        article=ArticleDigest(
            id=article,
            story_id=article,
            revision=1,
            url="https://news.example/1",
            title="Werk",
            summary="",
            language="de",
            source="news.example",
            feed_id="feed_1",
            feed_title="Nachrichten",
            authors=(),
            published_at=AT,
            fetched_at=AT,
        ),
        proofs=(),
        found_at=AT,
    )


@dataclass
class World:
    """A worker as far as lanes see it: `alerts` and `topic` outlive a crash, nothing else does.

    What is to be written stands in `writing` until `write`; what was read and is in hand
    can be committed as the ledger says.
    """

    folder: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(AT))
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    alerts: list[tuple[str, str, str]] = field(default_factory=list)
    topic: list[Delivery] = field(default_factory=list)
    committed: int = 0
    begun: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin with what outlived the last run."""
        self.outbox = Outbox(self.folder / "box", self.clock)
        seen = self.outbox.resume_at(0) or 0
        self.outbox.apply(
            [Received(Position(0, n), one.id, one) for n, one in enumerate(self.topic)][seen:]
        )
        self.table: MemoryTable[EndpointState] = MemoryTable()
        self.states = States(self.table, timedelta(days=5))
        self.ledger = Ledger()
        self.writing: list[tuple[Delivery, Callable[[], None]]] = []
        self.running: list[Job] = []
        self.read = self.committed
        views = Views(self.endpoints.get, self.states.get)
        self.lanes = Lanes(self.outbox, views, 4, self.park)
        self.outbox.on_pending = self.lanes.note_pending
        self.lanes.begin()
        self.last = self.clock()

    def crash(self, *, wiped: bool = False) -> None:
        self.outbox.close()
        if wiped:
            shutil.rmtree(self.folder)
        self.start()

    # What comes in

    def set(self, *endpoints: Endpoint) -> None:
        for one in endpoints:
            self.endpoints[one.id] = one
            self.lanes.drop_loaded(one.id)
            self.lanes.touch(one.id)

    def find(self, endpoint_id: str, article: str | None = None) -> str:
        """Have an alert found, and return its delivery's key."""
        key = f"m{len(self.alerts)}"
        self.alerts.append((key, endpoint_id, article or f"art_{key}"))
        return key

    def take_in(self, most: int = 1_000, *, is_late: bool = False) -> None:
        """Read the next alerts, as `intake` does."""
        for number in range(self.read, min(self.read + most, len(self.alerts))):
            key, endpoint_id, article = self.alerts[number]
            self.ledger.take(0, number)
            self.read = number + 1
            if key in self.lanes.fresh_ids or self.outbox.known([key]):
                self.ledger.done(0, number)
                continue
            self.clock.now += TICK
            self.last = max(self.clock(), self.last + TICK)
            delivery = Delivery(
                id=key,
                endpoint_id=endpoint_id,
                alert_id=key,
                due_at=self.last,
                created_at=self.last,
                alert=an_alert(key, endpoint_id, article),
            )
            self.lanes.add(delivery, (0, number), self.clock.at, is_late=is_late)

    def tell(self, *endpoint_ids: str, count: int = 1) -> list[str]:
        keys = [self.find(one) for one in endpoint_ids for _ in range(count)]
        self.take_in()
        return keys

    def put(self, *deliveries: Delivery) -> None:
        """Let `deliveries` stand in the outbox."""
        for one in deliveries:
            self.topic.append(one)
            self.outbox.put(one, Position(0, len(self.topic) - 1))

    def commit(self) -> None:
        for offset in self.ledger.due().values():
            self.committed = offset

    # What goes out

    def take(self, *trusts: Trust) -> str | None:
        """Begin the next job of an endpoint of these trusts, all if none is given."""
        self.lanes.wake(self.clock.at)
        taken = (self.lanes.take(trust, self.clock.at) for trust in trusts or Trust)
        job = next((job for job in taken if job is not None), None)
        if job is None:
            return None
        about = self.endpoints.get(job.lane.endpoint_id)
        if about is not None:
            pace(job.lane, about, self.clock.at)
        self.running.append(job)
        self.begun.append(job.delivery.id)
        return job.delivery.id

    def take_all(self, *trusts: Trust) -> list[str]:
        found = []
        while (key := self.take(*trusts)) is not None:
            found.append(key)
        return found

    def job(self, key: str) -> Job:
        return next(job for job in self.running if job.delivery.id == key)

    def answer(self, key: str, result: Answer | NoAnswer = OK) -> DeliveryState:
        """End the request of the delivery; its record is on its way then."""
        job = self.job(key)
        self.running.remove(job)
        failure = Failure(result.reason, "") if isinstance(result, NoAnswer) else None
        about = self.endpoints.get(job.lane.endpoint_id)
        tried = Tried(result, failure, self.clock(), timedelta(0))
        after = conclude(tried, job.delivery, about).delivery
        job.lane.trust = Trust.PROVEN if failure is None else Trust.DOUBTED
        if about is not None and job.delivery.notice is None:
            self.states.note(about, failure, self.clock())
        self.lanes.over(job)

        def done() -> None:
            self.settle(job)
            self.lanes.recorded(job)

        self.writing.append((after, done))
        return after.state

    def settle(self, job: Job) -> None:
        receipt, job.receipt = job.receipt, None
        if receipt is not None:
            self.ledger.done(*receipt)

    def park(self, job: Job) -> None:
        """As the dispatcher does it."""
        is_begun = job.begun_at > 0
        receipt, job.receipt = job.receipt, None

        def done() -> None:
            if receipt is not None:
                self.ledger.done(*receipt)
            if not is_begun:
                self.lanes.parked(job)

        self.writing.append((job.delivery, done))

    def write(self, most: int = 1_000_000) -> None:
        entries, self.writing = self.writing[:most], self.writing[most:]
        for delivery, _ in entries:
            self.put(delivery)
        for _, done in entries:
            done()

    def prove(self, *endpoint_ids: str) -> None:
        """Let each endpoint answer once."""
        keys = self.tell(*endpoint_ids)
        assert set(self.take_all()) == set(keys)
        for key in keys:
            self.answer(key)
        self.write()
        self.begun.clear()

    def parked(self) -> list[str]:
        """Return the ids of what is on its way into the outbox."""
        return [delivery.id for delivery, _ in self.writing]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "notify")
    world.set(endpoint("a"), endpoint("b"), endpoint("s", order=Order.STRICT))
    yield world
    world.outbox.close()


def check(key: str, endpoint_id: str, kind: NoticeType = NoticeType.ENDPOINT_TEST) -> Delivery:
    notice = Notice(type=kind, endpoint_id=endpoint_id, at=AT)
    return Delivery(id=key, endpoint_id=endpoint_id, due_at=AT, created_at=AT, notice=notice)


# Turns and places


def test_one_that_did_not_answer_yet_has_one_place_and_then_its_concurrency(world: World) -> None:
    keys = world.tell("a", count=10)

    assert world.take_all() == keys[:1]
    world.answer(keys[0])
    assert world.take_all() == keys[1:5]
    world.answer(keys[1], NOBODY)
    assert world.take_all() == [], "the last one failed"


def test_a_crowd_of_one_article_does_not_hold_up_another_article(world: World) -> None:
    crowd = [f"e{number}" for number in range(200)]
    world.set(*(endpoint(key) for key in crowd))
    for key in crowd:
        world.find(key, "art_crowd")
    lone = world.find("a", "art_lone")
    world.take_in()

    assert lone in [world.take(), world.take()]


def test_who_may_hang_has_turns_of_its_own(world: World) -> None:
    world.prove("a", "b")
    world.set(endpoint("new"))
    [failed] = world.tell("b")
    world.take()
    world.answer(failed, NOBODY)
    world.write()
    [fine, new, doubted] = world.tell("a", "new", "b")

    assert world.take_all(Trust.PROVEN) == [fine]
    assert world.take_all(Trust.NEW) == [new]
    assert world.take_all(Trust.DOUBTED) == [doubted]
    assert {job.delivery.id: job.trust for job in world.running} == {
        fine: Trust.PROVEN,
        new: Trust.NEW,
        doubted: Trust.DOUBTED,
    }


def test_who_was_failing_when_the_last_worker_ended_is_doubted_from_the_start(
    world: World,
) -> None:
    world.states.note(world.endpoints["b"], Failure(AttemptReason.TIMEOUT), AT)
    world.tell("a", "b")

    assert world.take_all(Trust.DOUBTED) == ["m1"]
    assert world.take_all(Trust.NEW) == ["m0"]


def test_what_waits_in_the_outbox_is_sent_after_a_restart_before_what_is_new(world: World) -> None:
    world.put(*(check(f"t{n}", "b") for n in range(2)))
    old = [
        Delivery(
            id=f"old{number}",
            endpoint_id="a",
            due_at=AT - timedelta(hours=3 - number),
            created_at=AT,
            alert=an_alert(f"old{number}", "a", "art"),
        )
        for number in range(3)
    ]
    world.put(*reversed(old))
    world.crash()
    [new] = world.tell("a")

    order = []
    while (key := world.take()) is not None:
        order.append(key)
        world.answer(key)
        world.write()

    assert [key for key in order if key[0] != "t"] == ["old0", "old1", "old2", new]
    assert sorted(key for key in order if key[0] == "t") == ["t0", "t1"]


def test_strict_order_outlives_a_worker_whose_clock_was_ahead(world: World) -> None:
    world.set(endpoint("a", order=Order.STRICT))
    first = replace(check("m_first", "a"), notice=None, alert=an_alert("m_first", "a", "art"))
    world.put(replace(first, due_at=AT + timedelta(seconds=40)))
    world.crash()
    later = world.tell("a", count=3)
    world.write()
    world.crash()
    later += world.tell("a")
    world.write()
    world.clock.pass_by(41)
    order = []
    while (key := world.take()) is not None:
        order.append(key)
        world.answer(key)
        world.write()

    assert order == ["m_first", *later]


def test_what_is_due_later_wakes_its_lane_then(world: World) -> None:
    later = replace(check("x", "a"), notice=None, alert=an_alert("x", "a", "art"))
    world.put(replace(later, due_at=AT + timedelta(seconds=30)))

    assert world.take_all() == []
    world.clock.pass_by(29.9)
    assert world.take_all() == []
    world.clock.pass_by(0.1)
    assert world.take_all() == ["x"]


def test_one_that_failed_lets_the_others_pass(world: World) -> None:
    world.prove("a")
    first, second = world.tell("a", count=2)
    world.take()
    world.answer(first, NOBODY)
    world.write()

    assert world.take_all() == [second]
    world.answer(second)
    world.clock.pass_by(6)
    assert world.take_all() == [first]


# What does not find room in memory


def test_a_lanes_overflow_is_parked_in_order_and_its_alerts_are_free(world: World) -> None:
    keys = world.tell("a", count=LANE_FRESH + 5)

    assert world.parked() == keys[LANE_FRESH:]
    assert world.lanes.fresh == LANE_FRESH
    assert set(keys) <= world.lanes.fresh_ids
    world.write()
    assert world.lanes.fresh_ids == set(keys[:LANE_FRESH])
    assert world.ledger.due() == {0: 0}

    order = []
    while (key := world.take()) is not None:
        order.append(key)
        world.answer(key)
        world.write()
    assert order == keys
    world.commit()
    assert world.committed == len(keys)


def test_a_flows_overflow_is_parked(world: World) -> None:
    many = [f"e{number}" for number in range(FLOW_FRESH + 3)]
    world.set(*(endpoint(key) for key in many))
    keys = [world.find(key, "art_crowd") for key in many]
    other = world.find("a", "art_other")
    world.take_in()

    assert world.parked() == keys[FLOW_FRESH:]
    assert world.lanes.fresh == FLOW_FRESH + 1
    assert other in world.lanes.fresh_ids


def test_while_alerts_wait_to_be_read_hardly_anything_that_was_put_off_is_begun(
    world: World,
) -> None:
    crowd = [f"e{number}" for number in range(5)]
    world.set(*(endpoint(key) for key in crowd))
    world.lanes.note_behind(world.clock.at)
    keys = [world.find(key, "art_crowd") for key in crowd]
    world.take_in(is_late=True)
    assert (world.lanes.late(), world.lanes.waiting("art_crowd")) == (5, 0)

    assert world.take_all() == keys[:1]
    [fresh] = world.tell("a")
    assert world.take_all() == [fresh]
    world.clock.pass_by(OUTBOX_EVERY_S)
    assert world.take_all() == [keys[1]]
    world.clock.pass_by(BEHIND_S)
    assert world.take_all() == keys[2:]
    assert world.lanes.late() == 0


def test_what_is_fresh_goes_before_what_was_put_off_for_the_same_endpoint(world: World) -> None:
    late = world.find("a", "art_crowd")
    world.take_in(is_late=True)
    [fresh] = world.tell("a")
    trust = world.lanes.lane("a").trust

    job = world.lanes.take(trust, world.clock.at, backlog=False)
    assert job is not None
    assert job.delivery.id == fresh
    assert world.lanes.take(trust, world.clock.at, backlog=False) is None
    world.lanes.over(job)
    world.lanes.recorded(job)
    job = world.lanes.take(trust, world.clock.at)
    assert job is not None
    assert job.delivery.id == late


def test_what_was_put_off_is_parked_alone_when_it_is_old(world: World) -> None:
    late = world.find("a", "art_crowd")
    world.take_in(is_late=True)
    world.clock.pass_by(1)
    [fresh] = world.tell("a")
    world.lanes.park_old(world.clock.at - 0.5)

    assert world.parked() == [late]
    job = world.lanes.take(world.lanes.lane("a").trust, world.clock.at, backlog=False)
    assert job is not None
    assert job.delivery.id == fresh


def test_nothing_of_an_endpoint_that_is_not_known_or_strict_may_be_passed(world: World) -> None:
    world.set(endpoint("s", order=Order.STRICT), endpoint("f"))

    assert [world.lanes.may_pass(key) for key in ("s", "f", "nobody")] == [False, True, False]


def test_what_waits_for_a_retry_does_not_date_what_comes_after_order_became_strict(
    world: World,
) -> None:
    world.set(endpoint("a", order=Order.STRICT))
    old = replace(check("m_old", "a"), notice=None, alert=an_alert("m_old", "a", "art"))
    world.put(replace(old, due_at=AT + timedelta(hours=24)))
    world.crash()
    [new] = world.tell("a")
    world.write()

    assert world.take() == new


def test_what_was_put_off_is_backlog(world: World) -> None:
    key = world.find("a")
    world.take_in(is_late=True)
    trust = world.lanes.lane("a").trust

    assert world.lanes.take(trust, world.clock.at, backlog=False) is None
    job = world.lanes.take(trust, world.clock.at)
    assert job is not None
    assert (job.delivery.id, job.is_backlog) == (key, True)


def test_without_the_backlog_only_lanes_with_something_fresh_are_served(world: World) -> None:
    world.prove("a", "b")
    world.put(
        Delivery(
            id="p1",
            endpoint_id="a",
            alert_id="p1",
            due_at=world.clock(),
            created_at=world.clock(),
            alert=an_alert("p1", "a", "art_p1"),
        )
    )
    assert world.lanes.take(Trust.PROVEN, world.clock.at, backlog=False) is None

    # It waits already, behind whatever else the outbox holds, and yet has its turn.
    world.tell("b")
    job = world.lanes.take(Trust.PROVEN, world.clock.at, backlog=False)
    assert job is not None
    assert (job.lane.endpoint_id, job.is_backlog) == ("b", False)
    world.tell("a")
    job = world.lanes.take(Trust.PROVEN, world.clock.at, backlog=False)
    assert job is not None
    assert (job.delivery.id, job.is_backlog) == ("p1", True)  # what is due first goes first


def test_what_grows_old_in_memory_is_parked(world: World) -> None:
    keys = world.tell("a", "b", count=2)
    world.take()
    world.clock.pass_by(2)
    young = world.tell("a")

    world.lanes.park_old(world.clock.at - 2)

    assert world.parked() == keys[1:]
    assert world.lanes.fresh == 1
    world.write()
    assert world.lanes.fresh_ids == {keys[0], *young}


def test_after_so_many_lanes_the_idle_ones_are_forgotten_and_the_busy_ones_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "MOST_LANES", 10)
    world.lanes._most_lanes = 10
    idle = [f"i{number}" for number in range(8)]
    world.set(*(endpoint(key) for key in [*idle, "busy", "asked"]))
    for key in world.tell(*idle):
        world.take_all()
        world.answer(key)
    world.write()
    [waits, under_way] = world.tell("busy", "asked")
    world.take_all()
    world.answer(waits, NOBODY)
    world.write()
    world.take_all()

    world.tell("a", "b")

    assert set(world.lanes._lanes) == {"busy", "asked", "a", "b"}
    world.answer(under_way)
    world.write()
    world.clock.pass_by(10)
    assert waits in world.take_all()


def test_many_lanes_in_which_something_waits_are_not_looked_through_for_each_new_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog of a hundred thousand endpoints at a start."""
    monkeypatch.setattr(lanes_module, "MOST_LANES", 10)
    world.lanes._most_lanes = 10
    looked = 0
    forget = world.lanes._forget_idle

    def counted() -> None:
        nonlocal looked
        looked += 1
        forget()

    world.lanes._forget_idle = counted  # type: ignore[method-assign]
    for number in range(640):
        world.lanes.note_pending(f"e{number}", world.clock.at + 60, check=False)

    assert looked <= 7


# Strict order


def test_strict_is_one_after_the_other_and_a_failure_holds_the_rest(world: World) -> None:
    keys = world.tell("s", count=4)
    order = []
    failures = {keys[1]: 2}
    for _ in range(20):
        key = world.take()
        if key is None:
            world.clock.pass_by(400)
            continue
        assert world.take() is None
        order.append(key)
        failures[key] = failures.get(key, 0) - 1
        world.answer(key, NOBODY if failures[key] >= 0 else OK)
        assert world.take() is None, "what came of it is not written down yet"
        world.write()

    assert order == [keys[0], keys[1], keys[1], keys[1], keys[2], keys[3]]


def test_strict_order_holds_while_the_overflow_of_a_flow_is_being_written(world: World) -> None:
    """The lane itself is empty: what comes next must not be sent before what is on its way."""
    many = [f"e{number}" for number in range(FLOW_FRESH)]
    world.set(*(endpoint(key) for key in many))
    for key in many:
        world.find(key, "art_crowd")
    first = world.find("s", "art_crowd")
    second = world.find("s", "art_other")
    world.take_in()

    assert not {first, second} & set(world.take_all())
    world.write()
    assert first in world.take_all()
    world.answer(first)
    world.write()
    assert world.take_all() == [second]


def test_strict_order_holds_when_an_endpoint_is_resumed_while_what_waited_is_being_written(
    world: World,
) -> None:
    strict = world.endpoints["s"]
    world.set(replace(strict, paused=True))
    first, second = world.tell("s", count=2)
    world.take_all()
    world.set(strict)
    [third] = world.tell("s")

    assert world.take_all() == []
    world.write()
    order = []
    while (key := world.take()) is not None:
        order.append(key)
        world.answer(key)
        world.write()
    assert order == [first, second, third]


def test_strict_order_holds_when_what_is_old_is_parked(world: World) -> None:
    first = world.tell("s")[0]
    world.clock.pass_by(3)
    second = world.tell("s")[0]
    world.lanes.park_old(world.clock.at - 2)

    assert world.take_all() == []
    world.write()
    assert world.take_all() == [first]
    world.answer(first)
    world.write()
    assert world.take_all() == [second]


def test_strict_order_holds_over_a_crash_when_only_what_comes_next_was_written_down(
    world: World,
) -> None:
    many = [f"e{number}" for number in range(FLOW_FRESH)]
    world.set(*(endpoint(key) for key in many))
    [first] = world.tell("s")
    assert world.take_all() == [first]
    for key in [*many, "s"]:
        second = world.find(key, "art_crowd")
    world.take_in()
    world.write()

    world.crash()
    assert second not in world.take_all()


def test_strict_order_holds_over_a_crash_with_an_overflow(world: World) -> None:
    """What is in the topic is sent before alerts are read again: none may have been left behind."""
    keys = world.tell("s")
    assert world.take_all() == keys, "it is in hand when the rest is written down"
    keys += world.tell("s", count=LANE_FRESH + 3)
    more = world.tell("s", count=3)
    world.write()
    world.commit()

    world.crash()
    order = world.take_all()
    world.take_in()
    while (key := world.take()) is not None or order:
        if key is not None:
            order.append(key)
        if not world.running:
            break
        world.answer(order[-1])
        world.write()

    assert order == [*keys, *more]


def test_the_head_of_a_strict_lane_waits_over_a_restart(world: World) -> None:
    first, second = world.tell("s", count=2)
    world.take()
    world.answer(first, NOBODY)
    world.write()
    world.crash()
    world.take_in()

    assert world.take_all() == []
    world.clock.pass_by(6)
    assert world.parked() == [second]
    assert world.take_all() == [first]
    world.answer(first)
    world.write()
    assert world.take_all() == [second]


def test_where_order_is_no_longer_strict_nothing_waits_for_the_head(world: World) -> None:
    first, second = world.tell("s", count=2)
    world.take()
    world.answer(first, NOBODY)
    world.write()

    world.set(endpoint("s"))

    assert world.take_all() == [first], "once more at once, and not in hours"
    world.answer(first)
    world.write()
    assert world.take_all() == [second]


# Who is not there, and who does not want it now


def test_a_paused_endpoints_deliveries_wait_on_disk_in_order(world: World) -> None:
    world.set(endpoint("s", order=Order.STRICT, paused=True), endpoint("a", paused=True))
    keys = world.tell("s", "a", count=3)

    assert world.take_all() == []
    world.write()
    assert world.lanes.fresh == 0
    world.commit()
    assert world.committed == len(keys)
    world.clock.pass_by(86_400 * 30)
    assert world.take_all() == [], "and for as long as it is paused"

    world.set(endpoint("s", order=Order.STRICT))
    order = []
    while (key := world.take()) is not None:
        order.append(key)
        world.answer(key)
        world.write()
    assert order == keys[:3]


def test_what_was_in_memory_when_it_was_paused_is_parked(world: World) -> None:
    keys = world.tell("a", count=5)
    world.take()
    world.set(endpoint("a", paused=True))

    assert world.take_all() == []
    world.answer(keys[0])
    assert world.take_all() == []
    world.write()
    assert world.lanes.fresh == 0
    assert world.outbox.count(DeliveryState.PENDING) == 4


@pytest.mark.parametrize(
    "fields",
    [
        {"paused": True},
        {"verification": Verification.PING},
        {"order": Order.STRICT},
        {"disabled": True},
    ],
)
def test_checks_pass_while_others_wait(world: World, fields: dict[str, Any]) -> None:
    world.set(endpoint("s", order=Order.STRICT))
    head = world.tell("s", count=2)[0]
    world.take()
    world.answer(head, NOBODY)
    world.write()
    world.set(endpoint("s", **fields))
    world.put(check("test", "s"), check("verify", "s", NoticeType.ENDPOINT_VERIFY))

    order = []
    for _ in range(2):
        order.append(world.take())
        world.answer(order[-1])
        world.write()

    assert sorted(order) == ["test", "verify"]


@pytest.mark.parametrize("shut", ["quiet", "open"])
def test_checks_pass_while_the_endpoint_is_left_alone(world: World, shut: str) -> None:
    lane = world.lanes.lane("a")
    if shut == "quiet":
        lane.quiet_until = world.clock.at + 600
    else:
        for _ in range(8):
            world.states.note(world.endpoints["a"], Failure(AttemptReason.CONNECT), AT)
    waits = world.tell("a")[0]
    world.put(check("test", "a"))

    assert world.take_all() == ["test"]
    world.answer("test")
    world.write()
    assert world.take_all() == []
    world.clock.pass_by(700)
    assert waits in world.take_all()


def test_checks_of_a_paused_endpoint_go_one_at_a_time(world: World) -> None:
    world.set(endpoint("a", paused=True))
    world.put(*(check(f"t{number}", "a") for number in range(3)))

    assert len(world.take_all()) == 1
    assert world.take_all() == []


def test_all_that_waits_for_an_endpoint_that_is_gone_is_ended_some_at_once(world: World) -> None:
    keys = world.tell("a", count=40)
    del world.endpoints["a"]
    world.lanes.touch("a")

    assert world.take_all() == keys[:BURY_AT_ONCE]
    for key in keys:
        world.answer(key, NoAnswer(AttemptReason.NO_ENDPOINT, "deleted"))
        world.take_all()
    world.write()
    assert world.outbox.count(DeliveryState.PENDING) == 0
    assert world.lanes.fresh_ids == set()


def test_all_that_waits_for_a_disabled_endpoint_is_ended_though_its_head_had_to_wait(
    world: World,
) -> None:
    keys = world.tell("s", count=3)
    world.take()
    world.answer(keys[0], NOBODY)
    world.write()

    world.set(endpoint("s", order=Order.STRICT, disabled=True))

    assert sorted(world.take_all()) == keys


def test_an_open_circuit_lets_one_pass_at_each_end_of_its_time(world: World) -> None:
    keys = world.tell("a", count=20)
    for _ in range(5):
        [key] = world.take_all()
        world.answer(key, NOBODY)
        world.write()
    assert world.take_all() == []
    state = world.states.get("a")
    assert state is not None
    assert state.breaker is Breaker.OPEN

    for probe in range(3):
        world.write()
        assert world.lanes.fresh == 0, "they wait on disk meanwhile"
        state = world.states.get("a")
        assert state is not None
        assert state.probe_at is not None
        world.clock.now = state.probe_at
        [key] = world.take_all()
        world.answer(key, NOBODY if probe < 2 else OK)
        world.write()

    assert len(world.take_all()) == 4
    assert set(world.begun) <= set(keys)


def test_what_waited_longer_than_its_schedule_lasts_is_given_up_where_nobody_answers(
    world: World,
) -> None:
    world.set(endpoint("a", retry_schedule_s=(7_200.0,)))
    keys = world.tell("a", count=LOAD + 4)
    for _ in range(6):
        world.states.note(world.endpoints["a"], Failure(AttemptReason.CONNECT), AT)
    assert world.take_all() == []
    world.write()

    world.clock.pass_by(7_201)
    state = world.states.get("a")
    world.states._newer["a"] = replace(state, probe_at=world.clock() + timedelta(minutes=5))
    world.lanes.touch("a")

    assert world.take_all() == keys[:LOAD]
    assert all(job.is_expired for job in world.running)
    for key in keys:
        world.answer(key, EXPIRED)
        world.write()
        world.take_all()
    assert world.outbox.count(DeliveryState.PENDING) == 0


def test_nothing_is_given_up_because_the_rate_lets_it_wait(world: World) -> None:
    world.set(endpoint("a", retry_schedule_s=(), rate_per_s=0.1))
    keys = world.tell("a", count=3)
    world.take_all()
    world.answer(keys[0])
    world.take_all()
    world.write()

    world.clock.pass_by(FREE_RETRY_AFTER.total_seconds())
    world.lanes.touch("a")
    assert world.take_all() == [keys[1]]
    world.answer(keys[1])
    world.write()
    world.lanes.touch("a")
    assert world.take_all() == []
    world.clock.pass_by(10)
    assert world.take_all() == [keys[2]]
    assert not any(job.is_expired for job in world.running)


def test_a_backlog_older_than_its_schedule_is_sent_as_the_rate_allows(world: World) -> None:
    world.set(endpoint("a", retry_schedule_s=(5.0,), rate_per_s=0.1))
    keys = world.tell("a", count=4)
    world.take()
    world.take_all()
    world.write()
    world.answer(keys[0])
    world.write()
    world.clock.pass_by(2 * FREE_RETRY_AFTER.total_seconds())

    for key in keys[1:]:
        assert world.take_all() == [key]
        assert not world.job(key).is_expired
        world.answer(key)
        world.write()
        world.set(world.endpoints["a"])
        assert world.take_all() == [], "the rate shuts it now, old as the next one is"
        world.clock.pass_by(10)


def test_the_head_of_a_strict_lane_is_not_given_up_while_it_still_has_a_turn(
    world: World,
) -> None:
    """It keeps its place in the order, so its age says nothing of when it was tried."""
    strict = endpoint("s", order=Order.STRICT, retry_schedule_s=(5.0,) * 3)
    world.set(strict)
    head = world.tell("s")[0]
    world.take()
    world.clock.pass_by(2 * FREE_RETRY_AFTER.total_seconds())
    world.answer(head, NOBODY)
    world.write()
    world.lanes.lane("s").quiet_until = world.clock.at + 600
    world.lanes.touch("s")

    assert world.take_all() == []
    world.clock.pass_by(601)
    assert world.take_all() == [head]
    assert not world.job(head).is_expired


@pytest.mark.parametrize("order", list(Order))
def test_who_asks_for_an_hour_gets_it_though_its_schedule_lasts_seconds(
    world: World, order: Order
) -> None:
    world.set(endpoint("a", retry_schedule_s=(5.0, 5.0), order=order))
    keys = world.tell("a", count=3)
    job = world.job(world.take() or "")
    job.lane.quiet_until = world.clock.at + 3_600
    job.lane.trust = Trust.DOUBTED
    world.running.remove(job)
    world.lanes.over(job)
    at = world.clock() + timedelta(hours=1)
    when = {"not_before": at} if order is Order.STRICT else {"due_at": at}
    after = replace(job.delivery, attempts=1, **when)
    world.writing.append((after, lambda: (world.settle(job), world.lanes.recorded(job))[0]))
    world.write()

    for _ in range(6):
        world.clock.pass_by(599)
        world.lanes.touch("a")
        assert world.take_all() == []
        world.write()
    world.clock.pass_by(6)
    assert set(world.take_all()) <= set(keys)
    assert not any(one.is_expired for one in world.running)


# What was given up


def test_what_comes_back_after_all_was_given_up_does_not_wake_the_dead(world: World) -> None:
    """Kafka was away: a result is written after the partitions went and came back."""
    world.prove("a")
    keys = world.tell("a", count=3)
    world.take()
    world.answer(keys[0], NOBODY)
    world.put(replace(check("old", "a"), notice=None, alert=an_alert("old", "a", "art"), due_at=AT))
    world.lanes.clear()
    world.running.clear()
    world.lanes.begin()
    world.read = 1
    world.ledger.clear()
    world.take_in()
    assert world.lanes.fresh_ids == set(keys)
    [first] = world.take_all()

    world.write()

    assert keys[0] in world.lanes.fresh_ids | {first}
    assert world.take_all() == []
    assert len(world.running) == 1


def test_a_lane_from_before_gives_out_nothing(world: World) -> None:
    """It knows of what is due in the outbox, as the lane that has taken its place does."""
    [first] = world.tell("a")
    world.take()
    before = world.job(first)
    old = replace(check("old", "a"), notice=None, alert=an_alert("old", "a", "art"), due_at=AT)
    world.put(old)
    assert world.take_all() == []
    world.lanes.clear()
    world.running.clear()
    world.lanes.begin()
    assert world.take_all() == ["old"]

    world.lanes.over(before)
    world.lanes.recorded(before)

    assert world.take_all() == []


def test_how_late_the_most_overdue_is(world: World) -> None:
    assert world.lanes.most_overdue(world.clock.at) == 0.0
    world.tell("a")
    world.clock.pass_by(7)

    assert world.lanes.most_overdue(world.clock.at) == pytest.approx(7, abs=0.001)
    world.take_all()
    assert world.lanes.most_overdue(world.clock.at) == 0.0


# At random


class Lives(RuleBasedStateMachine):
    """Alerts, answers, pauses, crashes in any order. At the end nothing is missing.

    What a receiver has taken is known to it though the worker forgets it: that may come
    again after a crash, and only then.
    """

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.folder / "notify")
        retries = (1.0,) * 40
        self.kinds = {
            "fast": endpoint("fast", retry_schedule_s=retries),
            "two": endpoint("two", retry_schedule_s=retries, concurrency=2),
            "strict": endpoint("strict", retry_schedule_s=retries, order=Order.STRICT),
            "slow": endpoint("slow", retry_schedule_s=retries, order=Order.STRICT, rate_per_s=0.3),
        }
        self.world.set(*self.kinds.values())
        self.taken: set[str] = set()
        self.dead: set[str] = set()
        self.recorded: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.finish()
            self.world.outbox.close()
            shutil.rmtree(self.folder)

    # Steps

    @rule(key=st.sampled_from(["fast", "two", "strict", "slow"]), article=st.integers(0, 2))
    def find(self, key: str, article: int) -> None:
        self.world.find(key, f"art_{article}")

    @rule(key=st.sampled_from(["fast", "strict"]), many=st.integers(1, LANE_FRESH + 10))
    def find_many(self, key: str, many: int) -> None:
        for _ in range(many):
            self.world.find(key, "art_crowd")

    @rule(most=st.integers(1, 100))
    def take_in(self, most: int) -> None:
        self.world.take_in(most)

    @rule(count=st.integers(1, 4), trusts=st.lists(st.sampled_from(Trust)))
    def begin_some(self, count: int, trusts: list[Trust]) -> None:
        for _ in range(count):
            if not self.begin_one(*trusts):
                return

    def begin_one(self, *trusts: Trust) -> bool:
        under_way = [job.delivery.id for job in self.world.running]
        key = self.world.take(*trusts)
        if key is None:
            return False
        job = self.world.job(key)
        about = self.world.endpoints[job.lane.endpoint_id]
        at_once = [one for one in self.world.running if one.lane is job.lane]
        assert key not in under_way, "begun twice at once"
        assert key not in self.recorded, "sent again though its end was written down"
        if job.is_expired:
            age = self.world.clock() - job.delivery.due_at
            assert age >= FREE_RETRY_AFTER
            return True
        assert not about.paused
        assert len(at_once) <= (1 if about.order is Order.STRICT else about.concurrency or 4)
        assert not trusts or job.trust in trusts
        assert job.trust is not Trust.NEW or len(at_once) == 1
        if about.order is Order.STRICT:
            for earlier, endpoint_id, _ in self.world.alerts:
                if earlier == key:
                    break
                is_ended = earlier in self.taken | self.dead
                assert endpoint_id != about.id or is_ended, f"{key} came before {earlier}"
        return True

    @precondition(lambda self: self.world.running)
    @rule(data=st.data(), is_ok=st.booleans())
    def answer(self, data: st.DataObject, is_ok: bool) -> None:
        jobs = self.world.running
        self.answer_one(jobs[data.draw(st.integers(0, len(jobs) - 1))], is_ok=is_ok)

    def answer_one(self, job: Job, *, is_ok: bool) -> None:
        key = job.delivery.id
        if job.is_expired:
            state = self.world.answer(key, EXPIRED)
        else:
            state = self.world.answer(key, OK if is_ok else NOBODY)
        if state is DeliveryState.DELIVERED:
            self.taken.add(key)
        elif state is DeliveryState.DEAD:
            self.dead.add(key)

    @rule(most=st.integers(1, 30))
    def write(self, most: int) -> None:
        before = len(self.world.topic)
        self.world.write(most)
        for one in self.world.topic[before:]:
            if one.state is DeliveryState.PENDING:
                assert one.id not in self.recorded, "an ended delivery became pending again"
            else:
                self.recorded.add(one.id)

    @rule()
    def commit(self) -> None:
        self.world.commit()

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.pass_by(seconds)
        for job in self.world.running:
            if job.begun_at <= self.world.clock.at - 1 and job.receipt is not None:
                self.world.park(job)
        self.world.lanes.park_old(self.world.clock.at - 2)

    @rule(key=st.sampled_from(["fast", "strict"]))
    def pause_or_resume(self, key: str) -> None:
        about = self.world.endpoints[key]
        self.world.set(replace(about, paused=not about.paused))

    @rule(wiped=st.booleans())
    def crash(self, wiped: bool) -> None:
        self.world.crash(wiped=wiped)

    # The end

    def finish(self) -> None:
        world = self.world
        world.set(*self.kinds.values())
        for _ in range(20 + 8 * len(world.alerts)):
            world.take_in()
            while self.begin_one():
                pass
            for job in list(world.running):
                self.answer_one(job, is_ok=True)
            self.write(1_000_000)
            world.clock.pass_by(4)
            world.commit()
            if world.committed == len(world.alerts) and not world.outbox.waiting():
                break
        assert {key for key, _, _ in world.alerts} == self.taken | self.dead
        assert self.recorded == self.taken | self.dead
        assert world.committed == len(world.alerts)
        assert world.outbox.count(DeliveryState.PENDING) == 0
        assert (world.lanes.fresh, world.lanes.fresh_ids, len(world.ledger)) == (0, set(), 0)


Lives.TestCase.settings = hypothesis_settings(
    max_examples=25, stateful_step_count=50, deadline=None
)
TestLives = Lives.TestCase


def test_what_waited_for_another_reason_is_not_given_up_when_the_first_attempt_fails(
    world: World,
) -> None:
    world.set(endpoint("a", retry_schedule_s=(7_200.0,), paused=True))
    world.tell("a", count=3)
    assert world.take_all() == []
    world.write()
    world.clock.pass_by(4 * 86_400)
    world.set(endpoint("a", retry_schedule_s=(7_200.0,)))
    for _ in range(6):
        world.states.note(world.endpoints["a"], Failure(AttemptReason.CONNECT), world.clock())
    world.lanes.touch("a")
    assert world.take_all() == []

    # Nor where it had failed before the pause: the time counts from when it is resumed.
    resumed = endpoint("a", retry_schedule_s=(7_200.0,))
    world.set(replace(resumed, updated_at=world.clock() + timedelta(hours=1)))
    world.clock.pass_by(7_201)
    state = world.states.get("a")
    world.states._newer["a"] = replace(state, probe_at=world.clock() + timedelta(minutes=5))
    world.lanes.touch("a")
    assert world.take_all() == []


def test_a_lane_that_is_woken_again_and_again_does_not_fill_the_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "MOST_OUTDATED", 10)
    world.prove("a", "b")
    lane = world.lanes.lane("a")
    world.lanes._sleep(world.lanes.lane("b"), world.clock.at + 5)
    for _ in range(100):
        world.lanes._sleep(lane, world.clock.at + 72_000)
        world.lanes._sleep(lane, world.clock.at + 1)
        world.clock.pass_by(1)
        world.lanes.wake(world.clock.at)
    assert len(world.lanes._sleeping) <= 10 + 2 * len(world.lanes._lanes) + 1
    assert world.lanes.lane("b").wakes_at is None


def test_a_lane_waits_once_with_what_is_fresh_and_once_as_backlog(world: World) -> None:
    world.prove("a")
    lane = world.lanes.lane("a")
    lane.next_due = world.clock.at + 60
    world.lanes.touch("a")
    for _ in range(50):
        world.tell("a")
        job = world.lanes.take(Trust.PROVEN, world.clock.at, backlog=False)
        assert job is not None
        world.running.append(job)
        world.answer(job.delivery.id)
        world.write()
    assert sum(1 for _ in world.lanes._turns[Trust.PROVEN]) <= 2
