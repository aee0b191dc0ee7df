"""`wirewatch deliveries`: what became of each delivery, and sending again."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from wirewatch.api.endpoint_views import EndpointView
from wirewatch.api.fates import DeliveryDetail, DeliveryPage, DeliveryView, Fate
from wirewatch.api.replaying import MAX_REPLAYED, ReplayView, ResendView, What
from wirewatch.api.words import count
from wirewatch.cli.client import ApiClient, client, run, segment
from wirewatch.cli.delivery_lines import HEADS, counts, delivery_row, timeline
from wirewatch.cli.endpoints import ID_PREFIX, find_endpoint
from wirewatch.cli.show import console, print_json, print_table, say
from wirewatch.cli.subscriptions import find_subscription
from wirewatch.cli.times import parameter, read_time, stamp
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.errors import Problem

app = typer.Typer(help="What became of each delivery, and sending again.", no_args_is_help=True)

PATH = "/v1/deliveries"
MAX_PAGE = 500
FAILED = (Fate.PENDING, Fate.DEAD)

Which = Annotated[str, typer.Argument(metavar="ID", help="The delivery's id (its webhook-id).")]
At = Annotated[
    str | None,
    typer.Option("--endpoint", metavar="ENDPOINT", help="The endpoint's id, URL or name."),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="How long ago (90s, 15m, 6h, 2d), or a time in UTC."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


async def _endpoint_id(api: ApiClient, which: str) -> str:
    """Return the id; one that is given as such may be of an endpoint that was removed."""
    return which if which.startswith(ID_PREFIX) else (await find_endpoint(api, which)).id


@app.command("list")
def list_deliveries(
    *,
    endpoint: At = None,
    alert: Annotated[
        str | None, typer.Option(metavar="ALERT", help="Those of one alert, by name or id.")
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only those that failed and were not delivered since.")
    ] = False,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first: recent ones, or with --endpoint all since a time."""
    asked: dict[str, str] = {}
    if since is not None:
        asked["since"] = parameter(read_time(since, "--since", utc_now()))
    if failed:
        asked["state"] = ",".join(FAILED)

    async def work() -> tuple[list[DeliveryView], str]:
        async with client() as api:
            if endpoint is not None:
                asked["endpoint"] = await _endpoint_id(api, endpoint)
            if alert is not None:
                asked["subscription"] = (await find_subscription(api, alert)).id
            return await _pages(api, asked, limit, failed=failed)

    deliveries, note = run(work())
    if as_json:
        print_json(deliveries)
        return
    if deliveries:
        print_table(HEADS, map(delivery_row, deliveries))
    else:
        say("No such delivery." if asked else "Nothing was delivered lately.")
    if note and endpoint is not None:
        say(note)


async def _pages(
    api: ApiClient, asked: dict[str, str], limit: int, *, failed: bool
) -> tuple[list[DeliveryView], str]:
    found: list[DeliveryView] = []
    asked = asked | {"limit": str(min(limit, MAX_PAGE))}
    while True:
        page = await api.get(PATH, DeliveryPage, **asked)
        found += [each for each in page.items if each.attempts or not failed]
        if page.next is None or len(found) >= limit:
            return found[:limit], page.note
        asked["after"] = page.next


@app.command()
def show(delivery: Which, *, endpoint: At = None, as_json: AsJson = False) -> None:
    """Show every attempt of a delivery; --endpoint finds one that is not recent."""

    async def work() -> DeliveryDetail:
        async with client() as api:
            asked = {} if endpoint is None else {"endpoint": await _endpoint_id(api, endpoint)}
            return await api.get(f"{PATH}/{segment(delivery)}", DeliveryDetail, **asked)

    detail = run(work())
    if as_json:
        print_json(detail)
        return
    out = console()
    for line in timeline(detail):
        out.print(line, soft_wrap=True)


@app.command()
def resend(delivery: Which, *, endpoint: At = None) -> None:
    """Send a delivery again, or try one that waits now. Its webhook-id stays."""

    async def work() -> ResendView:
        async with client() as api:
            fields = {} if endpoint is None else {"endpoint": await _endpoint_id(api, endpoint)}
            return await api.post(f"{PATH}/{segment(delivery)}/resend", fields, ResendView)

    answer = run(work())
    say(f"Sent again: {answer.delivery_id}" + (f"\n{answer.note}" if answer.note else ""))


@app.command()
def replay(
    *,
    endpoint: Annotated[
        str, typer.Option(metavar="ENDPOINT", help="To which: the endpoint's id, URL or name.")
    ],
    since: Annotated[
        str, typer.Option(metavar="TIME", help="How long ago (90s, 15m, 6h, 2d), or a UTC time.")
    ],
    until: Annotated[str | None, typer.Option(metavar="TIME", help="As --since.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="What failed since then and was not delivered.")
    ] = False,
    dead: Annotated[bool, typer.Option("--dead", help="What was given up since then.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Every alert found since then, delivered or not.")
    ] = False,
    reason: Annotated[
        list[str] | None,
        typer.Option(help="Only what failed for this; may come several times."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=MAX_REPLAYED, help="How many at most.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--id", help="Repeat the request of this id: nothing comes twice.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Send many deliveries to one endpoint again: --failed, --dead or --all."""
    what = _what(failed=failed, dead=dead, everything=everything)
    if not (yes or dry_run or is_terminal()):
        raise Problem("There is nobody to ask whether to send: use --yes, or --dry-run to count.")
    now = utc_now()
    fields: dict[str, object] = {
        "what": what,
        "since": _field(since, "--since", now),
        "until": None if until is None else _field(until, "--until", now),
        "reasons": reason or [],
        "limit": limit,
        "id": name,
    }
    given = {field: value for field, value in fields.items() if value is not None}
    found = run(_find(endpoint))
    given["endpoint"] = found.id
    if dry_run or not yes:
        counted = run(_replay(given | {"dry_run": True}))
        _say_replay(counted)
        if dry_run or not counted.sent or not _is_wanted(counted, found):
            return
    _say_replay(run(_replay(given)))


def is_terminal() -> bool:
    """Say whether there is somebody to ask."""
    return sys.stdin.isatty()


def _what(*, failed: bool, dead: bool, everything: bool) -> What:
    chosen = [
        what
        for what, is_chosen in ((What.FAILED, failed), (What.DEAD, dead), (What.ALL, everything))
        if is_chosen
    ]
    if len(chosen) != 1:
        raise Problem("Say what is to be sent again: one of --failed, --dead and --all.")
    return chosen[0]


def _field(text: str, option: str, now: datetime) -> str:
    return parameter(read_time(text, option, now))


async def _find(which: str) -> EndpointView:
    async with client() as api:
        return await find_endpoint(api, which)


async def _replay(fields: dict[str, object]) -> ReplayView:
    async with client() as api:
        return await api.post("/v1/replays", fields, ReplayView)


def _is_wanted(counted: ReplayView, endpoint: EndpointView) -> bool:
    told = count(counted.sent, "delivery", "deliveries")
    return typer.confirm(f"Send {told} to {endpoint.url} again?")


def _say_replay(view: ReplayView) -> None:
    say(counts(view))
    if view.next_since is not None:
        say(f"Go on with --since {parameter(view.next_since)}, from {stamp(view.next_since)} UTC.")
    if view.note:
        say(view.note)
