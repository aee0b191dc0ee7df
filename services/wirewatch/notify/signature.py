"""Sign a webhook as the Standard Webhooks specification says: `v1` (HMAC) and `v1a` (ed25519).

Pure. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wirewatch.notify.errors import SecretError
from wirewatch.topics.endpoints import SigningKey

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with is no secret
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
MIN_SECRET_BYTES = 24
MAX_SECRET_BYTES = 64
NEW_SECRET_BYTES = 32
SEED_BYTES = 32
"""An ed25519 private key; some libraries keep the public key, as long again, behind it."""
VERSION = "v1"
ASYMMETRIC_VERSION = "v1a"
REMEMBERED_KEYS = 8_192
"""Keys that are at hand without being read again: those of endpoints that are often told."""

Signer = Callable[[bytes], str]
"""Returns the signature of a content, as it stands in the header."""


def new_secret(raw: bytes | None = None) -> str:
    """Return a symmetric secret made of `raw`, of fresh random bytes if None.

    Raises SecretError if `raw` does not have 24 to 64 bytes.
    """
    key = secrets.token_bytes(NEW_SECRET_BYTES) if raw is None else raw
    return SECRET_PREFIX + _text(_check_length(key))


def new_private_key(seed: bytes | None = None) -> str:
    """Return a private ed25519 key (`whsk_`) made of `seed`, of fresh random bytes if None.

    Raises SecretError if `seed` does not have 32 bytes.
    """
    key = secrets.token_bytes(SEED_BYTES) if seed is None else seed
    if len(key) != SEED_BYTES:
        raise SecretError(f"the private key has {len(key)} bytes, {SEED_BYTES} are needed")
    return PRIVATE_PREFIX + _text(key)


def public_key_of(private_key: str) -> str:
    """Return the public key (`whpk_`) of a `whsk_`, for receivers. Raises SecretError."""
    return PUBLIC_PREFIX + _text(_private_key(private_key).public_key().public_bytes_raw())


def read_secret(secret: str) -> bytes:
    """Return the key that a `whsec_` holds. Raises SecretError if it is malformed."""
    return _check_length(_bytes_after(SECRET_PREFIX, secret))


def sign(secret: str, *, webhook_id: str, at: datetime, body: bytes) -> str:
    """Return one signature: `v1,` or `v1a,`, as the secret is, and base64. Raises SecretError.

    What is signed is `id.timestamp.body`, the timestamp in whole seconds.
    """
    return _signer(secret)(f"{webhook_id}.{int(at.timestamp())}.".encode() + body)


def signed_headers(
    keys: Sequence[SigningKey], *, webhook_id: str, at: datetime, body: bytes
) -> Mapping[str, str]:
    """Return the three headers that a receiver verifies.

    There is a signature for each key that is still good at `at`, in their order,
    with spaces between. Raises SecretError, also where there is no such key.
    """
    stamp = str(int(at.timestamp()))
    content = f"{webhook_id}.{stamp}.".encode() + body
    good = [_signer(key.secret)(content) for key in keys if key.until is None or at < key.until]
    if not good:
        raise SecretError("the endpoint has no key that signs: give it a secret")
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": stamp,
        "webhook-signature": good[0] if len(good) == 1 else " ".join(good),
    }


@lru_cache(maxsize=REMEMBERED_KEYS)
def _signer(secret: str) -> Signer:
    if secret.startswith(PRIVATE_PREFIX):
        private = _private_key(secret)
        return lambda content: f"{ASYMMETRIC_VERSION},{_text(private.sign(content))}"
    key = read_secret(secret)
    return lambda content: f"{VERSION},{_text(hmac.digest(key, content, 'sha256'))}"


def _private_key(secret: str) -> Ed25519PrivateKey:
    raw = _bytes_after(PRIVATE_PREFIX, secret)
    if len(raw) not in {SEED_BYTES, 2 * SEED_BYTES}:
        raise SecretError(
            f"the private key has {len(raw)} bytes, {SEED_BYTES} or {2 * SEED_BYTES} are allowed"
        )
    key = Ed25519PrivateKey.from_private_bytes(raw[:SEED_BYTES])
    if raw[SEED_BYTES:] not in {b"", key.public_key().public_bytes_raw()}:
        raise SecretError("the second half of the private key is not its public key")
    return key


def _bytes_after(prefix: str, secret: str) -> bytes:
    if not secret.startswith(prefix):
        raise SecretError(f"the secret does not begin with {prefix}")
    try:
        return base64.b64decode(secret.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        # The cause is left out: its message may quote the secret.
        raise SecretError(f"the secret is not base64 after {prefix}") from None


def _check_length(key: bytes) -> bytes:
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise SecretError(
            f"the secret has {len(key)} bytes, {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} are allowed"
        )
    return key


def _text(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode("ascii")
