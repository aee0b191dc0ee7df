"""pushes: what WebSub hubs tell us, on its way to the worker that has the feed."""

from datetime import timedelta
from enum import StrEnum

from wirewatch.topics.spec import Cleanup, Record, Topic

MAX_PUSH_BYTES = 700_000
"""In base64 it fits into one message; what is larger comes as a notice without content."""


class PushKind(StrEnum):
    """What a hub says."""

    VERIFIED = "verified"
    """The subscription is active for `lease_s`."""
    ENDED = "ended"
    """The subscription is denied or has ended."""
    CONTENT = "content"
    """The feed has changed; `body` is the new document, or empty: fetch it."""


class Push(Record, frozen=True, kw_only=True):
    """One message of a hub, whose right to send it was checked when it came."""

    feed_id: str
    kind: PushKind
    lease_s: int = 0
    content_type: str = ""
    body: bytes = b""
    detail: str = ""


PUSHES = Topic(
    name="pushes",
    record=Push,
    key=lambda push: push.feed_id,
    key_means="feed id",
    cleanup=Cleanup.DELETE,
    retention=timedelta(days=1),
    written_by=("ingest",),
    read_by=("ingest",),
)
