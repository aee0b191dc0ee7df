from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wirewatch.notify.outcome import Failure
from wirewatch.notify.retry import (
    FREE_RETRY_AFTER,
    SCHEDULE,
    Dead,
    Retry,
    after_failure,
    jitter,
    schedule_of,
)
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.endpoints import Endpoint

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DOWN = Failure(AttemptReason.SERVER_ERROR)


def wait_s(failure: Failure, attempt: int, delivery_id: str = "msg_1") -> float:
    decision = after_failure(failure, delivery_id=delivery_id, attempt=attempt, now=NOW)
    assert isinstance(decision, Retry)
    return (decision.at - NOW).total_seconds()


def test_the_default_schedule() -> None:
    assert [wait.total_seconds() for wait in SCHEDULE] == [
        5,
        300,
        1_800,
        7_200,
        18_000,
        36_000,
        50_400,
        72_000,
        86_400,
    ]


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 5.411597), (2, 287.250883), (9, 79_432.358928)]
)
def test_the_wait_after_an_attempt_is_always_the_same(attempt: int, seconds: float) -> None:
    assert wait_s(DOWN, attempt) == pytest.approx(seconds, abs=1e-6)


@given(st.text(), st.integers(1, 9))
def test_jitter_is_at_most_a_tenth(delivery_id: str, attempt: int) -> None:
    scheduled = SCHEDULE[attempt - 1].total_seconds()
    try:
        wait = wait_s(DOWN, attempt, delivery_id)
    except UnicodeEncodeError:
        return  # half a surrogate pair is in no id

    assert 0.9 * scheduled <= wait <= 1.1 * scheduled


def test_jitter_differs_between_deliveries_and_attempts_both_ways() -> None:
    found = [jitter(f"msg_{n}", attempt) for n in range(20) for attempt in (1, 2)]

    assert len(set(found)) == 40
    assert min(found) < -0.05
    assert max(found) > 0.05


def test_after_the_last_wait_it_is_given_up() -> None:
    decision = after_failure(DOWN, delivery_id="msg_1", attempt=10, now=NOW)

    assert decision == Dead(DeadReason.EXHAUSTED)


@pytest.mark.parametrize(
    ("reason", "dead"),
    [
        (AttemptReason.GONE, DeadReason.REJECTED),
        (AttemptReason.ADDRESS, DeadReason.REJECTED),
        (AttemptReason.URL, DeadReason.REJECTED),
        (AttemptReason.TEMPLATE, DeadReason.REJECTED),
        (AttemptReason.NO_ENDPOINT, DeadReason.NO_ENDPOINT),
        (AttemptReason.DISABLED, DeadReason.DISABLED),
        (AttemptReason.EXPIRED, DeadReason.EXHAUSTED),
    ],
)
def test_what_can_never_succeed_is_given_up_at_once(
    reason: AttemptReason, dead: DeadReason
) -> None:
    decision = after_failure(Failure(reason), delivery_id="msg_1", attempt=1, now=NOW)

    assert decision == Dead(dead)


@pytest.mark.parametrize(
    ("attempt", "asked_s", "least_s", "most_s"),
    [
        (1, 0, 4.5, 5.5),  # it cannot hurry us
        (1, 60, 60, 60),
        (1, 3_600, 3_600, 3_600),
        (1, 1_000_000, 3_600, 3_600),  # it cannot stop us
        (4, 10_000, 10_000, 10_000),
        (4, 1_000_000, 14_400, 14_400),
        (9, 60, 77_760, 95_040),
    ],
)
def test_retry_after_counts_within_bounds(
    attempt: int, asked_s: float, least_s: float, most_s: float
) -> None:
    asked = Failure(AttemptReason.SLOW_DOWN, "", timedelta(seconds=asked_s))

    assert least_s <= wait_s(asked, attempt) <= most_s


def test_an_endpoint_may_bring_its_own_schedule(endpoint: Endpoint) -> None:
    own = schedule_of(replace(endpoint, retry_schedule_s=(0.5, -3.0, 1e300)))

    assert own == [timedelta(seconds=0.5), timedelta(0), timedelta(days=30)]
    assert schedule_of(replace(endpoint, retry_schedule_s=())) == []
    assert schedule_of(endpoint) == SCHEDULE
    assert schedule_of(None) == SCHEDULE
    assert after_failure(DOWN, delivery_id="m", attempt=1, now=NOW, schedule=()) == Dead(
        DeadReason.EXHAUSTED
    )


@given(
    st.sampled_from(sorted(AttemptReason)),
    st.integers(1, 12),
    st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=60))),
    st.lists(st.floats(0, 1e6), max_size=10),
)
def test_each_attempt_of_a_schedule_leads_to_one_more_or_to_the_end(
    reason: AttemptReason, attempt: int, asked: timedelta | None, schedule_s: list[float]
) -> None:
    schedule = [timedelta(seconds=s) for s in schedule_s]
    decision = after_failure(
        Failure(reason, "", asked), delivery_id="m", attempt=attempt, now=NOW, schedule=schedule
    )

    if isinstance(decision, Dead):
        assert attempt > len(schedule) or not Failure(reason).recoverable or reason == "expired"
        return
    wait, scheduled = decision.at - NOW, schedule[attempt - 1]
    assert wait >= 0.9 * scheduled
    assert wait <= max(1.1 * scheduled, 2 * scheduled if asked else scheduled, FREE_RETRY_AFTER)
    if asked is not None and asked <= FREE_RETRY_AFTER:
        assert wait >= asked
