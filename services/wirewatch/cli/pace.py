"""`wirewatch alerts pace | snooze | wake | mute | unmute`: when somebody is told."""

from typing import Annotated

import msgspec
import typer

from wirewatch.api.views import SubscriptionView
from wirewatch.cli.client import client, run, segment
from wirewatch.cli.pace_words import Wanted, in_words, in_zone, read_duration, read_until
from wirewatch.cli.show import print_json, say
from wirewatch.cli.subscriptions import PATH, find_subscription
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.errors import Problem

Which = Annotated[str, typer.Argument(metavar="ID-OR-NAME", help="The alert's id or name.")]
Every = Annotated[
    str | None,
    typer.Option(
        metavar="MINUTES", help="A digest so often: 30, or 2h, 1d. Counted from midnight."
    ),
]
At = Annotated[
    list[str] | None,
    typer.Option(metavar="HH:MM", help="A digest at this time; may come several times."),
]
MostPerHour = Annotated[
    int | None, typer.Option(help="So many an hour at once, the rest in a digest.")
]
Quiet = Annotated[
    list[str] | None,
    typer.Option(metavar="HH:MM-HH:MM", help="Tell nothing meanwhile; may come several times."),
]
QuietDays = Annotated[
    str | None, typer.Option(help="On which days --quiet begins: mon-fri, or sat,sun.")
]
Zone = Annotated[
    str | None, typer.Option(help="The time zone of all times, such as Europe/Berlin.")
]
AtOnce = Annotated[
    bool, typer.Option("--at-once", help="No digests and no quiet hours, or only those named here.")
]
Source = Annotated[
    str | None, typer.Option(metavar="HOST", help="A host, with all below it: news.example.org.")
]
Story = Annotated[str | None, typer.Option(metavar="ID", help="The id of a story.")]


def pace(  # noqa: PLR0917 - options of a command line
    alert: Which,
    every: Every = None,
    at: At = None,
    most_per_hour: MostPerHour = None,
    quiet: Quiet = None,
    quiet_days: QuietDays = None,
    zone: Zone = None,
    at_once: AtOnce = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say when you are told, at once or in digests; without options show it."""
    wanted = Wanted(
        every=every,
        at=at or (),
        most_per_hour=most_per_hour,
        quiet=quiet or (),
        quiet_days=quiet_days,
        zone=zone,
        at_once=at_once,
    )

    async def work() -> SubscriptionView:
        async with client() as api:
            found = await find_subscription(api, alert)
            if not wanted:
                return found
            fields = {"pace": msgspec.to_builtins(wanted.of(found.pace))}
            return await api.patch(f"{PATH}/{segment(found.id)}", fields, SubscriptionView)

    view = run(work())
    if as_json:
        print_json(view.pace)
    else:
        say(f"{view.name}: {in_words(view.pace, utc_now())}")


def snooze(
    alert: Which,
    length: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="So long: 30m, 2h, 3d, 1w.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Until then: 2026-12-01T08:00, in the alert's time zone."
        ),
    ] = None,
) -> None:
    """Tell nothing for a while; what is found meanwhile comes in one digest."""
    if (length is None) == (until is None):
        raise Problem("Say how long: --for 2h, or --until 2026-12-01T08:00.")

    async def work() -> SubscriptionView:
        async with client() as api:
            found = await find_subscription(api, alert)
            fields: dict[str, object] = {}
            if length is not None:
                fields["for_s"] = read_duration(length).total_seconds()
            if until is not None:
                fields["until"] = read_until(until, found.pace.time_zone)
            return await api.post(f"{PATH}/{segment(found.id)}/snooze", fields, SubscriptionView)

    view = run(work())
    if view.pace.snoozed_until is not None:
        end = in_zone(view.pace.snoozed_until, view.pace.time_zone)
        say(f"Snoozed {view.name} until {end}")


def wake(alert: Which) -> None:
    """End a snooze; what was held is told now."""

    async def work() -> SubscriptionView:
        async with client() as api:
            found = await find_subscription(api, alert)
            await api.delete(f"{PATH}/{segment(found.id)}/snooze")
            return found

    say(f"Woke {run(work()).name}")


def mute(alert: Which, source: Source = None, story: Story = None) -> None:
    """Tell of a source or a story no more."""
    field, value = _one(source, story)

    async def work() -> SubscriptionView:
        async with client() as api:
            found = await find_subscription(api, alert)
            path = f"{PATH}/{segment(found.id)}/mutes"
            return await api.post(path, {field: value}, SubscriptionView)

    say(f"Muted the {field} {value} in {run(work()).name}")


def unmute(alert: Which, source: Source = None, story: Story = None) -> None:
    """Tell of a source or a story again."""
    field, value = _one(source, story)

    async def work() -> SubscriptionView:
        async with client() as api:
            found = await find_subscription(api, alert)
            await api.delete(f"{PATH}/{segment(found.id)}/mutes?{field}={segment(value)}")
            return found

    say(f"The {field} {value} is told again in {run(work()).name}")


def _one(source: str | None, story: str | None) -> tuple[str, str]:
    if source is not None and story is None:
        return "source", source
    if story is not None and source is None:
        return "story", story
    raise Problem("Say what: --source with a host, or --story with an id.")


def mount(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (pace, snooze, wake, mute, unmute):
        app.command()(command)
