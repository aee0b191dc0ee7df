"""Subscriptions and endpoints, which refer to one another."""

import base64

import pytest
from standardwebhooks import Webhook

HOOK = "https://receiver.example/hook"


async def _endpoint(world, url=HOOK):
    return await (await world.client.post("/v1/endpoints", json={"url": url})).json()


async def _subscription(world, endpoint_ids, name="Storms", query="storm"):
    body = {"name": name, "query": query, "endpoint_ids": endpoint_ids}
    return await world.client.post("/v1/subscriptions", json=body)


async def test_the_secret_is_told_once_and_never_again(world):
    new = await world.client.post("/v1/endpoints", json={"url": HOOK})
    assert new.status == 201
    endpoint = await new.json()
    secret = endpoint["secret"]
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    Webhook(secret)  # the official library takes it
    path = f"/v1/endpoints/{endpoint['id']}"
    for answer in (
        await world.client.post("/v1/endpoints", json={"url": HOOK}),
        await world.client.get(path),
        await world.client.get("/v1/endpoints"),
        await world.client.patch(path, json={"name": "mine"}),
        await world.client.get("/v1/status"),
        await world.client.get("/"),
    ):
        assert answer.status == 200
        assert "secret" not in await answer.text()


async def test_two_endpoints_have_different_secrets(world):
    assert (await _endpoint(world))["secret"] != (await _endpoint(world, HOOK + "2"))["secret"]


async def test_an_own_secret_is_taken_and_can_be_changed(world):
    secret = "whsec_" + base64.b64encode(b"x" * 24).decode()
    body = {"url": HOOK, "secret": secret}
    endpoint = await (await world.client.post("/v1/endpoints", json=body)).json()
    assert endpoint["secret"] == secret
    other = "whsec_" + base64.b64encode(b"y" * 64).decode()
    await world.client.patch(f"/v1/endpoints/{endpoint['id']}", json={"secret": other})
    assert world.log.sent[-1][1].secret == other


@pytest.mark.parametrize(
    "secret",
    ["", "x", "whsec_", "whsec_!!!", "whsec_" + base64.b64encode(b"x" * 23).decode(),
     "whsec_" + base64.b64encode(b"x" * 65).decode(), base64.b64encode(b"x" * 32).decode()],
)  # fmt: skip
async def test_a_weak_secret_is_refused_and_not_repeated(world, secret):
    answer = await world.client.post("/v1/endpoints", json={"url": HOOK, "secret": secret})
    assert answer.status == 422
    problem = await answer.json()
    assert problem["errors"][0]["message"] == (
        "must be whsec_ and the base64 of 24 to 64 random bytes"
    )


@pytest.mark.parametrize("waits", [[0], [-1], [604801], [1] * 31])
async def test_a_retry_schedule_has_limits(world, waits):
    body = {"url": HOOK, "retry_schedule_s": waits}
    assert (await world.client.post("/v1/endpoints", json=body)).status == 422


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
