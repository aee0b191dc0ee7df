"""`wirewatch ingest | match | notify | api`: each service as a process of its own."""

from importlib import import_module
from typing import Annotated, Any

import typer

from wirewatch.runtime.errors import Problem
from wirewatch.runtime.lifecycle import run_service
from wirewatch.runtime.settings import load_settings
from wirewatch.runtime.shard import Shard

SERVICES = {
    "ingest": "Fetch feeds and publish their articles.",
    "match": "Hold articles against the subscriptions and publish alerts.",
    "notify": "Deliver alerts as signed webhooks.",
    "api": "Serve the REST API and the status page.",
}


def start(service: str, **overrides: Any) -> None:
    """Run `service` until SIGTERM; its exit code becomes the process's.

    `overrides` are settings that the command line gives. Raises Problem if a setting is wrong
    (shown by the caller in one sentence).
    """
    settings = load_settings(**overrides)
    main = import_module(f"wirewatch.{service}.service").main
    raise typer.Exit(run_service(service, main, settings))


def mount(app: typer.Typer) -> None:
    """Add one command for each service to `app`."""
    for service, text in SERVICES.items():
        app.command(service, help=text)(match if service == "match" else _command(service))


def _command(service: str):  # type: ignore[no-untyped-def]  # typer wants a bare function
    def command() -> None:
        start(service)

    return command


def match(
    shard: Annotated[
        str,
        typer.Option(
            metavar="N/OF",
            help="Which part of the subscriptions to hold: 2/8 is the second of eight.",
            show_default="WIREWATCH_MATCH_SHARD, or all of them",
        ),
    ] = "",
) -> None:
    """Run match, also as one of several shards."""
    if not shard:
        start("match")
    try:
        Shard.read(shard)
    except ValueError as error:
        raise Problem(f"--shard {shard} is wrong: {error}.") from error
    start("match", match_shard=shard)
