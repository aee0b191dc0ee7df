"""Wikidata as it answers, well or badly, on 127.0.0.1."""

import gzip
import json
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime
from importlib.metadata import version

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fakes.wikidata import DONE, Server, says, sends, status
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.errors import Problem
from wirewatch.web.client import WebClient
from wirewatch.web.wikidata import LIMITS, MAX_ANSWER_BYTES, MAX_TRIES, MAX_WAIT_S, Wikidata

PATH = "/w/api.php"
LAGGED = {
    "error": {
        "code": "maxlag",
        "info": "Waiting for db1185: 6.3 seconds lagged.",
        "host": "db1185",
        "lag": 6.3,
        "type": "db",
    },
    "servedby": "mw-api-ext",
}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def url(server: Server) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get(PATH, server.answer)
    async with TestServer(app, access_log=None) as running:
        yield str(running.make_url(PATH))


@pytest.fixture
def wikidata(client: WebClient, server: Server, url: str) -> Wikidata:
    return Wikidata(client, url, server.sleep)


async def ask(wikidata: Wikidata, *ids: str) -> list[object]:
    return [answer async for answer in wikidata.items(ids or ("Q423",))]


async def problem(wikidata: Wikidata) -> str:
    with pytest.raises(Problem) as caught:
        await ask(wikidata)
    said = str(caught.value)
    assert said.endswith(".")
    assert not said.endswith("..")
    assert said.isprintable()
    return said


# What is asked


async def test_items_are_asked_for_by_id(wikidata: Wikidata, server: Server) -> None:
    assert await ask(wikidata, "Q423", "Q7747") == [DONE]
    (asked,) = server.asked
    assert dict(asked.query) == {
        "action": "wbgetentities",
        "ids": "Q423|Q7747",
        "props": "labels|aliases|claims",
        "format": "json",
        "maxlag": "5",
    }


async def test_a_name_is_searched_for(wikidata: Wikidata, server: Server) -> None:
    answer = {"search": [{"id": "Q423"}], "success": 1}
    server.answers = deque([says(answer)])

    assert await wikidata.search("Nord & Süd|Korea\udcff", "de", 7) == answer
    assert dict(server.asked[0].query) == {
        "action": "wbsearchentities",
        "search": "Nord & Süd|Korea?",
        "language": "de",
        "uselang": "de",
        "type": "item",
        "limit": "7",
        "format": "json",
        "maxlag": "5",
    }


async def test_a_request_says_who_we_are(wikidata: Wikidata, server: Server) -> None:
    await ask(wikidata)
    said = server.asked[0].headers

    assert said["User-Agent"] == f"wirewatch/{version('wirewatch')} (+https://me.example/)"
    assert said["Accept"] == "application/json"
    assert "gzip" in said["Accept-Encoding"]
    assert "Cookie" not in said


async def test_many_items_are_asked_for_50_at_a_time_one_after_the_other(
    wikidata: Wikidata, server: Server
) -> None:
    ids = [f"Q{number}" for number in range(1, 102)]
    server.answers = deque(says({"entities": {"part": part}}) for part in range(3))
    answers = await ask(wikidata, *ids)

    assert [answer["entities"]["part"] for answer in answers] == [0, 1, 2]
    assert [asked.query["ids"].split("|") for asked in server.asked] == [
        ids[:50],
        ids[50:100],
        ids[100:],
    ]
    assert server.most_busy == 1


async def test_nothing_is_asked_for_no_items(wikidata: Wikidata, server: Server) -> None:
    assert [answer async for answer in wikidata.items([])] == []
    assert server.asked == []


# When it is busy


@pytest.mark.parametrize("number", [429, 500, 502, 503, 504])
async def test_a_busy_server_is_asked_again_when_it_says(
    wikidata: Wikidata, server: Server, number: int
) -> None:
    server.answers = deque([status(number, Retry_After="17"), says(DONE)])

    assert await ask(wikidata) == [DONE]
    assert server.slept == [17.0]
    assert server.asked[0].rel_url == server.asked[1].rel_url


async def test_it_may_say_the_time_as_a_date(wikidata: Wikidata, server: Server) -> None:
    at = format_datetime(utc_now() + timedelta(seconds=50), usegmt=True)
    server.answers = deque([status(503, Retry_After=at), says(DONE)])

    assert await ask(wikidata) == [DONE]
    (wait,) = server.slept
    assert 0 < wait <= 50
    assert wait != 5.0  # what is waited where no time is said


@pytest.mark.parametrize("said", ["soon", "-5", "", "0"])
async def test_where_it_says_no_time_the_waits_double(
    wikidata: Wikidata, server: Server, said: str
) -> None:
    server.answers = deque([status(503, Retry_After=said)])

    assert await problem(wikidata) == (
        f"{wikidata._url} does not answer after {MAX_TRIES} tries (503 Service Unavailable): "
        "try later."
    )
    assert len(server.asked) == MAX_TRIES
    assert server.slept == [5.0, 10.0, 20.0, 40.0]


async def test_it_is_never_asked_before_the_time_it_says(
    wikidata: Wikidata, server: Server
) -> None:
    server.answers = deque([status(429, Retry_After=str(int(MAX_WAIT_S) + 1)), says(DONE)])

    assert await problem(wikidata) == (
        f"{wikidata._url} asks to come back in 61 s: try again then."
    )
    assert (len(server.asked), server.slept) == (1, [])


@pytest.mark.parametrize("code", ["maxlag", "ratelimited", "readonly"])
async def test_lag_comes_with_status_200_and_is_waited_for(
    wikidata: Wikidata, server: Server, code: str
) -> None:
    lagged = {"error": LAGGED["error"] | {"code": code}}
    server.answers = deque([says(lagged), says(lagged), says(DONE)])

    assert await ask(wikidata) == [DONE]
    assert server.slept == [5.0, 10.0]


async def test_lag_without_end_is_given_up(wikidata: Wikidata, server: Server) -> None:
    server.answers = deque([says(LAGGED)])

    assert "(Waiting for db1185: 6.3 seconds lagged)" in await problem(wikidata)
    assert (len(server.asked), len(server.slept)) == (MAX_TRIES, MAX_TRIES - 1)


async def test_a_server_that_is_away_is_tried_a_few_times(
    client: WebClient, server: Server, unused_tcp_port: int
) -> None:
    away = Wikidata(client, f"http://127.0.0.1:{unused_tcp_port}/", server.sleep)

    assert f"does not answer after {MAX_TRIES} tries" in await problem(away)
    assert server.slept == [5.0, 10.0, 20.0, 40.0]


# What is no answer


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            {"code": "no-such-entity", "info": 'Could not find an entity with the ID "Q0".'},
            'refuses: Could not find an entity with the ID "Q0".',
        ),
        ({"code": "unknown_language"}, "refuses: unknown_language."),
        ({"code": "x", "info": "a\x1b[31m\nb"}, "refuses: a?[31m?b."),
        ({"code": "x", "info": "y" * 300}, f"refuses: {'y' * 200}."),
        ({"code": ["x"], "info": {"a": 1}}, "refuses: error."),
        ({}, "refuses: error."),
    ],
)
async def test_an_error_is_told_in_its_words_and_not_tried_again(
    wikidata: Wikidata, server: Server, error: object, words: str
) -> None:
    server.answers = deque([says({"error": error})])

    assert await problem(wikidata) == f"{wikidata._url} {words}"
    assert (len(server.asked), server.slept) == (1, [])


@pytest.mark.parametrize("number", [204, 304, 400, 401, 403, 404, 410])
async def test_a_refusal_is_not_tried_again(
    wikidata: Wikidata, server: Server, number: int
) -> None:
    server.answers = deque([status(number)])

    assert f"cannot be asked: {number} " in await problem(wikidata)
    assert (len(server.asked), server.slept) == (1, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>login</html>",
        b'{"entities": {',
        b'{"entities": "\xff"}',
        b'{"entities": "\\ud800"}',
        b'{"entities": ' + b"[" * 100_000,
        b'{"entities": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"null",
        b"[]",
        b'"entities"',
        b"{}",
        b'{"search": []}',
        b'{"error": "x"}',
    ],
)
async def test_what_is_not_wikidata_is_told(
    wikidata: Wikidata, server: Server, body: bytes
) -> None:
    server.answers = deque([sends(body, Content_Type="application/json")])

    assert await problem(wikidata) == (
        f"What answers at {wikidata._url} is not Wikidata's API: check WIREWATCH_WIKIDATA_URL."
    )
    assert (len(server.asked), server.slept) == (1, [])


async def test_a_search_wants_hits(wikidata: Wikidata) -> None:
    with pytest.raises(Problem, match="is not Wikidata's API"):
        await wikidata.search("x", "en", 5)


async def test_a_packed_answer_is_unpacked(wikidata: Wikidata, server: Server) -> None:
    packed = gzip.compress(json.dumps(DONE).encode())
    server.answers = deque([sends(packed, Content_Encoding="gzip")])

    assert await ask(wikidata) == [DONE]


@pytest.mark.parametrize("coding", ["gzip", "rot13"])
async def test_what_cannot_be_unpacked_is_told(
    wikidata: Wikidata, server: Server, coding: str
) -> None:
    server.answers = deque([sends(b"\x1f\x8b\x00 no gzip", Content_Encoding=coding)])

    assert coding in await problem(wikidata)


async def test_too_large_an_answer_is_not_read(wikidata: Wikidata, server: Server) -> None:
    server.answers = deque([sends(b" " * (LIMITS.max_wire_bytes + 1))])

    assert f"more than {LIMITS.max_wire_bytes} bytes" in await problem(wikidata)
    assert (len(server.asked), server.slept) == (1, [])


async def test_a_bomb_is_not_unpacked(wikidata: Wikidata, server: Server) -> None:
    megabyte = gzip.compress(b" " * 1_000_000)
    bomb = megabyte * (MAX_ANSWER_BYTES // 1_000_000 + 1)
    server.answers = deque([sends(bomb, Content_Encoding="gzip")])

    assert f"more than {MAX_ANSWER_BYTES} bytes" in await problem(wikidata)


@pytest.mark.parametrize(
    "wrong", ["", "nonsense", "ftp://127.0.0.1/", "http://", "http://[", "http://10.0.0.1/"]
)
async def test_an_address_that_cannot_be_asked_is_told_at_once(
    client: WebClient, server: Server, wrong: str
) -> None:
    assert "cannot be asked: " in await problem(Wikidata(client, wrong, server.sleep))
    assert server.slept == []


async def test_redirects_are_followed_but_not_in_a_circle(
    wikidata: Wikidata, server: Server, url: str
) -> None:
    server.answers = deque([status(302, Location=f"{url}?other=1"), says(DONE)])
    assert await ask(wikidata) == [DONE]
    server.answers = deque([status(302, Location=f"{url}?other=1")])

    assert "they go in a circle" in await problem(wikidata)
    assert server.slept == []
