"""The agent: batches of articles in, alerts out, offsets only afterwards.

What Faust would do by itself loses records (measured, see ARCHITECTURE): an
exception in an agent counts the batch as done, and concurrency above 1 commits
past unfinished ones. So: concurrency 1, nothing slow inside but the sending of
alerts, and no exception leaves the batch.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from wirewatch.match.ledger import Ledger, Release
from wirewatch.match.matcher import Found, Matcher
from wirewatch.match.metrics import MatchMetrics
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import TOO_LARGE, OnUnreadable, Producer
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALERTS, ARTICLES
from wirewatch.topics.alerts import Alert
from wirewatch.topics.articles import Article
from wirewatch.topics.codec import DecodeError, decode
from wirewatch.topics.dead_letters import DeadReason

SEND_AT_ONCE = 500
"""Alerts of one send: what an article that matches 100,000 subscriptions holds in memory."""
FLOOD = 1_000
"""An article that matches more subscriptions is told of beside the batches, not in front of
them; its offset is acknowledged when its last alert is."""
FLOODS_AT_ONCE = 4
"""With more under way the next batch waits."""

log = get_logger("match")


@dataclass(frozen=True, slots=True)
class _Read:
    """An article, and where it was read. `raw` is what a dead letter would hold."""

    message: Any
    raw: bytes
    article: Article


@dataclass(frozen=True, slots=True)
class _Match:
    """An article that satisfies something, and the matcher that found what."""

    read: _Read
    matcher: Matcher
    found: Found


class ArticleBatch:
    """Holds a batch of articles against the subscriptions and publishes the alerts."""

    def __init__(
        self,
        matcher: Callable[[], Matcher],
        producer: Producer,
        metrics: MatchMetrics,
        *,
        on_unreadable: OnUnreadable,
        clock: Clock,
        release: Release,
    ) -> None:
        """`matcher` says which one is in force; `release` acknowledges a message."""
        self._matcher = matcher
        self._producer = producer
        self._metrics = metrics
        self._on_unreadable = on_unreadable
        self._clock = clock
        self._ledger = Ledger(release)
        self._in_hand = asyncio.Lock()
        self._floods: set[asyncio.Task[None]] = set()
        self._closed = False
        self.told = 0
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def process(self, messages: Sequence[Any]) -> None:
        """Process Kafka messages of the articles topic; return when the alerts are acknowledged.

        An unreadable article, or one whose matching fails, becomes a dead letter.
        A batch that is not finished, whatever hinders it, is not acknowledged;
        an error that is ours also ends the service (`failed`), which then reads it again.
        """
        self._ledger.take(messages)
        async with self._in_hand:
            if self._closed:
                return
            try:
                with self._metrics.batch_seconds.time():
                    floods = await self._process(messages)
            except BaseException as error:
                self._fail(error)
                raise
            self._ledger.done([each for each in messages if id(each) not in floods])

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, Exception) and not self.failed.done():
            self.failed.set_exception(error)

    async def close(self) -> None:
        """Begin no batch any more; return when the one in hand is done, and every flood.

        Floods end with this call also when it is cancelled: they are told of again.
        """
        self._closed = True
        try:
            async with self._in_hand:
                pass
            while self._floods:
                await asyncio.wait(self._floods)
        finally:
            for flood in self._floods:
                flood.cancel()
            await asyncio.gather(*self._floods, return_exceptions=True)

    async def _process(self, messages: Sequence[Any]) -> set[int]:
        """Tell of what `messages` match; return which are floods, told of beside."""
        matches = await self._search([each for each in messages if each.value is not None])
        floods: set[int] = set()
        alerts: list[Alert] = []
        for each in matches:
            self._note(each)
            if len(each.found.slots) > FLOOD:
                floods.add(id(each.read.message))
                await self._begin_flood(each)
                continue
            own = self._alerts(each)
            while some := await self._some(own, each):
                alerts += some
                if len(alerts) >= SEND_AT_ONCE:
                    await self._send(alerts)
                    alerts = []
        await self._send(alerts)
        if matches:
            log.info("matched", articles=len(matches), of=len(messages))
        return floods

    async def _send(self, alerts: Sequence[Alert]) -> None:
        for start in range(0, len(alerts), SEND_AT_ONCE):
            some = alerts[start : start + SEND_AT_ONCE]
            try:
                await self._producer.send_all(ALERTS, some)
            except TOO_LARGE:
                await self._send_one_by_one(some)
        self._metrics.alerts.inc(len(alerts))

    async def _send_one_by_one(self, alerts: Sequence[Alert]) -> None:
        """Send what can be sent: one alert that no broker takes must not hold up all others."""
        for alert in alerts:
            try:
                await self._producer.send_all(ALERTS, [alert])
            except TOO_LARGE:
                self._metrics.failures.inc()
                log.exception(
                    "an alert is too large to be sent",
                    subscription=alert.subscription_id,
                    article=alert.article.id,
                )

    async def _search(self, messages: Sequence[Any]) -> list[_Match]:
        articles = [read for each in messages if (read := await self._read(each))]
        matcher = self._matcher()
        try:
            found = matcher.search([each.article for each in articles])
        except OSError:
            raise
        except Exception:
            log.exception("matching a batch failed, matching its articles one by one")
            return [match for each in articles if (match := await self._search_one(each, matcher))]
        self._metrics.articles.inc(len(articles))
        pairs = zip(articles, found, strict=True)
        return [_Match(each, matcher, own) for each, own in pairs if len(own.slots)]

    async def _search_one(self, read: _Read, matcher: Matcher) -> _Match | None:
        try:
            [found] = matcher.search([read.article])
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - logged where it is buried
            await self._bury(read, error)
            return None
        self._metrics.articles.inc()
        return _Match(read, matcher, found) if len(found.slots) else None

    async def _read(self, message: Any) -> _Read | None:
        try:
            return _Read(message, message.value, decode(message.value, Article))
        except DecodeError as error:
            await self._on_unreadable(message, error)
            return None

    def _alerts(self, match: _Match) -> Iterator[Alert]:
        return match.matcher.alerts(match.found, now=self._clock())

    async def _begin_flood(self, match: _Match) -> None:
        while len(self._floods) >= FLOODS_AT_ONCE:
            await asyncio.wait(self._floods, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._flood(match), name=f"tell of {match.read.article.id}")
        self._floods.add(task)
        task.add_done_callback(self._flood_ended)
        self._metrics.floods.set(len(self._floods))

    def _flood_ended(self, task: asyncio.Task[None]) -> None:
        self._floods.discard(task)
        self._metrics.floods.set(len(self._floods))

    async def _flood(self, match: _Match) -> None:
        try:
            alerts = self._alerts(match)
            while some := await self._some(alerts, match):
                await self._send(some)
                self.told += len(some)
                await asyncio.sleep(0)  # other batches have their turn
            self._ledger.done([match.read.message])
        except Exception as error:
            log.exception("telling of an article failed", article=match.read.article.id)
            self._fail(error)

    async def _some(self, alerts: Iterator[Alert], match: _Match) -> list[Alert]:
        """Return the next alerts, none at their end; what fails makes the article a dead letter."""
        some: list[Alert] = []
        try:
            some.extend(islice(alerts, SEND_AT_ONCE))
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - logged where it is buried
            await self._bury(match.read, error)
        return some

    async def _bury(self, read: _Read, error: Exception) -> None:
        log.error("matching failed", article=read.article.id, url=read.article.url, exc_info=error)
        self._metrics.failures.inc()
        await self._producer.bury(
            read.raw,
            reason=DeadReason.MATCH_FAILED,
            detail=repr(error),
            topic=read.message.topic,
            partition=read.message.partition,
            offset=read.message.offset,
            key=read.article.id,
        )

    def _note(self, match: _Match) -> None:
        article = match.read.article
        age = self._clock() - article.fetched_at
        self._metrics.article_age_seconds.observe(max(0.0, age.total_seconds()))
        log.debug(
            "article matched",
            article=article.id,
            url=article.url,
            language=article.language,
            subscriptions=len(match.found.slots),
        )


def add_agent(app: Any, topic: Any, batch: ArticleBatch, settings: Settings) -> None:
    """Let `app` process `topic` in batches."""

    @app.agent(topic, name=f"{ARTICLES.name}-to-{ALERTS.name}", concurrency=1)  # type: ignore[untyped-decorator]
    async def match_articles(stream: Any) -> None:
        batches = stream.take_events(
            settings.match_batch_articles, within=settings.match_batch_wait_s
        )
        async for events in batches:
            await batch.process([event.message for event in events])
