"""Which of the names that were seen in an article count. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from wirewatch.entities.lexicon import Hit, Rule
from wirewatch.topics.entities import Entity, Kind

WEAK_TERMS_NEEDED = 2
"""Different weak terms of a theme that make an article one of it, outside its title."""
_ALIKE = 4
"""Terms that begin with the same letters are one in other forms: vote, voter, voting."""


class Mention(NamedTuple):
    """An entity named in a text: whole words, with their endings and clitics.

    `start` and `end` count code points of the original text. `beside` is empty, or for a weak
    name the id of the entity beside which it counts (its own, where it is named clearly too).
    """

    entity_id: str
    start: int
    end: int
    beside: str = ""


def mentions(hits: Sequence[Sequence[Hit]], are_titles: Sequence[bool]) -> list[list[Mention]]:
    """Return what counts of the `hits` in each piece of an article, in the order of its text."""
    kept = [_longest(_unblocked(each)) for each in hits]
    clear = {hit.rule.entity.id for each in kept for hit in each if not hit.rule.weak}
    if any(hit.rule.weak for each in kept for hit in each):
        clear |= _themes(kept, are_titles)
    found = [{_mention(hit, clear) for hit in each} for each in kept]
    return [sorted(filter(None, each), key=_place) for each in found]


def by_entity(found: Sequence[Sequence[Mention]]) -> dict[str, list[list[Mention]]]:
    """Return the mentions of each entity, piece by piece; the entities as they come up."""
    grouped: dict[str, list[list[Mention]]] = defaultdict(lambda: [[] for _ in found])
    for number, each in enumerate(found):
        for mention in each:
            grouped[mention.entity_id][number].append(mention)
    return grouped


def _place(mention: Mention) -> tuple[int, int, str]:
    return mention.start, mention.end, mention.entity_id


def _mention(hit: Hit, clear: set[str]) -> Mention | None:
    rule, start, end = hit
    entity = rule.entity
    if not rule.weak or (entity.kind is Kind.THEME and entity.id in clear):
        return Mention(entity.id, start, end)
    beside = _beside(entity, clear)
    return Mention(entity.id, start, end, beside) if beside else None


def _beside(entity: Entity, clear: set[str]) -> str:
    """Return what makes weak names of `entity` count, empty if nothing does."""
    if entity.id in clear:
        return entity.id
    return next((each for each in entity.context if each in clear), "")


def term_key(rule: Rule) -> str:
    """Return what tells different terms of a theme from forms of one."""
    return rule.pattern[:_ALIKE]


def _themes(kept: Sequence[Iterable[Hit]], are_titles: Sequence[bool]) -> set[str]:
    """Return the themes that weak terms are enough for."""
    terms: dict[str, set[str]] = defaultdict(set)
    enough: set[str] = set()
    for each, is_title in zip(kept, are_titles, strict=True):
        for hit in each:
            if hit.rule.weak and hit.rule.entity.kind is Kind.THEME:
                entity_id = hit.rule.entity.id
                terms[entity_id].add(term_key(hit.rule))
                if is_title or len(terms[entity_id]) >= WEAK_TERMS_NEEDED:
                    enough.add(entity_id)
    return enough


def _unblocked(hits: Sequence[Hit]) -> Sequence[Hit]:
    """Return `hits` without blockers, and without what stands inside a blocker of its entity."""
    blockers = [hit for hit in hits if hit.rule.blocks]
    if not blockers:
        return hits
    return [
        hit
        for hit in hits
        if not hit.rule.blocks and not any(_is_inside(hit, blocker) for blocker in blockers)
    ]


def _is_inside(hit: Hit, blocker: Hit) -> bool:
    return (
        hit.rule.entity.id == blocker.rule.entity.id
        and blocker.start <= hit.start
        and hit.end <= blocker.end
    )


def _longest(hits: Sequence[Hit]) -> Sequence[Hit]:
    """Return `hits` without those that overlap a longer one of their rivals.

    Themes have no rivals. Of two at one place the one whose alias is longer counts: `Australia`
    is no ending of `Austr~ia`. Of two hits of an entity the clear one is kept.
    """
    things = [hit for hit in hits if hit.rule.rivals == ""]
    if _are_apart(things):
        return hits
    spans = longest([(hit.start, hit.end) for hit in things])
    sizes: dict[tuple[int, int], int] = defaultdict(int)
    for hit in things:
        place = (hit.start, hit.end)
        sizes[place] = max(sizes[place], len(hit.rule.pattern))
    kept: dict[tuple[int, int, str], Hit] = {}
    for hit in sorted(things, key=lambda hit: hit.rule.weak):
        place = (hit.start, hit.end)
        if place in spans and len(hit.rule.pattern) == sizes[place]:
            kept.setdefault((*place, hit.rule.entity.id), hit)
    return [*(hit for hit in hits if hit.rule.rivals), *kept.values()]


def longest(spans: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the spans that no longer one overlaps; of two of one length the first in the text."""
    kept: set[tuple[int, int]] = set()
    taken = bytearray(max(end for _, end in spans))
    for start, end in sorted(set(spans), key=lambda span: (span[0] - span[1], span[0])):
        if taken.find(1, start, end) == -1:
            taken[start:end] = b"\x01" * (end - start)
            kept.add((start, end))
    return kept


def _are_apart(hits: Sequence[Hit]) -> bool:
    """Say whether the hits, in the order of their words, do not overlap; the usual case."""
    return all(one.end <= other.start for one, other in pairwise(hits))
