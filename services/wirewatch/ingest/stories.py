"""Which story an article belongs to: an index of the signatures of a sliding window. Pure.

An article joins the story of the article it is most like, if it is like enough.
Claims are folded in their order, and nothing else counts (no clock, no chance), so
every worker that folds the same claims gives the same answers. A claimant searches all
that it has read; whoever folds its claim searches only what came between.

Candidates are found by keys (`likeness.keys_of`): each key has a chain of the articles
that have it, the newest first, and only so many of a chain are looked at. So a
template that comes a hundred thousand times costs no more than one that comes often.
"""

import heapq
from array import array
from bisect import bisect_right
from collections import Counter, deque
from datetime import datetime, timedelta

from wirewatch.ingest.likeness import (
    SAME_STORY,
    Words,
    keys_of,
    likeness,
    words_of,
)
from wirewatch.ingest.signature import KEYS
from wirewatch.topics.stories import STORY_WINDOW

CHAIN_LINKS = 12
"""Articles looked at for each key, the newest."""
LEAST_SHARED = 2
"""Keys that two articles share which are worth comparing."""
CANDIDATES = 8
"""Articles compared, those that share the most keys."""
DISTANT = 0.4
"""An article less like the founder of a story does not join it, however like it is to another
member: a story is no chain of reports that each differ a little from the one before."""
_ONCE = 1 << 8
"""Above what the keys of one article can weigh together."""
_KEY_BITS = 3
_PAGE_BITS = 15
PAGE = 1 << (_PAGE_BITS - _KEY_BITS)
"""Articles that are kept and forgotten together: 4,096."""
_SLOT_BITS = 22
"""A table of 32 MB: two keys a slot at a million articles."""
_SLOTS = (1 << _SLOT_BITS) - 1
_TAG_BITS = 18
_LINK_BITS = 64 - _TAG_BITS
_LINK = (1 << _LINK_BITS) - 1
_IN_PAGE = (1 << _PAGE_BITS) - 1


class _Page:
    """PAGE articles in the order of their claims.

    `links` has for each key of each article the one before it in its chain: 46 bits
    of place, above them the 18 bits of that one's key which its slot does not say.
    """

    __slots__ = ("ats", "ids", "links", "newest", "offsets", "signatures", "stories")

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.stories: list[str] = []
        self.signatures: list[bytes] = []
        self.ats = array("q")
        self.offsets = array("q")
        self.links = array("Q", bytes(8 * KEYS * PAGE))
        self.newest = 0


class StoryIndex:
    """The articles of `window` and their stories. Times are aware."""

    def __init__(self, window: timedelta = STORY_WINDOW) -> None:
        self._window = int(window.total_seconds())
        self._heads = array("Q", bytes(8 << _SLOT_BITS))
        self._pages: deque[_Page] = deque()
        self._first_page = 0
        self._positions: dict[str, int] = {}
        self._horizon = 0
        self.offset = -1
        """Where the last claim stood."""

    def __len__(self) -> int:
        return len(self._positions)

    def find(self, signature: bytes, at: datetime) -> str | None:
        """Return the story that an article published `at` would join; None if it founds one."""
        return self._nearest(signature, keys_of(signature), _seconds(at), behind=-1)

    def claim(
        self,
        article_id: str,
        story_id: str,
        signature: bytes,
        at: datetime,
        *,
        offset: int | None = None,
        seen: int = -1,
    ) -> str:
        """Fold the claim that stands at `offset` (by default the next); return its story.

        `story_id` is what the claimant found, its own `article_id` if nothing. Then
        those count that came after `seen`, the last offset that the claimant had
        read. An article that has claimed before keeps its story.
        """
        known = self.story_of(article_id)
        if known is not None:
            return known
        seconds = _seconds(at)
        self._horizon = max(self._horizon, seconds)
        self.offset = self.offset + 1 if offset is None else offset
        story = story_id
        keys = keys_of(signature)
        if story == article_id:
            story = self._nearest(signature, keys, seconds, behind=seen) or story_id
        position = self._add(article_id, story, signature, seconds)
        if self._horizon - seconds <= self._window:
            self._link(position, keys)
        return story

    def story_of(self, article_id: str) -> str | None:
        """Return the story of an article that has claimed one."""
        position = self._positions.get(article_id)
        if position is None:
            return None
        page, number = self._at(position)
        return page.stories[number]

    def expire(self) -> None:
        """Forget what no article can be near to any more: what is too old for the newest claim.

        The clock does not count: who reads the log later forgets the same.
        """
        oldest = self._horizon - self._window
        while self._pages and len(self._pages[0].ids) == PAGE and self._pages[0].newest < oldest:
            for article_id in self._pages.popleft().ids:
                del self._positions[article_id]
            self._first_page += 1

    def _at(self, position: int) -> tuple[_Page, int]:
        number, offset = divmod(position, PAGE)
        return self._pages[number - self._first_page], offset

    def _add(self, article_id: str, story: str, signature: bytes, at: int) -> int:
        if not self._pages or len(self._pages[-1].ids) == PAGE:
            self._pages.append(_Page())
        page = self._pages[-1]
        position = (self._first_page + len(self._pages) - 1) * PAGE + len(page.ids)
        page.ids.append(article_id)
        page.stories.append(story)
        page.signatures.append(signature)
        page.ats.append(at)
        page.offsets.append(self.offset)
        page.newest = max(page.newest, self._horizon)
        self._positions[article_id] = position
        return position

    def _link(self, position: int, keys: list[int]) -> None:
        """Put an article at the head of the chains of its `keys`."""
        page, offset = self._at(position)
        heads, links, place = self._heads, page.links, offset * KEYS
        for number, key in enumerate(keys):
            slot = key & _SLOTS
            links[place + number] = heads[slot]
            heads[slot] = (key >> _SLOT_BITS << _LINK_BITS) | (position * KEYS + number + 1)

    def _nearest(self, signature: bytes, keys: list[int], at: int, *, behind: int) -> str | None:
        """Return the story of the article that is most like, of those `behind` an offset."""
        oldest = max(at, self._horizon) - self._window
        if at < oldest or not keys:
            return None
        candidates = self._candidates(keys, oldest, self._first_behind(behind))
        if not candidates:
            return None
        words = words_of(signature)
        best, story = SAME_STORY, None
        for position in candidates:
            page, number = self._at(position)
            score = likeness(words, words_of(page.signatures[number]))
            # Of two that are as like the earlier one counts: it is looked at later.
            if score >= best and self._is_near_founder(words, page.stories[number], oldest):
                best, story = score, page.stories[number]
        return story

    def _first_behind(self, offset: int) -> int:
        """Return the position of the first article whose claim stands behind `offset`."""
        number = self._first_page + len(self._pages)
        for page in reversed(self._pages):
            number -= 1
            if page.offsets[0] <= offset:
                return number * PAGE + bisect_right(page.offsets, offset)
        return self._first_page * PAGE

    def _candidates(self, keys: list[int], oldest: int, first: int) -> list[int]:
        """Return positions from `first` on that share at least two keys, those with most first.

        With one alone most are strangers who use the same phrase; reports of one story
        nearly always share two.
        """
        having = [some for key in keys if (some := self._having(key, first * KEYS))]
        if len(having) < LEAST_SHARED:
            return []
        found: Counter[int] = Counter()
        for positions in having:
            # A key that many have tells little: a template would crowd out its repetition.
            weight = _ONCE + CHAIN_LINKS + 1 - len(positions)
            for position in positions:
                found[position] += weight
        shared = [
            (weight % _ONCE, position)
            for position, weight in found.items()
            if weight >= LEAST_SHARED * _ONCE and self._is_visible(position, oldest)
        ]
        return [position for _, position in heapq.nlargest(CANDIDATES, shared)]

    def _is_visible(self, position: int, oldest: int) -> bool:
        page, number = self._at(position)
        return page.ats[number] >= oldest

    def _having(self, key: int, least: int) -> list[int]:
        """Return the positions of the newest articles that have `key`, from place `least` on."""
        entry = self._heads[key & _SLOTS]
        having: list[int] = []
        if (entry & _LINK) - 1 < least:
            return having
        pages, first_page = self._pages, self._first_page
        tag = key >> _SLOT_BITS
        for _ in range(CHAIN_LINKS):
            place = (entry & _LINK) - 1
            if place < least:
                break  # the end of the chain, or what does not count
            if entry >> _LINK_BITS == tag:
                having.append(place >> _KEY_BITS)
            entry = pages[(place >> _PAGE_BITS) - first_page].links[place & _IN_PAGE]
        return having

    def _is_near_founder(self, words: Words, story: str, oldest: int) -> bool:
        position = self._positions.get(story)
        if position is None:
            return True
        page, number = self._at(position)
        if page.ats[number] < oldest:
            return True  # as if it were forgotten
        return likeness(words, words_of(page.signatures[number])) >= DISTANT


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
