"""A webhook's body, as much of it as is shown here. Unknown fields are welcome."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from wirewatch.topics.alerts import ArticleDigest, Proof

ALERT_CREATED = "alert.created"


class Event(msgspec.Struct, frozen=True):
    """What every webhook has."""

    type: str


class SubscriptionPart(msgspec.Struct, frozen=True, kw_only=True):
    """The subscription that was satisfied."""

    id: str
    name: str
    query: str = ""
    tags: tuple[str, ...] = ()


class AlertData(msgspec.Struct, frozen=True, kw_only=True):
    """The alert itself."""

    alert_id: str
    subscription: SubscriptionPart
    article: ArticleDigest
    proofs: tuple[Proof, ...] = ()


class AlertPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook of type `alert.created`."""

    type: str
    timestamp: datetime
    data: AlertData


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """An alert that has come in. A repeat was received before under the same `webhook_id`."""

    webhook_id: str
    payload: AlertPayload
    verified: bool
    is_repeat: bool


def read_event(raw: bytes) -> AlertPayload | Event:
    """Return the alert that `raw` holds, or the bare event if it is of another type.

    Raises msgspec.DecodeError or UnicodeDecodeError if it is neither.
    """
    event = msgspec.json.decode(raw, type=Event)
    if event.type != ALERT_CREATED:
        return event
    return msgspec.json.decode(raw, type=AlertPayload)
