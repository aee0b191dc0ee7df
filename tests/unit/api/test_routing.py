"""Subscriptions and endpoints, which refer to one another."""

import pytest

HOOK = "https://receiver.example/hook"


async def _endpoint(world, url=HOOK):
    return await (await world.client.post("/v1/endpoints", json={"url": url})).json()


async def _subscription(world, endpoint_ids, name="Storms", query="storm"):
    body = {"name": name, "query": query, "endpoint_ids": endpoint_ids}
    return await world.client.post("/v1/subscriptions", json=body)


async def test_a_subscription_is_made_once(world):
    endpoint = await _endpoint(world)
    first = await _subscription(world, [endpoint["id"]])
    assert first.status == 201
    again = await _subscription(world, [endpoint["id"]])
    assert again.status == 200
    assert await again.json() == await first.json()
    assert [name for name, _ in world.log.sent] == ["endpoints", "subscriptions"]


async def test_a_subscription_that_was_changed_is_not_made_again(world):
    endpoint = await _endpoint(world)
    made = await (await _subscription(world, [endpoint["id"]])).json()
    await world.client.patch(f"/v1/subscriptions/{made['id']}", json={"query": "hurricane"})
    again = await _subscription(world, [endpoint["id"]])
    assert again.status == 409
    assert made["id"] in (await again.json())["detail"]


async def test_missing_endpoints_are_named(world):
    endpoint = await _endpoint(world)
    answer = await _subscription(world, ["end_no", endpoint["id"], "end_nor"])
    assert answer.status == 422
    assert (await answer.json())["errors"] == [
        {"field": "endpoint_ids", "message": "there is no endpoint end_no, end_nor"}
    ]
    made = await (await _subscription(world, [endpoint["id"]])).json()
    changed = await world.client.patch(
        f"/v1/subscriptions/{made['id']}", json={"endpoint_ids": ["end_no"]}
    )
    assert changed.status == 422


@pytest.mark.parametrize("ids", [[], ["a"] * 2, [str(i) for i in range(17)]])
async def test_the_number_of_endpoints_has_limits(world, ids):
    answer = await _subscription(world, ids)
    assert (await answer.json())["errors"][0]["field"] == "endpoint_ids"


async def test_a_used_endpoint_stays_and_its_users_are_named(world):
    endpoint = await _endpoint(world)
    made = await (await _subscription(world, [endpoint["id"]])).json()
    path = f"/v1/endpoints/{endpoint['id']}"
    refused = await world.client.delete(path)
    assert refused.status == 409
    assert f"'Storms' ({made['id']})" in (await refused.json())["detail"]
    assert (await world.client.delete(f"/v1/subscriptions/{made['id']}")).status == 204
    assert (await world.client.delete(path)).status == 204


async def test_a_wrong_query_is_refused_with_its_place(world):
    endpoint = await _endpoint(world)
    answer = await _subscription(world, [endpoint["id"]], query="storm)")
    assert answer.status == 422
    error = (await answer.json())["errors"][0]
    assert error["field"] == "query"
    assert ", at character 6" in error["message"]
