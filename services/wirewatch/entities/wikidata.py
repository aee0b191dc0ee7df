"""What Wikidata answers, made into names. Pure.

The forms are those of the MediaWiki API: `action=wbgetentities` and `action=wbsearchentities`
(www.wikidata.org/w/api.php?action=help). Whatever is not of the form is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeGuard

import regex

from wirewatch.entities.ids import ITEM
from wirewatch.entities.own import EVERY_LANGUAGE, LANGUAGE, Imported
from wirewatch.topics.entities import Kind

MAX_NAME_CHARS = 200
MAX_NAMES = 2_000
"""Names of one item that are taken: an own entity has room for the aliases that they make."""
DEMONYM, SHORT_NAME, OFFICIAL_NAME = "P1549", "P1813", "P1448"
INSTANCE_OF, COORDINATES, HEADQUARTERS = "P31", "P625", "P159"
_HUMAN = "Q5"
_COUNTRIES = frozenset({"Q6256", "Q3624078", "Q7275", "Q1763527", "Q15634554", "Q10711424"})
"""Country, sovereign state, state, constituent country, state with limited recognition, …"""
_NO_LANGUAGES = frozenset({"simple", "und", "zxx", "mis"})
_MULTIPLE = "mul"
"""What is the same in every language stands here alone: most people's names by now."""
_MARKS = regex.compile(r"[\p{Cf}--[\u200c\u200d]]", flags=regex.VERSION1)
"""Direction marks, soft hyphens: nothing to see. Joiners are spelling in Persian and Sinhala."""
_UNFIT = regex.compile(r"[\p{C}--[\u200c\u200d]]", flags=regex.VERSION1)


@dataclass(frozen=True, slots=True)
class Item:
    """An item of Wikidata: its names, and what kind of thing it seems to be."""

    id: str
    name: str
    kind: Kind
    imported: Imported


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that a search found."""

    id: str
    label: str
    description: str


def read_items(answer: Any) -> dict[str, Item]:
    """Return the items of an answer, under the ids that were asked for; missing ones are not there.

    An id that was merged into another is answered with that one.
    """
    entities = answer.get("entities") if isinstance(answer, dict) else None
    found = {}
    for asked, entity in (entities or {}).items() if isinstance(entities, dict) else ():
        if isinstance(entity, dict) and "missing" not in entity:
            item_id = entity.get("id", asked)
            if _is_item(item_id):
                found[asked] = _item(item_id, entity)
    return found


def read_hits(answer: Any) -> list[Hit]:
    """Return what a search found, best first."""
    hits = answer.get("search") if isinstance(answer, dict) else None
    return [
        Hit(hit["id"], _text(hit.get("label")), _text(hit.get("description")))
        for hit in (hits if isinstance(hits, list) else ())
        if isinstance(hit, dict) and _is_item(hit.get("id"))
    ]


def _is_item(item_id: Any) -> TypeGuard[str]:
    return isinstance(item_id, str) and ITEM.fullmatch(item_id) is not None


def _item(item_id: str, entity: dict[str, Any]) -> Item:
    labels = dict(islice(_values(entity.get("labels")), MAX_NAMES))
    aliases: dict[str, list[str]] = defaultdict(list)
    for language, text in _lists(entity.get("aliases")):
        aliases[language].append(text)
    for name in (SHORT_NAME, OFFICIAL_NAME):
        for language, text in _claimed_texts(entity, name):
            aliases[language].append(text)
    demonyms: dict[str, list[str]] = defaultdict(list)
    for language, text in _claimed_texts(entity, DEMONYM):
        demonyms[language].append(text)
    known = labels.get("en") or labels.get(EVERY_LANGUAGE)
    further = _capped(aliases, MAX_NAMES - len(labels))
    room = MAX_NAMES - len(labels) - sum(map(len, further.values()))
    return Item(
        id=item_id,
        name=known or next(iter(labels.values()), item_id),
        kind=_kind(entity),
        imported=Imported(labels=labels, aliases=further, demonyms=_capped(demonyms, room)),
    )


def _capped(names: dict[str, list[str]], room: int) -> dict[str, tuple[str, ...]]:
    kept = {}
    for language, texts in names.items():
        own = tuple(dict.fromkeys(texts))[:room]
        room -= len(own)
        if own:
            kept[language] = own
    return kept


def _kind(entity: dict[str, Any]) -> Kind:
    classes = set(_claimed_ids(entity, INSTANCE_OF))
    if _HUMAN in classes:
        return Kind.PERSON
    if classes & _COUNTRIES:
        return Kind.COUNTRY
    claims = entity.get("claims")
    has = claims if isinstance(claims, dict) else {}
    return Kind.PLACE if has.get(COORDINATES) and not has.get(HEADQUARTERS) else Kind.ORGANISATION


def _values(labels: Any) -> Iterator[tuple[str, str]]:
    for value in labels.values() if isinstance(labels, dict) else ():
        if isinstance(value, dict):
            yield from _named(value.get("language"), value.get("value"))


def _lists(aliases: Any) -> Iterator[tuple[str, str]]:
    for values in aliases.values() if isinstance(aliases, dict) else ():
        for value in values if isinstance(values, list) else ():
            if isinstance(value, dict):
                yield from _named(value.get("language"), value.get("value"))


def _named(language: Any, text: Any) -> Iterator[tuple[str, str]]:
    name = _text(text)
    if not name or not isinstance(language, str) or language in _NO_LANGUAGES:
        return
    if language == _MULTIPLE:
        yield EVERY_LANGUAGE, name
    elif LANGUAGE.fullmatch(language):
        yield language, name


def _claims(entity: dict[str, Any], name: str) -> Iterable[Any]:
    claims = entity.get("claims")
    found = claims.get(name, ()) if isinstance(claims, dict) else ()
    for claim in found if isinstance(found, list) else ():
        # A claim that no longer holds has the rank "deprecated".
        if isinstance(claim, dict) and claim.get("rank") != "deprecated":
            snak = claim.get("mainsnak")
            value = snak.get("datavalue") if isinstance(snak, dict) else None
            yield value.get("value") if isinstance(value, dict) else None


def _claimed_texts(entity: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    for value in _claims(entity, name):
        if isinstance(value, dict):
            yield from _named(value.get("language"), value.get("text"))


def _claimed_ids(entity: dict[str, Any], name: str) -> Iterator[str]:
    for value in _claims(entity, name):
        if isinstance(value, dict) and isinstance(value.get("id"), str):
            yield value["id"]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    text = " ".join(_MARKS.sub("", value).split())
    return text if len(text) <= MAX_NAME_CHARS and _UNFIT.search(text) is None else ""
