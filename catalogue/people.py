"""How languages of Latin script write a foreigner's name: as it is, with their endings. Pure."""

from collections.abc import Iterator

from wirewatch.entities.automatic import MIN_STEM_CHARS, stem_of
from wirewatch.topics.entities import Alias, Case, Mode, Role

INFLECTING = ("cs", "et", "eu", "fi", "hr", "hu", "lt", "lv", "pl", "sk", "sl", "sr", "tr")
"""Languages of Latin script that put letters behind a foreign name without a sign."""
GENITIVE_S = ("da", "de", "is", "nl", "no", "sv")
MIN_SURNAME_CHARS = 4
ENDINGS = {
    "cs": "a ovi em e u y i ou ův ova ově",
    "et": "i ile iga is it ilt ist ga le lt st",
    "fi": "n in a ia lle ille lla illa lta ilta sta ista",
    "hr": "a u om em e i ov ova ovi ove",
    "hu": "t ot et nak nek val vel ról ről hoz hez höz ban ben tól től ra re ért nál nél",
    "pl": "a owi em ie u y i ą ę om",
    "sk": "a ovi om e u y i ou",
    "sl": "a u om em e i",
    "sr": "a u om em e i ov ova ovi ove",
}
"""What short names may end in: with any letters they would be the beginning of other words."""


def respelled(name: str, *, alone: bool) -> Iterator[Alias]:
    """Yield the aliases for a person's English `name`; `alone` if the surname says enough.

    A surname that does not say enough is a weak alias: it counts beside the full name.
    """
    yield from forms(name, weak=False)
    surname = name.rsplit(maxsplit=1)[-1]
    if surname != name and len(surname) >= MIN_SURNAME_CHARS:
        yield from forms(surname, weak=not alone)


def forms(name: str, *, weak: bool = False) -> Iterator[Alias]:
    """Yield `name` and its forms in the languages of Latin script."""

    def alias(text: str, language: str, mode: Mode = Mode.EXACT) -> Alias:
        role = Role.NAME if text == name else Role.FORM
        return Alias(
            text=text, language=language, role=role, mode=mode, case=Case.INITIAL, weak=weak
        )

    yield alias(name, "*")
    for language in GENITIVE_S:
        yield alias(name + "s", language)
    stem = stem_of(name)
    if len(stem.split()[-1]) > MIN_STEM_CHARS:
        for language in INFLECTING:
            yield alias(stem, language, Mode.INFLECT)
        return
    for language, endings in ENDINGS.items():
        for ending in endings.split():
            yield alias(name + ending, language)
