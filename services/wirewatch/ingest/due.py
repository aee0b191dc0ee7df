"""What is due next. Pure: a heap in which an entry can be moved or dropped."""

import heapq
from datetime import datetime


class DueQueue:
    """Keys with the time each is due; a key stands in it once."""

    def __init__(self) -> None:
        self._at: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []

    def __len__(self) -> int:
        return len(self._at)

    def put(self, key: str, at: datetime) -> None:
        """Add `key`, or move it."""
        if self._at.get(key) != at:
            self._at[key] = at
            heapq.heappush(self._heap, (at, key))

    def drop(self, key: str) -> None:
        """Remove `key`, if it is there."""
        self._at.pop(key, None)

    def first(self) -> datetime | None:
        """Return the earliest time, None when empty."""
        self._skip_stale()
        return self._heap[0][0] if self._heap else None

    def take(self, now: datetime) -> str | None:
        """Remove and return a key that is due, the longest overdue first; None if none is."""
        self._skip_stale()
        if not self._heap or self._heap[0][0] > now:
            return None
        _, key = heapq.heappop(self._heap)
        del self._at[key]
        return key

    def _skip_stale(self) -> None:
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
