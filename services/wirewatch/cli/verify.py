"""Verify a webhook, as a receiver does (Standard Webhooks specification). Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with is no secret
PUBLIC_PREFIX = "whpk_"
PRIVATE_PREFIX = "whsk_"
VERSION = "v1"
ASYMMETRIC_VERSION = "v1a"
PUBLIC_KEY_BYTES = 32
TOLERANCE = timedelta(minutes=5)
"""How far the sender's clock may be off; it also limits how long a stolen request is good."""
MAX_SIGNATURES = 16
MAX_ID_CHARS = 256


class Unverified(Exception):
    """A webhook that did not come from who knows the secret; says why."""


@dataclass(frozen=True, slots=True)
class Symmetric:
    """A secret that both sides know."""

    version = VERSION
    key: bytes = field(repr=False)

    def signed(self, content: bytes, signature: bytes) -> bool:
        """Say whether `signature` is of `content`."""
        return hmac.compare_digest(hmac.digest(self.key, content, hashlib.sha256), signature)


@dataclass(frozen=True, slots=True)
class Asymmetric:
    """The public half of what the sender signs with."""

    version = ASYMMETRIC_VERSION
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
    return version == key.version and key.signed(content, _decoded(encoded))


def check_secret(secret: str) -> Symmetric | Asymmetric:
    """Return what a `whsec_…` or `whpk_…` verifies with. Raises Unverified if it is neither."""
    if secret.startswith(PRIVATE_PREFIX):
        raise Unverified("the secret is the sender's private key: take its public one, `whpk_`")
    if secret.startswith(PUBLIC_PREFIX):
        public = _decoded(secret.removeprefix(PUBLIC_PREFIX))
        if len(public) == PUBLIC_KEY_BYTES:
            return Asymmetric(public)
    elif key := _decoded(secret.removeprefix(SECRET_PREFIX)):
        return Symmetric(key)
    raise Unverified("the secret is not `whsec_` or `whpk_` and base64")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
