"""The body of an article from its page, for feeds whose subscriber asked for it.

robots.txt is obeyed, pages of one host are asked for one after the other, and an
article whose page cannot be had is published as its feed has it: late by a page,
never lost.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from wirewatch.documents.errors import DocumentProblem
from wirewatch.ingest.kit import Kit
from wirewatch.ingest.reading import Publication, with_page
from wirewatch.runtime.logs import get_logger
from wirewatch.topics.articles import Article
from wirewatch.topics.feed_states import FetchReason
from wirewatch.topics.feeds import Feed
from wirewatch.web.client import Document, Limits, Validators
from wirewatch.web.errors import FetchProblem
from wirewatch.web.gate import HostGate
from wirewatch.web.robots import Robots

MAX_PAGES = 30
"""Pages fetched at one look at a feed; further new articles have their feed's text."""
MAX_PAGE_BYTES = 5_000_000
LONGEST_WAIT_S = 30.0
"""A page that its host, or its robots.txt, makes us wait for longer is left."""
ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"

log = get_logger("ingest")


class FullText:
    """Fetches the pages of new articles."""

    def __init__(self, kit: Kit, robots: Robots) -> None:
        settings = kit.settings
        self._client = kit.client
        self._robots = robots
        self._workers = kit.workers
        self._metrics = kit.metrics
        self._clock = kit.clock
        spacing = timedelta(seconds=settings.ingest_page_spacing_s)
        self._gate = HostGate(concurrency=1, spacing=spacing)
        self._limits = Limits(max_wire_bytes=MAX_PAGE_BYTES, timeout_s=settings.ingest_timeout_s)

    async def fill(self, feed: Feed, publications: Sequence[Publication]) -> Sequence[Publication]:
        """Return `publications`, with the text of their pages if `feed` wants it."""
        if not feed.full_text:
            return publications
        newest = publications[-MAX_PAGES:]
        filled = [await self._fill_one(one) for one in newest]
        return [*publications[: len(publications) - len(newest)], *filled]

    async def _fill_one(self, one: Publication) -> Publication:
        if not one.article.url:
            return one
        try:
            article = await self._with_page(one.article)
        except (FetchProblem, DocumentProblem) as problem:
            self._metrics.pages.labels(problem.reason).inc()
            log.debug("page not read", url=one.article.url, reason=problem.reason.value)
            return one
        self._metrics.pages.labels("read").inc()
        return msgspec.structs.replace(one, article=article)

    async def _with_page(self, article: Article) -> Article:
        url = article.url
        if not await self._robots.allowed(url, self._clock()):
            raise FetchProblem(FetchReason.ROBOTS, "robots.txt does not allow it")
        found = await self._get(url)
        page = await self._workers.read_page(
            found.body,
            codings=found.codings,
            content_type=found.content_type,
            url=found.url,
            max_bytes=MAX_PAGE_BYTES,
        )
        return with_page(article, page, self._clock())

    async def _get(self, url: str) -> Document:
        await self._wait_for_host(url)
        problem: FetchProblem | None = None
        try:
            found = await self._client.get(
                url, validators=Validators(), limits=self._limits, accept=ACCEPT, now=self._clock()
            )
        except FetchProblem as error:
            problem = error
            raise
        finally:
            self._gate.leave(url, self._clock(), problem)
        if not isinstance(found, Document):
            raise FetchProblem(FetchReason.BROKEN, "304 to a request that was not conditional")
        return found

    async def _wait_for_host(self, url: str) -> None:
        waited = self._robots.delay(url).total_seconds()
        if waited > LONGEST_WAIT_S:
            raise FetchProblem(FetchReason.ROBOTS, f"robots.txt asks to wait {waited:g} s")
        await asyncio.sleep(waited)
        while (wait := self._gate.enter(url, self._clock())) is not None:
            waited += wait.total_seconds()
            if waited > LONGEST_WAIT_S:
                raise FetchProblem(FetchReason.TIMEOUT, "its host is busy")
            await asyncio.sleep(max(0.01, wait.total_seconds()))
