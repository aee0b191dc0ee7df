"""Which entry of a document is which article, whatever happened to the feed. Pure.

The publisher's id counts first. What real feeds do to it (miniflux/v2#797, #3120,
#3186, #4197): leave it out, write the link with tracking parameters, give all
entries the same one, use it again for something else, or make new ones for old entries.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wirewatch.documents.feed import Entry
from wirewatch.ingest.memory import NO_LINK, Known, article_bytes, digest, id_of
from wirewatch.topics.ids import article_id
from wirewatch.web.urls import canonical_url

KEY_BYTES = 8
TITLE_BYTES = 4


@dataclass(frozen=True, slots=True)
class Identified:
    """An entry and who it is. `before` is what is known of it, None if it is new.

    `article` is its article's id as `Known.article` has it.
    """

    entry: Entry
    article: bytes
    key: bytes
    link: bytes
    title: bytes
    url: str
    before: Known | None

    @property
    def article_id(self) -> str:
        """The id of its article."""
        return id_of(self.article)


class Identifier:
    """Finds the entries of one feed again among those that are `known` of it."""

    def __init__(self, feed_id: str, known: Sequence[Known]) -> None:
        self._feed_id = feed_id
        self._by_key = {one.key: one for one in known}
        self._by_link = {one.link: one for one in known if one.link != NO_LINK}

    def identify(self, entries: Iterable[Entry]) -> list[Identified]:
        """Return who each of `entries` is, in their order and each article once.

        Of two entries that are the same article the first counts: otherwise each
        would for ever be a revision of the other. Entries with neither id, link,
        title nor text are left out.
        """
        named = [_Named.of(entry) for entry in entries]
        links_of = _links_of_ids(named)
        shared = Counter(one.url for one in named if one.url)
        found: dict[bytes, Identified] = {}
        for one in named:
            unique_id = len(links_of.get(one.id, ())) <= 1
            who = self._who(one, unique_id=unique_id, own_link=shared[one.url] == 1)
            if who is not None:
                found.setdefault(who.article, who)
        return list(found.values())

    def _who(self, one: "_Named", *, unique_id: bool, own_link: bool) -> Identified | None:
        name = one.name(unique_id=unique_id)
        if not name:
            return None
        key = digest(KEY_BYTES, name)
        before = self._by_key.get(key)
        if before is not None and _is_another(before, one):
            name = f"{name} {one.url}"
            key = digest(KEY_BYTES, name)
            before = self._by_key.get(key)
        if before is None and own_link:
            before = self._same_link(one)
        if before is not None:
            article = before.article
        else:
            article = article_bytes(article_id(self._feed_id, name))
        return Identified(one.entry, article, key, one.link, one.title, one.url, before)

    def _same_link(self, one: "_Named") -> Known | None:
        """Return the entry that had this link and title under another id."""
        before = self._by_link.get(one.link)
        return before if before is not None and before.title == one.title else None


def known_now(one: Identified, *, raw: bytes, text: bytes, revision: int) -> Known:
    """Return what is to be remembered of an entry."""
    return Known(one.key, one.article, one.link, one.title, raw, text, revision)


@dataclass(frozen=True, slots=True)
class _Named:
    entry: Entry
    id: str
    url: str
    link: bytes
    title: bytes

    @staticmethod
    def of(entry: Entry) -> "_Named":
        url = canonical_url(entry.link) if entry.link else ""
        identity = entry.id.strip()
        if identity.startswith(("http://", "https://")):
            identity = canonical_url(identity)
        link = digest(KEY_BYTES, _bare(url)) if url else NO_LINK
        return _Named(entry, identity, url, link, digest(TITLE_BYTES, entry.title.strip()))

    def name(self, *, unique_id: bool) -> str:
        """Return what identifies the entry, empty if nothing does."""
        if self.id:
            return self.id if unique_id else f"{self.id} {self.url}"
        if self.url:
            return self.url
        entry = self.entry
        return entry.title.strip() or entry.summary.strip() or entry.content.strip()


def _bare(url: str) -> str:
    """Return `url` without what changes when a site moves to https or drops its www."""
    return url.partition("://")[2].removeprefix("www.").rstrip("/")


def _links_of_ids(named: Sequence[_Named]) -> dict[str, set[str]]:
    links: dict[str, set[str]] = {}
    for one in named:
        if one.id:
            links.setdefault(one.id, set()).add(one.url)
    return links


def _is_another(before: Known, one: _Named) -> bool:
    """Say whether an id was used again: both link and title are other ones."""
    if NO_LINK in (before.link, one.link):
        return False
    return before.link != one.link and before.title != one.title
