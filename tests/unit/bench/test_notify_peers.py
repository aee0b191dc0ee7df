"""The receiver and the bare client: what they read of HTTP."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.notify_bare import read_sample
from bench.notify_receiver import FAIL, OK, Arrivals, Connection

BODY = b'{"a": 1}'


class Wire:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False


def request(manner: str, number: int = 1) -> bytes:
    head = f"POST /{manner}/{number} HTTP/1.1\r\nHost: h\r\nWebhook-Id: msg_{number}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture
def arrivals() -> Arrivals:
    return Arrivals()


def connected(
    arrivals: Arrivals, later: Callable[..., object] = lambda *_: None
) -> tuple[Connection, Wire]:
    wire: Any = Wire()
    connection = Connection(arrivals, later)
    connection.connection_made(wire)
    return connection, wire


@pytest.mark.parametrize(
    ("manner", "answer"), [("ok", OK), ("fail", FAIL), ("hang", b""), ("drip", OK[:1])]
)
def test_the_path_says_what_becomes_of_a_request(
    arrivals: Arrivals, manner: str, answer: bytes
) -> None:
    connection, wire = connected(arrivals)
    connection.data_received(request(manner))
    assert wire.written == answer


def test_a_drip_becomes_the_whole_answer_in_the_end(arrivals: Arrivals) -> None:
    def at_once(_: float, call: Callable[[int], None], at: int) -> None:
        call(at)

    connection, wire = connected(arrivals, at_once)
    connection.data_received(request("drip"))
    assert wire.written == OK


def test_requests_are_told_apart_however_they_are_cut(arrivals: Arrivals) -> None:
    connection, wire = connected(arrivals)
    stream = request("ok", 1) + request("ok", 2)
    for at in range(0, len(stream), 7):
        connection.data_received(stream[at : at + 7])
    assert wire.written == OK * 2
    assert arrivals.obey("count\n") == "2 2"


def test_a_repeat_is_counted_but_its_first_arrival_stays(
    arrivals: Arrivals, tmp_path: Path
) -> None:
    arrivals.note(request("ok"), 5)
    arrivals.note(request("ok"), 9)
    assert arrivals.obey("count\n") == "1 2"
    assert arrivals.obey(f"take {tmp_path / 'taken'}\n") == "done"
    assert (tmp_path / "taken").read_text() == "msg_1 5\n"
    assert arrivals.obey("count\n") == "0 0"


async def test_the_bare_client_posts_what_notify_sent(arrivals: Arrivals, tmp_path: Path) -> None:
    connection, _ = connected(arrivals)
    connection.data_received(request("ok", 3))
    sample = tmp_path / "sample"
    assert arrivals.obey(f"sample {sample}\n") == "done"
    headers, body = read_sample(await asyncio.to_thread(sample.read_bytes))
    assert (headers, body) == ({"Webhook-Id": "msg_3"}, BODY)
