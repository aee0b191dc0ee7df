"""The body of a webhook, at most 64 KiB. Pure: the same delivery always gives the same bytes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from wirewatch.notify.webhook_types import (
    AlertData,
    DeliveryExhaustedData,
    DigestData,
    EndpointDisabledData,
    EndpointPart,
    EndpointTestData,
    EndpointVerifyData,
    ExhaustedPart,
    Payload,
    SubscriptionPart,
    ThinAlertData,
    ThinArticle,
    ThinDigestData,
    ThinStory,
    ThinSubscription,
)
from wirewatch.topics.alerts import Alert
from wirewatch.topics.digests import Digest, Notice, NoticeType, Telling
from wirewatch.topics.endpoints import Variant

ALERT_CREATED = "alert.created"
ALERT_DIGEST = "alert.digest"
MAX_PAYLOAD_BYTES = 65_536
MAX_CUT_CHARS = 1_000
"""What is left of each long text where all other cuts were not enough."""

_encoder = msgspec.json.Encoder()


def make_payload(telling: Telling, delivery_id: str, variant: Variant = Variant.FULL) -> bytes:
    """Return the JSON body that tells of `telling`, at most 64 KiB.

    Where it would be larger, what is cut is named in `truncated`. Of an alert:
    the last proofs, the summary, image, tags, entities and authors, at last
    each long text; an address too long to be kept whole is left out. Of a
    digest: the last stories, then of the one that is left the same.
    """
    body = _encoder.encode(whole_payload(telling, delivery_id, variant))
    if len(body) <= MAX_PAYLOAD_BYTES:
        return body
    return _encoder.encode(fitting_payload(telling, delivery_id, variant))


def whole_payload(telling: Telling, delivery_id: str, variant: Variant = Variant.FULL) -> Payload:
    """Return the payload as it is before anything is cut."""
    thin = variant is Variant.THIN
    if isinstance(telling, Alert):
        data = _thin_alert(telling, delivery_id) if thin else _alert(telling, delivery_id)
        return Payload(type=ALERT_CREATED, timestamp=telling.found_at, data=data)
    if isinstance(telling, Digest):
        digest = _thin_digest(telling, delivery_id) if thin else _digest(telling, delivery_id)
        return Payload(type=ALERT_DIGEST, timestamp=telling.until, data=digest)
    return Payload(type=telling.type, timestamp=telling.at, data=_notice(telling))


def fitting_payload(
    telling: Telling,
    delivery_id: str,
    variant: Variant = Variant.FULL,
    limit_bytes: int = MAX_PAYLOAD_BYTES,
) -> Payload:
    """Return the payload, cut as far as is needed to be at most `limit_bytes` as JSON."""
    payload = whole_payload(telling, delivery_id, variant)
    for cut in _CUTS:
        if _size(payload) <= limit_bytes:
            break
        payload = replace(payload, data=cut(payload, limit_bytes))
    return payload


def _size(payload: Payload) -> int:
    return len(_encoder.encode(payload))


def _subscription(telling: Alert | Digest) -> SubscriptionPart:
    return SubscriptionPart(
        id=telling.subscription_id,
        name=telling.subscription_name,
        query=telling.query,
        tags=telling.tags,
    )


def _thin_subscription(telling: Alert | Digest) -> ThinSubscription:
    return ThinSubscription(id=telling.subscription_id, name=telling.subscription_name)


def _alert(alert: Alert, delivery_id: str) -> AlertData:
    return AlertData(
        alert_id=alert.id,
        delivery_id=delivery_id,
        subscription=_subscription(alert),
        article=alert.article,
        proofs=alert.proofs,
        entities=alert.entities,
    )


def _thin_alert(alert: Alert, delivery_id: str) -> ThinAlertData:
    article = alert.article
    return ThinAlertData(
        alert_id=alert.id,
        delivery_id=delivery_id,
        subscription=_thin_subscription(alert),
        article=ThinArticle(
            id=article.id,
            story_id=article.story_id,
            url=article.url,
            title=article.title,
            published_at=article.published_at,
        ),
    )


def _digest(digest: Digest, delivery_id: str) -> DigestData:
    return DigestData(
        delivery_id=delivery_id,
        subscription=_subscription(digest),
        why=digest.why,
        since=digest.since,
        until=digest.until,
        part=digest.part,
        alerts=digest.alerts,
        stories=digest.stories,
        more_stories=digest.more_stories,
    )


def _thin_digest(digest: Digest, delivery_id: str) -> ThinDigestData:
    return ThinDigestData(
        delivery_id=delivery_id,
        subscription=_thin_subscription(digest),
        why=digest.why,
        since=digest.since,
        until=digest.until,
        part=digest.part,
        alerts=digest.alerts,
        stories=tuple(
            ThinStory(
                story_id=story.story_id,
                title=story.title,
                url=story.url,
                published_at=story.published_at,
                articles=story.articles,
                alert_ids=story.alert_ids,
            )
            for story in digest.stories
        ),
        more_stories=digest.more_stories,
    )


def _notice(
    notice: Notice,
) -> EndpointDisabledData | DeliveryExhaustedData | EndpointVerifyData | EndpointTestData:
    about = EndpointPart(id=notice.endpoint_id, name=notice.endpoint_name, url=notice.endpoint_url)
    if notice.type is NoticeType.ENDPOINT_DISABLED:
        return EndpointDisabledData(
            endpoint=about,
            reason=notice.reason,
            detail=notice.detail,
            failing_since=notice.failing_since,
        )
    if notice.type is NoticeType.DELIVERY_EXHAUSTED:
        given_up = ExhaustedPart(
            id=notice.delivery_id,
            alert_id=notice.alert_id,
            subscription_id=notice.subscription_id,
            attempts=notice.attempts,
        )
        return DeliveryExhaustedData(
            endpoint=about, delivery=given_up, reason=notice.reason, detail=notice.detail
        )
    if notice.type is NoticeType.ENDPOINT_VERIFY:
        return EndpointVerifyData(endpoint=about, challenge=notice.challenge)
    return EndpointTestData(endpoint=about, detail=notice.detail)


# The cuts, in their order. Each returns `data` with less in it.


def _marked(data: Any, *names: str) -> Any:
    """Return `data` with `names` added to what was cut."""
    cut = () if isinstance(data.truncated, msgspec.UnsetType) else data.truncated
    return replace(data, truncated=cut + tuple(name for name in names if name not in cut))


def _fewer_stories(payload: Payload, limit_bytes: int) -> Any:
    """Leave out the last stories; the first one stays."""
    data = payload.data
    if not isinstance(data, DigestData | ThinDigestData) or len(data.stories) <= 1:
        return data
    marked = _marked(replace(data, stories=()), "stories")
    kept = max(1, _how_many_fit(payload, marked, data.stories, limit_bytes))
    left_out = len(data.stories) - kept
    more = data.more_stories + left_out
    return replace(marked, stories=data.stories[:kept], more_stories=more)


def _fewer_proofs(payload: Payload, limit_bytes: int) -> Any:
    data = payload.data
    if not isinstance(data, AlertData) or not data.proofs:
        return data
    marked = _marked(replace(data, proofs=()), "proofs")
    kept = _how_many_fit(payload, marked, data.proofs, limit_bytes)
    return replace(marked, proofs=data.proofs[:kept])


def _how_many_fit(
    payload: Payload, without: Any, items: Sequence[msgspec.Struct], limit_bytes: int
) -> int:
    """Return how many of `items` fit into the payload that has none of them yet."""
    digits = 12  # `more_stories` may grow by as many
    room = limit_bytes - digits - _size(replace(payload, data=without))
    for number, item in enumerate(items):
        room -= len(_encoder.encode(item)) + 1  # and a comma
        if room < 0:
            return number
    return len(items)


def _without(payload: Payload, _: int, part: str, **emptied: Any) -> Any:
    """Empty fields of `part`: of the article or subscription, of the first story, or of `data`."""
    data = payload.data
    holder = data
    if part == "stories":
        stories = getattr(data, part, ())
        holder = stories[0] if stories else None
    elif part:
        holder = getattr(data, part, None)
    lost = [name for name, empty in emptied.items() if getattr(holder, name, empty) != empty]
    if not lost:
        return data
    changed = replace(holder, **{name: emptied[name] for name in lost})
    if part:
        held = (changed, *data.stories[1:]) if part == "stories" else changed
        data = replace(data, **{part: held})
    else:
        data = changed
    return _marked(data, *(f"{part}.{name}" if part else name for name in lost))


def _short_texts(payload: Payload, _: int) -> Any:
    """Cut each long text, and leave out each long address: half a link leads nowhere."""
    lost: list[str] = []
    data = _shortened(payload.data, "", lost)
    return _marked(data, *lost)


def _shortened(value: Any, path: str, lost: list[str]) -> Any:
    if isinstance(value, str) and len(value) > MAX_CUT_CHARS:
        lost.append(path)
        return "" if path.rpartition(".")[2] in {"url", "image"} else value[:MAX_CUT_CHARS]
    if isinstance(value, tuple):
        return tuple(_shortened(one, path, lost) for one in value)
    if isinstance(value, msgspec.Struct):
        below = path + "." if path else ""
        fields = {
            name: _shortened(getattr(value, name), below + name, lost)
            for name in value.__struct_fields__
            if name != "truncated"
        }
        return replace(value, **fields)
    return value


_CUTS: tuple[Callable[[Payload, int], Any], ...] = (
    _fewer_stories,
    _fewer_proofs,
    partial(_without, part="stories", proofs=()),
    partial(_without, part="article", summary=""),
    partial(_without, part="stories", summary=""),
    partial(_without, part="article", image=""),
    partial(_without, part="stories", image="", sources=(), alert_ids=()),
    partial(_without, part="subscription", tags=()),
    partial(_without, part="", entities=()),
    partial(_without, part="article", authors=()),
    _short_texts,
)
