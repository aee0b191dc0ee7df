"""A service's life in a process of its own: signals, exit codes, what it prints."""

import asyncio
import io
import json
import logging

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from wirewatch.runtime.errors import PortTaken
from wirewatch.runtime.lifecycle import Context, run_until_stopped
from wirewatch.runtime.logs import get_logger, set_up_logging
from wirewatch.runtime.observe import Health, serve_metrics
from wirewatch.runtime.settings import LogFormat, Settings


def _context(**settings: float) -> Context:
    return Context("test", Settings(**settings), CollectorRegistry(), Health())  # type: ignore[arg-type]


async def test_work_in_hand_is_finished_when_asked_to_stop() -> None:
    done: list[str] = []

    async def main(context: Context) -> None:
        await context.stopping.wait()
        await asyncio.sleep(0.05)
        done.append("finished")

    context = _context()
    asyncio.get_running_loop().call_later(0.05, context.stopping.set)
    await run_until_stopped(main, context)

    assert done == ["finished"]


async def test_work_that_never_ends_is_cancelled_at_its_limit() -> None:
    cancelled = asyncio.Event()

    async def main(context: Context) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    context = _context(stop_timeout_s=0.05)
    context.stopping.set()
    await run_until_stopped(main, context)

    assert cancelled.is_set()


async def test_what_stops_a_service_by_itself_is_raised() -> None:
    async def main(context: Context) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await run_until_stopped(main, _context())


@pytest.fixture
def restored_logging():  # type: ignore[no-untyped-def]
    import structlog  # noqa: PLC0415

    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_json_line_says_who_what_and_where(restored_logging: None) -> None:
    stream = io.StringIO()
    set_up_logging(Settings(log_format=LogFormat.JSON, instance="i-1"), "ingest", stream)

    get_logger("fetch").warning("feed fails", feed="https://news.example/ü", reason="timeout")
    logging.getLogger("somebody.else").warning("from a library")

    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "feed fails",
        "level": "warning",
        "service": "ingest",
        "instance": "i-1",
        "room": "fetch",
        "feed": "https://news.example/ü",
        "reason": "timeout",
    }
    assert second["event"] == "from a library"
    assert second["service"] == "ingest"


def test_a_noisy_library_is_heard_once_a_minute(restored_logging: None) -> None:
    stream = io.StringIO()
    set_up_logging(Settings(log_format=LogFormat.JSON), "ingest", stream)

    for attempt in range(5):
        logging.getLogger("aiokafka.conn").error("Unable to connect, attempt %d", attempt)
        logging.getLogger("wirewatch").error("ours, attempt %d", attempt)

    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert [event for event in events if "Unable" in event] == ["Unable to connect, attempt 0"]
    assert len(events) == 6


async def test_health_says_in_words_what_is_wrong() -> None:
    registry = CollectorRegistry()
    Counter("wirewatch_test_things_total", "Things.", registry=registry).inc()
    health = Health(alive={"loop": lambda: None}, ready={"assigned": lambda: "no partitions yet"})
    runner = await serve_metrics(registry, health, service="test", host="127.0.0.1", port=0)
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{base}/healthz") as answer:
                assert (answer.status, await answer.text()) == (200, "loop: ok\n")
            async with session.get(f"{base}/readyz") as answer:
                assert answer.status == 503
                assert await answer.text() == "loop: ok\nassigned: no partitions yet\n"
            async with session.get(f"{base}/metrics") as answer:
                assert "wirewatch_test_things_total 1.0" in await answer.text()
                assert answer.headers["Content-Type"].startswith("text/plain")
    finally:
        await runner.cleanup()


async def test_a_taken_port_is_one_sentence() -> None:
    health = Health()
    runner = await serve_metrics(
        CollectorRegistry(), health, service="test", host="127.0.0.1", port=0
    )
    port = runner.addresses[0][1]
    try:
        with pytest.raises(PortTaken) as caught:
            await serve_metrics(
                CollectorRegistry(), health, service="test", host="127.0.0.1", port=port
            )
    finally:
        await runner.cleanup()
    assert str(caught.value) == (
        f"test: metrics cannot listen on 127.0.0.1:{port}, the port is taken: "
        "stop what uses it, or set WIREWATCH_METRICS_PORT to a free port."
    )
