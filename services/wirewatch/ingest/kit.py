"""What the parts of one ingest worker share."""

from dataclasses import dataclass

from wirewatch.ingest.metrics import IngestMetrics
from wirewatch.ingest.workers import Workers
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.disk_table import DiskTable
from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings
from wirewatch.topics.feed_entries import FeedEntries
from wirewatch.web.client import WebClient


@dataclass(frozen=True, slots=True)
class Kit:
    """Settings, time and metrics; the way out, the way to Kafka, and what is remembered."""

    settings: Settings
    clock: Clock
    metrics: IngestMetrics
    client: WebClient
    workers: Workers
    producer: Producer
    entries: DiskTable[FeedEntries]
