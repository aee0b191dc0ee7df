"""Keeps the matcher in step with the subscriptions topic."""

from collections.abc import Iterable, Mapping, Sequence

from wirewatch.match.matcher import Matcher
from wirewatch.match.metrics import MatchMetrics
from wirewatch.runtime.kafka import Received, partition_of
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.shard import Shard
from wirewatch.topics.subscriptions import Subscription

log = get_logger("match")

MAX_LEFT_OUT = 10_000
"""Subscriptions that cannot be read and are held to be tried again."""
SAID_AT_MOST = 20
"""Wrong queries of one batch that are logged each; of more the number is."""


class Standing:
    """The subscriptions of one shard (a `runtime.projection.Table`)."""

    def __init__(
        self,
        matcher: Matcher,
        metrics: MatchMetrics,
        shard: Shard,
        offsets: Mapping[int, int] | None = None,
        invalid: Iterable[str] = (),
        *,
        left_out: Iterable[Subscription] = (),
    ) -> None:
        """`offsets` are where to read on, for a matcher that was kept; `invalid` was left out.

        `left_out` are those of them that are held to be tried again.
        """
        self.matcher = matcher
        self.left_out = {each.id: each for each in left_out}
        self.offsets: dict[int, int] = dict(offsets or {})
        self.invalid = set(invalid)
        self.changes = 0
        self.partition_count = 1
        self._metrics = metrics
        self._shard = shard
        self._since: dict[str, Subscription | None] | None = None
        self._show()

    def resume_at(self, partition: int) -> int | None:
        """Return the offset to read on from, None for the partition's beginning."""
        return self.offsets.get(partition)

    def apply(self, records: Sequence[Received[Subscription]]) -> None:
        """Take in changes; all are in force with the next article.

        A query that cannot be read is left out, once said, and counted: one subscription must
        not end what all others come through. Raises OSError if the changes cannot be kept;
        they then count as not read.
        """
        fresh = [record for record in records if self._is_fresh(record)]
        newest = {record.key: record.value for record in fresh if self._is_ours(record.key)}
        self._put(newest)
        for at in (record.position for record in fresh):
            self.offsets[at.partition] = max(self.offsets.get(at.partition, 0), at.offset + 1)
        self.changes += len(newest)
        self._show()

    def _is_fresh(self, record: Received[Subscription]) -> bool:
        return record.position.offset >= self.offsets.get(record.position.partition, 0)

    def _is_ours(self, key: str) -> bool:
        return self._shard.holds(key, partition_of)

    def _put(self, newest: Mapping[str, Subscription | None]) -> None:
        if self._since is not None:
            self._since |= newest
        self.invalid.difference_update(newest)
        for key in newest:
            self.left_out.pop(key, None)
        self.matcher.remove_all([key for key, value in newest.items() if value is None])
        wanted = [value for value in newest.values() if value is not None]
        wrong = _put_all(self.matcher, wanted)
        for key in list(wrong)[: MAX_LEFT_OUT - len(self.left_out)]:
            if (subscription := newest[key]) is not None:
                self.left_out[key] = subscription
        self._note_wrong(wrong)

    def try_again(self) -> None:
        """Take in what was left out and can be read now: an entity that it asks for has come.

        Subscriptions and entities are of different topics, and either may be read first.
        """
        if self.left_out:
            self._put(dict(self.left_out))
            self.changes += 1
            self._show()

    def _note_wrong(self, wrong: Mapping[str, Exception]) -> None:
        for number, (key, error) in enumerate(wrong.items()):
            self.invalid.add(key)
            if number < SAID_AT_MOST:
                log.warning("subscription left out", subscription=key, error=str(error))
        if len(wrong) > SAID_AT_MOST:
            log.warning("subscriptions left out", subscriptions=len(wrong))

    def forget(self, partition: int) -> None:
        """Drop the subscriptions of `partition`: what its log said before it says no more."""
        log.warning("the log is another one, reading it from its beginning", partition=partition)
        self.offsets.pop(partition, None)
        held = [*self.matcher.index.held(), *self.invalid]
        count = self.partition_count
        self._put({key: None for key in held if partition_of(key, count) == partition})
        self.changes += 1
        self._show()

    def partitions(self, count: int) -> set[int]:
        """Return the partitions to follow, of the `count` that the topic has."""
        self.partition_count = count
        return self._shard.partitions(count)

    def note_changes(self) -> None:
        """Note what changes from now on: another matcher is made of what is held now."""
        self._since = {}

    def replace(self, fresh: Matcher | None) -> None:
        """Let `fresh` take the matcher's place, with what has changed meanwhile; None: none came.

        Slots of the matcher before mean nothing to it. Raises OSError; then all stays.
        """
        since, self._since = self._since or {}, None
        if fresh is not None:
            fresh.remove_all([key for key, value in since.items() if value is None])
            _put_all(fresh, [value for value in since.values() if value is not None])
            self.matcher = fresh
            self.changes += 1
            self._show()

    @property
    def dead(self) -> int:
        """How many slots of the matcher are of what was replaced or taken out."""
        return len(self.matcher.index.alive()) - len(self.matcher)

    def _show(self) -> None:
        self._metrics.show_subscriptions(self._shard, len(self.matcher), len(self.invalid))
        self._metrics.dead_slots.set(self.dead)


def _put_all(matcher: Matcher, wanted: Sequence[Subscription]) -> dict[str, Exception]:
    """Put subscriptions; return why some were left out, by id. Raises OSError."""
    try:
        return dict[str, Exception](matcher.put_all(wanted))
    except OSError:
        raise
    except Exception:
        log.exception("subscriptions cannot be taken in together, taking them in one by one")
    wrong: dict[str, Exception] = {}
    for each in wanted:
        try:
            matcher.put(each)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - the caller says it
            matcher.remove(each.id)
            wrong[each.id] = error
    return wrong
