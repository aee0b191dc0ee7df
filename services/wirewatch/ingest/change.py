"""Which entries of a fetched feed are to be published: new ones and edits that matter. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from wirewatch.documents.feed import Entry, ParsedFeed
from wirewatch.ingest import memory
from wirewatch.ingest.article import make_article
from wirewatch.ingest.identity import Identified, Identifier, known_now
from wirewatch.ingest.memory import Known, digest, digest_bytes
from wirewatch.topics.articles import Article
from wirewatch.topics.feeds import Feed

DIGEST_BYTES = 6
MOST_PUBLISHED_REVISIONS = 100
"""A feed whose entries never stop changing (a clock, a counter, an advertisement) is no news."""
_ASCII_MARKS = bytes(code for code in range(128) if not chr(code).isalnum())
_MARKS = re.compile(
    rb"\xc2[\x80-\xa9\xab-\xb1\xb4\xb6-\xb8\xbb\xbf]"  # no-break space, quotes, inverted marks
    rb"|\xe2[\x80\x81].|\xe3\x80[\x80-\x84\x88-\xa0]"  # general and CJK punctuation
    rb"|\xef\xbc[\x81-\x8f\x9a-\xa0]|\xd8[\x8c\x9b\x9f]|\xdb\x94|\xe0\xa5[\xa4\xa5]",
    re.DOTALL,
)
"""Punctuation outside ASCII, as UTF-8."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Which entries are too old to be published.

    `first_max_age` is how old an entry may be in a feed that was never read; one
    without a date is not known to be new and counts as older. `max_age` is how old
    an entry may be that turns up later: a feed that was made longer has no news.
    """

    first_max_age: timedelta
    max_age: timedelta


@dataclass(frozen=True, slots=True)
class Changes:
    """`new` and `revised` are to be published; `packed` is to be remembered once they are.

    `withheld` is how many are remembered and not published because they are too old.
    """

    new: tuple[Article, ...]
    revised: tuple[Article, ...]
    withheld: int
    packed: bytes


@dataclass(slots=True)
class _Found:
    new: list[Article]
    revised: list[Article]
    withheld: int = 0


def find_changes(
    feed: Feed, parsed: ParsedFeed, packed: bytes, now: datetime, policy: Policy, *, first: bool
) -> Changes:
    """Compare a document with what is remembered of its feed (`first`: it was never read).

    The document is compared as it came first, so what did not change costs next to nothing.
    """
    known = memory.unpack(packed)
    reader = _Reader(feed, parsed, now, policy, first=first)
    identified = Identifier(feed.id, known).identify(parsed.entries)
    present = [reader.read(one) for one in reversed(identified)]
    here = {one.article for one in present}
    older = [one for one in known if one.article not in here]
    found = reader.found
    return Changes(
        tuple(found.new), tuple(found.revised), found.withheld, memory.pack(older, present)
    )


class _Reader:
    """Reads the entries of one document, the oldest first, as most feeds have the newest on top."""

    def __init__(
        self, feed: Feed, parsed: ParsedFeed, now: datetime, policy: Policy, *, first: bool
    ) -> None:
        self._feed = feed
        self._parsed = parsed
        self._now = now
        self._oldest = now - policy.max_age
        self._oldest_of_first = now - policy.first_max_age
        self._first = first
        self.found = _Found([], [])

    def read(self, one: Identified) -> Known:
        """Return what is to be remembered of an entry, and note what is to be published."""
        raw = raw_digest(one.entry)
        before = one.before
        if before is not None and before.raw == raw:
            return before._replace(key=one.key, link=one.link, title=one.title)
        article = make_article(self._feed, self._parsed, one, self._now)
        text = text_digest(article)
        revision = self._publish(article, before, text)
        return known_now(one, raw=raw, text=text, revision=revision)

    def _publish(self, article: Article, before: Known | None, text: bytes) -> int:
        """Note `article` if it is to be published; return the revision last published."""
        if before is None or before.revision == 0:
            if self._is_old(article, withheld_before=before is not None):
                self.found.withheld += before is None
                return 0
            self.found.new.append(article)
            return 1
        if before.text == text or before.revision >= MOST_PUBLISHED_REVISIONS:
            return before.revision
        revision = before.revision + 1
        self.found.revised.append(msgspec.structs.replace(article, revision=revision))
        return revision

    def _is_old(self, article: Article, *, withheld_before: bool) -> bool:
        as_first = self._first or withheld_before
        if article.published_is_guess:
            return as_first
        return article.published_at < (self._oldest_of_first if as_first else self._oldest)


def raw_digest(entry: Entry) -> bytes:
    """Return a digest of an entry's text as it came: the cheap first look."""
    return digest(DIGEST_BYTES, entry.title, entry.summary, entry.content, entry.link)


def text_digest(article: Article) -> bytes:
    """Return a digest of an article's words.

    Times, order, mark-up, punctuation and spaces are edits that do not matter.
    """
    return digest_bytes(DIGEST_BYTES, *map(_words, (article.title, article.lead, article.body)))


def _words(text: str) -> bytes:
    """Return the letters and digits of `text`, all it says, as cheaply as can be."""
    raw = text.casefold().encode("utf-8", "surrogatepass").translate(None, _ASCII_MARKS)
    return raw if raw.isascii() else _MARKS.sub(b"", raw)
