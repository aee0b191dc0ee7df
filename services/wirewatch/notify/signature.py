"""Sign a webhook as the Standard Webhooks specification says (symmetric, v1).

Pure. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

from wirewatch.notify.errors import SecretError

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with is no secret
MIN_SECRET_BYTES = 24
MAX_SECRET_BYTES = 64
NEW_SECRET_BYTES = 32
VERSION = "v1"


def new_secret(raw: bytes | None = None) -> str:
    """Return a secret made of `raw`, of fresh random bytes if None.

    Raises SecretError if `raw` does not have 24 to 64 bytes.
    """
    key = secrets.token_bytes(NEW_SECRET_BYTES) if raw is None else raw
    return SECRET_PREFIX + base64.b64encode(_check_length(key)).decode()


def read_secret(secret: str) -> bytes:
    """Return the key that `secret` holds. Raises SecretError if it is malformed."""
    if not secret.startswith(SECRET_PREFIX):
        raise SecretError(f"the secret does not begin with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        # The cause is left out: its message may quote the secret.
        raise SecretError(f"the secret is not base64 after {SECRET_PREFIX}") from None
    return _check_length(key)


def _check_length(key: bytes) -> bytes:
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise SecretError(
            f"the secret has {len(key)} bytes, {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} are allowed"
        )
    return key


def sign(secret: str, *, webhook_id: str, at: datetime, body: bytes) -> str:
    """Return the value of `webhook-signature`: `v1,` and base64 of HMAC-SHA256.

    What is signed is `id.timestamp.body`, the timestamp in whole seconds. Raises SecretError.
    """
    content = f"{webhook_id}.{int(at.timestamp())}.".encode() + body
    digest = hmac.digest(read_secret(secret), content, hashlib.sha256)
    return f"{VERSION},{base64.b64encode(digest).decode()}"


def signed_headers(secret: str, *, webhook_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """Return the three headers that a receiver verifies. Raises SecretError."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": sign(secret, webhook_id=webhook_id, at=at, body=body),
    }
