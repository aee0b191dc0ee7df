"""What becomes of an endpoint and its secrets when a client makes or changes it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from msgspec import UNSET

from wirewatch.api.endpoint_bodies import EndpointBody, EndpointPatch, RotateBody, SecretType
from wirewatch.api.endpoint_keys import new_secret, replaced, type_of
from wirewatch.api.endpoint_urls import shown_url, url_id
from wirewatch.topics.endpoints import Endpoint, EndpointKind, EndpointSecrets, SigningKey
from wirewatch.topics.ids import endpoint_id

SIGNED_KINDS = frozenset({EndpointKind.WEBHOOK, EndpointKind.CLOUDEVENTS, EndpointKind.TEMPLATE})
"""Kinds whose requests are signed; a chat has nobody who would verify."""
_TEXTS = ("token", "ca", "certificate", "private_key")
SECRET_FIELDS = frozenset({*_TEXTS, "secret", "headers", "url", "kind"})
"""Fields that need the secrets opened: `kind` because it says how much of `url` is one."""
_APART = SECRET_FIELDS - {"kind"} | {"secret_type"}
"""Fields of a body that are not plain fields of the record."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An endpoint and its secrets. The endpoint's own `url` is the one that may be shown."""

    endpoint: Endpoint
    secrets: EndpointSecrets

    @property
    def url(self) -> str:
        """The whole address."""
        return self.secrets.url or self.endpoint.url


def id_of(body: EndpointBody) -> str:
    """Return the id of the endpoint that `body` asks for."""
    return endpoint_id(body.url, "" if body.chat_id is UNSET else body.chat_id)


def kind_of(body: EndpointPatch, before: EndpointKind = EndpointKind.WEBHOOK) -> EndpointKind:
    """Return the kind of the endpoint after `body`."""
    return before if body.kind is UNSET else body.kind


def created(body: EndpointBody, now: datetime) -> Opened:
    """Return the endpoint that `body` asks for, with a new secret if it brings none."""
    bare = Endpoint(
        id=id_of(body), kind=kind_of(body), url=body.url, created_at=now, updated_at=now
    )
    return with_secret(_apply(Opened(bare, EndpointSecrets()), body), _wanted_type(body))


def changed(opened: Opened, patch: EndpointPatch, *, is_disabled: bool, now: datetime) -> Opened:
    """Return `opened` with what `patch` says.

    Enabling one that `is_disabled`, by whomever, is remembered with its time.
    The times of change are left alone: the caller knows whether anything changed.
    """
    after = _apply(opened, patch)
    if patch.disabled is False and is_disabled:
        enabled = msgspec.structs.replace(after.endpoint, enabled_at=now)
        return Opened(enabled, after.secrets)
    return after


def _apply(opened: Opened, patch: EndpointPatch) -> Opened:
    given = patch.given()
    plain = {name: value for name, value in given.items() if name not in _APART}
    secrets = _apply_secrets(opened.secrets, given)
    endpoint = msgspec.structs.replace(opened.endpoint, **plain)
    if "secret" not in given and endpoint.kind not in SIGNED_KINDS:
        secrets = msgspec.structs.replace(secrets, keys=())
    if "url" in given or "kind" in given:
        return _at(Opened(endpoint, secrets), str(given.get("url", opened.url)))
    return Opened(endpoint, secrets)


def _apply_secrets(secrets: EndpointSecrets, given: dict[str, object]) -> EndpointSecrets:
    fields = {name: given[name] for name in _TEXTS if name in given}
    if "secret" in given:
        keys = secrets.keys
        is_same = bool(keys) and keys[0].secret == given["secret"] and len(keys) == 1
        fields["keys"] = keys if is_same else (SigningKey(secret=str(given["secret"])),)
    if isinstance(laid := given.get("headers"), dict):
        fields["headers"] = _laid_over(secrets.headers, laid)
    return msgspec.structs.replace(secrets, **fields)


def _laid_over(
    held: tuple[tuple[str, str], ...], given: dict[str, str | None]
) -> tuple[tuple[str, str], ...]:
    """Return the headers after `given`, whose names count in any case; None takes one away."""
    named = {name.lower() for name in given}
    kept = [(name, value) for name, value in held if name.lower() not in named]
    added = [(name, value) for name, value in given.items() if value is not None]
    return tuple(sorted([*kept, *added], key=lambda pair: pair[0].lower()))


def _at(opened: Opened, url: str) -> Opened:
    """Return `opened` at the address `url`, cut where it is a secret."""
    kind = opened.endpoint.kind
    shown, known = shown_url(kind, url), url_id(kind, url)
    return Opened(
        msgspec.structs.replace(opened.endpoint, url=shown, url_id=known),
        msgspec.structs.replace(opened.secrets, url=url if known else ""),
    )


def with_secret(opened: Opened, kind: SecretType = SecretType.HMAC) -> Opened:
    """Return `opened` with something to sign with, where its kind signs and it has nothing."""
    if opened.endpoint.kind not in SIGNED_KINDS or opened.secrets.keys:
        return opened
    keys = (SigningKey(secret=new_secret(kind)),)
    return Opened(opened.endpoint, msgspec.structs.replace(opened.secrets, keys=keys))


def _wanted_type(body: EndpointBody) -> SecretType:
    return SecretType.HMAC if body.secret_type is UNSET else body.secret_type


def rotated(opened: Opened, body: RotateBody, now: datetime) -> Opened:
    """Return `opened` with a new secret in front; without `secret_type` it is of the old one's."""
    keys = opened.secrets.keys
    if body.secret is not UNSET:
        secret = body.secret
    elif body.secret_type is not UNSET:
        secret = new_secret(body.secret_type)
    else:
        secret = new_secret(type_of(keys[0].secret) if keys else SecretType.HMAC)
    until = now + timedelta(seconds=body.keep_old_for_s)
    after = replaced(keys, secret, now=now, until=until)
    return Opened(opened.endpoint, msgspec.structs.replace(opened.secrets, keys=after))


def sealed_anew(opened: Opened) -> Opened:
    """Return one of an older version as it is kept now: `url` cut where it is a secret."""
    return _at(opened, opened.url)


def is_as(there: Opened, body: EndpointBody) -> bool:
    """Say whether `there` is what `body` asks for; what it does not name is not compared."""
    newest = there.secrets.keys[0].secret if there.secrets.keys else ""
    if body.secret not in (UNSET, newest):
        return False
    if body.secret_type is not UNSET and type_of(newest) is not body.secret_type:
        return False
    return _apply(there, msgspec.structs.replace(body, secret=UNSET)) == there
