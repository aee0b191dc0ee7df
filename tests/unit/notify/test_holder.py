"""What was held is told together when its time has come: all of it, once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from fakes.notify import FakeClock, FakeLog, settle, until
from wirewatch.notify import holder as holder_module
from wirewatch.notify.holder import Holder
from wirewatch.notify.metrics import NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.paces import AT_ONCE
from wirewatch.notify.recorder import Entry, Recorder
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.kafka.batches import MAX_BATCH_BYTES, RECORD_OVERHEAD_BYTES
from wirewatch.topics import DELIVERIES
from wirewatch.topics.alerts import Alert, ArticleDigest
from wirewatch.topics.codec import encode
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import Digest, DigestWhy
from wirewatch.topics.ids import digest_delivery_id
from wirewatch.topics.subscriptions import Pace

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURLY = Pace(every_min=60)


def an_alert(key: str, subscription: str = "sub_1", endpoint: str = "end_1") -> Alert:
    return Alert(
        id=key,
        endpoint_id=endpoint,
        subscription_id=subscription,
        subscription_name="Panzer",
        query="panzer",
        article=ArticleDigest(
            id=f"art_{key}",
            story_id=f"story_{key}",
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


def held(key: str, subscription: str = "sub_1", endpoint: str = "end_1", **fields: Any) -> Delivery:
    about: dict[str, Any] = {
        "id": key,
        "endpoint_id": endpoint,
        "alert_id": key,
        "state": DeliveryState.HELD,
        "held_for": DigestWhy.SCHEDULE,
        "due_at": AT,
        "created_at": AT - HOUR,
        "alert": an_alert(key, subscription, endpoint),
    }
    return Delivery(**(about | fields))


class World:
    """A holder over a real outbox and recorder; `topic` is what would be left after a crash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock(AT)
        self.log = FakeLog()
        self.registry = CollectorRegistry()
        self.paces: dict[str, Pace] = {}
        self.lives = 0

    def start(self) -> None:
        self.lives += 1
        self.outbox = Outbox(self.folder / f"box{self.lives}", self.clock)
        records = self.log.deliveries()
        self.outbox.apply([Received(Position(0, n), one.id, one) for n, one in enumerate(records)])
        self.recorder = Recorder(self.outbox, self.log)
        self.recorder.partitions = {0}
        self.holder = Holder(
            self.outbox,
            self.recorder,
            pace_of=lambda key: self.paces.get(key, AT_ONCE),
            metrics=NotifyMetrics(CollectorRegistry()),
            clock=self.clock,
        )
        self.is_ours = asyncio.Event()
        self.is_ours.set()
        self.tasks = [
            asyncio.create_task(self.recorder.run()),
            asyncio.create_task(self.holder.run(self.is_ours)),
        ]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.outbox.close()

    async def put(self, *deliveries: Delivery) -> None:
        """Let records stand in the topic and in the outbox."""
        positions = await self.log.send_all(DELIVERIES, deliveries)
        self.outbox.put_all(list(zip(deliveries, positions, strict=True)))

    def digests(self) -> list[Delivery]:
        return [one for one in self.log.deliveries() if one.digest is not None]

    def told(self) -> list[str]:
        """Return the ids of the alerts that digests tell of, each as often as it is told."""
        return [
            key
            for one in self.digests()
            if isinstance(one.digest, Digest)
            for story in one.digest.stories
            for key in story.alert_ids
        ]

    async def until_nothing_is_due(self) -> None:
        def is_over() -> bool:
            is_waiting = bool(self.outbox.held_due(self.clock.at, 1))
            return not is_waiting and not len(self.recorder) and not self.holder._changed

        await until(is_over, "nothing is due")
        await settle()


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(holder_module, "TURN_S", 0.001)
    world = World(tmp_path)
    world.start()
    yield world
    await world.stop()


async def test_what_is_due_is_told_in_one_digest_and_has_ended(world: World) -> None:
    world.paces["sub_1"] = HOURLY
    await world.put(held("a"), held("b"), held("later", due_at=AT + HOUR))
    await world.until_nothing_is_due()

    [told] = world.digests()
    assert told.id == digest_delivery_id("sub_1", "end_1", AT, 1)
    assert (told.state, told.endpoint_id, told.due_at) == (DeliveryState.PENDING, "end_1", AT)
    assert told.digest is not None
    assert (told.digest.alerts, told.digest.why, told.digest.part) == (2, DigestWhy.SCHEDULE, 1)
    assert (told.digest.since, told.digest.until) == (AT - HOUR, AT)
    assert sorted(world.told()) == ["a", "b"]
    for key in "ab":
        ended = world.outbox.get(key)
        assert ended is not None
        assert (ended.state, ended.told_in, ended.ended_at) == (
            DeliveryState.DIGESTED,
            told.id,
            AT,
        )
        assert ended.alert is None
    assert world.outbox.count(DeliveryState.HELD) == 1


async def test_a_digest_and_the_end_of_its_members_travel_together(world: World) -> None:
    await world.put(*(held(f"m{n}") for n in range(5)))
    await world.until_nothing_is_due()

    assert world.log.batches[1:] == [("deliveries", 6)]


async def test_each_subscription_endpoint_and_moment_has_its_own(world: World) -> None:
    await world.put(
        held("a"),
        held("b", subscription="sub_2"),
        held("c", endpoint="end_2"),
        held("d", due_at=AT - HOUR),
    )
    await world.until_nothing_is_due()

    assert len({one.id for one in world.digests()}) == 4
    assert sorted(world.told()) == ["a", "b", "c", "d"]


async def test_what_is_too_much_for_one_digest_comes_in_parts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder_module, "MAX_DIGEST_ALERTS", 3)
    await world.put(*(held(f"m{n}") for n in range(8)))
    await world.until_nothing_is_due()

    assert [one.digest.part for one in world.digests() if one.digest] == [1, 2, 3]
    assert [one.digest.alerts for one in world.digests() if one.digest] == [3, 3, 2]
    assert sorted(world.told()) == [f"m{n}" for n in range(8)]


async def test_a_digest_and_its_members_fit_into_one_batch(world: World) -> None:
    """Else they were not written all or none."""
    large = [held(f"m{n}" + "x" * 1_500, alert=large_alert(n)) for n in range(400)]
    await world.put(*large)
    before = len(world.log.sent)
    await world.until_nothing_is_due()

    sizes = [len(encode(one)) + len(one.id) + RECORD_OVERHEAD_BYTES for one in world.log.sent]
    batches, start = [], before
    for _, count in world.log.batches[1:]:
        batches.append(sum(sizes[start : start + count]))
        start += count
    assert len(batches) > 1
    assert all(MAX_BATCH_BYTES // 4 < size <= MAX_BATCH_BYTES for size in batches[:-1])
    assert batches[-1] <= MAX_BATCH_BYTES
    assert sum(one.digest.alerts for one in world.digests() if one.digest) == 400
    assert world.outbox.count(DeliveryState.HELD) == 0


def large_alert(number: int) -> Alert:
    one = an_alert(f"m{number}")
    return replace(one, article=replace(one.article, title="t" * 8_000))


async def test_what_was_held_without_its_alert_is_given_up_and_ends_nothing(world: World) -> None:
    await world.put(held("empty", alert=None), held("a"))
    await world.until_nothing_is_due()

    assert world.told() == ["a"]
    ended = world.outbox.get("empty")
    assert ended is not None
    assert (ended.state, ended.told_in) == (DeliveryState.DEAD, "")
    assert [one.key for one in world.log.letters()] == ["empty"]
    assert not any(task.done() for task in world.tasks)


async def test_nothing_is_told_before_its_time_or_for_partitions_of_others(world: World) -> None:
    world.is_ours.clear()
    await world.put(held("a"), held("b", due_at=AT + HOUR))
    await asyncio.sleep(0.02)
    assert world.digests() == []

    world.is_ours.set()
    await world.until_nothing_is_due()
    assert world.told() == ["a"]
    world.clock.now = AT + HOUR
    await until(lambda: sorted(world.told()) == ["a", "b"])


async def test_a_digest_is_not_made_again_while_kafka_is_away(world: World) -> None:
    await world.put(held("a"), held("b"))
    world.log.go_away()
    await until(lambda: len(world.recorder) > 0)
    await asyncio.sleep(0.02)
    world.log.come_back()
    await world.until_nothing_is_due()

    assert len(world.digests()) == 1


async def test_a_busy_recorder_holds_no_digest_up(world: World) -> None:
    """Thousands of attempts a second are written down: there is never a moment without."""
    is_over = False

    def again() -> None:
        if not is_over:
            world.recorder.add(Entry((held("busy", due_at=AT + HOUR),), done=again))

    again()
    await world.put(held("a"))
    await until(lambda: world.told() == ["a"])
    is_over = True


async def test_what_is_held_is_told_at_once_when_its_pace_is_gone(world: World) -> None:
    world.paces["sub_1"] = HOURLY
    await world.put(held("a", due_at=AT + HOUR / 2), held("x", "sub_2", due_at=AT + HOUR))
    await asyncio.sleep(0.02)
    assert world.digests() == []

    del world.paces["sub_1"]
    world.holder.pace_changed("sub_1")
    await until(lambda: world.told() == ["a"])

    assert world.outbox.count(DeliveryState.HELD) == 1


async def test_what_is_held_is_put_off_by_a_snooze_that_begins_meanwhile(world: World) -> None:
    world.paces["sub_1"] = HOURLY
    await world.put(held("a", due_at=AT + HOUR / 2))
    world.paces["sub_1"] = Pace(every_min=60, snoozed_until=AT + 5 * HOUR)
    world.holder.pace_changed("sub_1")
    await until(lambda: len(world.log.deliveries("a")) == 2)
    world.clock.now = AT + HOUR
    await asyncio.sleep(0.02)
    assert world.digests() == []

    world.clock.now = AT + 5 * HOUR
    await until(lambda: world.told() == ["a"])


async def test_what_was_muted_meanwhile_is_not_told(world: World) -> None:
    await world.put(held("a"), held("b"))
    world.paces["sub_1"] = Pace(muted_stories=("story_a",))
    await world.until_nothing_is_due()

    assert world.told() == ["b"]
    ended = world.outbox.get("a")
    assert ended is not None
    assert (ended.state, ended.told_in, ended.alert) == (DeliveryState.MUTED, "", None)


async def test_where_all_was_muted_meanwhile_there_is_no_digest(world: World) -> None:
    await world.put(held("a"), held("b"))
    world.paces["sub_1"] = Pace(muted_sources=("news.example",))
    await world.until_nothing_is_due()

    assert world.digests() == []
    assert world.outbox.count(DeliveryState.HELD) == 0


async def test_after_a_restart_paces_that_changed_meanwhile_are_followed(world: World) -> None:
    world.paces["sub_1"] = HOURLY
    await world.put(held("a", due_at=AT + HOUR / 2))
    await world.stop()
    del world.paces["sub_1"]

    world.start()
    world.holder.begin()

    await until(lambda: world.told() == ["a"])


async def test_after_a_restart_nothing_is_told_twice(world: World) -> None:
    await world.put(held("a"))
    await world.until_nothing_is_due()
    await world.stop()
    world.start()
    world.holder.begin()
    await world.put(held("b"))
    await world.until_nothing_is_due()

    assert world.told() == ["a", "b"]
    assert len({one.id for one in world.digests()}) == 2, "the second part of that moment"


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("held"), st.integers(0, 1), st.integers(0, 3)),
            st.sampled_from(["crash", "away", "here", "hour", "pace", "some time"]),
        ),
        max_size=25,
    )
)
@hypothesis_settings(max_examples=25, deadline=None)
def test_whatever_happens_each_is_told_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    """The topic takes a batch whole or not at all; all else is lost in a crash."""

    async def live() -> None:
        world = World(tmp_path_factory.mktemp("lives"))
        world.paces["sub_0"] = HOURLY
        world.start()
        keys: list[str] = []
        for step in steps:
            if isinstance(step, tuple):
                _, subscription, hours = step
                keys.append(f"m{len(keys)}")
                world.log.come_back()
                due_at = AT + hours * HOUR
                await world.put(held(keys[-1], f"sub_{subscription}", due_at=due_at))
            elif step == "crash":
                await world.stop()
                world.start()
                world.holder.begin()
            elif step == "hour":
                world.clock.now += HOUR
            elif step == "pace":
                world.paces["sub_0"] = Pace(every_min=30)
                world.holder.pace_changed("sub_0")
            elif step == "some time":
                await asyncio.sleep(0.003)
            elif step == "away":
                world.log.go_away()
            else:
                world.log.come_back()
        world.log.come_back()
        world.clock.now += 5 * HOUR
        await until(lambda: world.outbox.count(DeliveryState.HELD) == 0)
        await world.recorder.flush()
        await world.stop()
        assert sorted(world.told()) == sorted(keys)

    turn_s, holder_module.TURN_S = holder_module.TURN_S, 0.001
    try:
        asyncio.run(live())
    finally:
        holder_module.TURN_S = turn_s
