"""A webhook's body, as much of it as is shown here. Unknown fields are welcome."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from wirewatch.topics.alerts import Proof

ALERT_CREATED = "alert.created"
ALERT_DIGEST = "alert.digest"
ENDPOINT_VERIFY = "endpoint.verify"


class Event(msgspec.Struct, frozen=True):
    """What every webhook has. What one of a type that has no other shape here says is in `data`."""

    type: str
    data: Any = None


class SubscriptionPart(msgspec.Struct, frozen=True, kw_only=True):
    """The subscription that was satisfied."""

    id: str
    name: str
    query: str = ""
    tags: tuple[str, ...] = ()


class ArticlePart(msgspec.Struct, frozen=True, kw_only=True):
    """The article, of which a thin webhook says little."""

    title: str
    url: str
    source: str = ""
    language: str = "und"


class AlertData(msgspec.Struct, frozen=True, kw_only=True):
    """The alert itself."""

    alert_id: str
    subscription: SubscriptionPart
    article: ArticlePart
    proofs: tuple[Proof, ...] = ()


class AlertPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook of type `alert.created`."""

    type: str
    timestamp: datetime
    data: AlertData


class StoryPart(msgspec.Struct, frozen=True, kw_only=True):
    """One story of a digest."""

    title: str
    url: str
    source: str = ""
    language: str = "und"
    articles: int = 1
    proofs: tuple[Proof, ...] = ()


class DigestData(msgspec.Struct, frozen=True, kw_only=True):
    """What a digest tells of."""

    subscription: SubscriptionPart
    why: str = ""
    alerts: int
    stories: tuple[StoryPart, ...]
    more_stories: int = 0


class DigestPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook of type `alert.digest`."""

    type: str
    timestamp: datetime
    data: DigestData


class VerifyData(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be answered with."""

    challenge: str


class VerifyPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook of type `endpoint.verify`."""

    type: str
    data: VerifyData


P = AlertPayload | DigestPayload | VerifyPayload

PAYLOADS: dict[str, type[P]] = {
    ALERT_CREATED: AlertPayload,
    ALERT_DIGEST: DigestPayload,
    ENDPOINT_VERIFY: VerifyPayload,
}


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """An alert that has come in. A repeat was received before under the same `webhook_id`."""

    webhook_id: str
    payload: AlertPayload
    verified: bool
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class ReceivedDigest:
    """A digest that has come in, as `ReceivedAlert`."""

    webhook_id: str
    payload: DigestPayload
    verified: bool
    is_repeat: bool


def read_event(raw: bytes) -> P | Event:
    """Return what `raw` holds, or the bare event if it is of a type that is not shown.

    Raises msgspec.DecodeError or UnicodeDecodeError if it is neither.
    """
    event = msgspec.json.decode(raw, type=Event)
    shape = PAYLOADS.get(event.type)
    return event if shape is None else msgspec.json.decode(raw, type=shape)
