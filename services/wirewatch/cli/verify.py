"""Verify a webhook, as a receiver does (Standard Webhooks specification). Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with is no secret
VERSION = "v1"
TOLERANCE = timedelta(minutes=5)
"""How far the sender's clock may be off; it also limits how long a stolen request is good."""
MAX_SIGNATURES = 16
MAX_ID_CHARS = 256


class Unverified(Exception):
    """A webhook that did not come from who knows the secret; says why."""


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
    expected = hmac.digest(key, content, hashlib.sha256)
    given = headers.get("webhook-signature", "").split(" ")[:MAX_SIGNATURES]
    if not any(_equals(signature, expected) for signature in given):
        raise Unverified("the signature does not match: is it this endpoint's secret?")


def _equals(signature: str, expected: bytes) -> bool:
    version, _, encoded = signature.partition(",")
    if version != VERSION:
        return False
    try:
        return hmac.compare_digest(base64.b64decode(encoded, validate=True), expected)
    except (binascii.Error, ValueError):
        return False


def check_secret(secret: str) -> bytes:
    """Return the key that `secret` holds. Raises Unverified if it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise Unverified("the secret is not `whsec_` and base64")
    return key
