"""endpoints: where alerts are delivered, how, and with which secrets."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from wirewatch.topics.spec import Cleanup, Record, Topic

MAX_REDIRECTS = 5


class EndpointKind(StrEnum):
    """In which shape an endpoint is told. `url` says where, except where noted."""

    WEBHOOK = "webhook"
    """A signed webhook of our own (Standard Webhooks)."""
    CLOUDEVENTS = "cloudevents"
    SLACK = "slack"
    TEAMS = "teams"
    DISCORD = "discord"
    MATTERMOST = "mattermost"
    TELEGRAM = "telegram"
    """`url` is the Bot API's; the bot's token is a secret, the chat is `chat_id`."""
    NTFY = "ntfy"
    EMAIL = "email"
    """`url` is `mailto:` and an address; the operator's settings say how mail is sent."""
    TEMPLATE = "template"
    """A signed webhook whose body the endpoint's own template writes."""


class Variant(StrEnum):
    """How much a webhook says."""

    FULL = "full"
    THIN = "thin"
    """Ids, title and URL only."""


class EventMode(StrEnum):
    """How a CloudEvent is written in HTTP (CloudEvents HTTP binding 1.0.2, section 3)."""

    STRUCTURED = "structured"
    BINARY = "binary"


class Order(StrEnum):
    """In which order the deliveries of an endpoint are made."""

    FAST = "fast"
    """Several at once; one that failed waits and lets others pass."""
    STRICT = "strict"
    """One after the other, in the order the alerts were found; one that failed holds the rest."""


class Verification(StrEnum):
    """How a new endpoint proves that it wants what it is to be sent."""

    NONE = "none"
    PING = "ping"
    """It is sent a signed `endpoint.verify` and answers with the challenge in it."""
    HANDSHAKE = "handshake"
    """It is asked with OPTIONS (CloudEvents HTTP 1.1 Web Hooks, section 4)."""


class OperationalEvent(StrEnum):
    """What an endpoint may ask to be told of other endpoints."""

    ENDPOINT_DISABLED = "endpoint.disabled"
    DELIVERY_EXHAUSTED = "delivery.exhausted"


class Endpoint(Record, frozen=True, kw_only=True):
    """Where, how and how fast to deliver.

    `url` may be shown; where it is a secret itself (a chat's webhook) it is cut
    behind the host, and the whole stands in the secrets. `url_id` then tells one
    address from another, empty where nothing is cut. `sealed` holds the
    `EndpointSecrets`, encrypted for this endpoint's id (`runtime.vault`).
    `secret` is what version 1 held instead, in the open; the API seals it.

    A paused endpoint's deliveries wait; those of a disabled one are given up.
    `enabled_at` is when it was last enabled by hand: what notify found before
    then (`endpoint_states`) no longer keeps it disabled.
    `retry_schedule_s` replaces the default waits between attempts; the other
    policies are the settings' where they are None. `events` are told beside alerts.
    """

    version: int = 2
    id: str
    name: str = ""
    kind: EndpointKind = EndpointKind.WEBHOOK
    url: str
    url_id: str = ""
    sealed: str = ""
    secret: str = ""
    paused: bool = False
    disabled: bool = False
    enabled_at: datetime | None = None
    variant: Variant = Variant.FULL
    event_mode: EventMode = EventMode.STRUCTURED
    chat_id: str = ""
    template: str = ""
    content_type: str = ""
    retry_schedule_s: tuple[float, ...] | None = None
    concurrency: int | None = None
    rate_per_s: float | None = None
    timeout_s: float | None = None
    order: Order = Order.FAST
    redirects: int = 0
    verification: Verification = Verification.NONE
    events: tuple[OperationalEvent, ...] = ()
    created_at: datetime
    updated_at: datetime

    def __repr__(self) -> str:
        return f"Endpoint(id={self.id!r}, kind={self.kind}, url={self.url!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("id", self.id), ("kind", self.kind), ("url", self.url)]


class SigningKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A Standard Webhooks secret: `whsec_` (symmetric) or `whsk_` (ed25519).

    `until` is when one that was replaced stops to sign; None for the newest.
    """

    secret: str
    until: datetime | None = None

    def __repr__(self) -> str:
        return f"SigningKey(until={self.until})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("until", self.until)]


class EndpointSecrets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What only notify may read of an endpoint. Nothing of it is in its representation.

    `keys` sign, newest first. `url` is the whole address where it is secret.
    `headers` are sent with each request. `ca`, `certificate` and `private_key`
    are PEM texts: whom to trust instead of the system's authorities, and who we are.
    """

    keys: tuple[SigningKey, ...] = ()
    url: str = ""
    token: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    ca: str = ""
    certificate: str = ""
    private_key: str = ""

    def __repr__(self) -> str:
        return "EndpointSecrets(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


ENDPOINTS = Topic(
    name="endpoints",
    record=Endpoint,
    key=lambda endpoint: endpoint.id,
    key_means="endpoint id",
    cleanup=Cleanup.COMPACT,
    written_by=("api",),
    read_by=("notify", "api"),
)
