"""`wirewatch topics`: the Kafka topics, as their specs say."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from wirewatch.cli.client import run
from wirewatch.cli.show import print_json, print_table, say
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.settings import load_settings
from wirewatch.runtime.topic_admin import (
    TopicReport,
    TopicState,
    check_topics,
    create_topics,
    describe_topics,
)

app = typer.Typer(help="The Kafka topics.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
COLOURS = {
    TopicState.OK: "green",
    TopicState.CREATED: "green",
    TopicState.MISSING: "bold red",
    TopicState.DIFFERS: "bold red",
}


@app.command()
def create(as_json: AsJson = False) -> None:
    """Create the topics that are missing; others are left as they are."""
    _show(run(create_topics(load_settings())), as_json=as_json)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Compare the topics with what they should be; exit code 1 if one differs."""
    reports = run(check_topics(load_settings()))
    _show(reports, as_json=as_json)
    differences = [difference for report in reports for difference in report.differences]
    if differences:
        raise Problem("\n".join(differences))


@app.command()
def describe(as_json: AsJson = False) -> None:
    """Show the topics with their partitions and settings."""
    reports = run(describe_topics(load_settings()))
    _show(reports, as_json=as_json)
    if not as_json:
        for report in reports:
            config = ", ".join(f"{key}={value}" for key, value in sorted(report.config.items()))
            say(f"{report.name}: {config or 'no settings'}")


def _show(reports: Sequence[TopicReport], *, as_json: bool) -> None:
    if as_json:
        print_json(list(reports))
    else:
        print_table(("TOPIC", "STATE", "PARTITIONS", "REPLICAS"), map(_row, reports))


def _row(report: TopicReport) -> tuple[str, Text, str, str]:
    state = Text(report.state, COLOURS[report.state])
    return report.name, state, str(report.partitions), str(report.replication)
