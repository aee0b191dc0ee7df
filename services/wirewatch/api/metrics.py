"""What the API counts."""

from prometheus_client import CollectorRegistry, Counter, Histogram

METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OTHER")
STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx")
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class ApiMetrics:
    """The metrics of one API process; every known label starts at zero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "wirewatch_api_requests_total",
            "Requests answered, by method and class of status.",
            ["method", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "wirewatch_api_request_seconds",
            "Time from a request's head to the end of its answer.",
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._unreadable = Counter(
            "wirewatch_api_unreadable_records_total",
            "Records of a topic that could not be read and were buried.",
            ["topic"],
            registry=registry,
        )
        for method in METHODS:
            for status in STATUS_CLASSES:
                self._requests.labels(method, status)

    def answered(self, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered with `status`."""
        known = method if method in METHODS else "OTHER"
        self._requests.labels(known, f"{status // 100}xx").inc()
        self._seconds.observe(seconds)

    def expect(self, topic: str) -> None:
        """Start the count of unreadable records of `topic` (without prefix) at zero."""
        self._unreadable.labels(topic)

    def unreadable(self, topic: str) -> None:
        """Count an unreadable record of `topic` (without prefix)."""
        self._unreadable.labels(topic).inc()
