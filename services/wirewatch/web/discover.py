"""Find the feeds of a site, from the address of any of its pages.

First what the page itself names, then the usual paths, then the sitemaps that
robots.txt names; each is fetched and read, so what is shown is known to work.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from wirewatch.documents.discover import common_urls, feed_links, robots_sitemaps
from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import Format, ParsedFeed
from wirewatch.documents.plain import plain_text
from wirewatch.documents.read import read_feed
from wirewatch.documents.unpack import unpack
from wirewatch.topics.feed_states import FetchReason
from wirewatch.web.client import Document, Limits, Validators, WebClient
from wirewatch.web.errors import FetchProblem
from wirewatch.web.robots import Robots

MAX_BYTES = 5_000_000
TIMEOUT_S = 10.0
MAX_CANDIDATES = 12
"""Addresses that are tried in each of the three steps."""
MAX_ENTRIES = 500
SPACING_S = 0.2
"""Between two requests: all go to one site, one after the other."""
ACCEPT = "text/html, application/rss+xml, application/atom+xml, application/feed+json, */*;q=0.5"
_LIMITS = Limits(max_wire_bytes=MAX_BYTES, timeout_s=TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that was found and could be read. `newest_at` is its newest entry's time."""

    url: str
    title: str
    format: Format
    entries: int
    newest_at: datetime | None


class Discoverer:
    """Looks for feeds; one page at a time."""

    def __init__(self, client: WebClient, robots: Robots, now: datetime) -> None:
        self._client = client
        self._robots = robots
        self._now = now
        self._asked: set[str] = set()

    async def find(self, url: str) -> list[FoundFeed]:
        """Return the feeds of the site that `url` is a page of, the best first.

        A `url` that is itself a feed is the only one returned. Raises FetchProblem
        if the page cannot be had.
        """
        page = await self._get(url)
        body = await asyncio.to_thread(unpack, page.body, page.codings, MAX_BYTES)
        itself = await _read(url, body, page.content_type)
        if itself is not None:
            return [itself]
        links = feed_links(body, content_type=page.content_type, url=page.url)
        return (
            await self._try([link.url for link in links])
            or await self._try(common_urls(page.url))
            or await self._try(robots_sitemaps(await self._robots.sitemaps(page.url), page.url))
        )

    async def _try(self, urls: Iterable[str]) -> list[FoundFeed]:
        found: list[FoundFeed] = []
        for url in list(urls)[:MAX_CANDIDATES]:
            if url in self._asked:
                continue
            await asyncio.sleep(SPACING_S)
            feed = await self._look(url)
            if feed is not None:
                found.append(feed)
        return found

    async def _look(self, url: str) -> FoundFeed | None:
        try:
            found = await self._get(url)
            body = await asyncio.to_thread(unpack, found.body, found.codings, MAX_BYTES)
        except (FetchProblem, DocumentProblem):
            return None
        return await _read(url, body, found.content_type)

    async def _get(self, url: str) -> Document:
        self._asked.add(url)
        found = await self._client.get(
            url, validators=Validators(), limits=_LIMITS, accept=ACCEPT, now=self._now
        )
        if not isinstance(found, Document):
            raise FetchProblem(FetchReason.BROKEN, "304 to a request that was not conditional")
        return found


async def _read(url: str, body: bytes, content_type: str) -> FoundFeed | None:
    try:
        parsed = await asyncio.to_thread(
            read_feed, body, content_type=content_type, url=url, max_entries=MAX_ENTRIES
        )
    except DocumentProblem:
        return None
    return _found(url, parsed)


def _found(url: str, parsed: ParsedFeed) -> FoundFeed:
    dates = [entry.published_at or entry.updated_at for entry in parsed.entries]
    return FoundFeed(
        url=url,
        title=plain_text(parsed.title, 200),
        format=parsed.format,
        entries=len(parsed.entries),
        newest_at=max(filter(None, dates), default=None),
    )
