"""What is no longer needed gets tombstones, and nothing else does."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from fakes.notify import FakeClock, FakeLog
from wirewatch.notify.forgetting import Forgetting
from wirewatch.notify.intake import Intake
from wirewatch.notify.ledger import Ledger
from wirewatch.notify.metrics import NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.paces import AT_ONCE
from wirewatch.notify.put_off import PutOff
from wirewatch.notify.recorder import Recorder
from wirewatch.notify.states import States
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.projection import MemoryTable
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoint_states import EndpointState
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.spec import Topic

Make = Callable[..., Delivery]
DAY = timedelta(days=1)


class Nowhere:
    """Takes no deliveries."""

    def accept(
        self, delivery: Delivery, receipt: tuple[int, int], *, is_late: bool = False
    ) -> None: ...

    def waiting(self, article_id: str) -> int:
        return 0

    def may_pass(self, endpoint_id: str) -> bool:
        return True

    def is_in_hand(self, endpoint_id: str, delivery_id: str) -> bool:
        return False

    async def room(self) -> None: ...


class World:
    """Ended deliveries and states of endpoints; `sent` are the tombstones."""

    def __init__(self, path: Path, at: datetime) -> None:
        self.clock = FakeClock(at)
        self.outbox = Outbox(path, self.clock)
        self.overtaken: list[str] = []
        self.outbox.on_overtaken = lambda delivery: self.overtaken.append(delivery.id)
        self.states_table: MemoryTable[EndpointState] = MemoryTable()
        self.states = States(self.states_table, DAY)
        self.endpoints: dict[str, Endpoint] = {}
        self.late: dict[str, Endpoint] = {}
        self.sent: list[tuple[str, str]] = []
        self.offset = 0
        self.meanwhile: Delivery | None = None
        """What is read while a tombstone is on its way."""
        recorder = Recorder(self.outbox, FakeLog())
        self.forgetting = Forgetting(
            self.outbox,
            Intake(
                self.outbox,
                recorder,
                Ledger(),
                Nowhere(),
                PutOff(),
                pace_of=lambda _: AT_ONCE,
                metrics=NotifyMetrics(CollectorRegistry()),
                clock=self.clock,
            ),
            self.states,
            self,
            endpoint=self.endpoints.get,
            catch_up=self.catch_up,
            owns=lambda key: not key.startswith("other"),
            remember=30 * DAY,
            clock=self.clock,
        )

    async def catch_up(self) -> None:
        self.endpoints |= self.late

    def next(self) -> Position:
        self.offset += 1
        return Position(0, self.offset)

    async def delete(self, topic: Topic[Any], key: str, place: str | None = None) -> Position:
        self.sent.append((topic.name, key))
        if self.meanwhile is not None:
            self.read(self.meanwhile)
        return self.next()

    def read(self, *records: Delivery | str, at: int | None = None) -> None:
        """Read records, or tombstones, behind all others or where they stand."""
        for one in records:
            position = self.next() if at is None else Position(0, at)
            key, value = (one, None) if isinstance(one, str) else (one.id, one)
            self.outbox.apply([Received(position, key, value)])

    def state_of(self, key: str) -> None:
        state = EndpointState(endpoint_id=key, changed_at=self.clock())
        self.states_table.apply([Received(self.next(), key, state)])


@pytest.fixture
def world(tmp_path: Path, at: datetime) -> Iterator[World]:
    world = World(tmp_path / "box", at)
    yield world
    world.outbox.close()


def ended(make: Make, key: str, at: datetime, days: int) -> Delivery:
    return make(key, state=DeliveryState.DEAD, ended_at=at - days * DAY, alert=None)


async def test_what_ended_long_ago_is_forgotten(
    world: World, make_delivery: Make, at: datetime
) -> None:
    world.read(
        ended(make_delivery, "old", at, 31),
        ended(make_delivery, "new", at, 29),
        make_delivery("waits", created_at=at - 40 * DAY),
    )
    await world.forgetting.turn()
    await world.forgetting.turn()

    assert world.sent == [("deliveries", "old")]
    assert world.outbox.known(["old", "new", "waits"]) == {"new", "waits"}


async def test_what_is_sent_again_just_before_its_tombstone_is_written_again(
    world: World, make_delivery: Make, at: datetime
) -> None:
    """The API wrote it while the tombstone was on its way: nobody would send it."""
    world.read(ended(make_delivery, "old", at, 31))
    between = world.next().offset
    await world.forgetting.turn()
    tombstone = world.offset

    world.read(make_delivery("old"), at=between)
    world.read("old", at=tombstone)
    assert world.overtaken == ["old"]
    world.read(make_delivery("old"))
    assert world.overtaken == ["old"]
    assert world.outbox.known(["old"]) == {"old"}


async def test_what_was_read_before_its_tombstone_was_acknowledged_is_written_again_too(
    world: World, make_delivery: Make, at: datetime
) -> None:
    world.read(ended(make_delivery, "old", at, 31))
    world.meanwhile = make_delivery("old")
    await world.forgetting.turn()

    assert world.overtaken == ["old"]
    world.read("old", at=world.offset)
    assert world.overtaken == ["old"]


async def test_what_was_written_before_it_ended_is_not(
    world: World, make_delivery: Make, at: datetime
) -> None:
    first = world.next().offset
    world.outbox.put(ended(make_delivery, "old", at, 31), world.next())
    await world.forgetting.turn()
    world.read(make_delivery("old"), at=first)
    world.read("old", at=world.offset)

    assert world.overtaken == []
    assert world.outbox.known(["old"]) == set()


async def test_states_of_deleted_endpoints_are_forgotten(world: World, endpoint: Endpoint) -> None:
    for key in ("there", "gone", "other_gone", "new"):
        world.state_of(key)
    world.endpoints["there"] = endpoint
    world.late["new"] = endpoint
    await world.forgetting.turn()

    assert world.sent == [("endpoint-states", "gone")]
