"""What can go wrong when a document is asked for.

FetchProblem    one failed request: a reason from the closed list, and words
"""

from datetime import timedelta

from wirewatch.topics.feed_states import FetchReason


class FetchProblem(Exception):
    """A request that failed.

    `status` is the HTTP status where there was an answer; `retry_after` is what
    the server asked for, if it did.
    """

    def __init__(
        self,
        reason: FetchReason,
        detail: str,
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
