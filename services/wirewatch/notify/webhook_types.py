"""What a webhook says: its types, full and thin, and their JSON Schemas. Pure.

They are the contract with receivers: `docs/schemas` is made from them.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from wirewatch.topics.alerts import ArticleDigest, NamedEntity, Proof
from wirewatch.topics.digests import DigestStory, DigestWhy
from wirewatch.topics.endpoints import Variant

VERSION = 1

Cut = tuple[str, ...] | msgspec.UnsetType
"""The fields that were cut to stay below the limit, in the order they were; missing if none."""


class SubscriptionPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The subscription that was satisfied, as it was then."""

    id: str
    name: str
    query: str
    tags: tuple[str, ...]


class AlertData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An alert: one article that satisfies one subscription, and the places that prove it."""

    alert_id: str
    delivery_id: str
    subscription: SubscriptionPart
    article: ArticleDigest
    proofs: tuple[Proof, ...]
    entities: tuple[NamedEntity, ...]
    truncated: Cut = msgspec.UNSET


class DigestData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Several alerts of one subscription, by story."""

    delivery_id: str
    subscription: SubscriptionPart
    why: DigestWhy
    since: datetime
    until: datetime
    part: int
    alerts: int
    stories: tuple[DigestStory, ...]
    more_stories: int
    truncated: Cut = msgspec.UNSET


class ThinSubscription(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The subscription that was satisfied."""

    id: str
    name: str


class ThinArticle(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The article, as far as a thin webhook tells of it."""

    id: str
    story_id: str
    url: str
    title: str
    published_at: datetime


class ThinAlertData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An alert in its thin variant: the same places, fewer of them."""

    alert_id: str
    delivery_id: str
    subscription: ThinSubscription
    article: ThinArticle
    truncated: Cut = msgspec.UNSET


class ThinStory(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One story of a thin digest."""

    story_id: str
    title: str
    url: str
    published_at: datetime
    articles: int
    alert_ids: tuple[str, ...]


class ThinDigestData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A digest in its thin variant."""

    delivery_id: str
    subscription: ThinSubscription
    why: DigestWhy
    since: datetime
    until: datetime
    part: int
    alerts: int
    stories: tuple[ThinStory, ...]
    more_stories: int
    truncated: Cut = msgspec.UNSET


class EndpointPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The endpoint that a notice is about; `url` is cut where it is a secret."""

    id: str
    name: str
    url: str


class ExhaustedPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The delivery that was given up. `alert_id` is empty if it was a digest or a notice."""

    id: str
    alert_id: str
    subscription_id: str
    attempts: int


class EndpointDisabledData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An endpoint was disabled, `reason` says why."""

    endpoint: EndpointPart
    reason: str
    detail: str
    failing_since: datetime | None
    truncated: Cut = msgspec.UNSET


class DeliveryExhaustedData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A delivery to an endpoint was given up after its last attempt."""

    endpoint: EndpointPart
    delivery: ExhaustedPart
    reason: str
    detail: str
    truncated: Cut = msgspec.UNSET


class EndpointVerifyData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The receiver is asked to answer with `challenge`."""

    endpoint: EndpointPart
    challenge: str
    truncated: Cut = msgspec.UNSET


class EndpointTestData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody asked to see whether the endpoint can be reached."""

    endpoint: EndpointPart
    detail: str
    truncated: Cut = msgspec.UNSET


Data = (
    AlertData
    | ThinAlertData
    | DigestData
    | ThinDigestData
    | EndpointDisabledData
    | DeliveryExhaustedData
    | EndpointVerifyData
    | EndpointTestData
)


class Payload(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every webhook has. `timestamp` is when it happened, not when it was sent.

    `version` grows when a field changes its meaning or goes; fields may be added without.
    """

    version: int = VERSION
    type: str
    timestamp: datetime
    data: Any


SCHEMAS: dict[str, type[Data]] = {
    "alert.created": AlertData,
    "alert.created.thin": ThinAlertData,
    "alert.digest": DigestData,
    "alert.digest.thin": ThinDigestData,
    "endpoint.disabled": EndpointDisabledData,
    "delivery.exhausted": DeliveryExhaustedData,
    "endpoint.verify": EndpointVerifyData,
    "endpoint.test": EndpointTestData,
}
"""What `data` is, by the name of its schema: the type of the webhook and its variant."""


_TIMES = frozenset({"timestamp", "since", "until", "failing_since"})
"""Fields that hold a time, beside those whose name ends in `_at`."""


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the webhook that `SCHEMAS` lists as `name`."""
    webhook = msgspec.defstruct("Webhook", _fields(name), kw_only=True)
    _, parts = msgspec.json.schema_components([webhook], ref_template="#/$defs/{name}")
    for part in parts.values():
        _say_times(part.get("properties", {}))
    made = parts.pop("Webhook")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"wirewatch webhook {name}, version {VERSION}",
        "description": "At most 64 KiB. Ignore fields that are not described here.",
        **{key: held for key, held in made.items() if key != "title"},
        "$defs": dict(sorted(parts.items())),
    }


def _fields(name: str) -> list[tuple[str, Any]]:
    type_ = name.removesuffix(f".{Variant.THIN}")
    return [
        ("version", Literal[VERSION]),
        ("type", Literal[type_]),
        ("timestamp", datetime),
        ("data", SCHEMAS[name]),
    ]


def _say_times(properties: dict[str, Any]) -> None:
    for name, schema in properties.items():
        if name.endswith("_at") or name in _TIMES:
            for one in schema.get("anyOf", [schema]):
                if one.get("type") == "string":
                    one["format"] = "date-time"
