"""What became of each delivery, asked of the API."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace as changed

from fakes.past import Lived, live
from wirewatch.topics.alerts import ALERTS
from wirewatch.topics.attempts import ATTEMPTS, AttemptReason, Outcome
from wirewatch.topics.codec import encode
from wirewatch.topics.dead_letters import DeadReason, bury
from wirewatch.topics.deliveries import DELIVERIES, Delivery, DeliveryState
from wirewatch.topics.digests import DigestWhy
from wirewatch.topics.ids import delivery_id

S = timedelta(seconds=1)
H = timedelta(hours=1)


@pytest.fixture
async def lived(world) -> AsyncIterator[Lived]:
    async with live(world) as lived:
        yield lived


def failed(make, **changes):
    fields = {
        "outcome": Outcome.RETRY, "reason": AttemptReason.TIMEOUT, "status": None,
        "detail": "no answer within 15 s", "to": "receiver.example:443",
        "next_attempt_at": make.at + 5 * S,
    }  # fmt: skip
    return make.attempt(**(fields | changes))


def record(make, key, **changes) -> Delivery:
    fields = {"id": key, "endpoint_id": "end_1", "due_at": make.at, "created_at": make.at}
    return Delivery(**(fields | changes))


async def test_a_recent_delivery_stands_where_its_last_attempt_left_it(lived, world, make):
    world.read(
        world.tables.attempts,
        failed(make, delivery_id="a"),
        make.attempt(delivery_id="a", number=2, started_at=make.at + 5 * S),
        failed(make, delivery_id="b", outcome=Outcome.DEAD, next_attempt_at=None),
    )
    page = await lived.get("/v1/deliveries")
    assert [(d["id"], d["state"], d["attempts"], d["status"]) for d in page["items"]] == [
        ("a", "delivered", 2, 200),
        ("b", "dead", 1, None),
    ]
    assert page["complete"] is False
    assert "choose one with `endpoint`" in page["note"]


async def test_deliveries_are_chosen_by_subscription_state_reason_and_time(lived, world, make):
    world.read(
        world.tables.attempts,
        failed(make, delivery_id="a", subscription_id="sub_2"),
        failed(make, delivery_id="b", reason=AttemptReason.DNS, started_at=make.at + 60 * S),
        make.attempt(delivery_id="c"),
    )

    async def ids(query: str) -> list[str]:
        return [d["id"] for d in (await lived.get(f"/v1/deliveries?{query}"))["items"]]

    assert await ids("subscription=sub_2") == ["a"]
    assert await ids("state=pending") == ["b", "a"]
    assert await ids("state=pending,delivered&reason=dns") == ["b"]
    assert await ids("since=2026-03-01T11:58:30Z") == ["b"]
    assert await ids("since=2026-03-01T12:58:30%2B01:00") == ["b"]


async def test_pages_are_newest_first_and_lead_on(lived, world, make):
    world.read(
        world.tables.attempts,
        *(make.attempt(delivery_id=str(n), started_at=make.at + n * S) for n in range(5)),
    )
    seen, after = [], ""
    while after is not None:
        page = await lived.get(f"/v1/deliveries?limit=2{after and '&after=' + after}")
        seen.append([d["id"] for d in page["items"]])
        after = page["next"]
    assert seen == [["4", "3"], ["2", "1"], ["0"]]


async def test_an_alert_without_attempt_is_untried_only_if_its_attempt_would_be_at_hand(
    lived, world, make
):
    many = [
        make.attempt(delivery_id=str(n), started_at=make.at + n * S, duration_ms=2_000)
        for n in range(300)
    ]
    old, new = (
        make.alert(id="old", found_at=make.at + S),
        make.alert(id="new", found_at=make.at + 2 * S),
    )
    elsewhere = make.alert(id="elsewhere", endpoint_id="end_2", found_at=make.at + 2 * S)
    world.read(world.tables.attempts, *many)
    world.read(world.tables.alerts, old, new, elsewhere)
    page = await lived.get("/v1/deliveries?state=untried")
    assert [(d["alert_id"], d["title"]) for d in page["items"]] == [("new", "Storm hits coast")]


async def test_with_few_attempts_at_hand_every_alert_without_one_is_untried(lived, world, make):
    world.read(world.tables.alerts, make.alert())
    (found,) = (await lived.get("/v1/deliveries"))["items"]
    assert (found["id"], found["state"]) == (delivery_id("alert_1", "end_1"), "untried")


async def test_all_deliveries_to_an_endpoint_are_read_back_with_their_states(lived, make):
    told = make.alert(id="1")
    lived.past.write(ALERTS, make.at, told, make.alert(id="2"), make.alert(endpoint_id="end_2"))
    lived.past.write(
        ATTEMPTS, make.at + S, failed(make, delivery_id=delivery_id("1", "end_1"), number=3),
        make.attempt(endpoint_id="end_2"),
    )  # fmt: skip
    lived.past.write(
        DELIVERIES, make.at + 2 * S,
        record(make, "held", state=DeliveryState.HELD, held_for=DigestWhy.QUIET, alert=told),
        record(make, delivery_id("1", "end_1"), attempts=3, state=DeliveryState.DEAD,
               ended_at=make.at),
        record(make, "muted", state=DeliveryState.MUTED, ended_at=make.at),
    )  # fmt: skip
    page = await lived.get("/v1/deliveries?endpoint=end_1&since=2026-03-01T00:00:00Z")
    assert {(d["id"], d["state"], d["attempts"]) for d in page["items"]} == {
        (delivery_id("1", "end_1"), "dead", 3),
        (delivery_id("2", "end_1"), "untried", 0),
        ("held", "held", 0),
        ("muted", "muted", 0),
    }
    assert page["complete"] is True
    (dead,) = (d for d in page["items"] if d["state"] == "dead")
    assert (dead["reason"], dead["next_attempt_at"]) == ("timeout", None)
    assert {place for _, place in lived.past.asked} == {"end_1"}


async def test_what_is_sent_again_is_pending_though_its_last_attempt_failed(lived, make):
    key = delivery_id("1", "end_1")
    dead = failed(make, delivery_id=key, number=3, outcome=Outcome.DEAD, next_attempt_at=None)
    lived.past.write(ATTEMPTS, make.at, dead)
    lived.past.write(
        DELIVERIES, make.at, record(make, key, attempts=3, state=DeliveryState.DEAD),
        record(make, key, attempts=3, alert=make.alert(id="1")),
    )  # fmt: skip
    (found,) = (await lived.get("/v1/deliveries?endpoint=end_1"))["items"]
    assert (found["state"], found["next_attempt_at"]) == ("pending", "2026-03-01T11:58:00Z")


async def test_a_reading_that_met_its_bound_says_how_they_stood_and_how_to_go_on(lived, make):
    lived.past.write(ATTEMPTS, make.at, failed(make, delivery_id="a"))
    lived.past.write(
        ATTEMPTS, make.at, make.attempt(delivery_id="a", number=2, started_at=make.at + H)
    )
    lived.past.write(ALERTS, make.at, make.alert())
    lived.past.cut_after["attempts"] = 1
    page = await lived.get("/v1/deliveries?endpoint=end_1")
    assert [d["id"] for d in page["items"]] == ["a"]
    assert page["complete"] is False
    assert page["note"] == (
        "There is more than can be read in one request: this is how they stood at "
        "2026-03-01T11:58:00Z. Go on with that as `since`."
    )


async def test_two_readings_at_once_and_then_come_again(lived):
    lived.past.may_go_on.clear()
    path = "/v1/deliveries?endpoint=end_1"
    waiting = [asyncio.create_task(lived.client.get(path)) for _ in range(2)]
    while len(lived.past.asked) < 2:  # noqa: ASYNC110 - it looks at what others do
        await asyncio.sleep(0)
    refused = await lived.client.get(path)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert "ask again in 5 s" in (await refused.json())["detail"]
    lived.past.may_go_on.set()
    assert [(await each).status for each in waiting] == [200, 200]
    assert (await lived.client.get(path)).status == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=lost", "state"),
        ("reason=nope", "reason"),
        ("since=yesterday", "since"),
        ("endpoint=end_1&since=2026-01-01T00:00:00Z", "since"),
    ],
)
async def test_a_parameter_that_makes_no_sense_is_refused(lived, query, field):
    said = await lived.get(f"/v1/deliveries?{query}", 422)
    assert said["errors"][0]["field"] == field


async def test_one_delivery_shows_every_attempt_with_its_answer(lived, world, make):
    world.read(
        world.tables.attempts,
        failed(make, status=500, reason=AttemptReason.SERVER_ERROR, response_head="oh no",
               request_bytes=812, response_bytes=5),
        make.attempt(number=2, started_at=make.at + 5 * S, response_head="ok"),
    )  # fmt: skip
    found = await lived.get("/v1/deliveries/msg_1")
    first, second = found["attempts"]
    assert first == {
        "number": 1, "started_at": "2026-03-01T11:58:00Z", "duration_ms": 12,
        "to": "receiver.example:443", "outcome": "retry", "reason": "server_error",
        "detail": "no answer within 15 s", "status": 500, "request_bytes": 812,
        "response_bytes": 5, "response_head": "oh no",
        "next_attempt_at": "2026-03-01T11:58:05Z",
    }  # fmt: skip
    assert second["response_head"] == "ok"
    assert (found["delivery"]["state"], found["complete"]) == ("delivered", True)
    assert lived.past.asked == []


async def test_attempts_that_are_not_at_hand_any_more_are_read_back(lived, world, make):
    for number, hours in ((1, 100), (2, 30), (3, 1)):
        at = make.at - hours * H
        lived.past.write(ATTEMPTS, at, failed(make, number=number, started_at=at))
    world.read(world.tables.attempts, failed(make, number=4))
    found = await lived.get("/v1/deliveries/msg_1")
    assert [attempt["number"] for attempt in found["attempts"]] == [1, 2, 3, 4]


async def test_an_older_delivery_is_found_by_its_endpoint(lived, make):
    lived.past.write(ATTEMPTS, make.at - 400 * H, make.attempt())
    said = await lived.get("/v1/deliveries/msg_1", 404)
    assert "name its endpoint" in said["detail"]
    found = await lived.get("/v1/deliveries/msg_1?endpoint=end_1")
    assert found["delivery"]["state"] == "delivered"


async def test_a_delivery_that_nobody_knows_is_not_found(lived):
    said = await lived.get("/v1/deliveries/msg_x?endpoint=end_1", 404)
    assert said["detail"] == (
        "No attempt of a delivery msg_x to end_1 is known: attempts are kept for 30 days."
    )


async def test_an_untried_delivery_has_no_attempts(lived, world, make):
    world.read(world.tables.alerts, make.alert())
    found = await lived.get(f"/v1/deliveries/{delivery_id('alert_1', 'end_1')}")
    assert (found["delivery"]["state"], found["attempts"]) == ("untried", [])


async def test_dead_letters_are_chosen_by_reason_endpoint_and_time(lived, world, make):
    def letter(key, reason, endpoint, at):
        body = encode(changed(record(make, key), endpoint_id=endpoint, alert=make.alert()))
        return bury(
            body, service="notify", reason=reason, detail="", topic="wirewatch.deliveries",
            partition=-1, offset=-1, key=key, now=at,
        )  # fmt: skip

    world.read(
        world.tables.dead_letters,
        letter("a", DeadReason.EXHAUSTED, "end_1", make.at),
        letter("b", DeadReason.DISABLED, "end_1", make.at + S),
        letter("c", DeadReason.DISABLED, "end_2", make.at + 2 * S),
    )

    async def keys(query: str) -> list[str]:
        return [each["key"] for each in (await lived.get(f"/v1/dead-letters?{query}"))["items"]]

    assert await keys("endpoint=end_1") == ["b", "a"]
    assert await keys("reason=disabled") == ["c", "b"]
    assert await keys("reason=disabled&endpoint=end_1&since=2026-03-01T11:58:01Z") == ["b"]
    assert (await lived.get("/v1/dead-letters?reason=tired", 422))["errors"]
