"""`wirewatch alerts`: what is asked for, and what was found."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from wirewatch.api.views import AlertView, Page, SubscriptionView
from wirewatch.cli.client import client, run, segment
from wirewatch.cli.endpoints import PostedEndpoint, post_endpoint, say_secret
from wirewatch.cli.lines import article_line
from wirewatch.cli.pace import (
    At,
    Every,
    MostPerHour,
    Quiet,
    QuietDays,
    Zone,
    mount,
)
from wirewatch.cli.pace_words import Wanted, in_words
from wirewatch.cli.queries import InDialect, require_readable, say_remarks
from wirewatch.cli.show import console, harmless, print_json, print_table, say
from wirewatch.cli.subscriptions import PATH, find_subscription
from wirewatch.cli.trial import trial
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.errors import Problem
from wirewatch.topics.subscriptions import Pace

app = typer.Typer(help="What is asked for, and what was found.", no_args_is_help=True)

app.command("test")(trial)
mount(app)

Which = Annotated[str, typer.Argument(metavar="ID-OR-NAME", help="The alert's id or name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def add(  # noqa: PLR0917 - options of a command line
    name: Annotated[str, typer.Argument(help="What to call it.")],
    query: Annotated[str, typer.Argument(help="What an article has to say.")],
    to: Annotated[
        list[str] | None,
        typer.Option(help="URL or id of an endpoint; may come several times."),
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may come several times.")] = None,
    dialect: InDialect = None,
    language: Annotated[
        str | None, typer.Option(help="Your language (BCP 47): entities are named in it.")
    ] = None,
    every: Every = None,
    at: At = None,
    most_per_hour: MostPerHour = None,
    quiet: Quiet = None,
    quiet_days: QuietDays = None,
    zone: Zone = None,
) -> None:
    """Add an alert: when an article satisfies QUERY, every endpoint is told."""
    if not to:
        raise Problem("Say who is to be told: --to with the URL or id of an endpoint.")
    pace = Wanted(
        every=every,
        at=at or (),
        most_per_hour=most_per_hour,
        quiet=quiet or (),
        quiet_days=quiet_days,
        zone=zone,
    )
    fields: dict[str, object] = {"pace": pace.of(Pace())} if pace else {}
    if tag:
        fields["tags"] = tag
    if language:
        fields["language"] = language
    checked = require_readable(query, dialect)
    fields |= {"name": name, "query": checked.query or query}
    is_new, subscription, endpoints = run(_add(fields, to))
    say_remarks(query, checked)
    say(f"{'Added' if is_new else 'It is there already:'} {subscription.name}\n{subscription.id}")
    for endpoint in endpoints:
        say_secret(endpoint)


async def _add(
    fields: dict[str, object], to: list[str]
) -> tuple[bool, SubscriptionView, list[PostedEndpoint]]:
    async with client() as api:
        new = {url: await post_endpoint(api, url) for url in to if "://" in url}
        by_url = {url: endpoint.id for url, endpoint in new.items()}
        told = list(dict.fromkeys(by_url.get(each, each) for each in to))
        created = await api.create(PATH, fields | {"endpoint_ids": told}, SubscriptionView)
        return created.is_new, created.view, list(new.values())


@app.command("list")
def list_alerts(as_json: AsJson = False) -> None:
    """List the alerts that were asked for."""

    async def work() -> list[SubscriptionView]:
        async with client() as api:
            return [each async for each in api.items(PATH, SubscriptionView)]

    subscriptions = run(work())
    if as_json:
        print_json(subscriptions)
    elif not subscriptions:
        say('No alerts yet. Add one: wirewatch alerts add Storms "storm OR hurricane" --to URL')
    else:
        print_table(("ALERT", "STATE", "ID"), map(_row, subscriptions))


def _row(subscription: SubscriptionView) -> tuple[Text, Text, str]:
    name = Text(harmless(subscription.name))
    name.append("\n" + harmless(subscription.query), "dim")
    return name, _state(subscription), subscription.id


def _state(subscription: SubscriptionView) -> Text:
    if subscription.paused:
        return Text("paused", "yellow")
    is_snoozed = subscription.pace.snoozed_until is not None
    return Text("snoozed", "yellow") if is_snoozed else Text("active", "green")


@app.command()
def show(alert: Which, as_json: AsJson = False) -> None:
    """Show one alert."""

    async def work() -> SubscriptionView:
        async with client() as api:
            return await find_subscription(api, alert)

    found = run(work())
    if as_json:
        print_json(found)
        return
    say(
        f"{found.name}\n"
        f"  id         {found.id}\n"
        f"  query      {found.query}\n"
        f"  endpoints  {', '.join(found.endpoint_ids)}\n"
        f"  tags       {', '.join(found.tags) or 'none'}\n"
        f"  language   {found.language}\n"
        f"  state      {_state(found)}\n"
        f"  told       {in_words(found.pace, utc_now())}\n"
        f"  changed    {found.updated_at:%Y-%m-%d %H:%M:%S} UTC"
    )


@app.command()
def pause(alert: Which) -> None:
    """Ask for nothing for now; what appears meanwhile is not told later."""
    say(f"Paused {_set_paused(alert, paused=True).name}")


@app.command()
def resume(alert: Which) -> None:
    """Ask again."""
    say(f"Resumed {_set_paused(alert, paused=False).name}")


def _set_paused(which: str, *, paused: bool) -> SubscriptionView:
    async def work() -> SubscriptionView:
        async with client() as api:
            found = await find_subscription(api, which)
            fields = {"paused": paused}
            return await api.patch(f"{PATH}/{segment(found.id)}", fields, SubscriptionView)

    return run(work())


@app.command()
def remove(alert: Which) -> None:
    """Remove an alert."""

    async def work() -> SubscriptionView:
        async with client() as api:
            found = await find_subscription(api, alert)
            await api.delete(f"{PATH}/{segment(found.id)}")
            return found

    say(f"Removed {run(work()).name}")


@app.command()
def recent(
    alert: Annotated[str | None, typer.Argument(metavar="[ID-OR-NAME]", help="Of one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what was found lately, newest first."""

    async def work() -> Page[AlertView]:
        async with client() as api:
            chosen = (
                {} if alert is None else {"subscription": (await find_subscription(api, alert)).id}
            )
            return await api.get("/v1/alerts", Page[AlertView], limit=str(limit), **chosen)

    alerts = run(work()).items
    if as_json:
        print_json(alerts)
    elif not alerts:
        say("Nothing was found lately.")
    else:
        out = console()
        for each in alerts:
            out.print(_line(each, out.width))


def _line(alert: AlertView, width: int) -> Text:
    return article_line(
        alert.found_at, alert.subscription_name, alert.article, alert.proofs, width=width
    )


@app.command()
def check(
    query: Annotated[str, typer.Argument(help="A query.")], dialect: InDialect = None
) -> None:
    """Say how a query is checked, or what is wrong and where. Nothing is sent."""
    checked = require_readable(query, dialect)
    say(checked.canonical or query)
    say_remarks(query, checked)


@app.command()
def match(
    queries: Annotated[Path, typer.Option(help='Lines {"id", "query"}.')],
    articles: Annotated[
        Path, typer.Option(help='Lines {"id", "title", "body", "language", "source"}; - for stdin.')
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Answer with lines of JSON.")] = False,
) -> None:
    """Hold every article of a file against every query of another, without Kafka."""
    from wirewatch.cli.offline import match_all  # noqa: PLC0415 - numpy and numba take a second

    match_all(queries, articles, as_json=as_json)
