"""A pace from words, and in words."""

from datetime import UTC, datetime, timedelta

import pytest

from wirewatch.cli.pace_words import (
    Wanted,
    in_words,
    in_zone,
    read_days,
    read_duration,
    read_until,
)
from wirewatch.runtime.errors import Problem
from wirewatch.topics.subscriptions import Pace, QuietHours

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pace", "words"),
    [
        (Pace(), "At once."),
        (Pace(most_per_hour=5), "At once, at most 5 an hour; the rest in a digest."),
        (Pace(every_min=1),
         "In a digest every minute. The next digest is due 2026-03-01 12:01 UTC."),
        (Pace(every_min=90),
         "In a digest every 90 minutes. The next digest is due 2026-03-01 13:30 UTC."),
        (Pace(every_min=1440),
         "In a digest every day. The next digest is due 2026-03-02 00:00 UTC."),
        (Pace(every_min=120, at=("12:10", "08:00")),
         ("In a digest every 2 hours and at 08:00 and 12:10. "
         "The next digest is due 2026-03-01 12:10 UTC.")),
        (Pace(quiet=(QuietHours(start="22:00", end="07:00", days=(0, 1, 2, 3, 4)),),
              time_zone="Europe/Berlin"),
         ("At once. Quiet from 22:00 to 07:00, beginning on Monday to Friday. "
         "Times are those of Europe/Berlin.")),
        (Pace(quiet=(QuietHours(start="11:00", end="15:00", days=(5, 6)),)),
         ("At once. Quiet from 11:00 to 15:00, beginning on Saturday and Sunday. "
         "The next digest is due 2026-03-01 15:00 UTC.")),
        (Pace(snoozed_until=NOW + timedelta(days=1), time_zone="Asia/Kathmandu"),
         ("At once. Snoozed until 2026-03-02 17:45 Asia/Kathmandu. "
         "The next digest is due 2026-03-02 17:45 Asia/Kathmandu.")),
        (Pace(snoozed_until=NOW), "At once."),
        (Pace(muted_sources=("a.example",), muted_stories=("art_1", "art_2")),
         "At once. Muted sources: a.example. Muted stories: art_1, art_2."),
        (Pace(muted_sources=tuple(f"{n}.example" for n in range(7))),
         ("At once. Muted sources: 0.example, 1.example, 2.example, 3.example, 4.example "
         "and 2 more.")),
    ],
)  # fmt: skip
def test_a_pace_is_told_in_sentences(pace, words):
    assert in_words(pace, NOW) == words


def test_an_unknown_zone_is_shown_as_utc():
    assert in_zone(NOW, "Nowhere") == "2026-03-01 12:00 UTC"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("Sat,Sun", (5, 6)),
        ("sat-mon", (0, 5, 6)),
        ("monday, wed", (0, 2)),
        ("tue", (1,)),
        ("mon-wed,tue-thu", (0, 1, 2, 3)),
    ],
)
def test_days_are_read(text, days):
    assert read_days(text) == days


@pytest.mark.parametrize("text", ["", "mon-", "-fri", "m", "mon fri", "montag", "1-5"])
def test_what_are_no_days_is_said(text):
    with pytest.raises(Problem, match="are not days"):
        read_days(text)


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "2h30", "-2h", "2y", "1.5h", "٢h"])
def test_what_is_no_duration_is_said(text):
    with pytest.raises(Problem, match="is not a duration"):
        read_duration(text)


def test_a_time_is_read_in_the_zone_also_where_clocks_change():
    assert read_until("2026-03-29T02:30", "Europe/Berlin") == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert read_until("2026-03-29", "Asia/Kathmandu") == datetime(2026, 3, 28, 18, 15, tzinfo=UTC)
    with_zone = read_until("2026-03-29T02:30+05:45", "Europe/Berlin")
    assert with_zone == datetime(2026, 3, 28, 20, 45, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "08:00", "2026-13-01", "0001-01-01", "2026-02-30"])
def test_what_is_no_time_is_said(text):
    with pytest.raises(Problem, match="is not a time"):
        read_until(text, "Asia/Tokyo")


def test_what_is_not_named_stays():
    pace = Pace(
        every_min=5, quiet=(QuietHours(start="22:00", end="07:00"),), time_zone="Asia/Tokyo"
    )
    assert not Wanted()
    assert Wanted().of(pace) == pace
    assert Wanted(zone="UTC").of(pace).every_min == 5
    assert Wanted(at=("08:00",), every="1h").of(pace).quiet == pace.quiet
