"""Metrics and health over HTTP: /metrics, /healthz, /readyz.

`/healthz` says whether the process makes progress: a restart would help if
not. `/readyz` says whether it does its work now.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from wirewatch.runtime.errors import PortTaken

Check = Callable[[], str | None]
"""Returns None when all is well, else what is wrong, in words."""


@dataclass(slots=True)
class Health:
    """The checks behind /healthz and /readyz, each with a name."""

    alive: dict[str, Check] = field(default_factory=dict)
    ready: dict[str, Check] = field(default_factory=dict)


def health_routes(health: Health) -> list[web.RouteDef]:
    """Return the routes /healthz and /readyz."""

    async def healthz(_: web.Request) -> web.Response:
        return _answer(health.alive)

    async def readyz(_: web.Request) -> web.Response:
        return _answer(health.alive | health.ready)

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


def _answer(checks: dict[str, Check]) -> web.Response:
    wrong = {name: problem for name, check in checks.items() if (problem := check()) is not None}
    text = "".join(f"{name}: {wrong.get(name, 'ok')}\n" for name in checks) or "ok\n"
    return web.Response(text=text, status=503 if wrong else 200)


def metrics_route(registry: CollectorRegistry) -> web.RouteDef:
    """Return the route /metrics, which shows `registry`."""

    async def metrics(_: web.Request) -> web.Response:
        body = generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return web.get("/metrics", metrics)


async def listen(
    app: web.Application, *, what: str, host: str, port: int, setting: str
) -> web.AppRunner:
    """Serve `app` until the returned runner is cleaned up.

    Raises PortTaken if the port is in use; `setting` is named in its message.
    """
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise PortTaken(what, host, port, setting) from error
    return runner


async def serve_metrics(
    registry: CollectorRegistry, health: Health, *, service: str, host: str, port: int
) -> web.AppRunner:
    """Serve /metrics, /healthz and /readyz of `service`."""
    app = web.Application()
    app.add_routes([metrics_route(registry), *health_routes(health)])
    return await listen(
        app, what=f"{service}: metrics", host=host, port=port, setting="WIREWATCH_METRICS_PORT"
    )
