from datetime import timedelta

import pytest

from wirewatch.topics.feed_states import FeedState, FetchReason

URL = "https://news.example/feed.xml"


async def test_a_new_feed_is_written_to_the_log_and_shown(world):
    answer = await world.client.post("/v1/feeds", json={"url": URL, "tags": ["a"]})
    assert answer.status == 201
    feed = await answer.json()
    assert (feed["url"], feed["tags"], feed["paused"]) == (URL, ["a"], False)
    assert feed["health"] == {
        "state": "waiting",
        "text": "waits for its first fetch",
        "failures": 0,
        "failing_since": None,
        "reason": None,
        "fetched_at": None,
        "changed_at": None,
        "next_fetch_at": None,
    }
    assert [(name, record.id) for name, record in world.log.sent] == [("feeds", feed["id"])]
    assert await (await world.client.get(f"/v1/feeds/{feed['id']}")).json() == feed


async def test_the_same_feed_again_is_no_second_one(world):
    body = {"url": URL, "title": "News"}
    assert (await world.client.post("/v1/feeds", json=body)).status == 201
    assert (await world.client.post("/v1/feeds", json=body)).status == 200
    assert (await world.client.post("/v1/feeds", json={"url": URL})).status == 200
    assert len(world.log.sent) == 1


async def test_the_same_url_with_other_settings_is_a_conflict(world):
    first = await (await world.client.post("/v1/feeds", json={"url": URL, "title": "A"})).json()
    answer = await world.client.post("/v1/feeds", json={"url": URL, "title": "B"})
    assert answer.status == 409
    assert first["id"] in (await answer.json())["detail"]


async def test_a_change_keeps_what_it_does_not_name_and_null_clears(world):
    body = {"url": URL, "title": "A", "language": "en", "interval_s": 60}
    feed = await (await world.client.post("/v1/feeds", json=body)).json()
    world.clock.now += timedelta(minutes=1)
    answer = await world.client.patch(
        f"/v1/feeds/{feed['id']}", json={"language": None, "paused": True}
    )
    changed = await answer.json()
    assert (changed["title"], changed["language"], changed["interval_s"]) == ("A", None, 60)
    assert changed["health"]["state"] == "paused"
    assert changed["updated_at"] == "2026-03-01T12:01:00Z"
    assert changed["created_at"] == "2026-03-01T12:00:00Z"


async def test_a_change_that_changes_nothing_is_not_written(world):
    feed = await (await world.client.post("/v1/feeds", json={"url": URL})).json()
    answer = await world.client.patch(f"/v1/feeds/{feed['id']}", json={"paused": False})
    assert answer.status == 200
    assert len(world.log.sent) == 1


async def test_a_removed_feed_is_gone_at_once_and_can_come_back(world):
    feed = await (await world.client.post("/v1/feeds", json={"url": URL})).json()
    path = f"/v1/feeds/{feed['id']}"
    assert (await world.client.delete(path)).status == 204
    assert world.log.sent[-1] == ("feeds", feed["id"])
    assert (await world.client.get(path)).status == 404
    assert (await world.client.delete(path)).status == 404
    assert (await world.client.post("/v1/feeds", json={"url": URL})).status == 201


async def test_health_tells_a_failing_feed_in_words(world):
    feed = await (await world.client.post("/v1/feeds", json={"url": URL})).json()
    state = FeedState(
        feed_id=feed["id"],
        url=URL,
        next_fetch_at=world.clock.now + timedelta(minutes=5),
        failures=3,
        failing_since=world.clock.now - timedelta(hours=2),
        reason=FetchReason.HTTP_STATUS,
        detail="404 Not Found",
    )
    world.read(world.tables.feed_states, state)
    health = (await (await world.client.get(f"/v1/feeds/{feed['id']}")).json())["health"]
    assert health["state"] == "failing"
    assert health["text"] == (
        "refused: 404 Not Found from news.example; "
        "3 failed fetches since 2026-03-01 10:00 UTC; retried in 5 minutes"
    )


async def test_pages_follow_on_even_when_a_feed_of_the_last_page_is_removed(world):
    ids = []
    for number in range(5):
        world.clock.now += timedelta(seconds=1)
        url = f"https://news.example/{number}"
        ids.append((await (await world.client.post("/v1/feeds", json={"url": url})).json())["id"])
    first = await (await world.client.get("/v1/feeds?limit=2")).json()
    assert [feed["id"] for feed in first["items"]] == ids[:2]
    await world.client.delete(f"/v1/feeds/{ids[1]}")
    second = await (await world.client.get(f"/v1/feeds?limit=2&after={first['next']}")).json()
    third = await (await world.client.get(f"/v1/feeds?limit=2&after={second['next']}")).json()
    assert [feed["id"] for feed in second["items"]] == ids[2:4]
    assert [feed["id"] for feed in third["items"]] == ids[4:]
    assert third["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "limit=-1", "limit=²"])
async def test_a_wrong_limit_is_named(world, query):
    answer = await world.client.get(f"/v1/feeds?{query}")
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"] == "limit"


@pytest.mark.parametrize("cursor", ["x", "%00", "bnVsbA", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwiYSJd"])
async def test_a_foreign_cursor_is_refused(world, cursor):
    assert (await world.client.get(f"/v1/feeds?after={cursor}")).status == 400


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"url": "ftp://a.example/"}, "url", "must begin with http:// or https://"),
        ({"url": "https:///feed"}, "url", "names no host"),
        ({"url": "https://me:pw@a.example/"}, "url", "must not hold a user name or password"),
        ({"url": "https://a.example:99999/"}, "url", "is not a URL: Port out of range 0-65535"),
        ({"url": "https://a.example/" + "x" * 2048}, "url",
         "has 2066 characters, at most 2048 are allowed"),
        ({"url": "javascript:alert(1)"}, "url", "must begin with http:// or https://"),
        ({"url": "https://a.example/a b"}, "url",
         "must not hold spaces or characters that a URL has to escape"),
        ({"url": URL, "language": "english!"}, "language",
         "is not a BCP 47 language tag, such as en, pt-BR or zh-Hant"),
        ({"url": URL, "interval_s": 0}, "interval_s", "must be 1 to 86400 seconds"),
        ({"url": URL, "tags": ["a", "a"]}, "tags", "must differ from one another"),
        ({"url": URL, "tags": [" "]}, "tags", "must each have 1 to 50 visible characters"),
        ({"url": URL, "title": "a\x1bb"}, "title",
         "must be one line without control characters"),
        ({"url": URL, "titel": "x"}, "titel",
         ("there is no such field here; there are title, language, tags, interval_s, paused, "
          "full_text, country, url")),
        ({}, "url", "is required"),
        ({"url": 5}, "url", "expected `str`, got `int`"),
        ({"url": URL, "tags": [5]}, "tags[0]", "expected `str`, got `int`"),
    ],
)  # fmt: skip
async def test_a_field_that_is_wrong_is_named(world, fields, field, message):
    answer = await world.client.post("/v1/feeds", json=fields)
    assert answer.status == 422
    assert answer.content_type == "application/problem+json"
    problem = await answer.json()
    assert problem["errors"] == [{"field": field, "message": message}]
    assert problem["detail"] == f"{field}: {message}."
    assert (problem["title"], problem["status"]) == ("Unprocessable Content", 422)
    assert world.log.sent == []


async def test_all_wrong_fields_are_told_at_once(world):
    fields = {"url": "x", "language": "?", "interval_s": -1}
    answer = await world.client.post("/v1/feeds", json=fields)
    wrong = [error["field"] for error in (await answer.json())["errors"]]
    assert wrong == ["url", "language", "interval_s"]


async def test_a_feed_keeps_its_url(world):
    feed = await (await world.client.post("/v1/feeds", json={"url": URL})).json()
    answer = await world.client.patch(f"/v1/feeds/{feed['id']}", json={"url": URL + "2"})
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"] == "url"
