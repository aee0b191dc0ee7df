"""A service's life: start, run, a clean stop on SIGTERM, one sentence when it cannot start."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import uvloop
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from wirewatch.runtime.clock import Clock, utc_now
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.logs import get_logger, set_up_logging
from wirewatch.runtime.observe import Health, serve_metrics
from wirewatch.runtime.settings import Settings

log = get_logger("lifecycle")

CANCEL_LIMIT_S = 10.0
"""How long cancelled work may take to clean up; then the process ends all the same."""
EXIT_PROBLEM = 1
EXIT_BUG = 70
"""`EX_SOFTWARE` of sysexits.h: an error that is ours."""


@dataclass(slots=True)
class Context:
    """What a service is given: its settings, and where to report."""

    service: str
    settings: Settings
    registry: CollectorRegistry
    health: Health
    clock: Clock = utc_now
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Begin as not ready: /readyz answers before the service has begun to work."""
        self.health.ready["start"] = lambda: "the service is starting"

    def started(self) -> None:
        """Say that the service works; from now on its own checks alone say whether it is ready."""
        self.health.ready.pop("start", None)


Main = Callable[[Context], Awaitable[None]]
"""Runs until `context.stopping` is set; then finishes what is in hand, commits, and returns."""


def new_registry() -> CollectorRegistry:
    """Return a registry with what every process shows: memory, CPU, garbage collection."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def run_service(service: str, main: Main, settings: Settings) -> int:
    """Run `main` as a process of its own and return its exit code.

    0 after a clean stop, 1 with one sentence on standard error for a Problem,
    70 with a traceback for a bug.
    """
    set_up_logging(settings, service)
    try:
        uvloop.run(_supervise(service, main, settings))
    except Problem as problem:
        print(f"wirewatch {service}: {problem}", file=sys.stderr)  # noqa: T201 - for a person
        return EXIT_PROBLEM
    except Exception:
        log.exception("crashed")
        return EXIT_BUG
    return 0


async def _supervise(service: str, main: Main, settings: Settings) -> None:
    context = Context(service, settings, new_registry(), Health())
    _stop_on_signals(context.stopping)
    endpoint = await serve_metrics(
        context.registry,
        context.health,
        service=service,
        host=settings.metrics_host,
        port=settings.metrics_port_of(service),
    )
    try:
        await run_until_stopped(main, context)
    finally:
        await endpoint.cleanup()


async def run_until_stopped(main: Main, context: Context) -> None:
    """Run `main`; once asked to stop it has `stop_timeout_s` to finish, then it is cancelled."""
    log.info("starting")
    work = asyncio.ensure_future(main(context))
    stopping = asyncio.ensure_future(context.stopping.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not work.done():
        log.info("stopping")
        await asyncio.wait({work}, timeout=context.settings.stop_timeout_s)
    if not work.done():
        log.warning("work in hand did not finish in time", limit_s=context.settings.stop_timeout_s)
        work.cancel()
        await asyncio.wait({work}, timeout=CANCEL_LIMIT_S)
    if not work.done():
        raise RuntimeError("the work does not end, not even when cancelled")
    if not work.cancelled():
        work.result()
    log.info("stopped")


def _stop_on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
