"""What is no longer needed leaves the topics: a few tombstones at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol

from wirewatch.notify.intake import Intake
from wirewatch.notify.outbox import Ended, Outbox
from wirewatch.notify.states import States
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import Position
from wirewatch.topics import DELIVERIES, ENDPOINT_STATES
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.spec import Topic

EVERY_S = 60.0
AT_ONCE = 500


class Log(Protocol):
    """Where tombstones are written (`runtime.kafka.Producer`)."""

    async def delete(self, topic: Topic[Any], key: str, place: str | None = None) -> Position:
        """Send a tombstone for `key`; `place` where the topic is placed by another value."""


class Forgetting:
    """Forgets deliveries that ended longer than `remember` ago, and states of deleted endpoints.

    `owns` says whether the deliveries and states of an endpoint are this worker's.
    `catch_up` must return only when every endpoint that stood in the topic when it was
    called is found by `endpoint`.
    """

    def __init__(
        self,
        outbox: Outbox,
        intake: Intake,
        states: States,
        log: Log,
        *,
        endpoint: Callable[[str], Endpoint | None],
        catch_up: Callable[[], Awaitable[None]],
        owns: Callable[[str], bool],
        remember: timedelta,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._intake = intake
        self._states = states
        self._log = log
        self._endpoint = endpoint
        self._catch_up = catch_up
        self._owns = owns
        self._remember = remember
        self._clock = clock

    async def run(self, is_ours: asyncio.Event) -> None:
        """Forget until cancelled, as long as `is_ours` is set."""
        while True:
            await asyncio.sleep(EVERY_S)
            await is_ours.wait()
            await self.turn()

    async def turn(self) -> None:
        """Forget what there is to forget now, AT_ONCE of each at most."""
        for ended in self._outbox.ended_before(self._clock() - self._remember, AT_ONCE):
            with self._intake.forgetting(ended.id) as may_be:
                if may_be:
                    await self._forget(ended)
        await self._forget_states()

    async def _forget(self, ended: Ended) -> None:
        position = await self._log.delete(DELIVERIES, ended.id, ended.endpoint_id)
        if self._owns(ended.endpoint_id):
            self._outbox.remove(ended.id, position)

    async def _forget_states(self) -> None:
        known = [state.endpoint_id for state in self._states.all()]
        gone = [key for key in known if self._endpoint(key) is None][:AT_ONCE]
        if not gone:
            return
        await self._catch_up()  # one that is new may not have been read yet
        for key in gone:
            if self._endpoint(key) is None and self._owns(key):
                await self._log.delete(ENDPOINT_STATES, key)
                self._states.forget(key)
