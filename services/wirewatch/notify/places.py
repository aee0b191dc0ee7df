"""How many requests may be under way, and for whom. Pure: what time it is, it is told."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping

from wirewatch.notify.lane import Job, Trust

SHARES: Mapping[Trust, float] = {Trust.PROVEN: 1.0, Trust.NEW: 0.5, Trust.DOUBTED: 0.25}
"""Places for quick requests, as shares of `notify_concurrency`."""
DOUBTED_EVERY_S = 0.0025
"""Those that failed the last time are asked one after the other, not in a crowd."""
LATE_S = 0.002
LEAST_BACKLOG = 4
BACKLOG_STEP = 0.25
"""Requests of the backlog under way at once: fewer, but not fewer than this, while the loop is so
late that fresh alerts would feel it (AIMD, as TCP does it: RFC 5681)."""


class Places:
    """Requests that run for a short time share `concurrency` places, by trust.

    Endpoints that are new or failed the last time have places of their own.
    Requests that take longer have `slow_concurrency` places, and only an endpoint that took the
    last one is asked while these are all taken. So receivers that hang cost the others nothing.
    Times are seconds of a clock that only goes forward, but for `note_slow`: those of `begun_at`.
    """

    def __init__(self, concurrency: int, slow_concurrency: int) -> None:
        self._concurrency = concurrency
        self._slow_concurrency = slow_concurrency
        self.quick: Counter[Trust] = Counter()
        self.slow = 0
        self.backlog = 0
        """Quick requests with what was read back from the outbox."""
        self.most_backlog = float(concurrency)
        self._begun: deque[Job] = deque()
        self._doubted_at = 0.0

    def has(self, trust: Trust, now: float) -> bool:
        """Say whether a request to an endpoint of this trust may be begun."""
        if trust is Trust.DOUBTED and now < self._doubted_at:
            return False
        if self.quick[trust] >= self._concurrency * SHARES[trust]:
            return False
        return trust is Trust.PROVEN or self.slow < self._slow_concurrency

    def has_for_backlog(self) -> bool:
        """Say whether more of the outbox may be under way."""
        return self.backlog < self.most_backlog

    def take(self, job: Job, now: float) -> float | None:
        """Count the request of `job`; return when the next of its kind may begin, if not now."""
        self.quick[job.trust] += 1
        self.backlog += job.is_backlog
        self._begun.append(job)
        if job.trust is not Trust.DOUBTED:
            return None
        self._doubted_at = now + DOUBTED_EVERY_S
        return self._doubted_at

    def leave(self, job: Job) -> None:
        """Count the request of `job` no more."""
        if job.is_slow:
            self.slow -= 1
        else:
            self.quick[job.trust] -= 1
            self.backlog -= job.is_backlog

    def note_slow(self, before: float) -> Iterator[Job]:
        """Count what has been under way since `before` among the slow ones; yield each."""
        while self._begun and self._begun[0].begun_at <= before:
            job = self._begun.popleft()
            if not job.is_over:
                self.leave(job)
                job.is_slow = True
                self.slow += 1
                yield job

    def note_late(self, late_s: float) -> None:
        """Allow more or less of the backlog at once, by how late the loop is."""
        if late_s > LATE_S:
            self.most_backlog = max(LEAST_BACKLOG, self.most_backlog / 2)
        else:
            self.most_backlog = min(self._concurrency, self.most_backlog + BACKLOG_STEP)

    def clear(self) -> None:
        """Forget all requests; none may be under way."""
        self._begun.clear()
        self.quick.clear()
        self.slow = self.backlog = 0
