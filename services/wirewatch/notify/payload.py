"""The body of a webhook. Pure: the same delivery always gives the same bytes."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from wirewatch.topics.alerts import Alert, ArticleDigest, NamedEntity, Proof
from wirewatch.topics.deliveries import Delivery

ALERT_CREATED = "alert.created"
MAX_PAYLOAD_BYTES = 65_536
MAX_CUT_CHARS = 1_000
"""What is left of title, URL, query and name where all other cuts were not enough."""

_encoder = msgspec.json.Encoder()


class SubscriptionPart(msgspec.Struct, frozen=True, kw_only=True):
    """The subscription that was satisfied, as it was then."""

    id: str
    name: str
    query: str
    tags: tuple[str, ...]


class AlertData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The alert. `truncated` is there, and true, where something was cut to fit the limit."""

    alert_id: str
    delivery_id: str
    subscription: SubscriptionPart
    article: ArticleDigest
    proofs: tuple[Proof, ...]
    entities: tuple[NamedEntity, ...] = ()
    truncated: bool = False


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What every webhook has; `timestamp` is when the alert was found."""

    type: str
    timestamp: datetime
    data: AlertData


def make_payload(alert: Alert, delivery: Delivery) -> bytes:
    """Return the JSON body that tells of `alert`, at most 64 KiB.

    Where it would be larger, the last proofs are left out, then the summary,
    then authors and tags, and at last the long texts are cut.
    """
    whole = _data(alert, delivery)
    body = _encode(alert, whole)
    if len(body) <= MAX_PAYLOAD_BYTES:
        return body
    data = _fewer_proofs(alert, msgspec.structs.replace(whole, truncated=True))
    for cut in (_no_summary, _no_lists, _short_texts):
        body = _encode(alert, data)
        if len(body) <= MAX_PAYLOAD_BYTES:
            break
        data = cut(data)
    return _encode(alert, data)


def _data(alert: Alert, delivery: Delivery) -> AlertData:
    return AlertData(
        alert_id=alert.id,
        delivery_id=delivery.id,
        subscription=SubscriptionPart(
            id=alert.subscription_id,
            name=alert.subscription_name,
            query=alert.query,
            tags=alert.tags,
        ),
        article=alert.article,
        proofs=alert.proofs,
        entities=alert.entities,
    )


def _encode(alert: Alert, data: AlertData) -> bytes:
    return _encoder.encode(Payload(type=ALERT_CREATED, timestamp=alert.found_at, data=data))


def _fewer_proofs(alert: Alert, data: AlertData) -> AlertData:
    """Keep as many proofs from the first on as fit."""
    size = len(_encode(alert, msgspec.structs.replace(data, proofs=())))
    kept = 0
    for proof in data.proofs:
        size += len(_encoder.encode(proof)) + 1  # and a comma
        if size > MAX_PAYLOAD_BYTES:
            break
        kept += 1
    return msgspec.structs.replace(data, proofs=data.proofs[:kept])


def _no_summary(data: AlertData) -> AlertData:
    return _with_article(data, lambda article: msgspec.structs.replace(article, summary=""))


def _no_lists(data: AlertData) -> AlertData:
    bare = msgspec.structs.replace(data.subscription, tags=())
    data = msgspec.structs.replace(data, subscription=bare)
    data = msgspec.structs.replace(data, entities=())
    return _with_article(data, lambda article: msgspec.structs.replace(article, authors=()))


def _short_texts(data: AlertData) -> AlertData:
    held = data.subscription
    cut = msgspec.structs.replace(
        held, name=held.name[:MAX_CUT_CHARS], query=held.query[:MAX_CUT_CHARS]
    )
    return _with_article(
        msgspec.structs.replace(data, subscription=cut),
        lambda article: msgspec.structs.replace(
            article,
            title=article.title[:MAX_CUT_CHARS],
            url=article.url[:MAX_CUT_CHARS],
            source=article.source[:MAX_CUT_CHARS],
            feed_title=article.feed_title[:MAX_CUT_CHARS],
        ),
    )


def _with_article(data: AlertData, change: Callable[[ArticleDigest], ArticleDigest]) -> AlertData:
    return msgspec.structs.replace(data, article=change(data.article))
