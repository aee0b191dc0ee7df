"""What can go wrong with a feed.

FeedProblem    one failed fetch: a reason from the closed list, and words
"""

from datetime import timedelta

from wirewatch.topics.feed_states import FetchReason


class FeedProblem(Exception):
    """A fetch that failed. `retry_after` is what the server asked for, if it did."""

    def __init__(
        self, reason: FetchReason, detail: str, *, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after
