"""What the log, the metrics and watching endpoints hear of attempts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from fakes.notify import OK, FakeClock, FakeLog
from wirewatch.notify.breaker import after_failure
from wirewatch.notify.metrics import NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.outcome import Failure, NoAnswer
from wirewatch.notify.recorder import Recorder
from wirewatch.notify.telling import Teller
from wirewatch.notify.verdict import Tried, conclude
from wirewatch.runtime.kafka import Position
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoint_states import EndpointState
from wirewatch.topics.endpoints import Endpoint, OperationalEvent

Line = tuple[str, str]


class World:
    """A teller, and what it tells."""

    def __init__(self, path: Path, delivery: Delivery, endpoint: Endpoint) -> None:
        self.clock = FakeClock(delivery.created_at)
        self.delivery, self.endpoint = delivery, endpoint
        self.outbox = Outbox(path, self.clock)
        self.recorder = Recorder(self.outbox, FakeLog())
        self.watchers: list[Endpoint] = []
        self.state: EndpointState | None = None
        self.start()

    def start(self) -> None:
        self.registry = CollectorRegistry()
        self.teller = Teller(
            self.outbox,
            self.recorder,
            NotifyMetrics(self.registry),
            watchers=lambda: self.watchers,
            clock=self.clock,
        )

    def attempt(self, reason: AttemptReason | None, *, attempts: int = 0) -> list[Line]:
        """Tell of an attempt that ended so; return what was logged above debug."""
        failure = None if reason is None else Failure(reason, "so it is")
        result = OK if reason is None else NoAnswer(reason, "so it is")
        tried = Tried(result, failure, self.clock(), timedelta(seconds=1))
        delivery = replace(self.delivery, attempts=attempts)
        verdict = conclude(tried, delivery, self.endpoint)
        with structlog.testing.capture_logs() as lines:
            self.teller.attempted(delivery, verdict, self.endpoint, tried, before=self.state)
        if failure is None:
            self.state = None
        else:
            self.state = after_failure(
                self.state,
                failure,
                endpoint_id=self.endpoint.id,
                now=self.clock(),
                disable_after=timedelta(days=5),
            )
        return [(one["log_level"], one["event"]) for one in lines if one["log_level"] != "debug"]

    def told(self) -> list[Any]:
        return [one.deliveries[0].notice for one in self.recorder._waiting]


@pytest.fixture
def world(tmp_path: Path, delivery: Delivery, endpoint: Endpoint) -> Iterator[World]:
    world = World(tmp_path / "box", delivery, endpoint)
    yield world
    world.outbox.close()


WARNED = [("warning", "attempt failed")]


def test_an_endpoint_that_fails_is_warned_of_once_an_hour_for_each_reason(world: World) -> None:
    assert world.attempt(AttemptReason.CONNECT) == WARNED
    assert world.attempt(AttemptReason.CONNECT) == [], "thousands may wait for it"
    assert world.attempt(AttemptReason.CONNECT, attempts=2) == []
    assert world.attempt(AttemptReason.TIMEOUT) == WARNED
    assert world.attempt(None) == [("info", "endpoint takes deliveries again")]
    assert world.attempt(None) == []
    for _ in range(3):  # one that comes and goes fills no log
        assert world.attempt(AttemptReason.TIMEOUT) == []
        assert world.attempt(None) == []
    world.clock.pass_by(3600)
    assert world.attempt(AttemptReason.TIMEOUT, attempts=3) == WARNED
    assert (
        world.registry.get_sample_value(
            "wirewatch_notify_attempt_failures_total", {"reason": "timeout"}
        )
        == 5
    )


def test_what_says_nothing_of_the_endpoint_is_warned_of_as_well(world: World) -> None:
    assert world.attempt(AttemptReason.TEMPLATE, attempts=1) == [("warning", "delivery given up")]
    assert world.attempt(AttemptReason.SECRETS, attempts=4) == WARNED
    assert world.attempt(AttemptReason.SECRETS) == []


def test_who_asked_for_it_is_told_once_an_hour_that_a_delivery_was_given_up(
    world: World, endpoint: Endpoint, at: datetime
) -> None:
    events = (OperationalEvent.DELIVERY_EXHAUSTED,)
    world.watchers = [replace(endpoint, id="watcher", events=events)]
    for _ in range(2):
        assert ("warning", "delivery given up") in world.attempt(AttemptReason.TIMEOUT, attempts=9)
    [notice] = world.told()
    assert (notice.type, notice.endpoint_id) == ("delivery.exhausted", endpoint.id)

    written = world.recorder._waiting[0].deliveries[0]
    world.outbox.put(written, Position(0, 1))
    world.start()
    world.attempt(AttemptReason.TIMEOUT, attempts=9)
    assert len(world.told()) == 1, "a worker that begins anew does not tell it again"

    world.clock.pass_by(3600)
    world.attempt(AttemptReason.TIMEOUT, attempts=9)
    assert len(world.told()) == 2
