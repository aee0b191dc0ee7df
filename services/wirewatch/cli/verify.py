"""Verify a webhook, as a receiver does (Standard Webhooks specification). Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wirewatch.web.signing_keys import (
    ED25519_VERSION,
    HMAC_PREFIX,
    HMAC_VERSION,
    PRIVATE_PREFIX,
    PUBLIC_BYTES,
    PUBLIC_PREFIX,
    from_base64,
)

TOLERANCE = timedelta(minutes=5)
"""How far the sender's clock may be off; it also limits how long a stolen request is good."""
MAX_SIGNATURES = 16
MAX_ID_CHARS = 256


class Unverified(Exception):
    """A webhook that did not come from who knows the secret; says why."""


@dataclass(frozen=True, slots=True)
class Symmetric:
    """A secret that both sides know."""

    version = HMAC_VERSION
    key: bytes = field(repr=False)

    def signed(self, content: bytes, signature: bytes) -> bool:
        """Say whether `signature` is of `content`."""
        return hmac.compare_digest(hmac.digest(self.key, content, hashlib.sha256), signature)


@dataclass(frozen=True, slots=True)
class Asymmetric:
    """The public half of what the sender signs with."""

    version = ED25519_VERSION
    key: bytes

    def signed(self, content: bytes, signature: bytes) -> bool:
        """Say whether `signature` is of `content`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, content)
        except InvalidSignature:
            return False
        return True


def webhook_id(headers: Mapping[str, str]) -> str:
    """Return the id, the same in every repeat. Raises Unverified if it is missing."""
    found = headers.get("webhook-id", "")
    if not found or len(found) > MAX_ID_CHARS:
        raise Unverified("the header webhook-id is missing")
    return found


def verify(headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> None:
    """Return if `body` was signed with `secret` not long ago. Raises Unverified.

    `headers` must find names in any case. Any one of several signatures
    counts: a sender gives two while its secret is changed.
    """
    key = check_secret(secret)
    sent = headers.get("webhook-timestamp", "")
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 12):
        raise Unverified("the header webhook-timestamp is missing or not a number")
    if abs(now.timestamp() - int(sent)) > TOLERANCE.total_seconds():
        raise Unverified("it was signed more than five minutes ago or ahead: compare the clocks")
    content = f"{webhook_id(headers)}.{sent}.".encode() + body
    given = headers.get("webhook-signature", "").split(" ")[:MAX_SIGNATURES]
    if not any(_fits(signature, key, content) for signature in given):
        raise Unverified("the signature does not match: is it this endpoint's secret?")


def _fits(signature: str, key: Symmetric | Asymmetric, content: bytes) -> bool:
    version, _, encoded = signature.partition(",")
    return version == key.version and key.signed(content, from_base64(encoded) or b"")


def check_secret(secret: str) -> Symmetric | Asymmetric:
    """Return what a `whsec_…` or `whpk_…` verifies with. Raises Unverified if it is neither."""
    if secret.startswith(PRIVATE_PREFIX):
        raise Unverified("the secret is the sender's private key: take its public one, `whpk_`")
    if secret.startswith(PUBLIC_PREFIX):
        public = from_base64(secret.removeprefix(PUBLIC_PREFIX))
        if public and len(public) == PUBLIC_BYTES:
            return Asymmetric(public)
    elif key := from_base64(secret.removeprefix(HMAC_PREFIX)):
        return Symmetric(key)
    raise Unverified("the secret is not `whsec_` or `whpk_` and base64")
