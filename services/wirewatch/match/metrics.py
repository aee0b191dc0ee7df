"""What match tells Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from wirewatch.runtime.shard import Shard
from wirewatch.topics import ARTICLES, SUBSCRIPTIONS


class MatchMetrics:
    """The metrics of one match worker, on a registry that is passed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.articles = Counter(
            "wirewatch_match_articles_total",
            "Articles that were held against the subscriptions.",
            registry=registry,
        )
        self.alerts = Counter(
            "wirewatch_match_alerts_total",
            "Alerts that were published, repeats included.",
            registry=registry,
        )
        self.failures = Counter(
            "wirewatch_match_failures_total",
            "Articles whose matching failed and that became dead letters.",
            registry=registry,
        )
        self.invalid_subscriptions = Gauge(
            "wirewatch_match_invalid_subscriptions",
            "Subscriptions left out because their query cannot be read.",
            registry=registry,
        )
        self.subscriptions = Gauge(
            "wirewatch_match_subscriptions",
            "Subscriptions that articles are held against now, by shard.",
            ["shard"],
            registry=registry,
        )
        self.dead_slots = Gauge(
            "wirewatch_match_dead_slots",
            "Places in the index of subscriptions that were replaced or taken out.",
            registry=registry,
        )
        self.snapshot_saved = Gauge(
            "wirewatch_match_snapshot_timestamp_seconds",
            "Up to when the snapshot on disk has read the subscriptions (Unix time; 0: none).",
            registry=registry,
        )
        self.snapshot_failures = Counter(
            "wirewatch_match_snapshot_failures_total",
            "Snapshots that could not be saved; the one before stays.",
            registry=registry,
        )
        self.floods = Gauge(
            "wirewatch_match_floods",
            "Articles that match very many subscriptions and are being told of.",
            registry=registry,
        )
        self.lag_records = Gauge(
            "wirewatch_match_lag_records",
            "Articles in this worker's partitions that are not committed as matched yet.",
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "wirewatch_match_batch_seconds",
            "Time from a batch of articles in hand to its alerts acknowledged.",
            registry=registry,
            buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self.article_age_seconds = Histogram(
            "wirewatch_match_article_age_seconds",
            "Time from an article's fetch to its match, for articles that matched.",
            registry=registry,
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
        )
        self.unreadable_records = Counter(
            "wirewatch_match_unreadable_records_total",
            "Records that could not be decoded and became dead letters, by topic.",
            ["topic"],
            registry=registry,
        )
        for topic in (ARTICLES, SUBSCRIPTIONS):
            self.unreadable_records.labels(topic.name)

    def show_subscriptions(self, shard: Shard, held: int, invalid: int) -> None:
        """Show how many subscriptions are held, and how many were left out."""
        self.subscriptions.labels(str(shard)).set(held)
        self.invalid_subscriptions.set(invalid)

    def unreadable(self, topic: str) -> None:
        """Count an unreadable record of `topic`, named without prefix."""
        self.unreadable_records.labels(topic).inc()
