"""The states of the feeds of this worker, and which of them are still to be written.

They are written together, about once a second: a record of its own for each look
would cost more than the look. A state that a crash loses costs a fetch and no more:
what was published stands in feed-entries, which is written at once.
"""

import asyncio

from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.projection import MemoryTable, OnChange, Projection
from wirewatch.topics import FEED_STATES
from wirewatch.topics.feed_states import FeedState

MOST_UNSAVED = 1_000
"""With so many a look waits until they are written."""


class StateBook:
    """States by feed id. `table` has those that are written; a projection fills it."""

    def __init__(self, producer: Producer, on_change: OnChange[FeedState]) -> None:
        self.table: MemoryTable[FeedState] = MemoryTable(on_change)
        self._producer = producer
        self._projection: Projection[FeedState] | None = None
        self._unsaved: dict[str, FeedState] = {}
        self._saving = asyncio.Lock()

    def open(self, projection: Projection[FeedState]) -> None:
        """Begin to write, through the projection of `table`."""
        self._projection = projection

    def get(self, feed_id: str) -> FeedState | None:
        """Return the newest state of a feed."""
        return self._unsaved.get(feed_id) or self.table.get(feed_id)

    async def put(self, state: FeedState) -> None:
        """Take a state to be written soon."""
        self._unsaved[state.feed_id] = state
        if len(self._unsaved) >= MOST_UNSAVED:
            await self.save()

    def drop(self, feed_id: str) -> None:
        """Do not write the state of a feed that was removed."""
        self._unsaved.pop(feed_id, None)

    async def save(self) -> None:
        """Write what is unsaved; return when it is safe."""
        async with self._saving:
            unsaved = list(self._unsaved.values())
            if not unsaved or self._projection is None:
                return
            positions = await self._producer.send_all(FEED_STATES, unsaved)
            for state, position in zip(unsaved, positions, strict=True):
                if self._unsaved.get(state.feed_id) is state:
                    del self._unsaved[state.feed_id]
                self._projection.put(state, position)

    async def delete(self, feed_id: str) -> None:
        """Write that a feed is no more."""
        self.drop(feed_id)
        if self.table.get(feed_id) is not None and self._projection is not None:
            position = await self._producer.delete(FEED_STATES, feed_id)
            self._projection.remove(feed_id, position)
