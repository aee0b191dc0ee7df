"""`wirewatch listen`: receive webhooks here, verify them, show them."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from wirewatch.cli.lines import alert_line, digest_lines, snippet_lines
from wirewatch.cli.payload import ReceivedAlert, ReceivedDigest
from wirewatch.cli.receive import OnNote, Receiver, start_receiver
from wirewatch.cli.secret_values import HELP, secret_value
from wirewatch.cli.show import console, harmless
from wirewatch.cli.verify import Unverified, check_secret
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.settings import load_settings

HOST = "127.0.0.1"

__all__ = ["ReceivedAlert", "Receiver", "alert_line", "mount", "start_receiver"]


def mount(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("listen")(listen)


def listen(
    port: Annotated[int | None, typer.Option(help="Port to receive on; 0 for a free one.")] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="WIREWATCH_LISTEN_SECRET",
            help=f"The endpoint's secret (whsec_…) or public key (whpk_…); {HELP}.",
        ),
    ] = None,
) -> None:
    """Receive webhooks on this machine, verify and show each alert. Ctrl-C ends it."""
    secret = secret_value(secret, "--secret")
    if secret is not None:
        try:
            check_secret(secret)
        except Unverified as error:
            raise Problem(f"--secret is wrong: {error}.") from error
    chosen = load_settings().listen_port if port is None else port
    try:
        asyncio.run(_listen(chosen, secret))
    except KeyboardInterrupt:
        return


async def _listen(port: int, secret: str | None) -> None:
    out = console()
    receiver = await start_receiver(
        HOST,
        port,
        lambda: secret,
        lambda alert: show_alert(alert, out),
        on_digest=lambda digest: show_digest(digest, out),
        on_note=_note(out),
    )
    out.print(welcome(receiver.url, verifies=secret is not None))
    try:
        await asyncio.Event().wait()
    finally:
        await receiver.close()


def welcome(url: str, *, verifies: bool) -> Text:
    """Return what is said at the start."""
    checks = (
        "Every signature is verified."
        if verifies
        else "NOTHING IS VERIFIED: give the endpoint's secret with --secret."
    )
    return Text(
        f"Receiving webhooks at {url}\n{checks}\n"
        "To have alerts sent here:\n"
        f"  wirewatch alerts add NAME QUERY --to {url}\n"
        "The service notify connects to this machine only with\n"
        "  WIREWATCH_ALLOW_NETWORKS=127.0.0.0/8"
    )


def show_alert(alert: ReceivedAlert, out: Console) -> None:
    """Print an alert with what proves it."""
    out.print(alert_line(alert, out.width))
    for snippet in snippet_lines(alert.payload.data.proofs):
        out.print(Text("          ").append_text(snippet))
    out.print(_last_line(alert))


def show_digest(digest: ReceivedDigest, out: Console) -> None:
    """Print a digest with its first stories."""
    for line in digest_lines(digest, out.width):
        out.print(line)
    out.print(_last_line(digest))


def _last_line(received: ReceivedAlert | ReceivedDigest) -> Text:
    verified = Text("verified", "green") if received.verified else Text("not verified", "yellow")
    last = Text("          ").append_text(verified)
    return last.append(f"  {harmless(received.webhook_id)}", "dim")


def _note(out: Console) -> OnNote:
    def note(text: str) -> None:
        out.print(Text(harmless(text), "bold red"))

    return note
