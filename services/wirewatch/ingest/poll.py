"""One look at one feed: fetch, read, publish what is new, return how it went.

The order keeps the promise: story claims, then articles, then what is remembered,
then the state with its validators, each acknowledged before the next is sent. A
crash in between repeats articles under the same ids and loses none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from wirewatch.ingest import memory
from wirewatch.ingest import state as states
from wirewatch.ingest.change import Policy
from wirewatch.ingest.desk import StoryDesk
from wirewatch.ingest.full_text import FullText
from wirewatch.ingest.kit import Kit
from wirewatch.ingest.reading import Publication, Reading, Task
from wirewatch.ingest.schedule import Bounds
from wirewatch.ingest.state import Contents
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ARTICLES, FEED_ENTRIES
from wirewatch.topics.feed_entries import FeedEntries
from wirewatch.topics.feed_states import FeedState
from wirewatch.topics.feeds import Feed
from wirewatch.topics.pushes import Push
from wirewatch.web.client import Document, Limits, Unchanged, Validators

MAX_SITEMAPS = 3
"""Of a sitemap index so many of the newest are read at each look."""
ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, "
    "application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, "
    "application/json;q=0.7, */*;q=0.1"
)

log = get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Look:
    """What came of one look at a feed. `hubs` and `self_url` are None where nothing was read."""

    state: FeedState
    published: int
    hubs: tuple[str, ...] | None = None
    self_url: str = ""


def bounds_of(settings: Settings) -> Bounds:
    """Return the intervals that the settings allow."""
    shortest = timedelta(seconds=settings.ingest_interval_s)
    return Bounds(
        shortest=shortest,
        longest=max(shortest, timedelta(seconds=settings.ingest_interval_max_s)),
        longest_hint=timedelta(seconds=settings.ingest_hint_max_s),
    )


class FeedLooker:
    """Looks at feeds."""

    def __init__(self, kit: Kit, desk: StoryDesk, full_text: FullText) -> None:
        settings = kit.settings
        self._settings = settings
        self._client = kit.client
        self._workers = kit.workers
        self._desk = desk
        self._producer = kit.producer
        self._entries = kit.entries
        self._full_text = full_text
        self._metrics = kit.metrics
        self._clock = kit.clock
        self._bounds = bounds_of(settings)
        self._limits = Limits(
            max_wire_bytes=settings.ingest_max_bytes, timeout_s=settings.ingest_timeout_s
        )
        self._policy = Policy(
            first_max_age=timedelta(seconds=settings.ingest_first_max_age_s),
            max_age=timedelta(seconds=settings.ingest_max_age_s),
        )

    async def fetch(self, feed: Feed, before: FeedState) -> Look:
        """Fetch `feed` and publish what is new. Raises FetchProblem or DocumentProblem."""
        known = self._known(feed)
        # Where it is not known what was published, the document is wanted whole.
        validators = Validators(before.etag, before.last_modified) if known else Validators()
        with self._metrics.fetch_seconds.time():
            found = await self._get(states.address(before), validators)
        if isinstance(found, Unchanged):
            return Look(self._succeeded(feed, before, found, None), 0)
        return await self._take_in(feed, before, known, found)

    async def take_push(self, feed: Feed, before: FeedState, push: Push) -> Look:
        """Publish what is new in a document that a hub has pushed. Raises DocumentProblem."""
        known = self._known(feed)
        task = self._task(feed, known, body=push.body, content_type=push.content_type)
        reading = await self._workers.read(task)
        published = await self._publish(feed, known, reading)
        return Look(states.after_news(before, self._clock()) if published else before, published)

    async def _get(self, url: str, validators: Validators) -> Document | Unchanged:
        return await self._client.get(
            url, validators=validators, limits=self._limits, accept=ACCEPT, now=self._clock()
        )

    async def _take_in(
        self, feed: Feed, before: FeedState, known: FeedEntries | None, found: Document
    ) -> Look:
        reading = await self._read(feed, known, found, before.body_digest if known else "")
        published = await self._publish(feed, known, reading)
        for url in reading.sitemaps[:MAX_SITEMAPS]:
            published += await self._take_in_sitemap(feed, url, first=known is None)
        is_same = reading.packed is None and not reading.sitemaps
        contents = None if is_same else _contents(reading, published)
        after = self._succeeded(feed, before, found, contents, found.moved_to)
        if is_same:
            return Look(after, published)
        hubs = (*found.hubs, *reading.hubs)
        return Look(after, published, hubs, found.self_url or reading.self_url)

    async def _take_in_sitemap(self, feed: Feed, url: str, *, first: bool) -> int:
        found = await self._get(url, Validators())
        if isinstance(found, Unchanged):
            return 0
        known = self._known(feed)
        reading = await self._read(feed, known, found, "", first=first)
        return await self._publish(feed, known, reading)

    async def _read(
        self,
        feed: Feed,
        known: FeedEntries | None,
        found: Document,
        digest: str,
        *,
        first: bool = False,
    ) -> Reading:
        task = self._task(
            feed,
            known,
            body=found.body,
            codings=found.codings,
            content_type=found.content_type,
            digest=digest,
            first=first,
        )
        return await self._workers.read(task)

    def _task(
        self,
        feed: Feed,
        known: FeedEntries | None,
        *,
        body: bytes,
        content_type: str,
        codings: tuple[str, ...] = (),
        digest: str = "",
        first: bool = False,
    ) -> Task:
        return Task(
            feed=feed,
            body=body,
            codings=codings,
            content_type=content_type,
            body_digest=digest,
            packed=known.packed if known else b"",
            first=first or known is None,
            now=self._clock(),
            policy=self._policy,
            max_bytes=self._settings.ingest_max_bytes,
            max_entries=self._settings.ingest_max_entries,
        )

    async def _publish(self, feed: Feed, known: FeedEntries | None, reading: Reading) -> int:
        """Publish what `reading` has to tell and remember it; return how many articles."""
        publications = await self._full_text.fill(feed, reading.publications)
        if publications:
            articles = await self._desk.assign(publications)
            await self._producer.send_all(ARTICLES, articles)
            self._count(feed, publications)
        if reading.withheld:
            self._metrics.articles.labels("withheld").inc(reading.withheld)
        is_known = known is not None and known.packed == reading.packed
        if reading.packed is not None and not is_known:
            await self._remember(feed, reading.packed)
        return len(publications)

    async def _remember(self, feed: Feed, packed: bytes) -> None:
        record = FeedEntries(feed_id=feed.id, layout=memory.LAYOUT, packed=packed)
        self._entries.put(record, await self._producer.send(FEED_ENTRIES, record))

    def _known(self, feed: Feed) -> FeedEntries | None:
        """Return what was published of `feed`, None if nothing is known of it."""
        known = self._entries.get(feed.id)
        return known if known is not None and known.layout == memory.LAYOUT else None

    def _count(self, feed: Feed, publications: Sequence[Publication]) -> None:
        revised = sum(one.article.revision > 1 for one in publications)
        new = len(publications) - revised
        self._metrics.articles.labels("new").inc(new)
        self._metrics.articles.labels("revised").inc(revised)
        log.debug("articles published", feed=feed.url, new=new, revised=revised)

    def _succeeded(
        self,
        feed: Feed,
        before: FeedState,
        found: Document | Unchanged,
        contents: Contents | None,
        moved_to: str = "",
    ) -> FeedState:
        return states.after_success(
            feed,
            before,
            self._clock(),
            self._bounds,
            validators=found.validators,
            fresh_for=found.fresh_for,
            moved_to=moved_to,
            contents=contents,
        )


def _contents(reading: Reading, published: int) -> Contents:
    return Contents(
        digest=reading.body_digest,
        is_whole=reading.is_whole,
        title=reading.title,
        pace=reading.pace,
        gap_s=reading.gap_s,
        has_new=published > 0,
    )
