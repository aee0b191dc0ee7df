"""The story desk: gives each article its story, the same one in every worker.

Every worker follows the one partition of the topic `stories` and folds its claims in
the same order, so two workers that publish the same wire story at the same moment
agree on its story. A claim is acknowledged before its article is published:
whoever repeats the article after a crash finds its story again.
"""

from collections.abc import Callable, Sequence

import msgspec

from wirewatch.ingest.reading import Publication
from wirewatch.ingest.stories import StoryIndex
from wirewatch.runtime.kafka import OnUnreadable, Producer, Received
from wirewatch.runtime.projection import Projection
from wirewatch.runtime.settings import Settings
from wirewatch.topics import STORIES
from wirewatch.topics.articles import Article
from wirewatch.topics.stories import MAX_CLAIMS, StoryClaim, StoryClaims


class StoryDesk:
    """Assigns stories to articles that are about to be published."""

    def __init__(self, settings: Settings, producer: Producer, on_unreadable: OnUnreadable) -> None:
        self._index = StoryIndex()
        self._producer = producer
        self._projection: Projection[StoryClaims] = Projection(
            settings, STORIES, _Folded(self._index), on_unreadable
        )

    def __len__(self) -> int:
        return len(self._index)

    async def start(self) -> None:
        """Read the claims of the window. Raises BrokerProblem."""
        await self._projection.start()

    async def stop(self) -> None:
        """Stop following."""
        await self._projection.stop()

    @property
    def problem(self) -> Callable[[], str | None]:
        """What is wrong, for /healthz."""
        return self._projection.problem

    async def assign(self, publications: Sequence[Publication]) -> list[Article]:
        """Return the articles of `publications` with their stories, in their order."""
        claims = [
            self._claim(one.article, one.signature)
            for one in publications
            if one.signature and self._index.story_of(one.article.id) is None
        ]
        if claims:
            records = _records(publications[0].article.feed_id, self._index.offset, claims)
            positions = await self._producer.send_all(STORIES, records)
            await self._projection.reached(max(positions, key=lambda at: at.offset))
        return [self._with_story(one.article) for one in publications]

    def _claim(self, article: Article, signature: bytes) -> StoryClaim:
        found = self._index.find(signature, article.published_at)
        return StoryClaim(
            article_id=article.id,
            story_id=found or article.id,
            signature=signature,
            at=article.published_at,
        )

    def _with_story(self, article: Article) -> Article:
        story_id = self._index.story_of(article.id)
        if story_id is None or story_id == article.story_id:
            return article
        return msgspec.structs.replace(article, story_id=story_id)


def _records(feed_id: str, seen: int, claims: Sequence[StoryClaim]) -> list[StoryClaims]:
    starts = range(0, len(claims), MAX_CLAIMS)
    return [
        StoryClaims(feed_id=feed_id, seen=seen, claims=tuple(claims[start : start + MAX_CLAIMS]))
        for start in starts
    ]


class _Folded:
    """The index as the table of a projection (`runtime.projection.Table`)."""

    def __init__(self, index: StoryIndex) -> None:
        self._index = index

    def resume_at(self, partition: int) -> int | None:  # noqa: ARG002 - part of the protocol
        """Return None: memory starts empty."""
        return None

    def apply(self, records: Sequence[Received[StoryClaims]]) -> None:
        """Fold claims in their order."""
        for record in records:
            if record.value is not None:
                self._fold(record.value, record.position.offset)
        if records:
            self._index.expire()

    def _fold(self, record: StoryClaims, offset: int) -> None:
        for one in record.claims:
            self._index.claim(
                one.article_id,
                one.story_id,
                one.signature,
                one.at,
                offset=offset,
                seen=record.seen,
            )

    def forget(self, partition: int) -> None:
        """Do nothing: the one partition is followed as long as the worker lives."""
