"""Whose turn it is: round robin over flows, and over what waits in each. Pure.

A flow is what one cause has made (an article that ten thousand ask for): it shares
with the other flows by halves and thirds, not by how much it wants (fair queueing,
Nagle, RFC 970).
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A queue of queues."""

    def __init__(self) -> None:
        self._flows: OrderedDict[str, deque[T]] = OrderedDict()

    def add(self, flow: str, item: T) -> None:
        """Let `item` wait, behind the others of its flow."""
        waiting = self._flows.get(flow)
        if waiting is None:
            waiting = self._flows[flow] = deque()
        waiting.append(item)

    def take(self, but: str | None = None) -> T | None:
        """Return whose turn it is, None if nobody waits; the flow `but` has none."""
        if but is not None and but in self._flows:
            self._flows.move_to_end(but)
        if not self._flows or next(iter(self._flows)) == but:
            return None
        flow, waiting = self._flows.popitem(last=False)
        item = waiting.popleft()
        if waiting:
            self._flows[flow] = waiting
        return item

    def __iter__(self) -> Iterator[T]:
        """Go through all that wait, flow by flow."""
        for waiting in self._flows.values():
            yield from waiting

    def __bool__(self) -> bool:
        return bool(self._flows)
