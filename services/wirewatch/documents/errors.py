"""What can be wrong with a document.

DocumentProblem    it cannot be read: a reason from the closed list, and words
"""

from wirewatch.topics.feed_states import FetchReason


class DocumentProblem(Exception):
    """A document that cannot be read. Trying the same bytes again cannot help."""

    def __init__(self, reason: FetchReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["DocumentProblem"], tuple[FetchReason, str]]:
        """Travel between processes."""
        return DocumentProblem, (self.reason, self.detail)
