"""A signed webhook of our own (Standard Webhooks). Pure."""

from wirewatch.notify.channels.job import JSON, Job, signed
from wirewatch.notify.payload import make_payload
from wirewatch.notify.request import HttpRequest


def request(job: Job) -> HttpRequest:
    """Return the webhook. Raises SecretError."""
    return signed(job, make_payload(job.telling, job.delivery_id, job.endpoint.variant), JSON)
