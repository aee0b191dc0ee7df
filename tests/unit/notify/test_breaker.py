"""An endpoint's circuit, and when the endpoint is given up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wirewatch.notify.breaker import (
    DISABLE_LEAST_FAILURES,
    FIRST_COOLDOWN,
    HARMFUL,
    MAX_COOLDOWN,
    OPEN_AFTER,
    OURS,
    after_failure,
    after_success,
    cooldown,
    is_news,
)
from wirewatch.notify.outcome import Failure
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.endpoint_states import Breaker, DisabledReason, EndpointState

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAYS = timedelta(days=5)
REFUSED = Failure(AttemptReason.CONNECT, "nobody there")
NOT_FOUND = Failure(AttemptReason.CLIENT_ERROR, "the receiver answered 404")
ABOUT_THE_RECEIVER = sorted(set(AttemptReason) - OURS)


def failed(
    state: EndpointState | None, *failures: Failure, now: datetime = NOW
) -> EndpointState | None:
    for failure in failures:
        state = after_failure(state, failure, endpoint_id="end_1", now=now, disable_after=DAYS)
    return state


def opened(now: datetime = NOW) -> EndpointState:
    state = failed(None, *[REFUSED] * OPEN_AFTER, now=now)
    assert state is not None
    return state


def test_every_reason_is_ours_or_the_receivers_and_none_is_both() -> None:
    assert not HARMFUL & OURS
    assert {AttemptReason.CLIENT_ERROR, AttemptReason.GONE, AttemptReason.CHALLENGE} <= set(
        ABOUT_THE_RECEIVER
    ) - HARMFUL


def test_the_first_failure_is_remembered_and_closes_nothing() -> None:
    assert failed(None, REFUSED) == EndpointState(
        endpoint_id="end_1",
        breaker=Breaker.CLOSED,
        failures=1,
        unreachable=1,
        failing_since=NOW,
        last_failure_at=NOW,
        last_reason=AttemptReason.CONNECT,
        last_detail="nobody there",
        changed_at=NOW,
    )


@pytest.mark.parametrize("reason", sorted(HARMFUL))
def test_it_opens_with_the_fifth_failure_in_a_row_that_says_nobody_is_there(
    reason: AttemptReason,
) -> None:
    before = failed(None, *[Failure(reason)] * (OPEN_AFTER - 1))
    after = failed(before, Failure(reason))

    assert before is not None
    assert after is not None
    assert (before.breaker, before.probe_at) == (Breaker.CLOSED, None)
    assert (after.breaker, after.probe_at) == (Breaker.OPEN, NOW + FIRST_COOLDOWN)


def test_a_receiver_that_answers_is_there_whatever_it_answers() -> None:
    state = failed(None, *[NOT_FOUND] * 50)

    assert state is not None
    assert (state.breaker, state.failures) == (Breaker.CLOSED, 50)


def test_answers_do_not_count_towards_the_opening() -> None:
    state = failed(None, *[NOT_FOUND] * (OPEN_AFTER - 1), REFUSED)

    assert state is not None
    assert state.breaker is Breaker.CLOSED


def test_a_success_begins_the_count_anew() -> None:
    state = failed(None, *[REFUSED] * (OPEN_AFTER - 1))
    state = after_success(state, NOW)
    state = failed(state, *[REFUSED] * (OPEN_AFTER - 1))

    assert state is not None
    assert state.breaker is Breaker.CLOSED


def test_a_probe_in_vain_doubles_the_distance_up_to_a_bound() -> None:
    state: EndpointState | None = opened()
    now, waits = NOW, []
    for _ in range(8):
        assert state is not None
        assert state.probe_at is not None
        now = state.probe_at
        state = failed(state, REFUSED, now=now)
        assert state is not None
        assert state.probe_at is not None
        waits.append((state.probe_at - now).total_seconds())

    assert waits == [20, 40, 80, 160, 300, 300, 300, 300]


def test_requests_that_were_under_way_when_it_opened_are_no_probes() -> None:
    state = failed(opened(), *[REFUSED] * 95)

    assert state is not None
    assert state.probe_at == NOW + FIRST_COOLDOWN


def test_a_probe_that_is_answered_closes_it() -> None:
    state = after_success(opened(), NOW + timedelta(minutes=1))

    assert state is not None
    assert (state.breaker, state.failures, state.failing_since, state.probe_at) == (
        Breaker.CLOSED,
        0,
        None,
        None,
    )
    assert state.last_success_at == NOW + timedelta(minutes=1)


def test_a_probe_that_is_answered_with_404_closes_it_but_it_still_fails() -> None:
    state = failed(opened(), NOT_FOUND, now=NOW + timedelta(minutes=1))

    assert state is not None
    assert (state.breaker, state.probe_at) == (Breaker.CLOSED, None)
    assert state.failing_since == NOW


@pytest.mark.parametrize("reason", sorted(OURS))
def test_what_is_our_fault_says_nothing_of_the_receiver(reason: AttemptReason) -> None:
    state = opened()

    assert failed(None, Failure(reason)) is None
    assert failed(state, *[Failure(reason)] * 20, now=NOW + 2 * DAYS) is state


def test_410_disables_at_once() -> None:
    state = failed(None, Failure(AttemptReason.GONE, "the receiver answered 410"))

    assert state is not None
    assert (state.disabled_at, state.disabled_reason) == (NOW, DisabledReason.GONE)


def test_five_days_of_failures_disable_with_the_next_one() -> None:
    state = failed(None, *[NOT_FOUND] * (DISABLE_LEAST_FAILURES - 1))
    almost = failed(state, NOT_FOUND, now=NOW + DAYS - timedelta(seconds=1))
    after = failed(almost, NOT_FOUND, now=NOW + DAYS)

    assert almost is not None
    assert after is not None
    assert almost.disabled_at is None
    assert (after.disabled_at, after.disabled_reason) == (NOW + DAYS, DisabledReason.FAILING)


def test_two_failures_that_lie_days_apart_disable_nothing() -> None:
    state = failed(failed(None, NOT_FOUND), NOT_FOUND, now=NOW + 3 * DAYS)

    assert state is not None
    assert state.disabled_at is None


def test_one_success_within_the_five_days_begins_them_anew() -> None:
    state = after_success(failed(None, *[REFUSED] * 20), NOW + DAYS / 2)
    state = failed(state, *[REFUSED] * 20, now=NOW + DAYS)

    assert state is not None
    assert state.disabled_at is None
    assert state.failing_since == NOW + DAYS


def test_where_nothing_was_wrong_a_success_changes_nothing() -> None:
    fine = EndpointState(endpoint_id="end_1", changed_at=NOW)

    assert after_success(None, NOW) is None
    assert after_success(fine, NOW) is fine


def test_news_is_what_is_worth_a_record() -> None:
    first = failed(None, NOT_FOUND)
    second = failed(first, NOT_FOUND, now=NOW + timedelta(hours=1))

    assert first is not None
    assert is_news(None, first)
    assert not is_news(first, second), "only the count has changed"
    assert is_news(second, failed(second, REFUSED))
    assert is_news(opened(), after_success(opened(), NOW))
    assert is_news(first, replace(first, disabled_at=NOW))
    assert not is_news(first, first)
    assert not is_news(first, None)


@given(st.integers(-10, 10_000))
def test_cooldowns_stay_within_their_bounds(probes: int) -> None:
    assert FIRST_COOLDOWN <= cooldown(probes) <= MAX_COOLDOWN
    assert cooldown(probes) <= cooldown(probes + 1)


_STEPS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.sampled_from(sorted(AttemptReason))), st.integers(0, 86_400 * 2)
    ),
    max_size=60,
)


@given(_STEPS)
def test_whatever_happens_the_state_is_consistent(
    steps: list[tuple[AttemptReason | None, int]],
) -> None:
    state: EndpointState | None = None
    now, first_failure = NOW, None
    for reason, seconds in steps:
        now += timedelta(seconds=seconds)
        if reason is None:
            state, first_failure = after_success(state, now), None
        else:
            state = failed(state, Failure(reason), now=now)
            if reason not in OURS:
                first_failure = first_failure or now
        if state is None:
            assert first_failure is None
            continue
        assert state.failing_since == first_failure
        assert (state.probe_at is not None) == (state.breaker is not Breaker.CLOSED)
        if reason is None:
            assert (state.breaker, state.failures) == (Breaker.CLOSED, 0)
        if reason in HARMFUL and state.probe_at is not None:
            assert now + FIRST_COOLDOWN <= state.probe_at <= now + MAX_COOLDOWN
        if state.disabled_at == now and state.disabled_reason is DisabledReason.FAILING:
            assert first_failure is not None
            assert now - first_failure >= DAYS
            assert state.failures >= DISABLE_LEAST_FAILURES
