"""Read again the alerts that were put off, as there is room for them."""

import asyncio
from typing import Any

from wirewatch.notify.dispatcher import Dispatcher
from wirewatch.notify.intake import Intake
from wirewatch.notify.put_off import PutOff
from wirewatch.runtime.kafka import LogReader
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALERTS
from wirewatch.topics.alerts import Alert

READ_AT_ONCE = 50
"""Alerts; some milliseconds."""
FETCH_BYTES = 1_048_576
"""What one partition may have waiting in memory; it is compressed."""


async def _told_before(*_: Any) -> None:
    """Do nothing with what cannot be read: whoever read it first has buried it."""


class LateReader:
    """Follows behind the reader of the group, which never waits for a crowd.

    It holds `turn` while it takes alerts in.
    """

    def __init__(
        self, settings: Settings, put_off: PutOff, intake: Intake, dispatcher: Dispatcher
    ) -> None:
        self._put_off = put_off
        self._intake = intake
        self._dispatcher = dispatcher
        self._reader: LogReader[Alert] = LogReader(
            settings, ALERTS, _told_before, fetch_bytes=FETCH_BYTES
        )
        self._next: dict[int, int] = {}
        """Of the partitions that are read, the offset that comes next, or one before it."""
        self.turn = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises BrokerProblem when Kafka does not answer."""
        await self._reader.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._reader.stop()

    async def run(self, is_ours: asyncio.Event) -> None:
        """Take in what is put off until cancelled, as long as `is_ours` is set."""
        while True:
            await self._put_off.some()
            await is_ours.wait()
            async with self.turn:
                if is_ours.is_set():
                    await self._take_some()

    def forget(self) -> None:
        """Forget what is put off: the partitions were given up. `turn` must be held."""
        self._put_off.clear()
        self._next.clear()

    async def _take_some(self) -> None:
        begins = self._put_off.begins()
        is_ahead = any(self._next.get(p, first) > first for p, first in begins.items())
        if is_ahead or self._next.keys() != begins.keys():
            # A partition more, one that is done with, or one where the other reader comes behind.
            await self._reader.read_from(begins)
            self._next = begins
        await self._dispatcher.late_room()
        records = await self._reader.poll(READ_AT_ONCE)
        for record in records:
            self._next[record.position.partition] = record.position.offset + 1
        await self._intake.accept_late([one for one in records if self._put_off.take(one.position)])
        if passed := self._put_off.passed():
            self._intake.lost(passed)
        if not self._put_off:
            self._reader.rest()  # else it would fetch what the reader of the group fetches too
            self._next.clear()
