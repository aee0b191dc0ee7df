"""`wirewatch feeds`: what is watched."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from wirewatch.api.health import HealthState
from wirewatch.api.views import FeedView
from wirewatch.cli.client import ApiAway, ApiClient, ApiProblem, Created, client, run, segment
from wirewatch.cli.find import find
from wirewatch.cli.parse import parse
from wirewatch.cli.show import harmless, print_json, print_table, say
from wirewatch.runtime.errors import Problem
from wirewatch.starter.opml import (
    MAX_OPML_BYTES,
    FeedOutline,
    OpmlProblem,
    read_opml,
    write_opml,
)
from wirewatch.topics.ids import feed_id

app = typer.Typer(help="What is watched.", no_args_is_help=True)
app.command("find")(find)
app.command("parse")(parse)

PATH = "/v1/feeds"
IMPORTS_AT_ONCE = 8
COLOURS = {
    HealthState.OK: "green",
    HealthState.FAILING: "bold red",
    HealthState.GONE: "bold red",
    HealthState.WAITING: "yellow",
    HealthState.PAUSED: "dim",
}

Which = Annotated[str, typer.Argument(metavar="ID-OR-URL", help="The feed's id or URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _path(which: str) -> str:
    return f"{PATH}/{segment(feed_id(which) if '://' in which else which)}"


@app.command("list")
def list_feeds(as_json: AsJson = False) -> None:
    """List the feeds and how they do."""
    feeds = run(_all_feeds())
    if as_json:
        print_json(feeds)
    elif not feeds:
        say("No feeds yet. Add one: wirewatch feeds add https://www.example.org/feed.xml")
    else:
        print_table(("FEED", "HEALTH", "ID"), map(_row, feeds))


async def _all_feeds() -> list[FeedView]:
    async with client() as api:
        return [feed async for feed in api.items(PATH, FeedView)]


def _row(feed: FeedView) -> tuple[Text, Text, str]:
    name = Text(harmless(feed.title or feed.url))
    if feed.title:
        name.append("\n" + harmless(feed.url), "dim")
    failing = feed.health.state in {HealthState.FAILING, HealthState.GONE}
    if feed.health.state is not HealthState.PAUSED:
        name.append("\n" + harmless(feed.health.text), "red" if failing else "dim")
    return name, Text(feed.health.state, COLOURS[feed.health.state]), feed.id


@app.command()
def add(  # noqa: PLR0917 - typer makes options of them
    url: Annotated[str, typer.Argument(help="Where the feed is: RSS, Atom or JSON Feed.")],
    title: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    language: Annotated[str | None, typer.Option(help="Its language, such as en.")] = None,
    interval: Annotated[int | None, typer.Option(help="Seconds between two fetches.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may come several times.")] = None,
    country: Annotated[str | None, typer.Option(help="Its country, such as DE.")] = None,
    full_text: Annotated[
        bool, typer.Option("--full-text", help="Take each article's text from its page.")
    ] = False,
) -> None:
    """Add a feed. Where only the site is known, `find` tells its feeds."""
    fields: dict[str, object] = {
        "title": title,
        "language": language,
        "interval_s": interval,
        "tags": tag,
        "country": country,
        "full_text": full_text or None,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    created = run(_create({"url": url} | given))
    said = "Added" if created.is_new else "It is there already:"
    say(f"{said} {created.view.url}\n{created.view.id}")


async def _create(fields: dict[str, object]) -> Created[FeedView]:
    async with client() as api:
        return await api.create(PATH, fields, FeedView)


@app.command()
def remove(feed: Which) -> None:
    """Stop watching a feed. Its articles stay."""
    run(_delete(_path(feed)))
    say(f"Removed {feed}")


async def _delete(path: str) -> None:
    async with client() as api:
        await api.delete(path)


@app.command()
def pause(feed: Which) -> None:
    """Stop fetching a feed for now."""
    say(f"Paused {run(_patch(_path(feed), paused=True)).url}")


@app.command()
def resume(feed: Which) -> None:
    """Fetch a paused feed again."""
    say(f"Resumed {run(_patch(_path(feed), paused=False)).url}")


async def _patch(path: str, *, paused: bool) -> FeedView:
    async with client() as api:
        return await api.patch(path, {"paused": paused}, FeedView)


@app.command("import")
def import_opml(
    file: Annotated[Path, typer.Argument(metavar="FILE.opml", help="An OPML file, - for stdin.")],
) -> None:
    """Add every feed of an OPML file, as feed readers export it."""
    outlines = _read_outlines(file)
    report = run(_import(outlines))
    say(f"{report.added} added, {report.known} there already, {len(report.refused)} refused")
    if report.refused:
        raise Problem("\n".join(report.refused))


def _read_outlines(file: Path) -> Sequence[FeedOutline]:
    try:
        return read_opml(_read_file(file))
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror or error}.") from error
    except OpmlProblem as error:
        raise Problem(f"{file}: {error}") from error


def _read_file(file: Path) -> bytes:
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as source:
        raw = source.read(MAX_OPML_BYTES + 1)
    if len(raw) > MAX_OPML_BYTES:
        raise Problem(f"{file} is larger than {MAX_OPML_BYTES // 1_048_576} MiB: split it.")
    return raw


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the feeds of a file. `refused` has a sentence for each."""

    added: int
    known: int
    refused: tuple[str, ...]


async def _import(outlines: Sequence[FeedOutline]) -> ImportReport:
    room = asyncio.Semaphore(IMPORTS_AT_ONCE)
    async with client() as api:
        results = await asyncio.gather(*(_import_one(api, room, each) for each in outlines))
    return ImportReport(
        added=results.count(True),
        known=results.count(False),
        refused=tuple(result for result in results if isinstance(result, str)),
    )


async def _import_one(api: ApiClient, room: asyncio.Semaphore, outline: FeedOutline) -> bool | str:
    """Return whether the feed is new, or why it was refused."""
    fields = {
        "url": outline.url,
        "title": outline.title,
        "language": outline.language,
        "tags": outline.tags,
    }
    given = {name: value for name, value in fields.items() if value}
    async with room:
        try:
            return (await api.create(PATH, given, FeedView)).is_new
        except ApiAway:
            raise
        except ApiProblem as problem:
            if problem.status == HTTPStatus.CONFLICT:
                return False
            return f"{outline.url}: {problem}"


@app.command("export")
def export_opml(
    file: Annotated[Path | None, typer.Argument(help="Where to write; empty: stdout.")] = None,
) -> None:
    """Write all feeds as OPML, which every feed reader imports."""
    feeds = run(_all_feeds())
    raw = write_opml([_outline(feed) for feed in feeds])
    if file is None:
        sys.stdout.buffer.write(raw)
        return
    try:
        file.write_bytes(raw)
    except OSError as error:
        raise Problem(f"{file} cannot be written: {error.strerror or error}.") from error
    say(f"Wrote {len(feeds)} feeds to {file}")


def _outline(feed: FeedView) -> FeedOutline:
    return FeedOutline(url=feed.url, title=feed.title, language=feed.language, tags=feed.tags)
