"""Articles in, alerts out. Pure: no Kafka, no clock."""

from datetime import datetime

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.match.candidates import CandidateIndex
from wirewatch.query.explain import explain
from wirewatch.query.parse import parse
from wirewatch.query.reading import read
from wirewatch.query.tree import Query
from wirewatch.topics.alerts import MAX_SUMMARY_CHARS, Alert, ArticleDigest, Proof
from wirewatch.topics.articles import Article
from wirewatch.topics.ids import alert_id
from wirewatch.topics.subscriptions import Subscription


class Matcher:
    """Holds every subscription and finds those that an article satisfies."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._finder = Finder(catalogue)
        self._index = CandidateIndex()
        self._subscriptions: dict[str, tuple[Subscription, Query]] = {}

    def __len__(self) -> int:
        return len(self._subscriptions)

    def put(self, subscription: Subscription) -> None:
        """Add or replace a subscription; a paused one is taken out.

        Raises QueryError for a query that cannot be read; the subscription is
        then left out, also where an older version of it was held.
        """
        self.remove(subscription.id)
        if subscription.paused:
            return
        query = parse(subscription.query, self._catalogue)
        self._subscriptions[subscription.id] = (subscription, query)
        self._index.put(subscription.id, query)

    def remove(self, subscription_id: str) -> None:
        """Take a subscription out, if it is held."""
        self._subscriptions.pop(subscription_id, None)
        self._index.remove(subscription_id)

    def match(self, article: Article, *, now: datetime) -> list[Alert]:
        """Return an alert for each endpoint of each subscription that `article` satisfies.

        They come in the order of subscription ids: the same article gives the same list.
        """
        reading = read(article, self._finder)
        alerts: list[Alert] = []
        for subscription_id in sorted(self._index.candidates(reading)):
            subscription, query = self._subscriptions[subscription_id]
            proofs = explain(query, reading)
            if proofs is not None:
                alerts += _alerts(subscription, article, proofs, now)
        return alerts


def _alerts(
    subscription: Subscription, article: Article, proofs: tuple[Proof, ...], now: datetime
) -> list[Alert]:
    return [
        Alert(
            id=alert_id(subscription.id, article.id),
            endpoint_id=endpoint_id,
            subscription_id=subscription.id,
            subscription_name=subscription.name,
            query=subscription.query,
            tags=subscription.tags,
            article=digest(article),
            proofs=proofs,
            found_at=now,
        )
        for endpoint_id in dict.fromkeys(subscription.endpoint_ids)
    ]


def digest(article: Article) -> ArticleDigest:
    """Return what an alert says of its article."""
    return ArticleDigest(
        id=article.id,
        story_id=article.story_id,
        revision=article.revision,
        url=article.url,
        title=article.title,
        summary=cut(article.lead or article.body, MAX_SUMMARY_CHARS),
        language=article.language,
        source=article.source,
        feed_id=article.feed_id,
        feed_title=article.feed_title,
        authors=article.authors,
        published_at=article.published_at,
        fetched_at=article.fetched_at,
    )


def cut(text: str, limit: int) -> str:
    """Return `text`, or its start cut between words and marked with …, of `limit` code points."""
    if len(text) <= limit:
        return text
    space = text.rfind(" ", limit // 2, limit)
    return text[: space if space > 0 else limit - 1].rstrip() + "…"
