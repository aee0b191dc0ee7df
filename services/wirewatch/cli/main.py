"""`wirewatch`: the command line. Commands are imported when they are used."""

import logging
import re
import sys
from codecs import lookup
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from wirewatch.runtime.errors import Problem

EXIT_PROBLEM = 1

_SURROGATE = re.compile("[\ud800-\udfff]")
"""What stands in an argument for a byte that is no UTF-8."""


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command and the module it is imported from.

    The module has `app`, a group of commands, or `mount(app)`, which adds
    commands to an app; the one of this name is taken.
    """

    module: str
    help: str


COMMANDS = {
    "run": Lazy("wirewatch.cli.run", "Run everything on this machine, with sample news."),
    "feeds": Lazy("wirewatch.cli.feeds", "What is watched: list, add, pause, import …"),
    "alerts": Lazy("wirewatch.cli.alerts", "What is asked for: add, list, check, test …"),
    "entities": Lazy("wirewatch.cli.entities", "Things by name: find, search, add, import …"),
    "endpoints": Lazy("wirewatch.cli.endpoints", "Where alerts are delivered: add, show, test …"),
    "secrets": Lazy("wirewatch.cli.secrets", "The key that encrypts endpoints' secrets."),
    "deliveries": Lazy(
        "wirewatch.cli.deliveries", "What became of each delivery: list, show, resend, replay."
    ),
    "listen": Lazy("wirewatch.cli.listen", "Receive webhooks here, verify and show them."),
    "topics": Lazy("wirewatch.cli.topics", "The Kafka topics: create, check, describe."),
    "ingest": Lazy("wirewatch.cli.services", "Service: fetch feeds and publish their articles."),
    "match": Lazy("wirewatch.cli.services", "Service: match articles and publish alerts."),
    "notify": Lazy("wirewatch.cli.services", "Service: deliver alerts as signed webhooks."),
    "api": Lazy("wirewatch.cli.services", "Service: REST API and status page."),
}
"""Every command, in the order of the help. A new one is mounted here."""


class LazyGroup(TyperGroup):
    """Shows the commands without importing them; tells a Problem in one sentence."""

    _words: Iterable[str] = ()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - part of the signature
        """Return the names of the commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return the command, or a stand-in that knows its help as long as it is not used."""
        if cmd_name in self.commands or cmd_name not in COMMANDS:
            return self.commands.get(cmd_name)
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name].help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is to be run."""
        self._words = args
        if args and args[0] in COMMANDS and args[0] not in self.commands:
            self.commands[args[0]] = load_command(args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a Problem, or text that is no UTF-8, becomes a sentence and code 1."""
        try:
            return super().invoke(ctx)
        except Problem as problem:
            typer.echo(f"wirewatch: {problem}", err=True)
            raise typer.Exit(EXIT_PROBLEM) from problem
        except UnicodeEncodeError as error:
            if (sentence := _unwritable(error, self._words)) is None:
                raise
            typer.echo(f"wirewatch: {sentence}", err=True)
            raise typer.Exit(EXIT_PROBLEM) from error


def _unwritable(error: UnicodeEncodeError, words: Iterable[str]) -> str | None:
    """Say what cannot be written: an argument that was no UTF-8, or what a terminal cannot show.

    None if it is neither, but a mistake of ours.
    """
    if error.encoding == "utf-8" and any(map(_SURROGATE.search, words)):
        return "An argument is not UTF-8: give it again from a terminal or a script in UTF-8."
    shown = {lookup(out.encoding).name for out in (sys.stdout, sys.stderr) if out.encoding}
    if error.encoding != "utf-8" and lookup(error.encoding).name in shown:
        return (
            f"The terminal's encoding, {error.encoding}, cannot show the answer: "
            "set LANG=C.UTF-8, or PYTHONIOENCODING=utf-8."
        )
    return None


def load_command(name: str) -> Any:
    """Import the command `name` and return it."""
    module = import_module(COMMANDS[name].module)
    if hasattr(module, "app"):
        return typer.main.get_command(module.app)
    app = typer.Typer()
    module.mount(app)
    group = typer.main.get_command(app)
    return group.commands[name] if isinstance(group, TyperGroup) else group


app = typer.Typer(
    cls=LazyGroup,
    help="Watch the news: feeds in, signed webhooks out when an article says what you asked for.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks show local variables, secrets among them
)


def _show_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"wirewatch {metadata.version('wirewatch')}")
        except metadata.PackageNotFoundError:
            typer.echo("wirewatch, run from its sources and not installed")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Libraries that would write to standard error are silent here; services set up their logs.
    logging.getLogger().addHandler(logging.NullHandler())
    sys.exit(app())
