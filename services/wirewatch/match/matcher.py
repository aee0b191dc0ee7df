"""Articles in, alerts out: the index says which subscriptions, the evaluator proves it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache, partial

import msgspec

from wirewatch.entities.catalogue import Catalogue, label_of
from wirewatch.entities.find import Finder, Mention
from wirewatch.index.arrays import Ints
from wirewatch.index.index import QueryIndex
from wirewatch.index.reader import batches
from wirewatch.match.records import RecordFile
from wirewatch.query.errors import QueryError
from wirewatch.query.explain import explain
from wirewatch.query.parse import parse
from wirewatch.query.reading import Reading, read
from wirewatch.query.tree import Query
from wirewatch.topics.alerts import (
    MAX_ENTITIES,
    MAX_SUMMARY_CHARS,
    Alert,
    ArticleDigest,
    NamedEntity,
    Proof,
)
from wirewatch.topics.articles import Article
from wirewatch.topics.ids import alert_id
from wirewatch.topics.subscriptions import Subscription

REMEMBERED = 8_192
"""Subscriptions kept read and parsed: those that matched last."""
MAX_NAME_CHARS = 200
"""Characters of an entity's name in an alert."""
PREPARED = 64
"""An article that matches more subscriptions is read anew for their proofs, at 3 ms for all."""


_encode_record = msgspec.msgpack.Encoder().encode
_record_decoder = msgspec.msgpack.Decoder(tuple[Subscription, Query])
"""A record has the tree too: to decode it takes 5 µs, to parse the query again 60."""

Recall = Callable[[int], Query]


@dataclass(frozen=True, slots=True)
class Found:
    """What an article satisfies: slots of the matcher that found them, and of no other.

    `reading` is the article read as far as it is needed, None where nothing was prepared.
    `entity_ids` are the entities and themes that it names, those it names most first.
    """

    article: Article
    slots: Ints
    reading: Reading | None
    entity_ids: Sequence[str] = ()


class Unproved(Exception):
    """The index and the evaluator do not agree on a subscription: a mistake of ours."""


class Matcher:
    """Holds every subscription and finds those that an article satisfies."""

    def __init__(
        self,
        catalogue: Catalogue,
        records: RecordFile,
        *,
        finder: Finder | None = None,
        make_index: Callable[[Finder, Recall], QueryIndex] = QueryIndex,
    ) -> None:
        """`make_index` brings an index that was kept, with its `records`; else it is empty."""
        self._catalogue = catalogue
        self.finder = Finder(catalogue) if finder is None else finder
        self.records = records
        # No method of ours: a ring of references would keep a matcher that was replaced.
        known = lru_cache(REMEMBERED)(partial(_read, records))
        self._subscription = known
        self.index = make_index(self.finder, lambda slot: known(slot)[1])

    def __len__(self) -> int:
        return len(self.index)

    def put(self, subscription: Subscription) -> None:
        """Add or replace a subscription; a paused one is taken out.

        Raises QueryError for a query that cannot be read; the subscription is
        then left out, also where an older version of it was held.
        """
        if wrong := self.put_all([subscription]):
            raise wrong[subscription.id]

    def put_all(self, subscriptions: Sequence[Subscription]) -> dict[str, QueryError]:
        """Add or replace subscriptions; return why some were left out, by id.

        Of several with one id the last counts. They are in force with the next article.
        Raises OSError if they cannot be kept; then none of them is held any more.
        """
        wanted = {each.id: each for each in subscriptions}
        wrong: dict[str, QueryError] = {}
        queries: dict[str, Query] = {}
        for each in wanted.values():
            if not each.paused:
                try:
                    queries[each.id] = parse(each.query, self._catalogue)
                except QueryError as error:
                    wrong[each.id] = error
        self.remove_all([key for key in wanted if key not in queries])
        slots = self.index.put_all(queries.items())
        records = [_encode_record((wanted[key], queries[key])) for key in slots]
        try:
            self.records.put(list(slots.values()), records)
        except OSError:
            self.remove_all(list(slots))  # without its record a subscription cannot be told of
            raise
        return wrong

    def remove(self, subscription_id: str) -> None:
        """Take a subscription out, if it is held."""
        self.remove_all([subscription_id])

    def remove_all(self, subscription_ids: Sequence[str]) -> None:
        """Take subscriptions out, those that are held."""
        self.index.remove_all(subscription_ids)

    def search(self, articles: Sequence[Article]) -> list[Found]:
        """Return for each article the subscriptions that it satisfies."""
        return [found for batch in batches(articles) for found in self._search(batch)]

    def _search(self, batch: Sequence[Article]) -> Iterator[Found]:
        read_batch = self.index.read(batch)
        slots = self.index.satisfied_by(read_batch)
        wanted = {
            at: list(self._queries(own)) for at, own in enumerate(slots) if 0 < len(own) <= PREPARED
        }
        readings = self.index.readings(read_batch, wanted)
        for at, (article, own) in enumerate(zip(batch, slots, strict=True)):
            entity_ids = most_named(read_batch.named(at)) if len(own) else ()
            yield Found(article, own, readings.get(at), entity_ids)

    def _queries(self, slots: Ints) -> Iterator[Query]:
        """Yield the queries that can be read; `alerts` says what is wrong with the others."""
        for slot in slots.tolist():
            with suppress(msgspec.DecodeError):
                yield self._subscription(slot)[1]

    def alerts(self, found: Found, *, now: datetime) -> Iterator[Alert]:
        """Yield an alert for each endpoint of the subscriptions that `search` found.

        One that cannot be told of does not hinder the others: what went wrong with the first
        is raised at the end (Unproved where the article does not satisfy it after all).
        Raises OSError at once.
        """
        failed: Exception | None = None
        reading = found.reading or read(found.article, self.finder)
        summary = digest(found.article)
        entities = cache(partial(self._entities, found.entity_ids))
        for slot in found.slots.tolist():
            try:
                alerts = self._alerts(slot, reading, summary, entities, now)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - raised at the end
                failed = failed or error
            else:
                yield from alerts
        if failed is not None:
            raise failed

    def _entities(self, entity_ids: Sequence[str], language: str) -> tuple[NamedEntity, ...]:
        known = (self._catalogue.entity(each) for each in entity_ids)
        return tuple(
            NamedEntity(id=each.id, kind=each.kind, name=label_of(each, language)[:MAX_NAME_CHARS])
            for each in known
            if each is not None
        )

    def _alerts(
        self,
        slot: int,
        reading: Reading,
        summary: ArticleDigest,
        entities: Callable[[str], tuple[NamedEntity, ...]],
        now: datetime,
    ) -> list[Alert]:
        subscription, query = self._subscription(slot)
        proofs = explain(query, reading)
        if proofs is None:
            raise Unproved(f"subscription {subscription.id}: {subscription.query}")
        return _alerts(subscription, summary, proofs, entities(subscription.language), now)

    def match(self, article: Article, *, now: datetime) -> list[Alert]:
        """Return all alerts of one article, in the order of subscription ids."""
        [found] = self.search([article])
        return sorted(self.alerts(found, now=now), key=lambda alert: alert.subscription_id)


def _read(records: RecordFile, slot: int) -> tuple[Subscription, Query]:
    return _record_decoder.decode(records.get(slot))


def most_named(mentions: Sequence[Mention]) -> list[str]:
    """Return the ids of what is named most, first of those named as often what came first."""
    counts = Counter(mention.entity_id for mention in mentions)
    return [entity_id for entity_id, _ in counts.most_common(MAX_ENTITIES)]


def _alerts(
    subscription: Subscription,
    article: ArticleDigest,
    proofs: tuple[Proof, ...],
    entities: tuple[NamedEntity, ...],
    now: datetime,
) -> list[Alert]:
    found = alert_id(subscription.id, article.id)
    return [
        Alert(
            id=found,
            endpoint_id=endpoint_id,
            subscription_id=subscription.id,
            subscription_name=subscription.name,
            query=subscription.query,
            tags=subscription.tags,
            article=article,
            proofs=proofs,
            entities=entities,
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
        image=article.image,
    )


def cut(text: str, limit: int) -> str:
    """Return `text`, or its start cut between words and marked with …, of `limit` code points."""
    if len(text) <= limit:
        return text
    space = text.rfind(" ", limit // 2, limit)
    return text[: space if space > 0 else limit - 1].rstrip() + "…"
