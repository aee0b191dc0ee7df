"""What can go wrong with a feed.

DocumentProblem (documents)   its bytes cannot be read
FetchProblem (web)            it could not be fetched
"""

from wirewatch.documents.errors import DocumentProblem
from wirewatch.topics.feed_states import FetchReason
from wirewatch.web.errors import FetchProblem


def as_fetch_problem(problem: Exception) -> FetchProblem:
    """Return any of them, or what nobody expected, as what is written into a feed's state."""
    if isinstance(problem, FetchProblem):
        return problem
    if isinstance(problem, DocumentProblem):
        return FetchProblem(problem.reason, problem.detail)
    return FetchProblem(FetchReason.BROKEN, repr(problem))
