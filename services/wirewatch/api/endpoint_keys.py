"""Signing secrets of endpoints, as Standard Webhooks writes them. Pure but for chance.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import secrets
from collections.abc import Iterable
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wirewatch.api.endpoint_bodies import SecretType
from wirewatch.topics.endpoints import SigningKey

HMAC_PREFIX = "whsec_"
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
NEW_SECRET_BYTES = 32
MIN_SECRET_BYTES = 24
MAX_SECRET_BYTES = 64
"""Standard Webhooks: a symmetric secret has 24 to 64 bytes."""
SEED_BYTES = 32
"""An ed25519 private key (RFC 8032); some write the public key's 32 bytes behind it."""
MAX_KEYS = 4
"""Secrets of one endpoint that sign at once: the newest, and those that were replaced lately."""


def new_secret(kind: SecretType) -> str:
    """Return a fresh secret: `whsec_…` or `whsk_…`."""
    prefix = HMAC_PREFIX if kind is SecretType.HMAC else PRIVATE_PREFIX
    return prefix + base64.b64encode(secrets.token_bytes(NEW_SECRET_BYTES)).decode()


def type_of(secret: str) -> SecretType:
    """Return what kind of secret this is."""
    return SecretType.ED25519 if secret.startswith(PRIVATE_PREFIX) else SecretType.HMAC


def secret_mistake(secret: str) -> str | None:
    """Return what is wrong with a secret, without quoting it; None if nothing is."""
    if secret.startswith(HMAC_PREFIX):
        if MIN_SECRET_BYTES <= len(_decoded(secret)) <= MAX_SECRET_BYTES:
            return None
    elif secret.startswith(PRIVATE_PREFIX) and public_key(secret):
        return None
    return (
        f"must be {HMAC_PREFIX} and the base64 of {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} "
        f"random bytes, or {PRIVATE_PREFIX} and the base64 of an ed25519 private key"
    )


def public_key(secret: str) -> str:
    """Return `whpk_…`, with which a receiver verifies; empty if `secret` is no ed25519 key."""
    if not secret.startswith(PRIVATE_PREFIX):
        return ""
    raw = _decoded(secret)
    if len(raw) not in {SEED_BYTES, 2 * SEED_BYTES}:
        return ""
    public = Ed25519PrivateKey.from_private_bytes(raw[:SEED_BYTES]).public_key().public_bytes_raw()
    if raw[SEED_BYTES:] not in {b"", public}:
        return ""
    return PUBLIC_PREFIX + base64.b64encode(public).decode()


def _decoded(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.partition("_")[2], validate=True)
    except (binascii.Error, ValueError):
        return b""


def replaced(
    keys: Iterable[SigningKey], secret: str, *, now: datetime, until: datetime
) -> tuple[SigningKey, ...]:
    """Return the keys after `secret` took the place of the newest, which goes on until `until`.

    Those replaced earlier keep their time; the ones that have run out go, and
    of more than `MAX_KEYS` the oldest.
    """
    old = [
        key if key.until is not None else msgspec.structs.replace(key, until=until) for key in keys
    ]
    left = [key for key in old if key.until is not None and key.until > now]
    return (SigningKey(secret=secret), *left)[:MAX_KEYS]
