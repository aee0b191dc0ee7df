"""Which subscriptions a worker holds, where they are too many for one. Pure.

Every shard reads all articles, in a consumer group of its own, and holds its part of the
subscriptions: together they find what one worker would.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_SHARDS = 64
_SHAPE = re.compile(r"([0-9]{1,3})/([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `of`, counted from 1."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> "Shard":
        """Return the shard that `2/8` says. Raises ValueError with what is wrong."""
        found = _SHAPE.fullmatch(text)
        if found is None:
            raise ValueError("a shard is written as 2/8: the second of eight")
        number, of = int(found[1]), int(found[2])
        if not 1 <= number <= of <= MAX_SHARDS:
            raise ValueError(f"shards are counted from 1/N to N/N, with N at most {MAX_SHARDS}")
        return cls(number, of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def group(self) -> str:
        """The consumer group, without prefix."""
        return "match" if self.of == 1 else f"match-{self.number}-of-{self.of}"

    def holds(self, key: str, partition_of: Callable[[str, int], int]) -> bool:
        """Say whether the subscription `key` is of this shard.

        `partition_of` is Kafka's own: with a number of partitions that `of` divides, whole
        partitions of the topic belong to one shard.
        """
        return self.of == 1 or partition_of(key, self.of) == self.number - 1

    def partitions(self, count: int) -> set[int]:
        """Return the partitions, of `count`, that have subscriptions of this shard."""
        if count % self.of:
            return set(range(count))
        return {partition for partition in range(count) if partition % self.of == self.number - 1}
