from datetime import timedelta

from wirewatch.topics.dead_letters import DeadReason, bury


async def _items(world, path):
    return (await (await world.client.get(path)).json())["items"]


async def test_recent_alerts_of_one_subscription_newest_first(world, make):
    world.read(
        world.tables.alerts,
        make.alert(id="1"),
        make.alert(id="2", subscription_id="sub_2"),
        make.alert(id="3", found_at=make.at + timedelta(seconds=1)),
    )
    assert [a["id"] for a in await _items(world, "/v1/alerts?subscription=sub_1")] == ["3", "1"]
    assert [a["id"] for a in await _items(world, "/v1/alerts?limit=1")] == ["3"]
    (alert,) = await _items(world, "/v1/alerts?subscription=sub_2")
    assert alert["article"]["title"] == "Storm hits coast"
    assert alert["proofs"][0]["text"] == "Storm"


async def test_recent_attempts_by_endpoint_and_alert(world, make):
    world.read(
        world.tables.attempts,
        make.attempt(delivery_id="1"),
        make.attempt(delivery_id="2", endpoint_id="end_2"),
        make.attempt(delivery_id="3", alert_id="alert_2"),
    )
    found = await _items(world, "/v1/attempts?endpoint=end_1&alert=alert_2")
    assert [attempt["delivery_id"] for attempt in found] == ["3"]
    assert len(await _items(world, "/v1/attempts")) == 3


async def test_dead_letters_say_where_they_came_from(world):
    letter = bury(
        b"{", service="match", reason=DeadReason.UNREADABLE, detail="not JSON",
        topic="wirewatch.articles", partition=3, offset=9, key="k", now=world.clock.now,
    )  # fmt: skip
    world.read(world.tables.dead_letters, letter, letter)
    assert await _items(world, "/v1/dead-letters") == [
        {
            "id": letter.id, "service": "match", "reason": "unreadable", "detail": "not JSON",
            "topic": "wirewatch.articles", "partition": 3, "offset": 9, "key": "k",
            "payload_head": "{", "died_at": "2026-03-01T12:00:00Z",
        }
    ]  # fmt: skip


async def test_the_status_counts_alerts_of_this_hour(world, make):
    world.read(
        world.tables.alerts,
        make.alert(id="1"),
        make.alert(id="1", endpoint_id="end_2"),
        make.alert(id="2", found_at=make.at - timedelta(hours=2)),
    )
    status = await (await world.client.get("/v1/status")).json()
    assert status["alerts"]["last_hour"] == 1
    assert status["alerts"]["per_minute"][-3:] == [1, 0, 0]
    assert status["feeds"] == {"ok": 0, "failing": 0, "gone": 0, "waiting": 0, "paused": 0}
