"""When a subscriber is told, as the API takes and shows it."""

from datetime import timedelta

import pytest

HOOK = "https://receiver.example/hook"
AT_ONCE = {
    "every_min": None, "at": [], "most_per_hour": None, "quiet": [], "snoozed_until": None,
    "muted_sources": [], "muted_stories": [], "time_zone": "UTC",
}  # fmt: skip
FULL = {
    "every_min": 30,
    "at": ["08:00", "18:00"],
    "most_per_hour": 5,
    "quiet": [{"start": "22:00", "end": "07:00", "days": [0, 1, 2, 3, 4]}],
    "snoozed_until": "2026-05-30T12:00:00Z",
    "muted_sources": ["tabloid.example"],
    "muted_stories": ["art_9"],
    "time_zone": "Europe/Berlin",
}
"""The longest snooze there can be: the clock of these tests stands at noon of 1 March 2026."""


async def _post(world, **fields):
    endpoint = await (await world.client.post("/v1/endpoints", json={"url": HOOK})).json()
    body = {"name": "Storms", "query": "storm", "endpoint_ids": [endpoint["id"]], **fields}
    return await world.client.post("/v1/subscriptions", json=body)


@pytest.fixture
async def path(world) -> str:
    made = await (await _post(world)).json()
    return f"/v1/subscriptions/{made['id']}"


async def _pace(answer) -> dict:
    assert answer.status in {200, 201}, await answer.text()
    return (await answer.json())["pace"]


async def test_without_a_pace_everything_is_told_at_once(world):
    assert await _pace(await _post(world)) == AT_ONCE


async def test_a_pace_is_stored_as_it_was_described(world):
    made = await _post(world, pace=FULL)
    assert made.status == 201
    assert await _pace(made) == FULL
    stored = world.log.sent[-1][1].pace
    assert (stored.every_min, stored.at, stored.most_per_hour) == (30, ("08:00", "18:00"), 5)
    assert (stored.quiet[0].start, stored.quiet[0].days) == ("22:00", (0, 1, 2, 3, 4))
    again = await _post(world, pace=FULL)
    assert again.status == 200


async def test_another_pace_is_another_subscription(world):
    await _post(world, pace=FULL)
    assert (await _post(world, pace=FULL | {"every_min": 31})).status == 409
    assert (await _post(world, pace=None)).status == 409
    assert (await _post(world)).status == 200


async def test_a_patch_replaces_the_whole_pace_and_null_resets_it(world, path):
    await world.client.patch(path, json={"pace": FULL})
    assert await _pace(await world.client.patch(path, json={"name": "Gales"})) == FULL
    changed = await world.client.patch(path, json={"pace": {"at": ["09:00"]}})
    assert await _pace(changed) == AT_ONCE | {"at": ["09:00"]}
    assert await _pace(await world.client.patch(path, json={"pace": None})) == AT_ONCE


async def test_hosts_are_kept_as_they_are_compared_and_times_in_utc(world, path):
    pace = {
        "muted_sources": ["WWW.News.example.", "news.example", "xn--bcher-kva.example"],
        "snoozed_until": "2026-03-02T14:00:00+02:00",
    }
    shown = await _pace(await world.client.patch(path, json={"pace": pace}))
    assert shown["muted_sources"] == ["news.example", "bücher.example"]
    assert shown["snoozed_until"] == "2026-03-02T12:00:00Z"


async def test_a_snooze_that_is_over_is_shown_as_none(world, path):
    await world.client.patch(path, json={"pace": FULL})
    world.clock.now += timedelta(days=90)
    assert await _pace(await world.client.get(path)) == FULL | {"snoozed_until": None}
    listed = await (await world.client.get("/v1/subscriptions")).json()
    assert listed["items"][0]["pace"]["snoozed_until"] is None
    assert (await _post(world, pace=FULL | {"snoozed_until": None})).status == 200


MINUTES = [{"start": "00:00", "end": "12:00"}, {"start": "12:00", "end": "23:59"}]


@pytest.mark.parametrize(
    "pace",
    [
        {"every_min": 1},
        {"every_min": 10_080},
        {"most_per_hour": 1_000},
        {"at": [f"{hour:02}:59" for hour in range(24)]},
        {"quiet": MINUTES},
        {"quiet": [{"start": "22:00", "end": "00:00"}] * 7},
        {"muted_sources": ["localhost"], "muted_stories": ["a" * 100] * 199},
        {"muted_sources": ["हिन्दी.example", "a_b.example", "192.0.2.1"]},
        {"time_zone": "Asia/Kathmandu"},
        {"time_zone": "Etc/GMT+5"},
    ],
)
async def test_what_is_within_limits_is_taken(world, path, pace):
    answer = await world.client.patch(path, json={"pace": pace})
    assert answer.status == 200, await answer.text()


@pytest.mark.parametrize(
    ("pace", "field", "message"),
    [
        ({"every_min": 0}, "every_min", "must be a whole number from 1 to 10080"),
        ({"every_min": 10_081}, "every_min", "must be a whole number from 1 to 10080"),
        ({"most_per_hour": 0}, "most_per_hour", "must be a whole number from 1 to 1000"),
        ({"most_per_hour": 1_001}, "most_per_hour", "must be a whole number from 1 to 1000"),
        ({"at": ["8:00"]}, "at", "'8:00' is not a time of the day such as 08:00 or 22:30"),
        ({"at": ["24:00"]}, "at", "'24:00' is not a time of the day such as 08:00 or 22:30"),
        ({"at": ["08:00", "08:00"]}, "at", "must hold times that differ from one another"),
        ({"at": ["08:00"] * 25}, "at", "has 25 times, at most 24 are allowed"),
        ({"quiet": MINUTES * 4}, "quiet", "has 8 entries, at most 7 are allowed"),
        ({"quiet": [{"start": "22", "end": "07:00"}]}, "quiet",
         "'22' is not a time of the day such as 08:00 or 22:30"),
        ({"quiet": [{"start": "22:00", "end": "7:00"}]}, "quiet",
         "'7:00' is not a time of the day such as 08:00 or 22:30"),
        ({"quiet": [{"start": "22:00", "end": "22:00"}]}, "quiet",
         ("begins and ends at 22:00: a whole day is two entries, "
         "00:00 to 12:00 and 12:00 to 00:00")),
        ({"quiet": [{"start": "22:00", "end": "07:00", "days": [7]}]}, "quiet",
         "has days that are not 0 (Monday) to 6 (Sunday)"),
        ({"quiet": [{"start": "22:00", "end": "07:00", "days": [0, 0]}]}, "quiet",
         "names a day twice"),
        ({"quiet": [*MINUTES, {"start": "23:00", "end": "01:00"}]}, "quiet",
         "leaves no time of the week to tell anything: pause the subscription instead"),
        ({"snoozed_until": "2026-03-01T12:00:00Z"}, "snoozed_until", "must be in the future"),
        ({"snoozed_until": "0001-01-01T00:00:00+10:00"}, "snoozed_until", "must be in the future"),
        ({"snoozed_until": "2026-05-30T12:00:01Z"}, "snoozed_until",
         "must be at most 90 days from now"),
        ({"snoozed_until": "9999-12-31T23:59:59-10:00"}, "snoozed_until",
         "must be at most 90 days from now"),
        ({"snoozed_until": "2026-03-02T12:00:00"}, "snoozed_until",
         "expected `datetime` with a timezone component"),
        ({"muted_sources": ["https://news.example/a"]}, "muted_sources",
         "'https://news.example/a' is not a host such as news.example.org"),
        ({"muted_sources": ["*.news.example"]}, "muted_sources",
         "'*.news.example' is not a host such as news.example.org"),
        ({"muted_sources": [""]}, "muted_sources", "'' is not a host such as news.example.org"),
        ({"muted_sources": ["a." * 200]}, "muted_sources",
         f"{'a.' * 25!r} is not a host such as news.example.org"),
        ({"muted_sources": ["a.example"] * 100, "muted_stories": ["s"] * 101}, "muted_sources",
         "and stories are 201, at most 200 are allowed"),
        ({"muted_stories": [""]}, "muted_stories", "'' is not the id of a story"),
        ({"muted_stories": ["a\nb"]}, "muted_stories", "'a\\nb' is not the id of a story"),
        ({"time_zone": "europe/berlin"}, "time_zone",
         "'europe/berlin' is not a time zone of the IANA database, such as Europe/Berlin"),
        ({"time_zone": "America/New York"}, "time_zone",
         "'America/New York' is not a time zone of the IANA database, such as America/New_York"),
        ({"time_zone": "../../etc/passwd"}, "time_zone",
         "'../../etc/passwd' is not a time zone of the IANA database, such as Europe/Berlin"),
        ({"every": 5}, "every",
         ("there is no such field here; there are every_min, at, most_per_hour, quiet, "
         "snoozed_until, muted_sources, muted_stories, time_zone")),
        ({"quiet": [{"start": "22:00"}]}, "quiet[0].end", "is required"),
        ({"quiet": [{"start": "22:00", "end": "23:00", "day": 1}]}, "quiet[0].day",
         "there is no such field here; there are start, end, days"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_pace_is_said_of_its_field(world, path, pace, field, message):
    answer = await world.client.patch(path, json={"pace": pace})
    assert answer.status == 422
    assert (await answer.json())["errors"] == [{"field": f"pace.{field}", "message": message}]
    assert await _pace(await world.client.get(path)) == AT_ONCE


async def test_mistakes_in_and_beside_the_pace_are_told_together(world, path):
    body = {"name": "", "pace": {"every_min": 0, "time_zone": "x"}}
    errors = (await (await world.client.patch(path, json=body)).json())["errors"]
    assert [error["field"] for error in errors] == ["name", "pace.every_min", "pace.time_zone"]


# Snooze


@pytest.mark.parametrize(
    ("body", "until"),
    [
        ({"for_s": 7200}, "2026-03-01T14:00:00Z"),
        ({"for_s": 90 * 86_400}, "2026-05-30T12:00:00Z"),
        ({"until": "2026-03-02T14:00:00+02:00"}, "2026-03-02T12:00:00Z"),
    ],
)
async def test_a_subscription_is_snoozed_and_woken(world, path, body, until):
    await world.client.patch(path, json={"pace": {"at": ["08:00"]}})
    snoozed = await _pace(await world.client.post(f"{path}/snooze", json=body))
    assert snoozed == AT_ONCE | {"at": ["08:00"], "snoozed_until": until}
    assert await _pace(await world.client.get(path)) == snoozed
    woken = await _pace(await world.client.delete(f"{path}/snooze"))
    assert woken == AT_ONCE | {"at": ["08:00"]}


async def test_who_is_awake_is_not_written_again(world, path):
    before = len(world.log.sent)
    assert (await world.client.delete(f"{path}/snooze")).status == 200
    assert len(world.log.sent) == before


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "until: is required, or for_s in its place, and not both."),
        ({"for_s": 60, "until": "2026-03-02T12:00:00Z"},
         "until: is required, or for_s in its place, and not both."),
        ({"for_s": 0}, "for_s: must be 1 to 7776000 seconds."),
        ({"for_s": 7_776_001}, "for_s: must be 1 to 7776000 seconds."),
        ({"for_s": 1e308}, "for_s: must be 1 to 7776000 seconds."),
        ({"until": "2026-03-01T11:59:59Z"}, "until: must be in the future."),
        ({"until": "2026-06-01T00:00:00Z"}, "until: must be at most 90 days from now."),
        ({"until": "2026-03-02T12:00:00"},
         "until: expected `datetime` with a timezone component."),
    ],
)  # fmt: skip
async def test_a_wrong_snooze_is_refused(world, path, body, detail):
    answer = await world.client.post(f"{path}/snooze", json=body)
    assert (answer.status, (await answer.json())["detail"]) == (422, detail)


# Mutes


async def test_sources_and_stories_are_muted_and_told_again(world, path):
    mutes = f"{path}/mutes"
    await world.client.post(mutes, json={"source": "News.example"})
    await world.client.post(mutes, json={"source": "other.example"})
    both = await _pace(await world.client.post(mutes, json={"story": "art_1"}))
    assert both["muted_sources"] == ["news.example", "other.example"]
    assert both["muted_stories"] == ["art_1"]
    before = len(world.log.sent)
    await world.client.post(mutes, json={"source": "www.NEWS.example"})
    assert len(world.log.sent) == before
    fewer = await _pace(await world.client.delete(mutes, json={"source": "news.EXAMPLE"}))
    assert fewer["muted_sources"] == ["other.example"]
    none = await _pace(await world.client.delete(f"{mutes}?story=art_1"))
    assert none["muted_stories"] == []


async def test_what_is_not_muted_cannot_be_told_again(world, path):
    answer = await world.client.delete(f"{path}/mutes", json={"source": "news.example"})
    assert answer.status == 404
    assert (await answer.json())["detail"].startswith("news.example is not muted here")


async def test_there_are_not_more_mutes_than_200(world, path):
    pace = {"muted_sources": ["a.example"], "muted_stories": [f"art_{n}" for n in range(199)]}
    await world.client.patch(path, json={"pace": pace})
    again = await world.client.post(f"{path}/mutes", json={"source": "a.example"})
    assert again.status == 200
    one_more = await world.client.post(f"{path}/mutes", json={"source": "b.example"})
    assert one_more.status == 422
    assert "200 mutes" in (await one_more.json())["detail"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "source: is required, or story in its place, and not both."),
        ({"source": "a.example", "story": "art_1"},
         "source: is required, or story in its place, and not both."),
        ({"source": "https://a.example"},
         "source: 'https://a.example' is not a host such as news.example.org."),
        ({"story": " "}, "story: ' ' is not the id of a story."),
    ],
)  # fmt: skip
async def test_a_wrong_mute_is_refused(world, path, body, detail):
    for method in ("POST", "DELETE"):
        answer = await world.client.request(method, f"{path}/mutes", json=body)
        assert (answer.status, (await answer.json())["detail"]) == (422, detail)


@pytest.mark.parametrize(
    ("method", "part", "body"),
    [
        ("POST", "snooze", {"for_s": 60}),
        ("DELETE", "snooze", None),
        ("POST", "mutes", {"story": "art_1"}),
        ("DELETE", "mutes", {"story": "art_1"}),
    ],
)
async def test_an_unknown_subscription_has_no_pace(world, method, part, body):
    answer = await world.client.request(method, f"/v1/subscriptions/sub_x/{part}", json=body)
    assert answer.status == 404
    assert "There is no subscription sub_x" in (await answer.json())["detail"]
