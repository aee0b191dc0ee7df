"""`wirewatch feeds find`: the feeds of a site, from any of its pages."""

from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from wirewatch.api.words import ago
from wirewatch.cli.client import run
from wirewatch.cli.show import harmless, print_json, print_table, say
from wirewatch.documents.errors import DocumentProblem
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.settings import load_settings
from wirewatch.web.client import WebClient, user_agent
from wirewatch.web.discover import Discoverer, FoundFeed
from wirewatch.web.errors import FetchProblem
from wirewatch.web.robots import Robots


def find(
    url: Annotated[str, typer.Argument(help="A page of the site, such as https://news.example.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the feeds of a site."""
    address = url if "://" in url else f"https://{url}"
    now = utc_now()
    found = run(_find(address, now))
    if as_json:
        print_json(found)
    elif not found:
        raise Problem(f"{address} names no feed, and none is where feeds usually are.")
    else:
        print_table(("FEED", "FORMAT", "ENTRIES", "NEWEST"), (_row(one, now) for one in found))
        say(f"Watch one: wirewatch feeds add {found[0].url}")


async def _find(url: str, now: datetime) -> list[FoundFeed]:
    settings = load_settings()
    client = WebClient(
        user_agent=user_agent(settings.ingest_contact),
        allow=settings.allow_networks,
        ports=settings.allow_ports,
        connections=4,
    )
    await client.start()
    try:
        return await Discoverer(client, Robots(client), now).find(url)
    except (FetchProblem, DocumentProblem) as problem:
        raise Problem(f"{url} cannot be read: {problem.detail}.") from problem
    finally:
        await client.stop()


def _row(one: FoundFeed, now: datetime) -> tuple[Text, Text, str, str]:
    name = Text(harmless(one.title or one.url))
    if one.title:
        name.append("\n" + harmless(one.url), "dim")
    newest = ago(one.newest_at, now) if one.newest_at else "no dates"
    return name, Text(one.format), str(one.entries), newest
