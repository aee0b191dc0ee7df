"""The subscriptions of a match worker in a folder of the test's own, without Kafka."""

from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry

from fakes.news import AT, CATALOGUE, article
from wirewatch.match.matcher import Matcher
from wirewatch.match.metrics import MatchMetrics
from wirewatch.match.records import RecordFile
from wirewatch.match.snapshot import Kept, SnapshotFolder
from wirewatch.match.standing import Standing
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.shard import Shard
from wirewatch.topics.subscriptions import Subscription

WHOLE = Shard(1, 1)


def received(
    offset: int, key: str, value: Subscription | None, partition: int = 0
) -> Received[Subscription]:
    return Received(Position(partition, offset), key, value)


def new_standing(path: Path, shard: Shard = WHOLE) -> Standing:
    matcher = Matcher(CATALOGUE, RecordFile(path / "own.records"))
    return Standing(matcher, MatchMetrics(CollectorRegistry()), shard)


def found(standing: Standing | Matcher, title: str) -> list[str]:
    """Return the ids of the subscriptions that an article of this title satisfies."""
    matcher = standing.matcher if isinstance(standing, Standing) else standing
    return [alert.subscription_id for alert in matcher.match(article(title), now=AT)]


def folder(path: Path, *, shard: str = "1/1", topic: str = "subscriptions at a") -> SnapshotFolder:
    return SnapshotFolder(path / "saved", CATALOGUE, shard=shard, topic=topic)


def kept(standing: Standing, read_at: datetime = AT) -> Kept:
    return Kept(standing.matcher, standing.offsets, tuple(standing.invalid), read_at)
