"""feed-entries: what was published of each feed. Co-partitioned with feeds."""

from wirewatch.topics.spec import Cleanup, Record, Topic


class FeedEntries(Record, frozen=True, kw_only=True):
    """The entries of one feed that are known, oldest first, packed.

    `packed` is the layout of `ingest/memory.py`, whose number `layout` is: a
    reader that does not know it forgets, and begins as with a new feed.
    """

    feed_id: str
    layout: int
    packed: bytes


FEED_ENTRIES = Topic(
    name="feed-entries",
    record=FeedEntries,
    key=lambda entries: entries.feed_id,
    key_means="feed id",
    cleanup=Cleanup.COMPACT,
    written_by=("ingest",),
    read_by=("ingest",),
)
