"""Sign a webhook as the Standard Webhooks specification says: `v1` (HMAC) and `v1a` (ed25519).

Pure. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from wirewatch.notify.errors import SecretError
from wirewatch.topics.endpoints import SigningKey
from wirewatch.web.signing_keys import (
    ED25519_VERSION,
    HMAC_VERSION,
    PRIVATE_PREFIX,
    BadKey,
    read_hmac_key,
    read_private_key,
    to_base64,
)

REMEMBERED_KEYS = 8_192
"""Keys that are at hand without being read again: those of endpoints that are often told."""

Signer = Callable[[bytes], str]
"""Returns the signature of a content, as it stands in the header."""


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
    try:
        if secret.startswith(PRIVATE_PREFIX):
            private = read_private_key(secret)
            return lambda content: f"{ED25519_VERSION},{to_base64(private.sign(content))}"
        key = read_hmac_key(secret)
    except BadKey as mistake:
        raise SecretError(str(mistake)) from None
    return lambda content: f"{HMAC_VERSION},{to_base64(hmac.digest(key, content, 'sha256'))}"
