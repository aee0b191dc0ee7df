"""stories: which article belongs to which story, in one order that every worker reads."""

from datetime import datetime, timedelta

import msgspec

from wirewatch.topics.spec import Cleanup, Record, Topic

STORY_WINDOW = timedelta(hours=72)
"""Articles further apart are not one story."""


MAX_CLAIMS = 200
"""Claims of one record: at most 50 KB."""


class StoryClaim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An article that asks for its story, before it is published.

    `signature` is the layout of `ingest/signature.py`. `story_id` is the story that
    the claimant found, its own id if none.
    """

    article_id: str
    story_id: str
    signature: bytes
    at: datetime


class StoryClaims(Record, frozen=True, kw_only=True):
    """What one look at a feed claims, at most MAX_CLAIMS at once.

    Readers fold all claims in their order. A claimant that found no story founds one,
    unless a claim that it had not read tells the same: one behind the offset `seen`.
    """

    feed_id: str
    seen: int
    claims: tuple[StoryClaim, ...]


STORIES = Topic(
    name="stories",
    record=StoryClaims,
    key=lambda claims: claims.feed_id,
    key_means="feed id",
    cleanup=Cleanup.DELETE,
    retention=timedelta(days=4),
    partitions=1,
    written_by=("ingest",),
    read_by=("ingest",),
)
