"""What a client may say of an endpoint. Pure. None of these shows a value: they hold secrets."""

from enum import StrEnum
from typing import Any

from msgspec import UNSET, UnsetType

from wirewatch.api.bodies import Body
from wirewatch.topics.endpoints import (
    EndpointKind,
    EventMode,
    OperationalEvent,
    Order,
    Variant,
    Verification,
)

KEEP_OLD_FOR_S = 86_400.0


class SecretType(StrEnum):
    """How webhooks are signed (Standard Webhooks)."""

    HMAC = "hmac"
    """`v1`: one secret for both sides, `whsec_`."""
    ED25519 = "ed25519"
    """`v1a`: signed with `whsk_`, verified with `whpk_`, which is no secret."""


class Discreet(Body, frozen=True, kw_only=True):
    """A body that may hold secrets: its representation names fields only."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.given())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own shows the values
        return [(name, ...) for name in self.given()]


class EndpointPatch(Discreet, frozen=True, kw_only=True):
    """Changes to an endpoint.

    A new `secret` signs everything from then on, alone. `headers` are laid over
    those there are: null takes one away. An empty text takes a secret away.
    """

    name: str | UnsetType = UNSET
    kind: EndpointKind | UnsetType = UNSET
    url: str | UnsetType = UNSET
    paused: bool | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    variant: Variant | UnsetType = UNSET
    event_mode: EventMode | UnsetType = UNSET
    chat_id: str | UnsetType = UNSET
    template: str | UnsetType = UNSET
    content_type: str | UnsetType = UNSET
    retry_schedule_s: tuple[float, ...] | UnsetType | None = UNSET
    concurrency: int | UnsetType | None = UNSET
    rate_per_s: float | UnsetType | None = UNSET
    timeout_s: float | UnsetType | None = UNSET
    order: Order | UnsetType = UNSET
    redirects: int | UnsetType = UNSET
    verification: Verification | UnsetType = UNSET
    events: tuple[OperationalEvent, ...] | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    token: str | UnsetType = UNSET
    headers: dict[str, str | None] | UnsetType = UNSET
    ca: str | UnsetType = UNSET
    certificate: str | UnsetType = UNSET
    private_key: str | UnsetType = UNSET


class EndpointBody(EndpointPatch, frozen=True, kw_only=True):
    """Where to deliver. Without a `secret` one is made, of `secret_type`."""

    url: str
    secret_type: SecretType | UnsetType = UNSET


class RotateBody(Discreet, frozen=True, kw_only=True):
    """A new signing secret, made where none is given; the old one goes on signing for a while."""

    keep_old_for_s: float = KEEP_OLD_FOR_S
    secret: str | UnsetType = UNSET
    secret_type: SecretType | UnsetType = UNSET


class NoBody(Body, frozen=True, kw_only=True):
    """Nothing to say: `{}`."""
