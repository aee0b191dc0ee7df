"""What all tests share: one real Kafka for the session, and settings that point at it."""

import os
import random
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings as hypothesis_settings

from wirewatch.runtime.local_kafka import LocalKafka
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.topic_admin import create_topics

# CI tries the same examples each time; a developer's runs keep looking for new ones.
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis_settings.register_profile("dev", deadline=None)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own WIREWATCH_ variables must not change what a test shows."""
    for name in list(os.environ):
        if name.startswith("WIREWATCH_"):
            monkeypatch.delenv(name)


BELOW_EPHEMERAL = range(20_000, 32_000)
"""Not from the range that the system takes for outgoing connections: those come at any time."""


def free_port(count: int = 1) -> int:
    """Return a port that is free now, and whose `count - 1` successors are free too."""
    while True:
        port = random.choice(BELOW_EPHEMERAL)
        if all(_is_free(port + number) for number in range(count)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Kafka of this session's own; its bootstrap address."""
    cache_dir = Settings().cache_dir
    home = tmp_path_factory.mktemp("kafka")
    with LocalKafka(home, cache_dir=cache_dir, port=free_port(2)) as broker:
        yield f"127.0.0.1:{broker.port}"


@pytest.fixture
async def kafka_settings(kafka: str, tmp_path: Path) -> Settings:
    """Settings for one test: its own topics, folders and ports on the session's Kafka."""
    settings = Settings(
        kafka=kafka,
        topic_prefix=f"t{uuid4().hex[:8]}.",
        topic_partitions=4,
        instance="test-0",
        data_dir=tmp_path / "data",
        session_timeout_s=6,
        secret_key=b64encode(b"t" * 32).decode(),
        metrics_port=free_port(),
        allow_networks=("127.0.0.0/8",),
        ingest_interval_s=1,
        ingest_interval_max_s=1,
        ingest_host_spacing_s=0,
        ingest_host_concurrency=8,
        ingest_workers=1,
    )
    await create_topics(settings)
    return settings


@pytest.fixture
def free_ports() -> Callable[[int], int]:
    """Return a function that finds so many free ports in a row and returns the first."""
    return free_port
