"""What every service stands on: settings, logs, metrics, Kafka, projections, a clean stop."""
