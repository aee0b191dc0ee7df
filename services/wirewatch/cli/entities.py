"""`wirewatch entities`: things and themes by their names in every language."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from wirewatch.api.entity_views import EntityView, ListedEntity
from wirewatch.api.views import Page
from wirewatch.cli.client import ENTITIES, ApiClient, client, run, segment
from wirewatch.cli.show import harmless, print_json, print_table, say
from wirewatch.entities.ids import THEME_PREFIX
from wirewatch.runtime.errors import Problem
from wirewatch.topics.entities import Kind

app = typer.Typer(help="Things and themes by name, in every language.", no_args_is_help=True)

MAX_FOUND = 50
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[str, typer.Argument(metavar="ID-OR-NAME", help="Its id or name.")]
Names = Annotated[
    list[str] | None,
    typer.Option("--name", help="LANGUAGE=NAMES, split by ; (en='Acme; ACME Corp'); may repeat."),
]
Exceptions = Annotated[
    list[str] | None,
    typer.Option("--except", help="LANGUAGE=PHRASES that hold a name and are something else."),
]
Beside = Annotated[
    list[str] | None,
    typer.Option("--beside", help="Id of an entity beside which ambiguous ?names count."),
]


@app.command()
def find(
    texts: Annotated[
        Path, typer.Argument(help='Lines {"id", "text", "language"}; - for standard input.')
    ] = Path("-"),
    as_json: Annotated[bool, typer.Option("--json", help="Answer with lines of JSON.")] = False,
) -> None:
    """Say which entities and themes texts name, and where. Without Kafka."""
    from wirewatch.cli.naming import find_all  # noqa: PLC0415 - the finder takes a second

    if find_all(texts, as_json=as_json):
        raise typer.Exit(1)


@app.command()
def search(
    name: Annotated[str, typer.Argument(help="How its name begins, in any language.")],
    limit: Annotated[int, typer.Option(min=1, max=MAX_FOUND, help="How many at most.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Find entities and themes by name: the ids that queries take."""
    _require_text(name)

    async def work() -> Page[ListedEntity]:
        async with client() as api:
            return await api.get(ENTITIES, Page[ListedEntity], search=name, limit=str(limit))

    found = run(work()).items
    if as_json:
        print_json(found)
    elif not found:
        say(f"Nothing is called {name}. Add it, or: wirewatch entities import {name!r}")
    else:
        print_table(("ENTITY", "KIND", "ASK FOR IT WITH"), map(_row, found))


def _row(entity: ListedEntity) -> tuple[str, str, str]:
    name = harmless(entity.name) + (" (own)" if entity.is_own else "")
    is_theme = entity.id.startswith(THEME_PREFIX)
    return name, str(entity.kind), entity.id if is_theme else f"entity:{entity.id}"


@app.command()
def show(entity: Which, as_json: AsJson = False) -> None:
    """Show an entity with all its names."""

    async def work() -> EntityView:
        async with client() as api:
            return await api.get(f"{ENTITIES}/{segment(await _id(api, entity))}", EntityView)

    found = run(work())
    if as_json:
        print_json(found)
        return
    say(f"{found.name}\n  id       {found.id}\n  kind     {found.kind}")
    for language, names in found.found_by.items():
        say(f"  {language:<8} {harmless('; '.join(names))}")


async def _id(api: ApiClient, which: str) -> str:
    """Return the id of what is called so, else of what is found first by the name."""
    _require_text(which)
    if _is_id(which):
        return which
    found = await api.get(ENTITIES, Page[ListedEntity], search=which, limit=str(MAX_FOUND))
    chosen = _only(found.items, which) or _only(await _own(api), which)
    return chosen or next((each.id for each in found.items), which)


async def _own_id(api: ApiClient, which: str) -> str:
    _require_text(which)
    chosen = which if _is_id(which) else _only(await _own(api), which)
    if chosen is None:
        raise Problem(f"No entity of your own is called {which}: see `wirewatch entities list`.")
    return chosen


async def _own(api: ApiClient) -> list[ListedEntity]:
    return [each async for each in api.items(ENTITIES, ListedEntity)]


def _only(entities: Iterable[ListedEntity], name: str) -> str | None:
    """Return the id of the one that is called `name`, None if there is none."""
    ids = {each.id: None for each in entities if each.name.casefold() == name.casefold()}
    if len(ids) > 1:
        raise Problem(f"Several entities are called {name}: choose by id among {', '.join(ids)}.")
    return next(iter(ids), None)


def _require_text(*words: str) -> None:
    """Refuse what was typed in another encoding: it cannot be sent."""
    for word in words:
        if not word.isascii() and any("\ud800" <= character <= "\udfff" for character in word):
            raise Problem(f"{word!a} is not UTF-8: check the encoding of your terminal.")


def _is_id(text: str) -> bool:
    return (text[:1] == "Q" and text[1:].isdigit()) or text.startswith(("ent_", THEME_PREFIX))


@app.command("list")
def list_entities(as_json: AsJson = False) -> None:
    """List your own entities, and those of the catalogue that you changed."""

    async def work() -> list[ListedEntity]:
        async with client() as api:
            return await _own(api)

    found = run(work())
    if as_json:
        print_json(found)
    elif not found:
        say("No entities of your own yet. Add one: wirewatch entities add Acme --kind organisation")
    else:
        print_table(("ENTITY", "KIND", "ASK FOR IT WITH"), map(_row, found))


@app.command()
def add(  # noqa: PLR0917 - options of a command line
    name: Annotated[str, typer.Argument(help="What to call it.")],
    kind: Annotated[Kind | None, typer.Option(help="What it is.")] = None,
    entity_id: Annotated[
        str | None, typer.Option("--id", help="Wikidata id, also of one of the catalogue.")
    ] = None,
    names: Names = None,
    exceptions: Exceptions = None,
    beside: Beside = None,
) -> None:
    """Add an entity, or names to one of the catalogue (--id). In force within a second."""
    _require_text(name, entity_id or "", *(names or ()), *(exceptions or ()), *(beside or ()))
    fields: dict[str, object] = {"name": name, "names": _by_language(names) or {"*": name}}
    fields |= {"kind": kind} if kind else {}
    fields |= {"id": entity_id} if entity_id else {}
    fields |= {"exceptions": _by_language(exceptions)} if exceptions else {}
    fields |= {"context": beside} if beside else {}

    async def work() -> tuple[bool, EntityView]:
        async with client() as api:
            created = await api.create(ENTITIES, fields, EntityView)
            return created.is_new, created.view

    is_new, view = run(work())
    say(f"{'Added' if is_new else 'It is there already:'} {view.name}\n{view.id}")


def _by_language(lines: list[str] | None) -> dict[str, str]:
    found = {}
    for line in lines or ():
        language, equals, names = line.partition("=")
        if not equals or not names.strip():
            raise Problem(f"{line} is not LANGUAGE=NAMES, such as en='Acme; ACME Corp'.")
        if language.strip() in found:
            raise Problem(f"{language.strip()} is there twice: join its names with ; in one.")
        found[language.strip()] = names.strip()
    return found


@app.command()
def remove(entity: Which) -> None:
    """Remove an entity of your own; what ships under its id stays."""

    async def work() -> str:
        async with client() as api:
            key = await _own_id(api, entity)
            await api.delete(f"{ENTITIES}/{segment(key)}")
        return key

    say(f"Removed {run(work())}")


@app.command("load")
def load_file(
    file: Annotated[Path, typer.Argument(help="YAML or CSV; see docs/entities.md.")],
) -> None:
    """Add or change many entities, from a file."""
    from wirewatch.cli.entity_files import load  # noqa: PLC0415 - YAML is needed here alone

    say(run(load(file)))


@app.command("import")
def import_entities(
    items: Annotated[list[str], typer.Argument(help="Wikidata ids, or one name to search for.")],
    kind: Annotated[Kind | None, typer.Option(help="What it is, if Wikidata is unclear.")] = None,
    language: Annotated[str, typer.Option(help="Language of the name.")] = "en",
    force: Annotated[bool, typer.Option(help="Also what was imported within a week.")] = False,
) -> None:
    """Take names from Wikidata; what you wrote or dropped yourself stays."""
    from wirewatch.cli.imports import import_items  # noqa: PLC0415 - a client of its own

    run(import_items(items, kind=kind, language=language, force=force))


@app.command()
def refresh() -> None:
    """Import anew what was imported more than a week ago."""
    from wirewatch.cli.imports import refresh_items  # noqa: PLC0415 - a client of its own

    run(refresh_items())
