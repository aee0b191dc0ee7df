"""Keys that webhooks are signed and verified with, as Standard Webhooks writes them.

Pure but for chance.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HMAC_PREFIX = "whsec_"
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
HMAC_VERSION = "v1"
ED25519_VERSION = "v1a"
"""How the signatures begin that HMAC keys and ed25519 keys make."""
MIN_HMAC_BYTES = 24
MAX_HMAC_BYTES = 64
NEW_HMAC_BYTES = 32
SEED_BYTES = 32
"""An ed25519 private key (RFC 8032); some libraries keep the public key, as long, behind it."""
PUBLIC_BYTES = 32


class BadKey(ValueError):
    """A key that is none. The message says what is wrong, never the key."""


def new_hmac_key(raw: bytes | None = None) -> str:
    """Return a `whsec_` made of `raw`, of fresh random bytes if None.

    Raises BadKey if `raw` does not have 24 to 64 bytes.
    """
    key = secrets.token_bytes(NEW_HMAC_BYTES) if raw is None else raw
    return HMAC_PREFIX + to_base64(_check_length(key))


def new_private_key(seed: bytes | None = None) -> str:
    """Return a `whsk_` made of `seed`, of fresh random bytes if None.

    Raises BadKey if `seed` does not have 32 bytes.
    """
    key = secrets.token_bytes(SEED_BYTES) if seed is None else seed
    if len(key) != SEED_BYTES:
        raise BadKey(f"the private key has {len(key)} bytes, {SEED_BYTES} are needed")
    return PRIVATE_PREFIX + to_base64(key)


def read_hmac_key(text: str) -> bytes:
    """Return the key that a `whsec_` holds. Raises BadKey."""
    return _check_length(_after(HMAC_PREFIX, text))


def read_private_key(text: str) -> Ed25519PrivateKey:
    """Return the key that a `whsk_` holds. Raises BadKey."""
    raw = _after(PRIVATE_PREFIX, text)
    if len(raw) not in {SEED_BYTES, SEED_BYTES + PUBLIC_BYTES}:
        raise BadKey(
            f"the private key has {len(raw)} bytes, "
            f"{SEED_BYTES} or {SEED_BYTES + PUBLIC_BYTES} are allowed"
        )
    key = Ed25519PrivateKey.from_private_bytes(raw[:SEED_BYTES])
    if raw[SEED_BYTES:] not in {b"", key.public_key().public_bytes_raw()}:
        raise BadKey("the second half of the private key is not its public key")
    return key


def public_key_of(private_key: str) -> str:
    """Return the `whpk_` of a `whsk_`, with which a receiver verifies. Raises BadKey."""
    return PUBLIC_PREFIX + to_base64(read_private_key(private_key).public_key().public_bytes_raw())


def to_base64(raw: bytes) -> str:
    """Return `raw` as keys and signatures are written."""
    return binascii.b2a_base64(raw, newline=False).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Return what `text` is the base64 of, None if it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _after(prefix: str, text: str) -> bytes:
    if not text.startswith(prefix):
        raise BadKey(f"the secret does not begin with {prefix}")
    raw = from_base64(text.removeprefix(prefix))
    if raw is None:
        raise BadKey(f"the secret is not base64 after {prefix}")
    return raw


def _check_length(key: bytes) -> bytes:
    if not MIN_HMAC_BYTES <= len(key) <= MAX_HMAC_BYTES:
        raise BadKey(
            f"the secret has {len(key)} bytes, {MIN_HMAC_BYTES} to {MAX_HMAC_BYTES} are allowed"
        )
    return key
