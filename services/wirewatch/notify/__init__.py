"""notify: alerts in, signed webhooks out, retried for days, never forgotten."""
