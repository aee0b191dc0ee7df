"""`wirewatch run`: everything on one machine, for a first look and for developing.

A real Kafka (or the one WIREWATCH_KAFKA names), the four services as processes of
their own, a sample newsroom, and a receiver that verifies each webhook and
prints its alert. Data is kept between runs.
"""

import asyncio
import fcntl
import os
import secrets
import signal
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from wirewatch.cli.children import Child
from wirewatch.cli.client import ApiClient, ApiProblem
from wirewatch.cli.lines import digest_lines
from wirewatch.cli.listen import alert_line, start_receiver
from wirewatch.cli.payload import ReceivedDigest
from wirewatch.cli.services import SERVICES
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.errors import PortTaken, Problem
from wirewatch.runtime.local_kafka import LocalKafka
from wirewatch.runtime.settings import METRICS_PORTS, PREFIX, Settings, StarterSet, load_settings
from wirewatch.runtime.topic_admin import cluster_id, create_topics
from wirewatch.runtime.vault import load_vault, local_key_file
from wirewatch.starter.alerts import starter_alerts
from wirewatch.starter.newsroom import start_newsroom
from wirewatch.starter.opml import FeedOutline, read_starter_feeds

HOST = "127.0.0.1"
LOOPBACK = ("127.0.0.0/8", "::1/128")
SERVICES_STOP_S = 6.0
"""With Kafka's own end this stays below the ten seconds that Ctrl-C may take."""
READY_LIMIT_S = 60.0
STATUS_AFTER_S = 10.0


def run_everything(settings: Settings, console: Console) -> None:
    """Run until Ctrl-C or SIGTERM; leave no process behind. Raises Problem."""
    with _only_one(settings.data_dir):
        _require_free_ports(settings)
        with _kafka(settings, console):
            _interruptible(_serve(settings, console), console)


def _interruptible(main: Any, console: Console) -> None:
    async def stop_on_signal() -> None:
        work = asyncio.ensure_future(main)

        def stop() -> None:
            if work.cancel():
                console.print("[dim]stopping[/dim]")

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            await work
        except asyncio.CancelledError:
            return

    asyncio.run(stop_on_signal())


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder. Raises Problem if another `wirewatch run` has it."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "run.lock").open("a+")
    except OSError as error:
        raise Problem(
            f"The data folder {data_dir} cannot be used ({error.strerror}): "
            "set WIREWATCH_DATA_DIR to a folder that can be written."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise Problem(
                f"wirewatch already runs on {data_dir} (process {lock.read().strip()}): "
                "stop it first, or set WIREWATCH_DATA_DIR to another folder."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _require_free_ports(settings: Settings) -> None:
    wanted = [
        ("The API", settings.api_port, "WIREWATCH_API_PORT"),
        ("The webhook receiver", settings.listen_port, "WIREWATCH_LISTEN_PORT"),
        ("The sample newsroom", settings.newsroom_port, "WIREWATCH_NEWSROOM_PORT"),
    ]
    wanted += [
        (f"{service}: metrics", _metrics_port(settings, service), "WIREWATCH_METRICS_PORT")
        for service in SERVICES
    ]
    for what, port, setting in wanted:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise PortTaken(what, HOST, port, setting) from error


def _metrics_port(settings: Settings, service: str) -> int:
    """Return a service's metrics port: with WIREWATCH_METRICS_PORT set, it and the next three."""
    if settings.metrics_port is None:
        return METRICS_PORTS[service]
    return settings.metrics_port + list(METRICS_PORTS).index(service)


@contextmanager
def _kafka(settings: Settings, console: Console) -> Iterator[None]:
    if settings.kafka:
        yield
        return

    def progress(text: str) -> None:
        console.print(f"[dim]{text}[/dim]")

    progress("starting a local Kafka")
    broker = LocalKafka(
        settings.data_dir / "kafka",
        cache_dir=settings.cache_dir,
        port=settings.kafka_port,
        progress=progress,
    )
    with broker:
        yield


@dataclass(frozen=True, slots=True)
class _Run:
    settings: Settings
    console: Console
    children: tuple[Child, ...]
    cluster: str
    started_at: datetime


async def _serve(settings: Settings, console: Console) -> None:
    await create_topics(settings)
    cluster = await cluster_id(settings)
    run = _Run(settings, console, _children(settings, console), cluster, utc_now())
    async with AsyncExitStack() as stack:
        secret = _receiver_secret(settings.data_dir)
        receiver = await start_receiver(
            HOST,
            settings.listen_port,
            lambda: secret,
            lambda alert: _print(console, alert),
            on_digest=lambda digest: _print_digest(console, digest),
        )
        stack.push_async_callback(receiver.close)
        newsroom = await start_newsroom(HOST, settings.newsroom_port, now=run.started_at)
        stack.push_async_callback(newsroom.close)
        await stack.enter_async_context(_running(run.children))
        await _until_one_fails(
            *(child.run() for child in run.children), _welcome(run, secret, newsroom.feeds)
        )


async def _until_one_fails(*works: Coroutine[Any, Any, None]) -> None:
    """Run `works` together; raise the first Problem of one as it is, not in a group."""
    problem: Problem | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except* Problem as problems:
        problem = next(error for error in _leaves(problems) if isinstance(error, Problem))
    if problem is not None:
        raise problem


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _children(settings: Settings, console: Console) -> tuple[Child, ...]:
    def say(text: str) -> None:
        console.print(Text(text, style="yellow"))

    return tuple(
        Child(service, _environment(settings, service), _log_file(settings, service), say)
        for service in SERVICES
    )


def _log_file(settings: Settings, service: str) -> Path:
    return settings.data_dir / "logs" / f"{service}.log"


def _environment(settings: Settings, service: str) -> dict[str, str]:
    own = {
        "KAFKA": ",".join(settings.bootstrap),
        "DATA_DIR": str(settings.data_dir),
        "LOG_FORMAT": "json",
        "METRICS_PORT": str(_metrics_port(settings, service)),
        "STOP_TIMEOUT_S": str(min(settings.stop_timeout_s, SERVICES_STOP_S - 1)),
        "ALLOW_NETWORKS": ",".join({*settings.allow_networks, *LOOPBACK}),
        **_key(settings),
    }
    return os.environ | {PREFIX + name: value for name, value in own.items()}


def _key(settings: Settings) -> dict[str, str]:
    """Return how the services find the key of this machine.

    They are told where Kafka is, so they would ask for one; a key that was
    given they find in the environment.
    """
    load_vault(settings)
    if settings.secret_key.get_secret_value() or settings.secret_key_file is not None:
        return {}
    return {"SECRET_KEY_FILE": str(local_key_file(settings.data_dir))}


@asynccontextmanager
async def _running(children: tuple[Child, ...]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await asyncio.gather(*(child.stop(SERVICES_STOP_S) for child in children))


def _receiver_secret(data_dir: Path) -> str:
    """Return the secret of this machine's receiver, the same in every run."""
    file = data_dir / "receiver-secret"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text("whsec_" + b64encode(secrets.token_bytes(32)).decode())
    return file.read_text().strip()


def _print(console: Console, alert: Any) -> None:
    console.print(alert_line(alert, console.width), no_wrap=True, overflow="ellipsis")


def _print_digest(console: Console, digest: ReceivedDigest) -> None:
    for line in digest_lines(digest, console.width):
        console.print(line, no_wrap=True, overflow="ellipsis")


async def _welcome(run: _Run, secret: str, sample_feeds: Sequence[FeedOutline]) -> None:
    """Wait until the services are up, load the starter set, say where everything is."""
    api = ApiClient(f"http://{HOST}:{run.settings.api_port}")
    await _until_answers(api)
    took_s = (utc_now() - run.started_at).total_seconds()
    run.console.print(_banner(run, took_s))
    await _load_starter_set(run, api, secret, sample_feeds)
    await asyncio.sleep(STATUS_AFTER_S)
    run.console.print(Text(await _feeds_in_words(api), style="dim"))


async def _until_answers(api: ApiClient) -> None:
    deadline = asyncio.get_running_loop().time() + READY_LIMIT_S
    while True:
        try:
            await api.get("/v1/status")
        except ApiProblem:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            return


def _banner(run: _Run, took_s: float) -> Text:
    settings = run.settings
    metrics = "\n               ".join(
        f"http://{HOST}:{_metrics_port(settings, service)}/metrics ({service})"
        for service in SERVICES
    )
    return Text.from_markup(
        f"[bold green]wirewatch is up[/] after {took_s:.1f} s; each alert is one line below, "
        "Ctrl-C ends everything\n"
        f"  status page  http://{HOST}:{settings.api_port}/\n"
        f"  API          http://{HOST}:{settings.api_port}/v1/\n"
        f"  metrics      {metrics}\n"
        f"  Kafka        {','.join(settings.bootstrap)}\n"
        f"  logs         {settings.data_dir / 'logs'}"
    )


async def _load_starter_set(
    run: _Run, api: ApiClient, secret: str, sample_feeds: Sequence[FeedOutline]
) -> None:
    """Create feeds, endpoint and alerts, once for a cluster: what a user deleted stays deleted."""
    ports = f"{run.settings.listen_port}-{run.settings.newsroom_port}"
    mark = run.settings.data_dir / "starter" / f"{run.cluster}-{ports}"
    if mark.exists() or run.settings.starter is StarterSet.NONE:
        return
    endpoint = await api.post(
        "/v1/endpoints",
        {
            "name": "the console of wirewatch run",
            "url": f"http://{HOST}:{run.settings.listen_port}/",
            "secret": secret,
        },
    )
    for alert in starter_alerts():
        body = {"name": alert.name, "query": alert.query, "tags": list(alert.tags)}
        await api.post("/v1/subscriptions", body | {"endpoint_ids": [endpoint["id"]]})
    real_feeds = read_starter_feeds() if run.settings.starter is StarterSet.FULL else []
    for feed in [*sample_feeds, *real_feeds]:
        body = {"url": feed.url, "title": feed.title, "tags": list(feed.tags)}
        await api.post("/v1/feeds", body | ({"language": feed.language} if feed.language else {}))
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


async def _feeds_in_words(api: ApiClient) -> str:
    feeds = (await api.get("/v1/status"))["feeds"]
    failing = feeds.get("failing", 0)
    text = f"{sum(feeds.values())} feeds are watched, {feeds.get('ok', 0)} answer"
    return text + (f", {failing} do not (reasons on the status page)" if failing else "")


def mount(app: typer.Typer) -> None:
    """Add the command `run` to `app`."""

    @app.command("run", help=__doc__)
    def run() -> None:
        run_everything(load_settings(), Console(highlight=False))
