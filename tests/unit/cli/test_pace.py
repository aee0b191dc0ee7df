"""`alerts pace`, `snooze`, `wake`, `mute` and `unmute`, as a person uses them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from wirewatch.cli import alerts, pace
from wirewatch.topics.subscriptions import Pace, QuietHours

HOOK = "https://receiver.example/hook"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""What the clock of the API in `conftest` shows."""


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The command line's clock shows the same."""
    for module in (alerts, pace):
        monkeypatch.setattr(module, "utc_now", lambda: NOW)


@pytest.fixture
def storms(wirewatch, api):
    """An alert named Storms; returns its pace as it was written last."""
    wirewatch("alerts", "add", "Storms", "storm", "--to", HOOK)
    return lambda: api.sent[-1].pace


def test_a_schedule_is_set_and_told_with_the_next_digest(wirewatch, storms):
    said = wirewatch(
        "alerts", "pace", "Storms", "--at", "18:00", "--at", "08:00", "--zone", "Europe/Berlin"
    )
    assert (said.exit_code, said.stdout) == (
        0,
        (
            "Storms: In a digest at 08:00 and 18:00. "
            "The next digest is due 2026-03-01 18:00 Europe/Berlin.\n"
        ),
    )
    assert storms() == Pace(at=("18:00", "08:00"), time_zone="Europe/Berlin")


def test_a_step_may_have_a_unit(wirewatch, storms):
    for text, minutes in (("30", 30), ("30m", 30), ("2h", 120), ("1d", 1440), ("1w", 10_080)):
        assert wirewatch("alerts", "pace", "Storms", "--every", text).exit_code == 0
        assert storms() == Pace(every_min=minutes)


def test_who_names_a_rhythm_drops_the_other_and_keeps_the_rest(wirewatch, storms):
    wirewatch("alerts", "pace", "Storms", "--every", "30", "--quiet", "22:00-07:00",
              "--quiet-days", "mon-fri")  # fmt: skip
    wirewatch("alerts", "mute", "Storms", "--source", "tabloid.example")
    wirewatch("alerts", "pace", "Storms", "--most-per-hour", "5")
    assert storms() == Pace(
        most_per_hour=5,
        quiet=(QuietHours(start="22:00", end="07:00", days=(0, 1, 2, 3, 4)),),
        muted_sources=("tabloid.example",),
    )
    wirewatch("alerts", "pace", "Storms", "--at-once", "--quiet", "23:00-06:00")
    assert storms() == Pace(
        quiet=(QuietHours(start="23:00", end="06:00"),), muted_sources=("tabloid.example",)
    )
    wirewatch("alerts", "pace", "Storms", "--at-once")
    assert storms() == Pace(muted_sources=("tabloid.example",))


def test_without_options_the_pace_is_shown_and_nothing_written(wirewatch, api, storms):
    before = len(api.sent)
    assert wirewatch("alerts", "pace", "Storms").stdout == "Storms: At once.\n"
    shown = json.loads(wirewatch("alerts", "pace", "Storms", "--json").stdout)
    assert shown["time_zone"] == "UTC"
    assert len(api.sent) == before


def test_an_alert_can_be_added_with_its_pace(wirewatch, api):
    added = wirewatch("alerts", "add", "Storms", "storm", "--to", HOOK, "--every", "60",
                      "--quiet", "22:00-07:00", "--zone", "Asia/Kathmandu")  # fmt: skip
    assert added.exit_code == 0
    assert api.sent[-1].pace == Pace(
        every_min=60,
        quiet=(QuietHours(start="22:00", end="07:00"),),
        time_zone="Asia/Kathmandu",
    )
    shown = wirewatch("alerts", "show", "Storms").stdout
    assert (
        "  told       In a digest every hour. Quiet from 22:00 to 07:00. "
        "The next digest is due 2026-03-01 18:00 Asia/Kathmandu.\n"
    ) in shown


def test_an_alert_without_a_pace_is_told_at_once(wirewatch, storms):
    assert storms() == Pace()
    assert "  told       At once.\n" in wirewatch("alerts", "show", "Storms").stdout


@pytest.mark.parametrize(
    ("words", "until", "told"),
    [
        (("--for", "2h"), NOW + timedelta(hours=2), "2026-03-01 15:00 Europe/Berlin"),
        (("--for", "1d12h"), NOW + timedelta(days=1.5), "2026-03-03 01:00 Europe/Berlin"),
        (("--until", "2026-04-01T08:00"), datetime(2026, 4, 1, 6, tzinfo=UTC),
         "2026-04-01 08:00 Europe/Berlin"),
        (("--until", "2026-04-01T08:00Z"), datetime(2026, 4, 1, 8, tzinfo=UTC),
         "2026-04-01 10:00 Europe/Berlin"),
    ],
)  # fmt: skip
def test_an_alert_is_snoozed_in_its_zone_and_woken(wirewatch, storms, words, until, told):
    wirewatch("alerts", "pace", "Storms", "--zone", "Europe/Berlin")
    snoozed = wirewatch("alerts", "snooze", "Storms", *words)
    assert (snoozed.exit_code, snoozed.stdout) == (0, f"Snoozed Storms until {told}\n")
    assert storms().snoozed_until == until
    assert "snoozed" in wirewatch("alerts", "list").stdout
    assert f"Snoozed until {told}." in wirewatch("alerts", "show", "Storms").stdout
    assert wirewatch("alerts", "wake", "Storms").stdout == "Woke Storms\n"
    assert storms() == Pace(time_zone="Europe/Berlin")


def test_a_snooze_outlasts_a_change_of_pace(wirewatch, storms):
    wirewatch("alerts", "snooze", "Storms", "--for", "2h")
    wirewatch("alerts", "pace", "Storms", "--every", "30")
    assert storms() == Pace(every_min=30, snoozed_until=NOW + timedelta(hours=2))


def test_sources_and_stories_are_muted_and_told_again(wirewatch, storms):
    muted = wirewatch("alerts", "mute", "Storms", "--source", "bücher.example")
    assert muted.stdout == "Muted the source bücher.example in Storms\n"
    assert wirewatch("alerts", "mute", "Storms", "--story", "art_1").exit_code == 0
    assert storms() == Pace(muted_sources=("bücher.example",), muted_stories=("art_1",))
    again = wirewatch("alerts", "unmute", "Storms", "--source", "xn--bcher-kva.example")
    assert again.stdout == "The source xn--bcher-kva.example is told again in Storms\n"
    wirewatch("alerts", "unmute", "Storms", "--story", "art_1")
    assert storms() == Pace()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("pace", "Storms", "--every", "often"),
         "--every often is not a number of minutes: write 30, or 30m, 2h, 1d."),
        (("pace", "Storms", "--every", "0"),
         "pace.every_min: must be a whole number from 1 to 10080."),
        (("pace", "Storms", "--at", "8"),
         "pace.at: '8' is not a time of the day such as 08:00 or 22:30."),
        (("pace", "Storms", "--quiet", "night"),
         "--quiet night is not a span of the day: write 22:00-07:00."),
        (("pace", "Storms", "--quiet-days", "mon"),
         "--quiet-days says on which days --quiet begins: give that too."),
        (("pace", "Storms", "--quiet", "22:00-07:00", "--quiet-days", "mo-fr"),
         "--quiet-days mo-fr are not days: write mon-fri, or sat,sun."),
        (("pace", "Storms", "--zone", "Berlin"),
         ("pace.time_zone: 'Berlin' is not a time zone of the IANA database, "
         "such as Europe/Berlin.")),
        (("pace", "Gales"), "There is no alert named Gales: see `wirewatch alerts list`."),
        (("snooze", "Storms"), "Say how long: --for 2h, or --until 2026-12-01T08:00."),
        (("snooze", "Storms", "--for", "2h", "--until", "2026-04-01T08:00"),
         "Say how long: --for 2h, or --until 2026-12-01T08:00."),
        (("snooze", "Storms", "--for", "2"), "2 is not a duration: write 30m, 2h, 3d or 1w."),
        (("snooze", "Storms", "--for", "99999999w"), "for_s: must be 1 to 7776000 seconds."),
        (("snooze", "Storms", "--until", "soon"),
         "--until soon is not a time: write 2026-12-01T08:00."),
        (("snooze", "Storms", "--until", "2026-02-01T08:00"), "until: must be in the future."),
        (("mute", "Storms"), "Say what: --source with a host, or --story with an id."),
        (("unmute", "Storms", "--source", "a.example", "--story", "art_1"),
         "Say what: --source with a host, or --story with an id."),
        (("mute", "Storms", "--source", "a b"),
         "source: 'a b' is not a host such as news.example.org."),
        (("unmute", "Storms", "--source", "a.example"),
         "a.example is not muted here: the pace of the subscription says what is."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(wirewatch, storms, words, sentence):
    result = wirewatch("alerts", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"wirewatch: {sentence}\n"
