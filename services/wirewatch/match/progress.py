"""Whether a consumer group makes progress. Pure.

A Faust consumer can stop fetching, or stop committing, without an error
(faust-streaming/faust#629, #596). So liveness does not mean an open port: it
means that committed offsets move while there is something to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

STALLED_AFTER = timedelta(seconds=90)


@dataclass(slots=True)
class Progress:
    """Watches committed offsets against the ends of the partitions."""

    _since: dict[int, tuple[int, datetime]] = field(default_factory=dict)

    _told: int = 0

    def note(
        self, committed: Mapping[int, int], ends: Mapping[int, int], now: datetime, told: int = 0
    ) -> int:
        """Take in a look at the partitions of this worker; return the lag in records.

        `told` counts the alerts of articles that match very many subscriptions: while it
        grows, offsets may stand.
        """
        is_telling, self._told = told != self._told, told
        for gone in set(self._since) - set(ends):
            del self._since[gone]
        lag = 0
        for partition, end in ends.items():
            done = committed.get(partition, 0)
            lag += max(0, end - done)
            before, since = self._since.get(partition, (done, now))
            moved = done != before or done >= end or is_telling
            self._since[partition] = (done, now if moved else since)
        return lag

    def problem(self, now: datetime) -> str | None:
        """Return which partitions have work and have not moved for too long; None if none."""
        stalled = sorted(p for p, (_, since) in self._since.items() if now - since > STALLED_AFTER)
        if not stalled:
            return None
        return f"no offset committed for {STALLED_AFTER.seconds} s on partitions {stalled}"
