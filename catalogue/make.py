"""`make catalogue`: lists, names by hand and automatic names become one file of entities.

The result stands in the package and is read at start. It depends on nothing but the files here
and the versions of the packages in requirements-catalogue.lock: two runs give the same bytes.
"""

import sys
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping

import msgspec

from catalogue.digest import SOURCES, digest_of_sources
from catalogue.people import forms, respelled
from catalogue.sources import (
    HERE,
    Named,
    city_alternates,
    listed,
    territories,
    time_zone_cities,
)
from wirewatch.entities.automatic import automatic, is_cased
from wirewatch.entities.notation import NAME_ROLES, read_line
from wirewatch.entities.pack import PACKED, pack
from wirewatch.entities.read import DataError, Names, read_names
from wirewatch.text.fold import fold
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode

LISTS = {
    "countries": Kind.COUNTRY,
    "regions": Kind.PLACE,
    "places": Kind.PLACE,
    "organisations": Kind.ORGANISATION,
    "people": Kind.PERSON,
}
TRANSPARENT = "transparent"
"""The mark of an organisation inside whose names a country counts: the Russian army."""
ALONE = "*"
"""The mark of a person whose surname says enough."""
MIN_ALTERNATE_CHARS = 5
UNSURE = frozenset({"Q1428", "Q1223", "Q1384", "Q36687", "Q3940"})
"""Regions whose English name is better known as that of something else."""

DEMANDING = frozenset(
    f"topic:{theme}" for theme in ("aviation", "education", "espionage", "government", "media")
)
"""Themes that many articles mention beside their own: one term is never enough outside a title."""
WITHOUT_ENDINGS = frozenset({"Q55643"})
"""What cut by its vowels is another word: Oceania, ocean."""


class Draft:
    """An entity in the making: what comes first wins, so hand-written names come first."""

    def __init__(self, entity_id: str, kind: Kind) -> None:
        self.entity_id = entity_id
        self.kind = kind
        self.labels: dict[str, str] = {}
        self.context: tuple[str, ...] = ()
        self.transparent = False
        self.broader: tuple[str, ...] = ()
        self._aliases: dict[tuple[object, ...], Alias] = {}
        self._blockers: dict[tuple[object, ...], Alias] = {}
        self._weak: set[tuple[str, str]] = set()

    def add(self, aliases: Iterable[Alias]) -> None:
        """Add aliases, but for those that say nothing new and those known to be weak."""
        for written in aliases:
            alias = self._capitalised(written)
            folded = fold(alias.text).folded
            if alias.weak:
                self._weak.add((alias.language, folded))
            key = (folded, alias.language, alias.case, alias.mode)
            known = not alias.weak and not self._weak.isdisjoint(
                {(alias.language, folded), ("*", folded)}
            )
            if key not in self._aliases and not known:
                self._aliases[key] = alias

    def _capitalised(self, alias: Alias) -> Alias:
        """Return `alias` with its capital asked for: names are written with one where there are."""
        if self.kind is Kind.THEME or alias.case is not Case.ANY or not is_cased(alias.text):
            return alias
        return msgspec.structs.replace(alias, case=Case.INITIAL)

    def block(self, aliases: Iterable[Alias]) -> None:
        """Add blockers."""
        for alias in aliases:
            self._blockers.setdefault((fold(alias.text).folded, alias.language), alias)

    def entity(self) -> Entity:
        """Return the entity, its aliases in the order of languages."""
        return Entity(
            id=self.entity_id,
            kind=self.kind,
            labels=dict(sorted(self.labels.items())),
            aliases=tuple(sorted(self._aliases.values(), key=_order)),
            blockers=tuple(sorted(self._blockers.values(), key=_order)),
            context=self.context,
            transparent=self.transparent,
            broader=self.broader,
        )


def _order(alias: Alias) -> tuple[str, str, str, str]:
    return alias.language, alias.text, alias.mode, alias.case


def main() -> int:
    """Write the catalogue; answer with 1 and the mistakes where there are any."""
    try:
        entities = list(make())
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    raw = pack(entities)
    PACKED.write_bytes(raw)
    SOURCES.write_text(digest_of_sources() + "\n", "ascii")
    aliases = sum(len(entity.aliases) for entity in entities)
    sys.stdout.write(f"{len(entities):,} entities, {aliases:,} aliases, {len(raw):,} bytes\n")
    return 0


def make() -> Iterator[Entity]:
    """Return the entities of the catalogue. Raises DataError for a mistake in a file."""
    drafts = {
        line.entity_id: Draft(line.entity_id, kind)
        for name, kind in LISTS.items()
        for line in listed(name)
    }
    _by_hand(drafts)
    taken = _taken(drafts)
    _from_lists(drafts)
    _named(drafts, territories(), taken)
    _named(drafts, time_zone_cities(), taken)
    _alternates(drafts, city_alternates())
    _broaden(drafts)
    for line in listed("refused"):
        drafts[line.entity_id].block(read_line(line.name, NAME_ROLES[:1], line.mark))
    for line in listed("topics"):
        drafts[f"topic:{line.entity_id}"].labels["en"] = line.entity_id.replace("-", " ")
    for line in listed("context"):
        drafts[line.entity_id].context = tuple(line.mark.split())
    for draft in drafts.values():
        draft.labels.setdefault("en", draft.entity_id)
    return (draft.entity() for draft in drafts.values())


def _by_hand(drafts: dict[str, Draft]) -> None:
    mistakes = []
    for path in sorted((HERE / "names").glob("*.toml")):
        language = "*" if path.stem == "any" else path.stem
        try:
            names = read_names(path.read_text("utf-8"), language=language, file=path.name)
        except DataError as error:
            mistakes.append(str(error))
            continue
        for each in names:
            _take(drafts, each, language)
    if mistakes:
        raise DataError("\n".join(mistakes))


def _take(drafts: dict[str, Draft], names: Names, language: str) -> None:
    if names.kind is Kind.THEME and names.entity_id not in drafts:
        drafts[names.entity_id] = Draft(names.entity_id, Kind.THEME)
    draft = drafts.get(names.entity_id)
    if draft is None:
        return  # an entity that was taken off the lists
    if names.label and language != "*":
        draft.labels[language] = names.label
    aliases = names.aliases
    if names.entity_id in DEMANDING:
        aliases = tuple(msgspec.structs.replace(alias, weak=True) for alias in aliases)
    draft.add(aliases)
    draft.block(names.blockers)


def _from_lists(drafts: dict[str, Draft]) -> None:
    """Add the English names, in all languages: those of Latin script mostly keep them."""
    places = {line.name for line in listed("places")}
    for name, kind in LISTS.items():
        for line in listed(name):
            draft = drafts[line.entity_id]
            draft.labels.setdefault("en", line.name)
            draft.transparent = line.mark == TRANSPARENT
            if kind is Kind.PERSON:
                draft.add(respelled(line.name, alone=line.mark == ALONE))
            elif kind is Kind.COUNTRY:
                draft.add(automatic(line.name, "en"))
            elif line.entity_id not in UNSURE:
                is_club = kind is Kind.ORGANISATION and line.name in places
                draft.add(forms(line.name, weak=is_club))


def _taken(drafts: dict[str, Draft]) -> dict[str, set[str]]:
    """Return the folded names of countries, by language: no stem of another may be one of them."""
    taken: dict[str, set[str]] = defaultdict(set)
    for each in territories():
        taken[each.language].add(fold(each.text).folded)
    for draft in drafts.values():
        if draft.kind is Kind.COUNTRY:
            for alias in draft.entity().aliases:
                if alias.mode is not Mode.INFLECT:
                    taken[alias.language].add(fold(alias.text).folded)
    return taken


def _named(
    drafts: dict[str, Draft], names: Iterable[Named], taken: Mapping[str, Container[str]]
) -> None:
    for each in names:
        draft = drafts[each.entity_id]
        if each.usual:
            draft.labels.setdefault(each.language, each.text)
        aliases = automatic(each.text, each.language, taken=taken.get(each.language, ()))
        if each.entity_id in WITHOUT_ENDINGS:
            aliases = (alias for alias in aliases if alias.mode is not Mode.INFLECT)
        if each.language != "en" or each.entity_id not in UNSURE:
            draft.add(aliases)


def _alternates(drafts: dict[str, Draft], names: Iterable[Named]) -> None:
    """Add what GeoNames has in other scripts than Latin: there the script says enough."""
    taken = {
        fold(alias.text).folded
        for draft in drafts.values()
        if draft.kind is Kind.COUNTRY
        for alias in draft.entity().aliases
    }
    for each in names:
        letters = [c for c in each.text if c.isalpha()]
        if fold(each.text).folded in taken:
            continue  # Kuwait, Algiers, Tunis: in Arabic the country is called as its capital
        if not letters or any(ord(c) < 0x370 for c in letters) or "(" in each.text:
            continue
        cased = is_cased(each.text)
        aliases = [
            alias
            for alias in automatic(each.text, "*")
            if not (cased and alias.mode is Mode.INFLECT)
        ]
        enough = 2 if aliases and aliases[0].mode is Mode.SUBSTRING else MIN_ALTERNATE_CHARS
        if len(letters) >= enough:
            drafts[each.entity_id].add(aliases)


def _broaden(drafts: dict[str, Draft]) -> None:
    """Say of which themes a theme is part."""
    for line in listed("topics"):
        if line.mark:
            drafts[f"topic:{line.entity_id}"].broader = (f"topic:{line.mark}",)


if __name__ == "__main__":
    sys.exit(main())
