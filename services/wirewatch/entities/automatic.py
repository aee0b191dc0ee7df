"""Aliases for names that come from a source without marks: how freely each may be found. Pure.

The method (docs/entities.md): a name of a language whose words inflect is cut by its last vowel,
and a few letters may follow. It never goes below five letters: shorter stems begin other words.
"""

import unicodedata
from collections.abc import Container, Iterator

from wirewatch.entities.edges import is_unspaced
from wirewatch.entities.notation import MIN_ALIAS_CHARS
from wirewatch.text.fold import fold
from wirewatch.text.language import primary
from wirewatch.topics.entities import Alias, Case, Mode, Role

_UNINFLECTED = """
ak bem bm ca ceb cy dyu ee en es ewo ff fj fr ga gaa gd gl ha haw ht id ig it jv kea ln lu luo mg
mi ms pap pcm pt sg sm su tl to tw ty vi wo yo zu xh nd sn rn ss
"""
UNINFLECTED = frozenset(_UNINFLECTED.split())
"""Languages whose names stay as they are; adjectives are written by hand where there are any."""
MIN_STEM_CHARS = 5
_CASED = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")
_VOWELS = frozenset("aeiouyаеёиоуыэюяіїєαεηιουωաեէըիոօ")


def automatic(
    text: str, language: str, *, role: Role = Role.NAME, taken: Container[str] = ()
) -> Iterator[Alias]:
    """Yield the aliases for the name `text` in `language`, BCP 47 or `*`.

    `taken` are folded names of others, which its stem must not be: Nigeria is not cut to Niger.
    """
    name = " ".join(text.split())
    folded = fold(name).folded
    if len(folded) < MIN_ALIAS_CHARS:
        return
    if is_unspaced(name):
        yield Alias(text=name, language=language, role=role, mode=Mode.SUBSTRING)
        return
    case = Case.INITIAL if is_cased(name) else Case.ANY
    yield Alias(text=name, language=language, role=role, case=case)
    if primary(language) in UNINFLECTED:
        return
    stem = stem_of(name)
    if fold(stem).folded in taken and stem != name:
        stem = name
    if len(fold(stem.split()[-1]).folded) >= MIN_STEM_CHARS:
        yield Alias(text=stem, language=language, role=Role.FORM, mode=Mode.INFLECT)


def stem_of(name: str) -> str:
    """Return `name` without a last vowel, if at least five letters of its last word are left."""
    bare = unicodedata.normalize("NFD", name[-1])[0].lower()
    is_long = len(name.rsplit(maxsplit=1)[-1]) > MIN_STEM_CHARS
    return name[:-1] if is_long and bare in _VOWELS else name


def is_cased(name: str) -> bool:
    """Say whether `name` is in a script with capitals, and written with one."""
    first = next(filter(str.isalpha, name), " ")
    return first.isupper() and unicodedata.name(first, "").startswith(_CASED)
