"""When a subscriber is told: mutes, snooze, quiet hours, schedules and the most an hour."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from wirewatch.notify.pacing import (
    HOUR,
    MAX_HOLD,
    Hold,
    Mute,
    Tell,
    Window,
    decide,
    due_under,
    instant,
    muted_by,
    next_digest_at,
    next_window,
    zone_of,
)
from wirewatch.topics.alerts import Alert, ArticleDigest
from wirewatch.topics.digests import DigestWhy
from wirewatch.topics.subscriptions import MAX_SNOOZE, Pace, QuietHours

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday."""
MINUTE = timedelta(minutes=1)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Pacific/Apia",
    "Africa/Casablanca",
)
ALERT = Alert(
    id="alert_1",
    endpoint_id="end_1",
    subscription_id="sub_1",
    subscription_name="Storms",
    query="storm",
    article=ArticleDigest(
        id="art_1", story_id="story_1", revision=1, url="https://news.example/1", title="Storm",
        summary="", language="en", source="news.example", feed_id="feed_1", feed_title="News",
        authors=(), published_at=NOON, fetched_at=NOON,
    ),
    proofs=(),
    found_at=NOON,
)  # fmt: skip


def of(**changes: object) -> Alert:
    return replace(ALERT, article=replace(ALERT.article, **changes))


def local(zone: str, text: str, fold: int = 0) -> datetime:
    shown = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return shown.astimezone(UTC)


def until(pace: Pace, now: datetime) -> datetime:
    decision = decide(ALERT, pace, None, now=now)
    assert isinstance(decision, Hold)
    return decision.until


def quiet(start: str, end: str, *days: int) -> tuple[QuietHours, ...]:
    return (QuietHours(start=start, end=end, days=days),)


# Mutes


@pytest.mark.parametrize(
    ("muted", "source"),
    [
        ("news.example", "news.example"),
        ("news.example", "sport.news.example"),
        ("News.Example.", "NEWS.example"),
        ("www.news.example", "news.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "shop.bücher.example"),
        ("news。example", "news.example"),
    ],
)
def test_a_muted_source_is_told_to_nobody(muted, source):
    decision = decide(of(source=source), Pace(muted_sources=(muted,)), None, now=NOON)
    assert isinstance(decision, Mute)
    assert decision.detail.startswith("its source ")


@pytest.mark.parametrize(
    ("muted", "source"),
    [
        ("news.example", "mynews.example"),
        ("news.example", "news.example.org"),
        ("sport.news.example", "news.example"),
        ("straße.example", "strasse.example"),
        ("", "news.example"),
        (".", "news.example"),
        ("news.example", ""),
        ("xn--\ud800", "news.example"),
        ("xn--99999999999", "news.example"),
    ],
)
def test_other_sources_are_told(muted, source):
    assert decide(of(source=source), Pace(muted_sources=(muted,)), None, now=NOON) == Tell()


def test_a_muted_story_is_told_to_nobody_even_while_snoozed():
    pace = Pace(muted_stories=("story_0", "story_1"), snoozed_until=NOON + HOUR)
    assert decide(ALERT, pace, None, now=NOON) == Mute("its story story_1 is muted")
    assert muted_by(of(story_id="story_2"), pace) == ""


# The most an hour


def test_the_first_of_an_hour_are_told_and_the_rest_at_its_end():
    pace, window, decisions = Pace(most_per_hour=2), None, []
    for minutes in (0, 10, 20, 59):
        now = NOON + minutes * MINUTE
        decisions.append(decide(ALERT, pace, window, now=now))
        if isinstance(decisions[-1], Tell):
            window = next_window(window, now)
    assert decisions == [Tell(), Tell(), *[Hold(NOON + HOUR, DigestWhy.RATE)] * 2]
    assert decide(ALERT, pace, window, now=NOON + HOUR) == Tell()
    assert next_window(window, NOON + HOUR) == Window(NOON + HOUR, 1)


def test_a_window_of_the_future_is_over_where_a_clock_was_set_back():
    assert decide(ALERT, Pace(most_per_hour=1), Window(NOON + HOUR, 5), now=NOON) == Tell()


def test_the_rest_of_an_hour_waits_for_the_end_of_quiet_hours():
    pace = Pace(most_per_hour=1, quiet=quiet("12:30", "14:00"))
    decision = decide(ALERT, pace, Window(NOON, 1), now=NOON + MINUTE)
    assert decision == Hold(NOON + 2 * HOUR, DigestWhy.RATE)


# Snooze


def test_a_snooze_holds_until_it_ends():
    pace = Pace(snoozed_until=NOON + HOUR)
    assert decide(ALERT, pace, None, now=NOON) == Hold(NOON + HOUR, DigestWhy.SNOOZE)
    assert decide(ALERT, pace, None, now=NOON + HOUR) == Tell()


@pytest.mark.parametrize(
    "end",
    [
        datetime(9999, 12, 31, 23, 59, 59, 999_999),  # noqa: DTZ001 - a record may say no zone
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_a_snooze_without_end_holds_for_the_longest_that_is_allowed(end):
    assert until(Pace(snoozed_until=end), NOON) == NOON + MAX_SNOOZE


@pytest.mark.parametrize(
    "end",
    [datetime(1, 1, 1), datetime.min.replace(tzinfo=ZoneInfo("Asia/Kathmandu"))],  # noqa: DTZ001
)
def test_a_snooze_that_is_long_over_holds_nothing(end):
    assert decide(ALERT, Pace(snoozed_until=end), None, now=NOON) == Tell()


def test_a_snooze_that_ends_in_quiet_hours_lasts_as_long_as_they_do():
    pace = Pace(snoozed_until=NOON + 11 * HOUR, quiet=quiet("22:00", "07:00"))
    assert decide(ALERT, pace, None, now=NOON) == Hold(NOON + 19 * HOUR, DigestWhy.SNOOZE)


def test_a_snooze_never_brings_a_digest_forward():
    pace = Pace(at=("18:00",), snoozed_until=NOON + HOUR)
    assert decide(ALERT, pace, None, now=NOON) == Hold(NOON + 6 * HOUR, DigestWhy.SCHEDULE)
    longer = replace(pace, snoozed_until=NOON + 7 * HOUR)
    assert decide(ALERT, longer, None, now=NOON) == Hold(NOON + 7 * HOUR, DigestWhy.SNOOZE)


# Quiet hours


def test_quiet_hours_go_over_midnight():
    pace = Pace(quiet=quiet("22:00", "07:00"), time_zone="Europe/Berlin")
    morning = local("Europe/Berlin", "2026-03-03 07:00")
    for found in ("2026-03-02 22:00", "2026-03-02 23:59", "2026-03-03 06:59"):
        decision = decide(ALERT, pace, None, now=local("Europe/Berlin", found))
        assert decision == Hold(morning, DigestWhy.QUIET)
    for found in ("2026-03-02 21:59", "2026-03-03 07:00"):
        assert decide(ALERT, pace, None, now=local("Europe/Berlin", found)) == Tell()


def test_days_are_those_on_which_quiet_hours_begin():
    pace = Pace(quiet=quiet("22:00", "07:00", 4))
    assert until(pace, datetime(2026, 3, 7, 6, 0, tzinfo=UTC)) == datetime(
        2026, 3, 7, 7, tzinfo=UTC
    )
    assert decide(ALERT, pace, None, now=datetime(2026, 3, 6, 6, 0, tzinfo=UTC)) == Tell()
    assert decide(ALERT, pace, None, now=datetime(2026, 3, 7, 23, 0, tzinfo=UTC)) == Tell()


def test_quiet_hours_that_follow_one_another_are_one():
    pace = Pace(quiet=quiet("18:00", "00:00") + quiet("00:00", "06:00") + quiet("05:00", "08:00"))
    assert until(pace, NOON + 7 * HOUR) == NOON + 20 * HOUR


def test_a_weekend_can_be_quiet():
    pace = Pace(
        quiet=quiet("18:00", "00:00", 4) + quiet("00:00", "12:00") + quiet("12:00", "00:00", 5, 6)
    )
    friday = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)
    assert until(pace, friday) == datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


def test_quiet_hours_that_never_end_count_as_none():
    pace = Pace(quiet=quiet("00:00", "12:00") + quiet("12:00", "00:00"))
    assert decide(ALERT, pace, None, now=NOON) == Tell()


def test_quiet_hours_last_through_an_hour_that_comes_twice():
    pace = Pace(quiet=quiet("22:00", "02:30"), time_zone="Europe/Berlin")
    end = local("Europe/Berlin", "2026-10-25 02:30", fold=1)
    assert until(pace, local("Europe/Berlin", "2026-10-25 02:45", fold=0)) == end
    pace = Pace(quiet=quiet("02:30", "06:00"), time_zone="Europe/Berlin")
    assert until(pace, local("Europe/Berlin", "2026-10-25 02:10", fold=1)) == local(
        "Europe/Berlin", "2026-10-25 06:00"
    )


def test_quiet_hours_that_end_in_a_gap_end_with_it():
    pace = Pace(quiet=quiet("22:00", "02:30"), time_zone="Europe/Berlin")
    assert until(pace, local("Europe/Berlin", "2026-03-29 01:00")) == datetime(
        2026, 3, 29, 1, 0, tzinfo=UTC
    )


def test_a_digest_that_would_come_in_quiet_hours_comes_at_their_end():
    pace = Pace(at=("06:00", "18:00"), quiet=quiet("22:00", "07:00"))
    assert decide(ALERT, pace, None, now=NOON + 7 * HOUR) == Hold(
        NOON + 19 * HOUR, DigestWhy.SCHEDULE
    )
    assert decide(ALERT, pace, None, now=NOON + 11 * HOUR) == Hold(
        NOON + 19 * HOUR, DigestWhy.QUIET
    )


def test_quiet_hours_never_bring_a_digest_forward():
    pace = Pace(at=("08:00",), quiet=quiet("22:00", "07:00"))
    assert decide(ALERT, pace, None, now=NOON + 11 * HOUR) == Hold(
        NOON + 20 * HOUR, DigestWhy.SCHEDULE
    )


# Schedules


@pytest.mark.parametrize(
    ("pace", "zone", "found", "told"),
    [
        # Minutes are counted from midnight of the zone.
        (Pace(every_min=30), "Asia/Kathmandu", "2026-03-02 12:10", "2026-03-02 12:30"),
        (Pace(every_min=30), "Asia/Kathmandu", "2026-03-02 12:30", "2026-03-02 13:00"),
        (Pace(every_min=7), "UTC", "2026-03-02 23:59", "2026-03-03 00:00"),
        (Pace(every_min=420), "UTC", "2026-03-02 21:00", "2026-03-03 00:00"),
        (Pace(every_min=1440), "Europe/Berlin", "2026-03-02 00:00", "2026-03-03 00:00"),
        (Pace(every_min=10080), "Europe/Berlin", "2026-03-02 00:00", "2026-03-09 00:00"),
        (Pace(every_min=10080), "Europe/Berlin", "2026-03-08 23:59", "2026-03-09 00:00"),
        (Pace(at=("08:00", "18:00")), "Europe/Berlin", "2026-03-02 08:00", "2026-03-02 18:00"),
        (Pace(at=("18:00", "08:00")), "Europe/Berlin", "2026-03-02 18:00", "2026-03-03 08:00"),
        # Both: what comes first.
        (Pace(at=("08:10",), every_min=60), "UTC", "2026-03-02 08:01", "2026-03-02 08:10"),
        (Pace(at=("08:10",), every_min=60), "UTC", "2026-03-02 08:10", "2026-03-02 09:00"),
        # A gap: 02:00 to 03:00 in Berlin, half an hour in Lord Howe, midnight in Beirut.
        (Pace(at=("02:30",)), "Europe/Berlin", "2026-03-29 01:59", "2026-03-29 03:00"),
        (Pace(at=("02:30",)), "Europe/Berlin", "2026-03-29 03:00", "2026-03-30 02:30"),
        (Pace(at=("02:15",)), "Australia/Lord_Howe", "2026-10-04 01:00", "2026-10-04 02:30"),
        (Pace(every_min=1440), "Asia/Beirut", "2026-03-28 12:00", "2026-03-29 01:00"),
        (Pace(every_min=720), "Europe/Berlin", "2026-03-29 01:00", "2026-03-29 12:00"),
        # Apia had no 30 December 2011; what belongs to it comes with the 31st.
        (Pace(at=("08:00", "18:00")), "Pacific/Apia", "2011-12-29 19:00", "2011-12-31 00:00"),
        (Pace(at=("08:00", "18:00")), "Pacific/Apia", "2011-12-31 00:00", "2011-12-31 08:00"),
        (Pace(every_min=1440), "Pacific/Apia", "2011-12-29 19:00", "2011-12-31 00:00"),
        (Pace(every_min=50), "Pacific/Apia", "2011-12-29 23:50", "2011-12-31 00:00"),
    ],
)
def test_a_schedule_has_its_times_in_the_zone(pace, zone, found, told):
    now = local(zone, found)
    decision = decide(ALERT, replace(pace, time_zone=zone), None, now=now)
    assert decision == Hold(local(zone, told), DigestWhy.SCHEDULE)


def test_a_time_that_comes_twice_is_told_once():
    berlin = Pace(at=("02:30",), time_zone="Europe/Berlin")
    first = local("Europe/Berlin", "2026-10-25 02:30")
    assert until(berlin, first - MINUTE) == first
    assert until(berlin, first) == local("Europe/Berlin", "2026-10-26 02:30")
    havana = Pace(every_min=1440, time_zone="America/Havana")
    first = local("America/Havana", "2026-11-01 00:00")
    assert until(havana, first - MINUTE) == first
    assert until(havana, first + HOUR) == local("America/Havana", "2026-11-02 00:00")


def test_half_hours_go_on_through_an_hour_that_comes_twice():
    pace = Pace(every_min=30, time_zone="Europe/Berlin")
    now, told = local("Europe/Berlin", "2026-10-25 01:30"), []
    while len(told) < 6:
        told.append(now := until(pace, now))
    assert told == [told[0] + step * 30 * MINUTE for step in range(6)]


def test_what_the_api_would_refuse_counts_as_not_given():
    pace = Pace(
        every_min=0,
        at=("8:00", "24:00", "x", "08:00\n", "٠٨:٠٠"),
        most_per_hour=0,
        quiet=quiet("08:00", "08:00") + quiet("?", "09:00") + quiet("08:00", "25:00"),
    )
    assert decide(ALERT, pace, Window(NOON, 99), now=NOON) == Tell()
    assert decide(ALERT, Pace(every_min=10_081), None, now=NOON) == Tell()
    assert decide(ALERT, Pace(every_min=-5), None, now=NOON) == Tell()


@pytest.mark.parametrize(
    "name", ["", "Nowhere", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 5000]
)
def test_an_unknown_zone_is_read_as_utc_and_said(name):
    decision = decide(ALERT, Pace(at=("18:00",), time_zone=name), None, now=NOON)
    assert isinstance(decision, Hold)
    assert decision.until == NOON + 6 * HOUR
    assert decision.detail == f"there is no time zone {name[:100]} here: times are read as UTC"
    assert zone_of(name)[0] is UTC


# What is held already, under another pace


def test_what_was_snoozed_is_told_when_it_is_woken():
    assert due_under(Pace(), DigestWhy.SNOOZE, NOON + 9 * HOUR, now=NOON) == NOON


def test_what_was_snoozed_waits_for_quiet_hours_and_for_the_schedule():
    held = (DigestWhy.SNOOZE, NOON + 90 * HOUR)
    assert due_under(Pace(quiet=quiet("11:00", "13:00")), *held, now=NOON) == NOON + HOUR
    assert due_under(Pace(at=("18:00",)), *held, now=NOON) == NOON + 6 * HOUR


def test_what_is_due_waits_for_a_snooze_that_came_meanwhile():
    pace = Pace(most_per_hour=1, snoozed_until=NOON + 5 * HOUR)
    assert due_under(pace, DigestWhy.RATE, NOON, now=NOON) == NOON + 5 * HOUR


def test_the_rest_of_an_hour_keeps_its_time():
    held = (DigestWhy.RATE, NOON + 20 * MINUTE)
    assert due_under(Pace(most_per_hour=9), *held, now=NOON) == NOON + 20 * MINUTE
    assert due_under(Pace(), *held, now=NOON) == NOON


def test_a_digest_that_is_due_is_told_whatever_the_schedule_is_by_now():
    assert due_under(Pace(at=("18:00",)), DigestWhy.SCHEDULE, NOON, now=NOON) == NOON


def test_the_next_digest_is_known():
    assert next_digest_at(Pace(), now=NOON) is None
    assert next_digest_at(Pace(most_per_hour=1), now=NOON) is None
    assert next_digest_at(Pace(at=("18:00",)), now=NOON) == NOON + 6 * HOUR
    assert next_digest_at(Pace(snoozed_until=NOON + HOUR), now=NOON) == NOON + HOUR


# Properties

clock = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
quiet_hours = st.builds(
    QuietHours, start=clock, end=clock, days=st.lists(st.integers(0, 6), max_size=7).map(tuple)
)
readings = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 - of a clock
moments = readings.map(lambda shown: shown.replace(tzinfo=UTC))
changes = st.builds(
    lambda change, s: change + timedelta(seconds=s),
    st.sampled_from(
        [
            datetime(2026, 3, 29, 1, tzinfo=UTC),  # Berlin
            datetime(2026, 10, 25, 1, tzinfo=UTC),
            datetime(2006, 4, 2, 3, 31, tzinfo=UTC),  # St John's, at 00:01
            datetime(2006, 10, 29, 2, 31, tzinfo=UTC),
            datetime(2026, 4, 4, 15, tzinfo=UTC),  # Lord Howe, by half an hour
            datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
            datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia, by a day
            datetime(2026, 3, 28, 22, tzinfo=UTC),  # Beirut, at midnight
            datetime(2026, 11, 1, 5, tzinfo=UTC),  # Havana, to midnight
            datetime(2026, 2, 15, 2, tzinfo=UTC),  # Casablanca, for Ramadan
        ]
    ),
    st.integers(-100_000, 100_000),
)
times = moments | changes


@st.composite
def paces(draw):
    return Pace(
        every_min=draw(st.none() | st.sampled_from([1, 7, 30, 60, 61, 90, 720, 1440, 10_080])
                       | st.integers(1, 10_080)),
        at=tuple(draw(st.lists(clock, max_size=4))),
        most_per_hour=draw(st.none() | st.integers(1, 3)),
        quiet=tuple(draw(st.lists(quiet_hours, max_size=3))),
        snoozed_until=draw(st.none() | times),
        time_zone=draw(st.sampled_from(ZONES)),
    )  # fmt: skip


def is_short(pace: Pace, now: datetime) -> bool:
    """Say whether the snooze is one that the API takes."""
    return pace.snoozed_until is None or pace.snoozed_until <= now + MAX_SNOOZE


def reads_quiet(pace: Pace, at: datetime) -> bool:
    """Say whether a clock on the wall shows quiet hours; knows nothing of how they are computed."""
    shown = at.astimezone(ZoneInfo(pace.time_zone))
    text, today, yesterday = f"{shown:%H:%M}", shown.weekday(), (shown.weekday() - 1) % 7
    for hours in pace.quiet:
        begins_today = not hours.days or today in hours.days
        began_yesterday = not hours.days or yesterday in hours.days
        if hours.start < hours.end:
            if begins_today and hours.start <= text < hours.end:
                return True
        elif hours.start > hours.end and (
            (begins_today and text >= hours.start) or (began_yesterday and text < hours.end)
        ):
            return True
    return False


def has_free_time(pace: Pace) -> bool:
    """Say whether some minute of a usual week is not quiet, and no gap can hide it."""
    week = datetime(2026, 1, 5, tzinfo=ZoneInfo(pace.time_zone))
    return any(
        not reads_quiet(pace, (week + timedelta(days=day, hours=hour)).astimezone(UTC))
        for day in range(7)
        for hour in range(4, 24)
    )


@given(pace=paces(), now=times, told=st.integers(0, 4), ago_s=st.integers(-10, 4000))
@example(Pace(at=("00:00",), time_zone="Pacific/Apia"), datetime(2011, 12, 30, 9, tzinfo=UTC), 0, 0)
def test_a_hold_is_ahead_bounded_and_not_within_quiet_hours_or_a_snooze(pace, now, told, ago_s):
    assume(has_free_time(pace))
    window = Window(now - timedelta(seconds=ago_s), told)
    decision = decide(ALERT, pace, window, now=now)
    assert decide(ALERT, pace, window, now=now) == decision
    at = decision.until if isinstance(decision, Hold) else now
    assert at > now or isinstance(decision, Tell)
    assert at <= now + MAX_HOLD
    assert not reads_quiet(pace, at)
    snooze = pace.snoozed_until or now
    assert at >= min(snooze, now + MAX_SNOOZE)


@given(pace=paces(), now=times, told=st.integers(0, 4))
def test_quiet_hours_and_a_snooze_only_delay(pace, now, told):
    window = Window(now - MINUTE, told)
    bare = decide(ALERT, replace(pace, quiet=(), snoozed_until=None), window, now=now)
    full = decide(ALERT, pace, window, now=now)
    if isinstance(bare, Hold):
        assert isinstance(full, Hold)
        assert full.until >= bare.until


@given(pace=paces(), now=times)
def test_alerts_found_while_a_digest_is_awaited_come_in_it(pace, now):
    every_min = pace.every_min and max(pace.every_min, 61)
    pace = replace(pace, quiet=(), snoozed_until=None, every_min=every_min)
    assume(pace.every_min or pace.at)
    first = until(pace, now)
    for share in (0.25, 0.75):
        assert until(pace, now + share * (first - now)) == first


@given(pace=paces(), now=times)
@example(  # the hour of the limit ends in the next quiet hours
    pace=Pace(
        most_per_hour=1,
        quiet=(QuietHours(start="03:00", end="02:31"),),
        time_zone="America/St_Johns",
    ),
    now=datetime(2005, 1, 1, 6, 0, tzinfo=UTC),
)
def test_a_held_alert_keeps_its_time_while_the_pace_stays(pace, now):
    decision = decide(ALERT, pace, Window(now - MINUTE, 9), now=now)
    assume(isinstance(decision, Hold) and is_short(pace, now))
    again = due_under(pace, decision.why, decision.until, now=now)
    assert again == decision.until
    assert due_under(pace, decision.why, decision.until, now=decision.until) == decision.until


@given(zone=st.sampled_from(ZONES), at=clock, now=times)
def test_a_time_of_the_day_is_told_once_a_day_and_at_that_time(zone, at, now):
    pace, wanted = Pace(at=(at,), time_zone=zone), time.fromisoformat(at)
    days = []
    for _ in range(4):
        now = until(pace, now)
        shown = now.astimezone(ZoneInfo(zone))
        days.append(shown.date())
        assert shown.fold == 0
        if shown.time() != wanted:  # it did not exist: nothing before it was later than the gap
            before = (now - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
            assert before.replace(tzinfo=None) < shown.replace(tzinfo=None) - MINUTE
    assert len(set(days)) >= 3  # Apia: two days' digests can be due on one
    assert days == sorted(days)


@given(zone=st.sampled_from(ZONES), step=st.integers(1, 60), now=times)
def test_short_steps_are_never_longer_than_they_are_said_to_be(zone, step, now):
    slot = until(Pace(every_min=step, time_zone=zone), now)
    assert slot - now <= step * MINUTE


@pytest.mark.parametrize(
    ("zone", "year"),
    [*((zone, 2026) for zone in ZONES), ("Pacific/Apia", 2011), ("America/St_Johns", 2006)],
)
def test_all_of_a_year_in_which_clocks_change(zone, year):
    pace = Pace(
        at=("02:15", "12:00"), quiet=quiet("23:30", "00:30") + quiet("01:30", "02:30", 6, 5),
        time_zone=zone,
    )  # fmt: skip
    now, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year, 1, 1, tzinfo=UTC)
    while now.year == year:
        told = until(pace, now)
        assert told > now
        assert told >= last
        assert not reads_quiet(pace, told)
        now, last = now + 37 * MINUTE, told


@given(zone=st.sampled_from(ZONES), shown=readings)
def test_an_instant_is_what_the_clock_shows_or_the_end_of_a_gap(zone, shown):
    shown = shown.replace(microsecond=0)
    tz = ZoneInfo(zone)
    first, last = instant(shown, tz), instant(shown, tz, last=True)
    assert first <= last
    if first.astimezone(tz).replace(tzinfo=None) == shown:
        assert last.astimezone(tz).replace(tzinfo=None) == shown
    else:
        before = (first - timedelta(seconds=1)).astimezone(tz).replace(tzinfo=None)
        assert before < shown < first.astimezone(tz).replace(tzinfo=None)
        assert first == last
