from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from wirewatch.notify.metrics import Event, NotifyMetrics, Wrong
from wirewatch.topics.attempts import AttemptReason, Outcome
from wirewatch.topics.endpoint_states import Breaker, EndpointState
from wirewatch.topics.endpoints import Endpoint, Verification

PREFIX = "wirewatch_notify"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> NotifyMetrics:
    return NotifyMetrics(registry)


def test_every_label_is_there_from_the_start_at_zero(
    registry: CollectorRegistry, metrics: NotifyMetrics
) -> None:
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.labels and not sample.name.endswith(("_bucket", "_created"))
    }

    topics = ("alerts", "deliveries", "endpoints", "endpoint-states", "subscriptions")
    expected = [
        *((f"{PREFIX}_attempts_total", one) for one in Outcome),
        *((f"{PREFIX}_attempt_failures_total", one) for one in AttemptReason),
        *((f"{PREFIX}_deliveries_total", one) for one in Event),
        *((f"{PREFIX}_endpoints", one) for one in Wrong),
        *((f"{PREFIX}_attempts_under_way", one) for one in ("quick", "slow")),
        *((f"{PREFIX}_unreadable_records_total", one) for one in topics),
    ]
    assert found == dict.fromkeys(expected, 0.0)

    metrics.unreadable("alerts")
    assert registry.get_sample_value(f"{PREFIX}_unreadable_records_total", {"topic": "alerts"}) == 1


def test_attempts_and_deliveries_are_counted(
    registry: CollectorRegistry, metrics: NotifyMetrics
) -> None:
    metrics.note_attempt(Outcome.RETRY, 0.3)
    metrics.note_attempt(Outcome.DELIVERED, 0.1)
    metrics.note_delivered()

    value = registry.get_sample_value
    assert value(f"{PREFIX}_attempts_total", {"outcome": "retry"}) == 1
    assert value(f"{PREFIX}_attempts_total", {"outcome": "delivered"}) == 1
    assert value(f"{PREFIX}_deliveries_total", {"state": "delivered"}) == 1
    assert value(f"{PREFIX}_attempt_seconds_count") == 2
    assert value(f"{PREFIX}_attempt_seconds_sum") == pytest.approx(0.4)


LATER = NOW + timedelta(seconds=9)


def test_endpoints_are_counted_by_the_worst_that_is_wrong_with_them(
    registry: CollectorRegistry, metrics: NotifyMetrics, endpoint: Endpoint
) -> None:
    def state(key: str, **about: object) -> EndpointState:
        return EndpointState(endpoint_id=key, changed_at=NOW, **about)

    gone, asked = state("gone"), replace(endpoint, id="asked", verification=Verification.PING)
    known = {
        key: replace(endpoint, id=key) for key in ("fine", "failing", "open", "half", "off", "410")
    }
    known |= {"off": replace(known["off"], disabled=True), "asked": asked}
    states = [
        gone,
        state("fine", last_success_at=NOW),
        state("failing", failing_since=NOW),
        state("open", failing_since=NOW, breaker=Breaker.OPEN, probe_at=LATER),
        state("half", failing_since=NOW, breaker=Breaker.OPEN, probe_at=NOW),
        state("off", failing_since=NOW, breaker=Breaker.OPEN, probe_at=NOW),
        state("410", disabled_at=NOW),
        state("asked", unverified_detail="no challenge came back"),
    ]

    metrics.show_states(states, known.get, NOW)

    def shown() -> dict[str, float | None]:
        return {
            wrong.value: registry.get_sample_value(f"{PREFIX}_endpoints", {"state": wrong})
            for wrong in Wrong
        }

    assert shown() == {
        "failing": 1,
        "open": 1,
        "half_open": 1,
        "disabled": 2,
        "unverified": 1,
    }
    metrics.show_states([], known.get, NOW)
    assert set(shown().values()) == {0}
