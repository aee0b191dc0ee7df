"""Which offsets of the alerts may be committed: those before the first that is not done. Pure."""


class Ledger:
    """Offsets in hand. They are taken in the order of their partition and done in any."""

    def __init__(self) -> None:
        self._open: dict[int, dict[int, None]] = {}
        self._end: dict[int, int] = {}
        self._told: dict[int, int] = {}

    def take(self, partition: int, offset: int) -> None:
        """Note that the record at this position was read and is in hand."""
        self._open.setdefault(partition, {})[offset] = None
        self._end[partition] = offset + 1

    def done(self, partition: int, offset: int) -> None:
        """Note that everything that follows from the record at this position is safe."""
        self._open.get(partition, {}).pop(offset, None)

    def due(self) -> dict[int, int]:
        """Return what may be committed now and was not returned before, by partition."""
        found = {}
        for partition, end in self._end.items():
            offset = next(iter(self._open[partition]), end)
            if offset > self._told.get(partition, -1):
                found[partition] = self._told[partition] = offset
        return found

    def clear(self) -> None:
        """Forget everything: the partitions were given up."""
        self._open.clear()
        self._end.clear()
        self._told.clear()

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))
