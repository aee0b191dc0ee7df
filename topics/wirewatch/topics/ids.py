"""Identifiers derived from content.

The same content always gets the same id, so a repeated message is recognised
wherever it turns up (at-least-once delivery, design rule "nothing doubled").
"""

import hashlib
from base64 import b32encode
from datetime import UTC, datetime

ID_BYTES = 15
"""120 bits: a collision among a billion ids has a chance of about 1e-18."""


def content_id(prefix: str, *parts: str) -> str:
    """Return `prefix_` and 24 lower-case base32 letters derived from `parts`.

    The parts are length-prefixed before hashing, so ("ab", "c") and ("a", "bc") differ.
    """
    digest = hashlib.blake2b(digest_size=ID_BYTES)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return f"{prefix}_{b32encode(digest.digest()).decode().lower()}"


def feed_id(url: str) -> str:
    """Return the id of the feed at `url`, as its subscriber wrote it."""
    return content_id("feed", url)


def article_id(feed: str, entry: str) -> str:
    """Return the id of the article made from entry `entry` of feed `feed`."""
    return content_id("art", feed, entry)


def subscription_id(name: str, query: str) -> str:
    """Return the id a new subscription gets; it stays when name or query change later."""
    return content_id("sub", name, query)


def endpoint_id(url: str, chat_id: str = "") -> str:
    """Return the id a new endpoint gets; it stays when its URL changes later.

    `chat_id` tells the chats of one Bot API apart.
    """
    return content_id("end", url, chat_id) if chat_id else content_id("end", url)


def notice_id(kind: str, endpoint: str, nonce: str) -> str:
    """Return the id of the delivery of a notice that is told once: `nonce` is new each time."""
    return content_id("msg", kind, endpoint, nonce)


def alert_id(subscription: str, article: str) -> str:
    """Return the id of the alert that tells `subscription` of `article`."""
    return content_id("alert", subscription, article)


def delivery_id(alert: str, endpoint: str) -> str:
    """Return the id of the delivery of `alert` to `endpoint`: the `webhook-id`."""
    return content_id("msg", alert, endpoint)


def digest_delivery_id(subscription: str, endpoint: str, due_at: datetime, part: int) -> str:
    """Return the id of the delivery of a part of the digest due at `due_at`, which is aware."""
    due = due_at.astimezone(UTC).isoformat(timespec="microseconds")
    return content_id("msg", "digest", subscription, endpoint, due, str(part))


def dead_letter_id(topic: str, partition: int, offset: int, reason: str) -> str:
    """Return the id of the dead letter for the record at this position."""
    return content_id("dead", topic, str(partition), str(offset), reason)
