"""Signing secrets of endpoints: new ones, wrong ones, and those that replace others.

Pure but for chance.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from wirewatch.api.endpoint_bodies import SecretType
from wirewatch.topics.endpoints import SigningKey
from wirewatch.web.signing_keys import (
    HMAC_PREFIX,
    MAX_HMAC_BYTES,
    MIN_HMAC_BYTES,
    PRIVATE_PREFIX,
    BadKey,
    new_hmac_key,
    new_private_key,
    public_key_of,
    read_hmac_key,
    read_private_key,
)

MAX_KEYS = 4
"""Secrets of one endpoint that sign at once: the newest, and those that were replaced lately."""


def new_secret(kind: SecretType) -> str:
    """Return a fresh secret: `whsec_…` or `whsk_…`."""
    return new_hmac_key() if kind is SecretType.HMAC else new_private_key()


def type_of(secret: str) -> SecretType:
    """Return what kind of secret this is."""
    return SecretType.ED25519 if secret.startswith(PRIVATE_PREFIX) else SecretType.HMAC


def secret_mistake(secret: str) -> str | None:
    """Return what is wrong with a secret, without quoting it; None if nothing is."""
    read = read_private_key if secret.startswith(PRIVATE_PREFIX) else read_hmac_key
    try:
        read(secret)
    except BadKey:
        return (
            f"must be {HMAC_PREFIX} and the base64 of {MIN_HMAC_BYTES} to {MAX_HMAC_BYTES} "
            f"random bytes, or {PRIVATE_PREFIX} and the base64 of an ed25519 private key"
        )
    return None


def public_key(secret: str) -> str:
    """Return `whpk_…`, with which a receiver verifies; empty if `secret` is no ed25519 key."""
    try:
        return public_key_of(secret)
    except BadKey:
        return ""


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
