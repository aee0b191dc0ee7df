"""What the API shows of endpoints: all but their secrets. Pure.

The one secret that is ever shown is the signing secret, in the answer to the
creation of an endpoint and to each rotation.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography import x509

from wirewatch.api.endpoint_bodies import SecretType
from wirewatch.api.endpoint_keys import public_key, type_of
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.endpoint_states import (
    Breaker,
    DisabledReason,
    EndpointState,
    breaker_at,
    disabled_by,
    is_verified,
)
from wirewatch.topics.endpoints import (
    Endpoint,
    EndpointKind,
    EndpointSecrets,
    EventMode,
    OperationalEvent,
    Order,
    Variant,
    Verification,
)

EXPIRES_SOON_DAYS = 14
UNREADABLE = (
    "Its secrets cannot be read with the keys of WIREWATCH_SECRET_KEY: add the key they were "
    "sealed with, or remove the endpoint and add it again."
)
PLAIN = "Its URL is not https: whoever is on the way reads what is sent."


class StateWord(StrEnum):
    """How an endpoint does, in one word; the first that applies."""

    DISABLED = "disabled"
    PAUSED = "paused"
    UNVERIFIED = "unverified"
    FAILING = "failing"
    ACTIVE = "active"


class CertificateView(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate: whose it is and until when it is valid."""

    subject: str
    expires_at: datetime


class FailureView(msgspec.Struct, frozen=True, kw_only=True):
    """The last attempt that failed."""

    at: datetime
    reason: AttemptReason | None
    detail: str


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """Where alerts are delivered, how, and how it does.

    `url` is cut behind the host, or before its query, where it is a secret.
    `paused` and `disabled` are what was asked for; `state` also says what was
    found. Of `headers` the names are shown. `secret_type` is null where nothing
    is signed; `public_key` (`whpk_…`) verifies where it is `ed25519`, and
    `old_secrets_until` says when those that were replaced stop to sign.
    `warnings` are sentences for a person.
    """

    id: str
    name: str
    kind: EndpointKind
    url: str
    state: StateWord
    paused: bool
    disabled: bool
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    breaker: Breaker
    failures: int
    failing_since: datetime | None
    last_success_at: datetime | None
    last_failure: FailureView | None
    probe_at: datetime | None
    verification: Verification
    verified: bool
    unverified_detail: str
    variant: Variant
    event_mode: EventMode
    chat_id: str
    template: str
    content_type: str
    retry_schedule_s: tuple[float, ...] | None
    concurrency: int | None
    rate_per_s: float | None
    timeout_s: float | None
    order: Order
    redirects: int
    events: tuple[OperationalEvent, ...]
    secret_type: SecretType | None
    public_key: str | None
    old_secrets_until: tuple[datetime, ...]
    has_token: bool
    headers: tuple[str, ...]
    ca: CertificateView | None
    certificate: CertificateView | None
    warnings: tuple[str, ...]
    enabled_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewSecretView(EndpointView, frozen=True, kw_only=True):
    """An endpoint with a new signing secret, which is shown this once.

    It is null where the kind signs nothing, and where `public_key` is all that
    a receiver needs.
    """

    secret: str | None

    def __repr__(self) -> str:
        return f"NewSecretView(id={self.id!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("id", self.id)]


class ResealView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the endpoints' secrets; `unreadable` are the ids of the first few."""

    resealed: int
    already: int
    unreadable: int
    unreadable_ids: tuple[str, ...]


class DeliveryStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was asked for; `GET /v1/attempts?endpoint=` shows what comes of it."""

    delivery_id: str
    endpoint_id: str


def state_word(endpoint: Endpoint, state: EndpointState | None) -> StateWord:
    """Return how `endpoint` does."""
    if disabled_by(endpoint, state):
        return StateWord.DISABLED
    if endpoint.paused:
        return StateWord.PAUSED
    if not is_verified(endpoint, state):
        return StateWord.UNVERIFIED
    if state is not None and (state.failing_since or state.breaker is not Breaker.CLOSED):
        return StateWord.FAILING
    return StateWord.ACTIVE


def endpoint_view(
    endpoint: Endpoint,
    secrets: EndpointSecrets | None,
    state: EndpointState | None,
    now: datetime,
) -> EndpointView:
    """Return what is shown of `endpoint`. `secrets` is None where they cannot be read."""
    seen = state or EndpointState(endpoint_id=endpoint.id, changed_at=endpoint.created_at)
    reason = disabled_by(endpoint, state)
    by_notify = reason not in {None, DisabledReason.BY_HAND}
    held = secrets or EndpointSecrets()
    newest = held.keys[0].secret if held.keys else ""
    own, ca = certificate_view(held.certificate), certificate_view(held.ca)
    shown = {name: getattr(endpoint, name) for name in _PLAIN}
    return EndpointView(
        **shown,
        state=state_word(endpoint, state),
        disabled_reason=reason,
        disabled_at=seen.disabled_at if by_notify else None,
        breaker=breaker_at(seen, now),
        failures=seen.failures,
        failing_since=seen.failing_since,
        last_success_at=seen.last_success_at,
        last_failure=_failure(seen),
        probe_at=seen.probe_at,
        verified=is_verified(endpoint, state),
        unverified_detail="" if is_verified(endpoint, state) else seen.unverified_detail,
        secret_type=type_of(newest) if newest else None,
        public_key=public_key(newest) or None,
        old_secrets_until=tuple(key.until for key in held.keys if key.until and key.until > now),
        has_token=bool(held.token),
        headers=tuple(name for name, _ in held.headers),
        ca=ca,
        certificate=own,
        warnings=tuple(_warnings(endpoint, secrets, (own, ca), now)),
    )


_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
_PLAIN = sorted(set(EndpointView.__struct_fields__) & set(Endpoint.__struct_fields__))


def new_secret_view(view: EndpointView, secrets: EndpointSecrets) -> NewSecretView:
    """Return `view` with the newest signing secret, unless its public half is enough."""
    newest = secrets.keys[0].secret if secrets.keys else ""
    shown = newest if newest and view.public_key is None else None
    return msgspec.convert(
        msgspec.structs.asdict(view) | {"secret": shown}, NewSecretView, from_attributes=True
    )


def _failure(state: EndpointState) -> FailureView | None:
    if state.last_failure_at is None:
        return None
    return FailureView(at=state.last_failure_at, reason=state.last_reason, detail=state.last_detail)


def certificate_view(pem: str) -> CertificateView | None:
    """Return what the first certificate of `pem` says of itself, None if there is none to read."""
    if not pem:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        subject = certificate.subject.rfc4514_string()
        return CertificateView(subject=subject, expires_at=certificate.not_valid_after_utc)
    except (ValueError, x509.InvalidVersion):
        return None


def _warnings(
    endpoint: Endpoint,
    secrets: EndpointSecrets | None,
    certificates: tuple[CertificateView | None, ...],
    now: datetime,
) -> list[str]:
    found = [] if secrets is not None else [UNREADABLE]
    if endpoint.url.startswith("http://") and not _is_here(endpoint.url):
        found.append(PLAIN)
    for certificate in certificates:
        if certificate is not None and (certificate.expires_at - now).days < EXPIRES_SOON_DAYS:
            ends = "has expired" if certificate.expires_at <= now else "expires"
            day = f"{certificate.expires_at:%Y-%m-%d}"
            found.append(f"The certificate of {certificate.subject} {ends}: {day}.")
    return found


def _is_here(url: str) -> bool:
    return _LOOPBACK.fullmatch(urlsplit(url).hostname or "") is not None
