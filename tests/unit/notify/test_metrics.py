from prometheus_client import CollectorRegistry

from wirewatch.notify.metrics import NotifyMetrics


def test_every_label_is_there_from_the_start_at_zero() -> None:
    registry = CollectorRegistry()
    metrics = NotifyMetrics(registry)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }

    prefix = "wirewatch_notify"
    reasons = (
        "address connect timeout tls broken redirect client_error gone slow_down "
        "server_error no_endpoint"
    )
    expected = [
        *((f"{prefix}_attempts_total", o) for o in ("delivered", "retry", "dead")),
        *((f"{prefix}_attempt_failures_total", r) for r in reasons.split()),
        *((f"{prefix}_deliveries_total", s) for s in ("accepted", "repeated", "delivered", "dead")),
        *((f"{prefix}_unreadable_records_total", t) for t in ("alerts", "deliveries", "endpoints")),
    ]
    assert found == dict.fromkeys(expected, 0.0)

    metrics.unreadable("alerts")
    assert registry.get_sample_value(f"{prefix}_unreadable_records_total", {"topic": "alerts"}) == 1
