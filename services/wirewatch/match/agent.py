"""The agent: batches of articles in, alerts out, offsets only afterwards.

What Faust would do by itself loses records (measured, see ARCHITECTURE): an
exception in an agent counts the batch as done, and concurrency above 1 commits
past unfinished ones. So: concurrency 1, nothing slow inside but the sending of
alerts, and no exception leaves the batch.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from wirewatch.match.matcher import Matcher
from wirewatch.match.metrics import MatchMetrics
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import OnUnreadable, Producer
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALERTS, ARTICLES
from wirewatch.topics.alerts import Alert
from wirewatch.topics.articles import Article
from wirewatch.topics.codec import DecodeError, decode
from wirewatch.topics.dead_letters import DeadReason

SEND_AT_ONCE = 500
"""Alerts under way at once: an article that matches 100,000 subscriptions must not burst memory."""

log = get_logger("match")


class ArticleBatch:
    """Holds a batch of articles against the subscriptions and publishes the alerts."""

    def __init__(
        self,
        matcher: Matcher,
        producer: Producer,
        metrics: MatchMetrics,
        on_unreadable: OnUnreadable,
        clock: Clock,
    ) -> None:
        self._matcher = matcher
        self._producer = producer
        self._metrics = metrics
        self._on_unreadable = on_unreadable
        self._clock = clock
        self._in_hand = asyncio.Lock()
        self._closed = False
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def process(self, messages: Sequence[Any]) -> None:
        """Process Kafka messages of the articles topic; return when all alerts are acknowledged.

        An unreadable article, or one whose matching fails, becomes a dead letter.
        A batch that is not finished, whatever hinders it, is not acknowledged;
        an error that is ours also ends the service (`failed`), which then reads it again.
        """
        async with self._in_hand:
            if self._closed:
                _keep_unacknowledged(messages)
                return
            try:
                with self._metrics.batch_seconds.time():
                    for message in messages:
                        await self._process_one(message)
            except BaseException as error:
                _keep_unacknowledged(messages)
                if isinstance(error, Exception) and not self.failed.done():
                    self.failed.set_exception(error)
                raise

    async def close(self) -> None:
        """Begin no batch any more; return when the one in hand is done."""
        self._closed = True
        async with self._in_hand:
            pass

    async def _process_one(self, message: Any) -> None:
        if message.value is None:
            return
        try:
            article = decode(message.value, Article)
        except DecodeError as error:
            await self._on_unreadable(message, error)
            return
        alerts = await self._match(article, message)
        for start in range(0, len(alerts), SEND_AT_ONCE):
            await self._producer.send_all(ALERTS, alerts[start : start + SEND_AT_ONCE])
        self._count(article, alerts)

    async def _match(self, article: Article, message: Any) -> list[Alert]:
        try:
            return self._matcher.match(article, now=self._clock())
        except Exception as error:
            log.exception("matching failed", article=article.id, url=article.url)
            self._metrics.failures.inc()
            await self._producer.bury(
                message.value,
                reason=DeadReason.MATCH_FAILED,
                detail=repr(error),
                topic=message.topic,
                partition=message.partition,
                offset=message.offset,
                key=article.id,
            )
            return []

    def _count(self, article: Article, alerts: Sequence[Alert]) -> None:
        self._metrics.articles.inc()
        self._metrics.alerts.inc(len(alerts))
        if alerts:
            age = self._clock() - article.fetched_at
            self._metrics.article_age_seconds.observe(max(0.0, age.total_seconds()))
            log.info(
                "alerts found",
                article=article.id,
                url=article.url,
                language=article.language,
                alerts=len(alerts),
            )


def _keep_unacknowledged(messages: Sequence[Any]) -> None:
    """Keep Faust from acknowledging `messages`.

    `take_events` acknowledges its batch also when the agent is cancelled or
    raises, and the consumer, which stops last, then commits it. A message that
    says it was acknowledged already is passed over, and its offset never counts.
    """
    for message in messages:
        message.acked = True


def add_agent(app: Any, topic: Any, batch: ArticleBatch, settings: Settings) -> None:
    """Let `app` process `topic` in batches."""

    @app.agent(topic, name=f"{ARTICLES.name}-to-{ALERTS.name}", concurrency=1)  # type: ignore[untyped-decorator]
    async def match_articles(stream: Any) -> None:
        batches = stream.take_events(
            settings.match_batch_articles, within=settings.match_batch_wait_s
        )
        async for events in batches:
            await batch.process([event.message for event in events])
