from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from wirewatch.notify.intake import Intake
from wirewatch.notify.metrics import NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.runtime.kafka import Position
from wirewatch.topics.alerts import Alert
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.spec import Topic


class FakeLog:
    def __init__(self, outbox: Outbox) -> None:
        self.sent: list[Delivery] = []
        self.fails = False
        self._outbox = outbox

    async def send_all(self, topic: Topic[Delivery], records: Sequence[Delivery]) -> list[Position]:
        assert topic.name == "deliveries"
        if self.fails:
            raise ConnectionError("no Kafka")
        assert not any(self._outbox.knows(one.id) for one in records)
        self.sent += records
        return [
            Position(0 if one.endpoint_id == "end_1" else 9, n) for n, one in enumerate(records)
        ]


@pytest.fixture
def outbox(tmp_path: Path, at: datetime) -> Iterator[Outbox]:
    outbox = Outbox(tmp_path / "box", lambda: at)
    yield outbox
    outbox.close()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def log(outbox: Outbox) -> FakeLog:
    return FakeLog(outbox)


@pytest.fixture
def intake(outbox: Outbox, log: FakeLog, registry: CollectorRegistry, at: datetime) -> Intake:
    return Intake(outbox, log, NotifyMetrics(registry), lambda: at)


def counted(registry: CollectorRegistry, state: str) -> float | None:
    return registry.get_sample_value("wirewatch_notify_deliveries_total", {"state": state})


async def test_an_alert_becomes_a_delivery_once(
    intake: Intake,
    outbox: Outbox,
    log: FakeLog,
    registry: CollectorRegistry,
    alert: Alert,
) -> None:
    other = replace(alert, id="alert_2")

    assert await intake.accept([alert, other, alert], {0}) == 2
    assert await intake.accept([other], {0}) == 0

    expected = Delivery(
        id=delivery_id("alert_1", "end_1"),
        endpoint_id="end_1",
        alert_id="alert_1",
        due_at=alert.found_at,
        created_at=alert.found_at,
        alert=alert,
    )
    assert log.sent[0] == expected
    assert len(log.sent) == 2
    assert expected in outbox.due(alert.found_at, 10, per_endpoint=10)
    assert (counted(registry, "accepted"), counted(registry, "repeated")) == (2, 2)


async def test_the_same_alert_for_two_endpoints_is_two_deliveries(
    intake: Intake, outbox: Outbox, log: FakeLog, alert: Alert
) -> None:
    elsewhere = replace(alert, endpoint_id="end_2")

    await intake.accept([alert, elsewhere], {0})

    assert [one.endpoint_id for one in log.sent] == ["end_1", "end_2"]
    assert outbox.knows(log.sent[0].id)
    assert not outbox.knows(log.sent[1].id), "partition 9 belongs to another worker"


async def test_what_could_not_be_sent_is_not_known(
    intake: Intake, outbox: Outbox, log: FakeLog, alert: Alert
) -> None:
    log.fails = True
    with pytest.raises(ConnectionError):
        await intake.accept([alert], {0})

    log.fails = False
    assert await intake.accept([alert], {0}) == 1
