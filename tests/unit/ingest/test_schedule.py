"""When a feed is fetched next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.ingest.schedule import (
    GONE_RECHECK,
    JITTER,
    LONGEST,
    Bounds,
    Hints,
    after_failure,
    after_success,
    gap_of,
    learned_gap,
    learned_interval,
)

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BOUNDS = Bounds(shortest=5 * MINUTE, longest=HOUR, longest_hint=6 * HOUR)
NO_HINTS = Hints()


def wait(hints: Hints = NO_HINTS, interval: timedelta = 10 * MINUTE, **options: bool) -> timedelta:
    return after_success("f", NOW, interval, hints=hints, bounds=BOUNDS, **options) - NOW


@pytest.mark.parametrize(
    ("gap", "still_for", "interval"),
    [
        (None, None, 5 * MINUTE),
        (MINUTE, None, 5 * MINUTE),
        (2 * HOUR, None, 30 * MINUTE),
        (40 * MINUTE, MINUTE, 10 * MINUTE),
        (40 * MINUTE, 2 * HOUR, 30 * MINUTE),
        (timedelta(days=3), None, HOUR),
        (MINUTE, timedelta(days=3), HOUR),
    ],
)
def test_a_feed_is_polled_as_often_as_it_changes(
    gap: timedelta | None, still_for: timedelta | None, interval: timedelta
) -> None:
    gap_s = gap.total_seconds() if gap else None
    changed_at = NOW - still_for if still_for else None

    assert learned_interval(gap_s, changed_at, NOW, BOUNDS) == interval


def test_the_gap_between_changes_is_learned_and_forgets_slowly() -> None:
    gap = learned_gap(None, NOW - HOUR, NOW)
    assert gap == 3600
    assert learned_gap(gap, NOW - 2 * HOUR, NOW) == pytest.approx(0.7 * 3600 + 0.3 * 7200)
    assert learned_gap(gap, None, NOW) == gap


def test_a_new_feed_is_judged_by_the_dates_in_it() -> None:
    assert gap_of([NOW, NOW - HOUR, NOW - 4 * HOUR]) == 7200
    assert gap_of([NOW]) is None
    assert gap_of([]) is None


def test_two_feeds_do_not_march_in_step() -> None:
    interval = 10 * MINUTE
    times = {
        after_success(f"feed_{n}", NOW, interval, hints=Hints(), bounds=BOUNDS) for n in range(50)
    }

    assert len(times) == 50
    assert all(interval * (1 - JITTER) <= at - NOW <= interval * (1 + JITTER) for at in times)


@pytest.mark.parametrize("hints", [Hints(ttl=HOUR), Hints(fresh_for=HOUR)])
def test_a_publishers_hints_make_the_wait_longer_never_shorter(hints: Hints) -> None:
    assert HOUR <= wait(hints) <= HOUR * (1 + JITTER)
    assert wait(hints, interval=3 * HOUR) >= 3 * HOUR * (1 - JITTER)
    assert wait(Hints(ttl=MINUTE)) == wait()


def test_hints_have_a_limit() -> None:
    assert wait(Hints(ttl=timedelta(days=365))) <= 6 * HOUR * (1 + JITTER)


def test_an_interval_that_somebody_asked_for_is_kept() -> None:
    hints = Hints(ttl=HOUR, fresh_for=HOUR, skip_hours=range(24))

    assert wait(hints, fixed=True) <= 10 * MINUTE * (1 + JITTER)


def test_skipped_hours_are_left_out() -> None:
    at = NOW + wait(Hints(skip_hours=(12, 13, 14)))

    assert at == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def test_skipped_days_are_left_out_up_to_the_longest_hint() -> None:
    late = datetime(2026, 11, 22, 23, 50, tzinfo=UTC)  # a Sunday
    hints = Hints(skip_days=(6, 0))
    at = after_success("f", late, 20 * MINUTE, hints=hints, bounds=BOUNDS)

    assert at == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(("failures", "expected"), [(1, 20 * MINUTE), (3, 80 * MINUTE)])
def test_failures_double_the_wait(failures: int, expected: timedelta) -> None:
    at = after_failure("f", NOW, 10 * MINUTE, failures=failures)

    assert expected * (1 - JITTER) <= at - NOW <= expected * (1 + JITTER)


def test_a_server_gets_the_wait_it_asks_for_up_to_a_day() -> None:
    asked = after_failure("f", NOW, MINUTE, failures=1, retry_after=HOUR)
    too_long = after_failure("f", NOW, MINUTE, failures=1, retry_after=timedelta(days=30))

    assert asked == NOW + HOUR
    assert too_long == NOW + LONGEST


def test_a_feed_that_is_gone_is_left_alone_for_a_week() -> None:
    at = after_failure("f", NOW, MINUTE, failures=1, gone=True)

    assert at >= NOW + GONE_RECHECK * (1 - JITTER)


@given(
    failures=st.integers(1, 10_000),
    retry_after=st.none() | st.timedeltas(timedelta(0), timedelta(days=10_000)),
)
def test_a_failing_feed_is_always_tried_again_within_a_day(
    failures: int, retry_after: timedelta | None
) -> None:
    at = after_failure("f", NOW, 5 * MINUTE, failures=failures, retry_after=retry_after)

    assert NOW < at <= NOW + LONGEST
