import asyncio

import pytest
from prometheus_client.exposition import generate_latest

from wirewatch.api import store
from wirewatch.api.guard import host_name, is_loopback

URL = "https://news.example/feed.xml"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:84", "192.168.1.5", "", "[::2]:1"])
async def test_a_foreign_host_is_refused_when_only_this_machine_is_served(world, host):
    answer = await world.client.get("/v1/feeds", headers={"Host": host})
    assert answer.status == 403
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8400", "[::1]:8400"])
async def test_this_machine_may_be_named_in_any_way(world, host):
    assert (await world.client.get("/v1/feeds", headers={"Host": host})).status == 200


async def test_any_host_may_be_named_when_all_are_served(open_world):
    answer = await open_world.client.get("/v1/feeds", headers={"Host": "wirewatch.example"})
    assert answer.status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
async def test_what_a_web_page_may_post_across_origins_is_refused(world, content_type):
    answer = await world.client.post(
        "/v1/feeds",
        data=b'{"url": "' + URL.encode() + b'"}',
        headers={"Content-Type": content_type},
    )
    assert answer.status == 415
    assert world.log.sent == []


async def test_no_other_origin_is_let_in(world):
    answer = await world.client.options("/v1/feeds", headers={"Origin": "https://evil.example"})
    assert answer.status == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"nul", b'{"url": "\\ud800"}'])
async def test_a_body_that_is_not_json_is_refused(world, raw):
    headers = {"Content-Type": "application/json"}
    answer = await world.client.post("/v1/feeds", data=raw, headers=headers)
    assert answer.status == 400
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("raw", [b"[]", b"5", b"null", b"[" * 30_000])
async def test_a_body_that_is_no_object_is_refused(world, raw):
    headers = {"Content-Type": "application/json"}
    answer = await world.client.post("/v1/feeds", data=raw, headers=headers)
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"] == "(body)"


async def test_a_body_may_have_64_kib_and_no_more(world):
    headers = {"Content-Type": "application/json"}
    answer = await world.client.post("/v1/feeds", data=b" " * 65_537, headers=headers)
    assert answer.status == 413
    assert "65536 bytes" in (await answer.json())["detail"]
    fitting = b'{"url": "https://news.example/f"}'.ljust(65_536)
    assert (await world.client.post("/v1/feeds", data=fitting, headers=headers)).status == 201


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/v1/nothing", 404, "There is nothing at /v1/nothing: see docs/api.md."),
        ("GET", "/v1/feeds/feed_x", 404, "There is no feed feed_x: GET /v1/feeds lists them."),
        ("DELETE", "/v1/feeds", 405, "/v1/feeds does not take DELETE, but GET, HEAD, POST."),
        ("PUT", "/v1/feeds/x", 405, "/v1/feeds/x does not take PUT, but DELETE, GET, HEAD, PATCH."),
    ],
)
async def test_what_is_not_there_is_said_as_problem_details(world, method, path, status, detail):
    answer = await world.client.request(method, path)
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert (await answer.json())["detail"] == detail


async def test_an_error_of_ours_tells_the_client_nothing_of_it(world, monkeypatch):
    async def broken(topic, record):
        raise ValueError("whsec_inner")

    monkeypatch.setattr(world.log, "send", broken)
    answer = await world.client.post("/v1/feeds", json={"url": URL})
    assert answer.status == 500
    assert "whsec_inner" not in await answer.text()


async def test_while_kafka_is_away_a_write_is_refused_and_nothing_shown(world, monkeypatch):
    async def never(topic, record):
        await asyncio.Event().wait()

    monkeypatch.setattr(world.log, "send", never)
    monkeypatch.setattr(store, "WRITE_TIMEOUT_S", 0.01)
    answer = await world.client.post("/v1/feeds", json={"url": URL})
    assert answer.status == 503
    assert (await (await world.client.get("/v1/feeds")).json())["items"] == []


async def test_two_at_once_make_one_feed(world):
    statuses = await asyncio.gather(
        *((world.client.post("/v1/feeds", json={"url": URL})) for _ in range(8))
    )
    assert sorted(answer.status for answer in statuses) == [200] * 7 + [201]
    assert len(world.log.sent) == 1


async def test_requests_are_counted_by_class_from_zero(world):
    before = generate_latest(world.registry).decode()
    assert 'wirewatch_api_requests_total{method="GET",status="5xx"} 0.0' in before
    await world.client.get("/v1/feeds")
    await world.client.get("/v1/feeds/x")
    await world.client.request("PROPFIND", "/v1/feeds")
    after = generate_latest(world.registry).decode()
    assert 'wirewatch_api_requests_total{method="GET",status="2xx"} 1.0' in after
    assert 'wirewatch_api_requests_total{method="GET",status="4xx"} 1.0' in after
    assert 'wirewatch_api_requests_total{method="OTHER",status="4xx"} 1.0' in after
    assert "wirewatch_api_request_seconds_count 3.0" in after


async def test_healthz_is_there(world):
    answer = await world.client.get("/healthz")
    assert (answer.status, await answer.text()) == (200, "ok\n")


@pytest.mark.parametrize(
    ("header", "name"), [("a:1", "a"), ("a", "a"), ("[::1]:80", "::1"), ("[::1]", "::1")]
)
def test_the_name_in_a_host_header(header, name):
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("localhost.evil.example", False), ("10.0.0.1", False), ("", False)],
)  # fmt: skip
def test_what_means_this_machine(host, expected):
    assert is_loopback(host) is expected
