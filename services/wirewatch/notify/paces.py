"""The paces of subscriptions, those that ask for one: a projection of their topic."""

import dataclasses
from collections.abc import Callable, Sequence

from wirewatch.runtime.kafka import Received
from wirewatch.topics import SUBSCRIPTIONS
from wirewatch.topics.spec import Record, Topic
from wirewatch.topics.subscriptions import Pace

AT_ONCE = Pace()

OnPace = Callable[[str], None]
"""Called with the subscription's id when its pace has changed."""


class Paced(Record, frozen=True, kw_only=True):
    """As much of a subscription as notify asks for; the rest is skipped when it is read."""

    id: str
    pace: Pace = AT_ONCE


PACED: Topic[Paced] = dataclasses.replace(SUBSCRIPTIONS, record=Paced, key=lambda paced: paced.id)  # type: ignore[assignment, arg-type]
"""The topic of subscriptions, read as paces."""


class Paces:
    """Paces by subscription id (`runtime.projection.Table`).

    A million subscriptions that are told at once, as most are, take no place here.
    """

    def __init__(self) -> None:
        self._paces: dict[str, Pace] = {}
        self.on_pace: OnPace | None = None

    def get(self, subscription_id: str) -> Pace:
        """Return the subscription's pace."""
        return self._paces.get(subscription_id, AT_ONCE)

    def resume_at(self, partition: int) -> int | None:  # noqa: ARG002 - part of the protocol
        """Return None: memory starts empty."""
        return None

    def apply(self, records: Sequence[Received[Paced]]) -> None:
        """Take in records in the order they were read."""
        for record in records:
            pace = record.value.pace if record.value is not None else AT_ONCE
            if pace == self.get(record.key):
                continue
            if pace == AT_ONCE:
                del self._paces[record.key]
            else:
                self._paces[record.key] = pace
            if self.on_pace is not None:
                self.on_pace(record.key)

    def forget(self, partition: int) -> None:
        """Keep everything: all partitions are followed, always."""


__all__ = ["AT_ONCE", "PACED", "Paced", "Paces"]
