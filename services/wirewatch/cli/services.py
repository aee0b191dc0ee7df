"""`wirewatch ingest | match | notify | api`: each service as a process of its own."""

from importlib import import_module

import typer

from wirewatch.runtime.lifecycle import run_service
from wirewatch.runtime.settings import load_settings

SERVICES = {
    "ingest": "Fetch feeds and publish their articles.",
    "match": "Hold articles against the subscriptions and publish alerts.",
    "notify": "Deliver alerts as signed webhooks.",
    "api": "Serve the REST API and the status page.",
}


def start(service: str) -> None:
    """Run `service` until SIGTERM; its exit code becomes the process's.

    Raises Problem if a setting is wrong (shown by the caller in one sentence).
    """
    settings = load_settings()
    main = import_module(f"wirewatch.{service}.service").main
    raise typer.Exit(run_service(service, main, settings))


def mount(app: typer.Typer) -> None:
    """Add one command for each service to `app`."""
    for service, text in SERVICES.items():
        app.command(service, help=text)(_command(service))


def _command(service: str):  # type: ignore[no-untyped-def]  # typer wants a bare function
    def command() -> None:
        start(service)

    return command
