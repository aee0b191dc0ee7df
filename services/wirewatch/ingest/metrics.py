"""What ingest tells Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from wirewatch.ingest.health import Health
from wirewatch.topics import FEED_ENTRIES, FEED_STATES, FEEDS, PUSHES, STORIES
from wirewatch.topics.feed_states import FetchReason

OUTCOMES = ("changed", "unchanged", "failed")
KINDS = ("new", "revised", "withheld")
PUSH_OUTCOMES = ("content", "notice", "verified", "ended", "refused")


class IngestMetrics:
    """The metrics of one ingest worker, on a registry that is passed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.fetches = Counter(
            "wirewatch_ingest_fetches_total",
            "Fetches of feeds, by what came of them.",
            ["outcome"],
            registry=registry,
        )
        self.failures = Counter(
            "wirewatch_ingest_fetch_failures_total",
            "Fetches that failed, by reason.",
            ["reason"],
            registry=registry,
        )
        self.fetch_seconds = Histogram(
            "wirewatch_ingest_fetch_seconds",
            "Time from the request for a feed to its last byte.",
            registry=registry,
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.articles = Counter(
            "wirewatch_ingest_articles_total",
            "Articles that were published, new or as a revision, or withheld because they are old.",
            ["kind"],
            registry=registry,
        )
        self.pages = Counter(
            "wirewatch_ingest_pages_total",
            "Article pages asked for, for feeds with full text: read, or why not.",
            ["outcome"],
            registry=registry,
        )
        self.pushes = Counter(
            "wirewatch_ingest_pushes_total",
            "Messages of WebSub hubs, by what they were.",
            ["outcome"],
            registry=registry,
        )
        self.stories = Gauge(
            "wirewatch_ingest_story_articles",
            "Articles of the last 72 hours that new ones are compared with.",
            registry=registry,
        )
        self.feeds = Gauge(
            "wirewatch_ingest_feeds",
            "Feeds of this worker, by health.",
            ["health"],
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "wirewatch_ingest_fetch_lag_seconds",
            "How late the most overdue feed of this worker is.",
            registry=registry,
        )
        self.unreadable_records = Counter(
            "wirewatch_ingest_unreadable_records_total",
            "Records that could not be decoded and became dead letters, by topic.",
            ["topic"],
            registry=registry,
        )
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        for outcome in OUTCOMES:
            self.fetches.labels(outcome)
        for reason in FetchReason:
            self.failures.labels(reason)
        for kind in KINDS:
            self.articles.labels(kind)
        for health in Health:
            self.feeds.labels(health)
        for outcome in ("read", *FetchReason):
            self.pages.labels(outcome)
        for outcome in PUSH_OUTCOMES:
            self.pushes.labels(outcome)
        for topic in (FEEDS, FEED_STATES, FEED_ENTRIES, PUSHES, STORIES):
            self.unreadable_records.labels(topic.name)

    def unreadable(self, topic: str) -> None:
        """Count an unreadable record of `topic`, named without prefix."""
        self.unreadable_records.labels(topic).inc()
