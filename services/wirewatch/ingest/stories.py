"""Which story an article belongs to: an index of the signatures of a sliding window. Pure.

An article joins the story of the article it is most like, if it is like enough.
Claims are folded in their order, and nothing else counts (no clock, no chance), so
every worker that folds the same claims gives the same answers.

Candidates are found by keys (`likeness.keys_of`): each key has a chain of the articles
that have it, the newest first, and only so many of a chain are looked at. So a
template that comes a hundred thousand times costs no more than one that comes often.
"""

from array import array
from collections import Counter, deque
from datetime import datetime, timedelta

from wirewatch.ingest.likeness import (
    SAME_STORY,
    Words,
    is_readable,
    keys_of,
    likeness,
    words_of,
)
from wirewatch.ingest.signature import KEYS
from wirewatch.topics.stories import STORY_WINDOW

CHAIN_LINKS = 16
"""Articles looked at for each key, the newest."""
COMMON = 12
"""A key that so many of those have is common."""
CANDIDATES = 8
"""Articles compared, those that share the most keys."""
DISTANT = 0.4
"""An article less like the founder of a story does not join it, however like it is to another
member: a story is no chain of reports that each differ a little from the one before."""
PAGE = 4_096
"""Articles that are kept and forgotten together."""
_SLOT_BITS = 22
"""A table of 32 MB: two keys a slot at a million articles."""
_SLOTS = (1 << _SLOT_BITS) - 1
_TAG_BITS = 18
_LINK_BITS = 64 - _TAG_BITS
_LINK = (1 << _LINK_BITS) - 1


class _Page:
    """PAGE articles in the order of their claims.

    `links` has for each key of each article the one before it in its chain: 46 bits
    of place, above them the 18 bits of that one's key which its slot does not say.
    """

    __slots__ = ("ats", "ids", "links", "newest", "signatures", "stories")

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.stories: list[str] = []
        self.signatures: list[bytes] = []
        self.ats = array("q")
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

    def __len__(self) -> int:
        return len(self._positions)

    def find(self, signature: bytes, at: datetime) -> str | None:
        """Return the story that an article published `at` would join; None if it founds one."""
        return self._nearest(signature, _seconds(at)) if is_readable(signature) else None

    def claim(self, article_id: str, story_id: str, signature: bytes, at: datetime) -> str:
        """Fold a claim; return the article's story.

        `story_id` is what the claimant found. If that is another's story, it counts:
        it stands in the log for all to read. If it found none, another claim may have
        come first, so it is looked again. An article that has claimed before keeps its story.
        """
        known = self.story_of(article_id)
        if known is not None:
            return known
        seconds = _seconds(at)
        self._horizon = max(self._horizon, seconds)
        story = story_id if story_id != article_id else self.find(signature, at) or story_id
        self._add(article_id, story, signature, seconds)
        return story

    def story_of(self, article_id: str) -> str | None:
        """Return the story of an article that has claimed one."""
        position = self._positions.get(article_id)
        if position is None:
            return None
        page, number = self._at(position)
        return page.stories[number]

    def expire(self, now: datetime) -> None:
        """Forget what no article published at `now` can be near to."""
        oldest = _seconds(now) - self._window
        while self._pages and len(self._pages[0].ids) == PAGE and self._pages[0].newest < oldest:
            for article_id in self._pages.popleft().ids:
                del self._positions[article_id]
            self._first_page += 1

    def _at(self, position: int) -> tuple[_Page, int]:
        number, offset = divmod(position, PAGE)
        return self._pages[number - self._first_page], offset

    def _add(self, article_id: str, story: str, signature: bytes, at: int) -> None:
        if not self._pages or len(self._pages[-1].ids) == PAGE:
            self._pages.append(_Page())
        page = self._pages[-1]
        offset = len(page.ids)
        position = (self._first_page + len(self._pages) - 1) * PAGE + offset
        page.ids.append(article_id)
        page.stories.append(story)
        page.signatures.append(signature)
        page.ats.append(at)
        page.newest = max(page.newest, self._horizon)
        self._positions[article_id] = position
        if is_readable(signature) and self._horizon - at <= self._window:
            self._link(page, offset, position, keys_of(signature))

    def _link(self, page: _Page, offset: int, position: int, keys: list[int]) -> None:
        heads = self._heads
        for number, key in enumerate(keys):
            slot = key & _SLOTS
            page.links[offset * KEYS + number] = heads[slot]
            heads[slot] = (key >> _SLOT_BITS << _LINK_BITS) | (position * KEYS + number + 1)

    def _nearest(self, signature: bytes, at: int) -> str | None:
        oldest = max(at, self._horizon) - self._window
        if at < oldest:
            return None
        words = words_of(signature)
        best, story = SAME_STORY, None
        for position in self._candidates(signature):
            page, number = self._at(position)
            if page.ats[number] < oldest:
                continue
            score = likeness(words, words_of(page.signatures[number]))
            # Of two that are as like the earlier one counts: it is looked at later.
            if score >= best and self._is_near_founder(words, page.stories[number]):
                best, story = score, page.stories[number]
        return story

    def _candidates(self, signature: bytes) -> list[int]:
        """Return positions of articles that share keys, those that share the fewest last.

        A key that many have tells little: who shares one of these and nothing else is left out.
        """
        found: Counter[int] = Counter()
        common: Counter[int] = Counter()
        for key in keys_of(signature):
            having = self._having(key)
            (found if len(having) < COMMON else common).update(having)
        for position in found:
            found[position] += common[position]
        found.update({p: times for p, times in common.items() if times > 1 and p not in found})
        return [position for position, _ in found.most_common(CANDIDATES)]

    def _having(self, key: int) -> list[int]:
        """Return the positions of the newest articles that have `key`."""
        first = self._first_page * PAGE * KEYS
        tag = key >> _SLOT_BITS
        entry = self._heads[key & _SLOTS]
        having: list[int] = []
        for _ in range(CHAIN_LINKS):
            link = (entry & _LINK) - 1
            if link < first:
                break  # the end, or what has been forgotten
            position, number = divmod(link, KEYS)
            if entry >> _LINK_BITS == tag:
                having.append(position)
            page, offset = self._at(position)
            entry = page.links[offset * KEYS + number]
        return having

    def _is_near_founder(self, words: Words, story: str) -> bool:
        position = self._positions.get(story)
        if position is None:
            return True
        page, number = self._at(position)
        return likeness(words, words_of(page.signatures[number])) >= DISTANT


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
