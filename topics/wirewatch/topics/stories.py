"""stories: which article belongs to which story, in one order that every worker reads."""

from datetime import datetime, timedelta

import msgspec

from wirewatch.topics.spec import Cleanup, Record, Topic

STORY_WINDOW = timedelta(hours=72)
"""Articles further apart are not one story."""


MAX_CLAIMS = 200
"""Claims of one record: at most 50 KB."""


class StoryClaim(msgspec.Struct, frozen=True, kw_only=True):
    """An article that asks for its story, before it is published.

    `signature` is the layout of `ingest/signature.py`. `story_id` is what the
    claimant saw: it counts where readers find nothing nearer, so that a log that
    lost its beginning gives the same answer.
    """

    article_id: str
    story_id: str
    signature: bytes
    at: datetime


class StoryClaims(Record, frozen=True, kw_only=True):
    """What one look at a feed claims, at most MAX_CLAIMS at once.

    Readers fold all claims in their order: the first of near-duplicates founds
    the story, whose id is its article id.
    """

    feed_id: str
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
