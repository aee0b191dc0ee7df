"""Make the topics as their specs say, and say where a cluster differs.

Beside `kafka.py` the only module that talks to Kafka itself: it administers,
that one moves records.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from wirewatch.runtime.errors import BrokerProblem
from wirewatch.runtime.kafka import start_with_patience
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALL
from wirewatch.topics.spec import Topic

KNOWN_LIMIT_S = 10.0
_ALREADY_THERE = 36
"""Kafka's error code TOPIC_ALREADY_EXISTS: another process was quicker."""


class TopicState(StrEnum):
    """How a topic on the broker compares with its spec."""

    OK = "ok"
    CREATED = "created"
    MISSING = "missing"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class TopicReport:
    """One topic as it stands on the broker. `differences` are sentences."""

    name: str
    state: TopicState
    partitions: int
    replication: int
    config: dict[str, str]
    differences: tuple[str, ...] = ()


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    client: AIOKafkaAdminClient | None = None

    async def connect() -> None:
        nonlocal client
        candidate = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
        try:
            await candidate.start()
        except BaseException:
            await candidate.close()
            raise
        client = candidate

    await start_with_patience(connect, settings)
    assert client is not None  # noqa: S101 - start_with_patience returned, so it is set
    try:
        yield client
    finally:
        await client.close()


async def cluster_id(settings: Settings) -> str:
    """Return the id of the Kafka cluster. Raises BrokerProblem."""
    async with _admin(settings) as admin:
        described = await admin.describe_cluster()
    return str(described["cluster_id"])


async def create_topics(settings: Settings) -> list[TopicReport]:
    """Create the topics that are missing and report on all of them. Raises BrokerProblem."""
    async with _admin(settings) as admin:
        there = set(await admin.list_topics())
        new = [topic for topic in ALL if topic.full_name(settings.topic_prefix) not in there]
        if new:
            answer = await admin.create_topics([_new_topic(topic, settings) for topic in new])
            _require_created(answer.topic_errors)
        names = {topic.full_name(settings.topic_prefix) for topic in new}
        await _until_known(admin, names)
        return await _report(admin, settings, names)


async def _until_known(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Wait until new topics have leaders: a broker tells of them a moment after it made them."""
    deadline = asyncio.get_running_loop().time() + KNOWN_LIMIT_S
    while names and asyncio.get_running_loop().time() < deadline:
        described = await admin.describe_topics(list(names))
        if all(
            entry["partitions"] and all(p["leader"] >= 0 for p in entry["partitions"])
            for entry in described
        ):
            return
        await asyncio.sleep(0.05)


def _new_topic(topic: Topic[Any], settings: Settings) -> NewTopic:
    config = topic.config()
    if settings.topic_replication > 1:
        config["min.insync.replicas"] = "2"
    return NewTopic(
        topic.full_name(settings.topic_prefix),
        num_partitions=topic.partitions or settings.topic_partitions,
        replication_factor=settings.topic_replication,
        topic_configs=config,
    )


def _require_created(errors: list[tuple[Any, ...]]) -> None:
    for name, code, *message in errors:
        if code not in {0, _ALREADY_THERE}:
            raise BrokerProblem(
                f"Kafka refused to create the topic {name}: {' '.join(map(str, message)) or code}; "
                "check WIREWATCH_TOPIC_REPLICATION against the number of brokers, and the rights."
            )


async def check_topics(settings: Settings) -> list[TopicReport]:
    """Report on all topics; nothing is changed. Raises BrokerProblem."""
    async with _admin(settings) as admin:
        return await _report(admin, settings, set())


describe_topics = check_topics
"""The same report; the command line shows it in another way."""


async def require_co_partitioned(settings: Settings, *topics: Topic[Any]) -> None:
    """Make sure that `topics` exist and have the same number of partitions.

    A service that finds related records on partitions of the same number would
    otherwise miss them. Raises BrokerProblem.
    """
    async with _admin(settings) as admin:
        names = [topic.full_name(settings.topic_prefix) for topic in topics]
        described = await admin.describe_topics(names)
    counts = {entry["topic"]: len(entry["partitions"]) for entry in described}
    if missing := [name for name in names if not counts.get(name)]:
        raise BrokerProblem(
            f"Kafka has no topic {missing[0]}: create the topics with `wirewatch topics create`."
        )
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{name} has {counts[name]}" for name in names)
        raise BrokerProblem(
            f"Topics that belong together have different numbers of partitions ({found}): "
            "give them the same number before any more records are written."
        )


async def _report(
    admin: AIOKafkaAdminClient, settings: Settings, created: set[str]
) -> list[TopicReport]:
    names = [topic.full_name(settings.topic_prefix) for topic in ALL]
    described = {entry["topic"]: entry for entry in await admin.describe_topics(names)}
    there = [name for name in names if described.get(name, {}).get("partitions")]
    configs = await _configs(admin, there)
    reports = []
    for topic, name in zip(ALL, names, strict=True):
        if name not in there:
            missing = (f"{name} does not exist: run `wirewatch topics create`",)
            reports.append(TopicReport(name, TopicState.MISSING, 0, 0, {}, missing))
            continue
        partitions = described[name]["partitions"]
        differences = tuple(_differences(topic, len(partitions), configs[name], settings))
        state = TopicState.CREATED if name in created else TopicState.OK
        reports.append(
            TopicReport(
                name,
                TopicState.DIFFERS if differences else state,
                len(partitions),
                len(partitions[0]["replicas"]),
                {key: configs[name].get(key, "") for key in topic.config()},
                differences,
            )
        )
    return reports


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources):
        for _code, _message, _type, name, entries in answer.resources:
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def _differences(
    topic: Topic[Any], partitions: int, config: dict[str, str], settings: Settings
) -> list[str]:
    name = topic.full_name(settings.topic_prefix)
    found = [
        f"{name}: {key} is {config.get(key)}, should be {value}"
        for key, value in topic.config().items()
        if config.get(key) != value
    ]
    wanted = topic.partitions or settings.topic_partitions
    if partitions != wanted:
        found.append(f"{name}: has {partitions} partitions, should have {wanted}")
    return found


class GroupLag:
    """How far a service's consumer group has committed, seen from outside its consumers."""

    def __init__(self, settings: Settings, service: str, topic: Topic[Any]) -> None:
        self._group = settings.group(service)
        self._name = topic.full_name(settings.topic_prefix)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
        self._reader = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap)

    async def start(self) -> None:
        """Connect."""
        await self._admin.start()
        await self._reader.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._reader.stop()
        await self._admin.close()

    async def look(self, partitions: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
        """Return committed offsets and ends of `partitions`; what was never committed is 0."""
        at = [TopicPartition(self._name, partition) for partition in partitions]
        if not at:
            return {}, {}
        ends = await self._reader.end_offsets(at)
        found = await self._admin.list_consumer_group_offsets(self._group, partitions=at)
        committed = {tp.partition: max(0, meta.offset) for tp, meta in found.items()}
        return committed, {tp.partition: end for tp, end in ends.items()}
