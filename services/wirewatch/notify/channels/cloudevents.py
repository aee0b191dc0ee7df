"""A CloudEvent 1.0 in HTTP, structured or binary, signed as our webhooks are. Pure.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from wirewatch.notify.channels.job import JSON, Job, signed
from wirewatch.notify.payload import MAX_PAYLOAD_BYTES, fitting_payload
from wirewatch.notify.request import HttpRequest
from wirewatch.notify.webhook_types import Payload
from wirewatch.topics.alerts import Alert
from wirewatch.topics.digests import Digest
from wirewatch.topics.endpoints import EventMode, Verification

STRUCTURED = "application/cloudevents+json; charset=utf-8"
TYPE_PREFIX = "com.wirewatch."
ENVELOPE_BYTES = 1_024
"""What the attributes of a structured event may take of a webhook's 64 KiB."""
_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F))).replace('"', "").replace("%", "")
"""What binary mode need not escape in a header (HTTP binding, section 3.1.3.2)."""

_encoder = msgspec.json.Encoder()


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The attributes of an event and its data. `payloadversion` is an extension of ours."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str = JSON
    payloadversion: int
    data: Any


def request(job: Job) -> HttpRequest:
    """Return the event. Raises SecretError."""
    payload = fitting_payload(
        job.telling, job.delivery_id, job.endpoint.variant, MAX_PAYLOAD_BYTES - ENVELOPE_BYTES
    )
    event = _event(job, payload)
    asked = job.origin if job.endpoint.verification is Verification.HANDSHAKE else ""
    consent = {"WebHook-Request-Origin": asked} if asked else {}
    if job.endpoint.event_mode is EventMode.STRUCTURED:
        return signed(job, _encoder.encode(event), STRUCTURED, **consent)
    return signed(job, _encoder.encode(event.data), JSON, **_attributes(event), **consent)


def _event(job: Job, payload: Payload) -> Event:
    source, subject = _places(job)
    return Event(
        id=job.delivery_id,
        source=source,
        type=TYPE_PREFIX + payload.type,
        subject=subject,
        time=payload.timestamp,
        payloadversion=payload.version,
        data=payload.data,
    )


def _places(job: Job) -> tuple[str, str]:
    """Return the source and the subject: who tells, and of what."""
    told = job.telling
    if isinstance(told, Alert):
        return f"/wirewatch/subscriptions/{told.subscription_id}", told.article.id
    if isinstance(told, Digest):
        return f"/wirewatch/subscriptions/{told.subscription_id}", told.subscription_id
    return f"/wirewatch/endpoints/{told.endpoint_id}", told.endpoint_id


def _attributes(event: Event) -> dict[str, str]:
    fields = msgspec.to_builtins(event)
    del fields["data"], fields["datacontenttype"]  # the latter is Content-Type
    return {f"ce-{name}": quote(str(value), safe=_AS_IT_IS) for name, value in fields.items()}
