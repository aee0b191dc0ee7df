"""Alerts of a crowd, read again when there is room for them: where they stand.

One article may be told to 100,000 endpoints. Its alerts come all at once, and those of other
articles stand among and behind them in the same partitions. So of such an article only the
first alerts are taken in as they are read; the others are noted here and passed over. Nothing
of them is kept in memory or written down: they stand in their topic, uncommitted.
"""

import asyncio

from wirewatch.runtime.kafka import Position

MOST_PUT_OFF = 200_000
"""Offsets that are noted; when there are more, alerts are taken in as they come."""


class PutOff:
    """Offsets that are put off, in the order of their partition."""

    def __init__(self, most: int = MOST_PUT_OFF) -> None:
        self._most = most
        self._ranges: dict[int, list[list[int]]] = {}
        self._articles: set[str] = set()
        self._passed: list[Position] = []
        self._some = asyncio.Event()
        self._len = 0

    def __len__(self) -> int:
        return self._len

    def is_full(self) -> bool:
        """Say whether no more may be put off."""
        return self._len >= self._most

    def has(self, article_id: str) -> bool:
        """Say whether alerts of the article are put off: those behind them are as well."""
        return article_id in self._articles

    def put(self, article_id: str, at: Position) -> None:
        """Put off an alert of the article; offsets of a partition come in their order."""
        partition, offset = at.partition, at.offset
        ranges = self._ranges.setdefault(partition, [])
        if ranges and ranges[-1][1] == offset:
            ranges[-1][1] = offset + 1
        else:
            ranges.append([offset, offset + 1])
        self._articles.add(article_id)
        self._len += 1
        self._some.set()

    def take(self, at: Position) -> bool:
        """Say whether the alert there was put off, and note it no more.

        Those of a partition come in their order; one that is no longer in its topic is passed by.
        """
        ranges = self._ranges.get(at.partition, [])
        is_due = False
        while ranges and ranges[0][0] <= at.offset:
            first, end = ranges[0]
            is_due = at.offset < end
            ranges[0][0] = min(at.offset + 1, end)
            self._len -= ranges[0][0] - first
            missing = range(first, ranges[0][0] - is_due)
            self._passed += [Position(at.partition, offset) for offset in missing]
            if ranges[0][0] == end:
                del ranges[0]
        if not ranges:
            self._ranges.pop(at.partition, None)
        if not self._len:
            self.clear()
        return is_due

    def passed(self) -> list[Position]:
        """Return what was passed by since this was asked the last time."""
        passed, self._passed = self._passed, []
        return passed

    def begins(self) -> dict[int, int]:
        """Return the first offset that is put off of each partition."""
        return {partition: ranges[0][0] for partition, ranges in self._ranges.items()}

    async def some(self) -> None:
        """Return when something is put off."""
        await self._some.wait()

    def clear(self) -> None:
        """Forget everything: nothing is left, or the partitions were given up."""
        self._ranges.clear()
        self._articles.clear()
        self._some.clear()
        self._len = 0
