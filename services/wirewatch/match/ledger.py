"""Which messages are done, and when that may be told.

Faust commits past a message that is not done when it is the only one, or the first of a new
group: it compares what was acknowledged with the last commit, and is off by one
(`Consumer._new_offset`). So it acknowledges nothing here: this does, partition by partition in
order.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

Release = Callable[[Any], None]
"""Acknowledges a message that was kept back."""


class Ledger:
    """Keeps messages back until they, and all before them in their partition, are done."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._waiting: dict[Any, deque[Any]] = {}
        self._open: set[int] = set()

    def take(self, messages: Sequence[Any]) -> None:
        """Keep `messages` back, which come in the order of their partitions.

        `take_events` acknowledges its batch also when the agent is cancelled or raises, and the
        consumer, which stops last, then commits it. A message that says it was acknowledged
        already is passed over, and its offset never counts until it is released.
        """
        for message in messages:
            message.acked = True
            self._waiting.setdefault(message.tp, deque()).append(message)
            self._open.add(id(message))

    def done(self, messages: Sequence[Any]) -> None:
        """Release `messages`, each as soon as nothing before it is open."""
        for message in messages:
            self._open.discard(id(message))
            message.value = None  # behind one that takes long, thousands may wait
        for tp in {message.tp for message in messages}:
            self._release_from(tp)

    def _release_from(self, tp: Any) -> None:
        waiting = self._waiting[tp]
        while waiting and id(waiting[0]) not in self._open:
            self._release(waiting.popleft())
        if not waiting:
            del self._waiting[tp]


def release_to(app: Any) -> Release:
    """Return what acknowledges a message that was kept back, if its partition is still ours."""

    def release(message: Any) -> None:
        if message.tp in app.consumer.assignment():
            message.acked = False
            app.consumer.ack(message)

    return release
