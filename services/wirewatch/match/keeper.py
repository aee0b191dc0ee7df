"""Keeps a match worker tidy and saved, beside its work."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.gazetteer import Gazetteer
from wirewatch.match.matcher import Matcher
from wirewatch.match.metrics import MatchMetrics
from wirewatch.match.snapshot import MAX_AGE, Kept, SnapshotFolder
from wirewatch.match.standing import Standing
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics import SUBSCRIPTIONS
from wirewatch.topics.entities import Entity

LOOK_EVERY_S = 2.0
DEAD_AT_LEAST = 100_000
"""With so many dead slots, and more than living ones, the matcher is made anew."""
CATCH_UP_LIMIT_S = 10.0
_REFRESHED_AFTER = MAX_AGE / 4
"""A snapshot is saved again after this also when nothing has changed: it must not get too old."""

log = get_logger("match")

CatchUp = Callable[[], Awaitable[None]]
"""Returns when all that the topic held when it was called has been read."""


@dataclass(slots=True)
class Keeper:
    """Saves the subscriptions of a worker now and then, and sorts them anew when it pays."""

    standing: Standing
    names: Gazetteer
    _folder: SnapshotFolder
    _metrics: MatchMetrics
    _clock: Clock
    _every_s: float
    _read_at: datetime | None = None
    _looked_at: float = 0.0
    _saved_changes: int = 0
    _saved_read_at: datetime | None = None

    @classmethod
    def open(cls, settings: Settings, metrics: MatchMetrics, clock: Clock) -> "Keeper":
        """Return the worker as it was saved, or an empty one. Raises Problem."""
        shard = settings.shard
        names = Gazetteer(Catalogue.load().copy())
        folder = SnapshotFolder(
            settings.data_dir / "match" / settings.instance / shard.group,
            names.catalogue,
            shard=str(shard),
            topic=f"{SUBSCRIPTIONS.full_name(settings.topic_prefix)} at {settings.bootstrap}",
            finder=names.finder,
        )
        kept = folder.load(clock())
        every_s = settings.match_snapshot_s
        if kept is None:
            matcher = Matcher(names.catalogue, folder.new_records(), finder=names.finder)
            standing = Standing(matcher, metrics, shard)
            return cls(standing, names, folder, metrics, clock, every_s)
        standing = Standing(
            kept.matcher, metrics, shard, kept.offsets, kept.invalid, left_out=kept.left_out
        )
        keeper = cls(standing, names, folder, metrics, clock, every_s, kept.read_at)
        keeper._note_saved(standing.changes, kept.read_at)
        log.info("snapshot loaded", subscriptions=len(standing.matcher))
        return keeper

    async def settle(self, read_at: datetime) -> None:
        """Make what was loaded searchable, and save it if it was not of the snapshot.

        All that the topic held at `read_at` has been read.
        """
        self._read_at = read_at
        self._looked_at = asyncio.get_running_loop().time()
        self.standing.matcher.index.settle()
        await self._save()

    def take_entity(self, key: str, old: Entity | None, new: Entity | None) -> None:
        """Take in a change of an own entity: in force with the next article."""
        self.names.apply(key, old, new)
        self.standing.try_again()

    async def keep(self, catch_up: CatchUp) -> None:
        """Do what is due, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look(catch_up)
            except Exception:
                log.exception("the subscriptions could not be tidied or saved")

    async def look(self, catch_up: CatchUp) -> None:
        """Do what is due now."""
        if self.standing.matcher.index.is_untidy():
            await self._tidy()
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < self._every_s:
            return
        self._looked_at = now
        await self._note_read(catch_up)
        if self.standing.dead > max(DEAD_AT_LEAST, len(self.standing.matcher)):
            await self._compact()
        await self._save()

    async def _tidy(self) -> None:
        make, take = self.standing.matcher.index.tuning()
        take(await asyncio.to_thread(make))

    async def _note_read(self, catch_up: CatchUp) -> None:
        now = self._clock()
        try:
            async with asyncio.timeout(CATCH_UP_LIMIT_S):
                await catch_up()
        except Exception as error:  # noqa: BLE001 - Kafka is away, in whatever way
            log.warning("the log of subscriptions cannot be seen", error=repr(error))
        else:
            self._read_at = now

    async def _compact(self) -> None:
        """Make the matcher anew without what is dead. Changes go on meanwhile, and are not lost."""
        standing = self.standing
        compact = self._folder.compacting(standing.matcher)
        standing.note_changes()
        fresh: Matcher | None = None
        before = standing.dead
        try:
            fresh = await asyncio.to_thread(compact)
        except OSError as error:
            log.warning("the subscriptions could not be made compact", error=str(error))
        finally:
            standing.replace(fresh)
        if fresh is not None:
            log.info("subscriptions made compact", dropped=before, kept=len(fresh))

    async def _save(self) -> None:
        standing, read_at = self.standing, self._read_at
        if read_at is None or not self._is_worth_saving(read_at):
            return
        changes = standing.changes
        invalid, left_out = tuple(standing.invalid), tuple(standing.left_out.values())
        kept = Kept(standing.matcher, standing.offsets, invalid, read_at, left_out)
        try:
            await asyncio.to_thread(self._folder.saving(kept))
        except OSError as error:
            self._metrics.snapshot_failures.inc()
            log.warning("snapshot not saved, the one before stays", error=str(error))
            return
        self._note_saved(changes, read_at)
        log.info("snapshot saved", subscriptions=len(standing.matcher))

    def _is_worth_saving(self, read_at: datetime) -> bool:
        saved_at = self._saved_read_at
        is_old = saved_at is None or read_at - saved_at > _REFRESHED_AFTER
        return is_old or self.standing.changes != self._saved_changes

    def _note_saved(self, changes: int, read_at: datetime) -> None:
        self._saved_changes, self._saved_read_at = changes, read_at
        self._metrics.snapshot_saved.set(read_at.timestamp())

    async def close(self) -> None:
        """Save what has changed, and let go of the files."""
        try:
            await self._save()
        finally:
            self.standing.matcher.records.close()
            self._folder.close()
