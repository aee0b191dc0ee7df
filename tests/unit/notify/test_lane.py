"""What may leave an endpoint's queue, and how much of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wirewatch.notify.lane import (
    BURY_AT_ONCE,
    Gate,
    Job,
    Lane,
    Trust,
    Way,
    gate,
    pace,
)
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoint_states import (
    Breaker,
    DisabledReason,
    EndpointState,
    verification_of,
)
from wirewatch.topics.endpoints import Endpoint, Order, Verification

NOW = 1_800_000_000.0
AT = datetime.fromtimestamp(NOW, UTC)
CONCURRENCY = 4


def found(
    lane: Lane, endpoint: Endpoint | None, state: EndpointState | None = None, now: float = NOW
) -> Gate:
    return gate(lane, endpoint, state, now=now, concurrency=CONCURRENCY)


def lane(running: int = 0, **fields: object) -> Lane:
    made = Lane("end_1", trust=Trust.PROVEN, running=running)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def gone(at: datetime) -> EndpointState:
    later = at + timedelta(days=1)
    return EndpointState(
        endpoint_id="end_1",
        disabled_at=later,
        disabled_reason=DisabledReason.GONE,
        changed_at=later,
    )


def test_a_proven_endpoint_has_its_concurrency(endpoint: Endpoint) -> None:
    assert found(lane(), endpoint) == Gate(Way.OPEN, 4)
    assert found(lane(running=3), endpoint) == Gate(Way.OPEN, 1)
    assert found(lane(running=4), replace(endpoint, concurrency=9)) == Gate(Way.OPEN, 5)
    assert found(lane(running=4), replace(endpoint, concurrency=2)).room <= 0


@pytest.mark.parametrize("concurrency", [None, 50])
@pytest.mark.parametrize("trust", [Trust.NEW, Trust.DOUBTED])
def test_an_endpoint_that_is_new_or_failed_has_one_place(
    endpoint: Endpoint, concurrency: int | None, trust: Trust
) -> None:
    own = replace(endpoint, concurrency=concurrency)

    assert found(lane(trust=trust), own) == Gate(Way.OPEN, 1)
    assert found(lane(trust=trust, running=1), own).room == 0


def test_where_order_is_strict_one_is_in_hand_until_it_is_recorded(
    endpoint: Endpoint, delivery: Delivery
) -> None:
    strict = replace(endpoint, order=Order.STRICT, concurrency=50)
    busy = lane()
    busy.in_hand["msg_1"] = Job(delivery, busy)

    assert found(lane(), strict) == Gate(Way.OPEN, 1)
    assert found(busy, strict).room == 0, "its request has ended, its record is not yet there"


@pytest.mark.parametrize("breaker", [Breaker.OPEN, Breaker.HALF_OPEN])
def test_a_circuit_that_is_not_closed_lets_one_pass_after_its_time(
    endpoint: Endpoint, at: datetime, breaker: Breaker
) -> None:
    state = EndpointState(
        endpoint_id="end_1",
        breaker=breaker,
        probe_at=datetime.fromtimestamp(NOW + 10, at.tzinfo),
        changed_at=at,
    )

    shut = found(lane(), endpoint, state)
    assert (shut.way, shut.until, shut.is_down) == (Way.SHUT, NOW + 10, True)
    assert found(lane(), endpoint, state, now=NOW + 10) == Gate(Way.OPEN, 1)
    assert found(lane(running=1), endpoint, state, now=NOW + 10).room == 0


def test_who_asked_to_wait_is_waited_for(endpoint: Endpoint) -> None:
    quiet = lane(quiet_until=NOW + 60)

    assert (found(quiet, endpoint).way, found(quiet, endpoint).until) == (Way.SHUT, NOW + 60)
    assert found(quiet, endpoint, now=NOW + 60).way is Way.OPEN


@pytest.mark.parametrize("change", [{"paused": True}, {"verification": Verification.PING}])
def test_to_a_paused_or_unproved_endpoint_only_checks_go_one_at_a_time(
    endpoint: Endpoint, change: dict[str, object]
) -> None:
    own = replace(endpoint, **change)

    assert found(lane(), own) == Gate(Way.CHECKS, 1)
    assert found(lane(running=1), own) == Gate(Way.CHECKS, 0)


def test_what_was_proved_opens_the_way(endpoint: Endpoint, at: datetime) -> None:
    asked = replace(endpoint, verification=Verification.PING)
    state = EndpointState(endpoint_id="end_1", verified=verification_of(asked), changed_at=at)

    assert found(lane(), asked, state).way is Way.OPEN


def test_what_goes_to_nobody_is_buried_some_at_once(
    endpoint: Endpoint, gone: EndpointState
) -> None:
    buried = Gate(Way.BURY, BURY_AT_ONCE)

    assert found(lane(), None) == buried
    assert found(lane(), replace(endpoint, disabled=True, paused=True)) == buried
    assert found(lane(quiet_until=NOW + 60), endpoint, gone) == buried
    assert found(lane(running=BURY_AT_ONCE), None).room == 0


def test_enabled_by_hand_it_is_open_again(endpoint: Endpoint, gone: EndpointState) -> None:
    assert gone.disabled_at is not None
    enabled = replace(endpoint, enabled_at=gone.disabled_at + timedelta(seconds=1))

    assert found(lane(), enabled, gone).way is Way.OPEN


def begun(endpoint: Endpoint, seconds: int, step: float = 0.01) -> list[float]:
    """Return when requests are begun if one is begun whenever the rate allows it."""
    own, times = lane(), []
    for number in range(round(seconds / step)):
        now = NOW + number * step
        while found(own, endpoint, now=now).way is Way.OPEN:
            times.append(now - NOW)
            pace(own, endpoint, now)
    return times


def test_a_rate_allows_a_burst_of_one_second_and_then_evenly(endpoint: Endpoint) -> None:
    times = begun(replace(endpoint, rate_per_s=10.0), 3)

    assert times[:10] == [0.0] * 10
    assert times[10] == pytest.approx(0.1, abs=0.02)
    assert len(times) in range(38, 41)


def test_a_rate_of_less_than_one_a_second_has_no_burst(endpoint: Endpoint) -> None:
    times = begun(replace(endpoint, rate_per_s=0.5), 7)

    assert times == pytest.approx([0, 2, 4, 6], abs=0.02)


def test_without_a_rate_nothing_is_counted(endpoint: Endpoint) -> None:
    own = lane()
    pace(own, endpoint, NOW)

    assert own.paced_at == 0.0
    assert found(own, endpoint).way is Way.OPEN


def test_a_wait_for_the_rate_is_no_sign_of_an_endpoint_that_is_down(endpoint: Endpoint) -> None:
    shut = found(lane(paced_at=NOW + 2), replace(endpoint, rate_per_s=0.1))

    assert shut == Gate(Way.SHUT, until=NOW + 2, is_down=False)


@given(st.floats(0.05, 200), st.lists(st.floats(0, 30), max_size=200))
def test_no_second_has_more_than_twice_its_rate(rate: float, pauses: list[float]) -> None:
    """A full burst, and what comes in evenly meanwhile."""
    endpoint = Endpoint(
        id="e",
        url="https://e.example/",
        rate_per_s=rate,
        created_at=AT,
        updated_at=AT,
    )
    own, now, times = lane(), NOW, []
    for pause in pauses:
        now += pause / 10
        if found(own, endpoint, now=now).way is Way.OPEN:
            times.append(now)
            pace(own, endpoint, now)
    for first in times:
        within = [one for one in times if first <= one < first + 1]
        assert len(within) <= max(1, rate) + rate + 1


@pytest.mark.parametrize(
    "field",
    [
        {"fresh": [1]},
        {"loaded": [1]},
        {"next_due": NOW},
        {"check_due": NOW},
        {"in_hand": {"m": 1}},
        {"parking": {"m": None}},
        {"running": 1},
    ],
)
def test_a_lane_in_which_anything_waits_is_not_idle(field: dict[str, object]) -> None:
    assert lane().is_idle()
    assert not lane(**field).is_idle()
