"""Entities from Wikidata: asked here, kept by the API."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec

from wirewatch.api.entity_views import EntityView, ListedEntity
from wirewatch.cli.client import ENTITIES, ApiClient, ApiProblem, client, segment
from wirewatch.cli.show import harmless, print_table, say
from wirewatch.entities.ids import ITEM
from wirewatch.entities.wikidata import Hit, Item, read_hits, read_items
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.settings import load_settings
from wirewatch.topics.entities import Kind
from wirewatch.web.client import WebClient, user_agent
from wirewatch.web.wikidata import Wikidata

FRESH_FOR = timedelta(days=7)
"""What was imported so lately is not asked for again."""
MAX_HITS = 10


async def import_items(
    wanted: Sequence[str], *, kind: Kind | None, language: str, force: bool
) -> None:
    """Import items by id, or the one that a name finds, and say what came of each.

    Raises Problem: for a name that finds none or several, and where Wikidata or the API
    does not answer.
    """
    async with _wikidata() as wikidata, client() as api:
        if all(ITEM.fullmatch(each) for each in wanted):
            ids = list(dict.fromkeys(wanted))
        else:
            ids = [await _only_hit(wikidata, " ".join(wanted), language)]
        await _import(wikidata, api, ids, kind, force=force)


async def refresh_items() -> None:
    """Import anew what was imported, if not lately. Raises Problem."""
    async with _wikidata() as wikidata, client() as api:
        own = [each async for each in api.items(ENTITIES, ListedEntity) if ITEM.fullmatch(each.id)]
        views = [await api.get(f"{ENTITIES}/{segment(each.id)}", EntityView) for each in own]
        ids = [view.id for view in views if view.imported_at is not None]
        if not ids:
            say("Nothing was imported yet: wirewatch entities import Q423")
            return
        await _import(wikidata, api, ids, None, force=False)


@asynccontextmanager
async def _wikidata() -> AsyncIterator[Wikidata]:
    settings = load_settings()
    web = WebClient(
        user_agent=user_agent(settings.ingest_contact),
        allow=settings.allow_networks,
        ports=settings.allow_ports,
        connections=1,
    )
    await web.start()
    try:
        yield Wikidata(web, settings.wikidata_url)
    finally:
        await web.stop()


async def _only_hit(wikidata: Wikidata, name: str, language: str) -> str:
    hits = read_hits(await wikidata.search(name, language, MAX_HITS))
    if not hits:
        raise Problem(
            f"Wikidata knows nothing called {name} in {language}: try another --language."
        )
    if len(hits) > 1:
        print_table(("ID", "NAME", "WHAT IT IS"), map(_row, hits))
        raise Problem(f"Wikidata finds several things by {name}: choose one, as in: "
                      f"wirewatch entities import {hits[0].id}")  # fmt: skip
    return hits[0].id


def _row(hit: Hit) -> tuple[str, str, str]:
    return hit.id, harmless(hit.label), harmless(hit.description)


async def _import(
    wikidata: Wikidata, api: ApiClient, ids: Sequence[str], kind: Kind | None, *, force: bool
) -> None:
    due = []
    for each in ids:
        if force or not await _is_fresh(api, each):
            due.append(each)
        else:
            say(f"{each} was imported less than a week ago; to ask again: "
                f"wirewatch entities import {each} --force")  # fmt: skip
    missing = dict.fromkeys(due)
    refused = []
    async for answer in wikidata.items(due):
        for asked, item in read_items(answer).items():
            missing.pop(asked, None)
            try:
                await _put(api, item, kind)
            except ApiProblem as problem:
                if not problem.status:
                    raise
                refused.append(f"{item.id} is not imported: {problem}")
    if missing:
        refused.append(f"Wikidata has no {', '.join(missing)}: check the ids.")
    if refused:
        raise Problem(" ".join(refused))


async def _is_fresh(api: ApiClient, entity_id: str) -> bool:
    try:
        view = await api.get(f"{ENTITIES}/{segment(entity_id)}", EntityView)
    except ApiProblem as problem:
        if problem.status == 404:
            return False
        raise
    return view.imported_at is not None and utc_now() - view.imported_at < FRESH_FOR


async def _put(api: ApiClient, item: Item, kind: Kind | None) -> None:
    fields = msgspec.structs.asdict(item.imported) | {"name": item.name}
    try:
        known = await api.get(f"{ENTITIES}/{segment(item.id)}", EntityView)
    except ApiProblem as problem:
        if problem.status != 404:
            raise
        fields["kind"] = kind or item.kind
    else:
        if kind is not None and kind is not known.kind:
            raise ApiProblem(409, f"here it is {known.kind}, not {kind}: leave --kind out.")
    view = await api.put(f"{ENTITIES}/{segment(item.id)}/imported", fields, EntityView)
    names = sum(map(len, view.found_by.values()))
    say(f"Imported {view.name} ({view.id}, {view.kind}): found by {names} names in "
        f"{len(view.found_by)} languages")  # fmt: skip
