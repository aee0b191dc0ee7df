"""What is told instead of single alerts: several together, or something about an endpoint.

Not topics of their own: they travel in deliveries.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from wirewatch.topics.alerts import Alert, Proof

MAX_DIGEST_STORIES = 50
MAX_DIGEST_ALERTS = 500
"""Alerts told of in one digest; what is more comes in the next one, at the same time."""


class DigestWhy(StrEnum):
    """Why alerts were held back and are told together."""

    SCHEDULE = "schedule"
    """The subscription asks for digests."""
    RATE = "rate"
    """There were more in an hour than it wants one by one."""
    QUIET = "quiet"
    """They were found in its quiet hours."""
    SNOOZE = "snooze"
    """They were found while it was snoozed."""


class DigestStory(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One story of a digest: its first article, and how many there were.

    `sources` are the hosts that told it, `alert_ids` the alerts, each at most 20.
    """

    story_id: str
    title: str
    url: str
    source: str
    language: str
    published_at: datetime
    summary: str = ""
    image: str = ""
    proofs: tuple[Proof, ...] = ()
    articles: int = 1
    sources: tuple[str, ...] = ()
    alert_ids: tuple[str, ...] = ()


class Digest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Alerts of one subscription for one endpoint, by story, the largest story first.

    `alerts` counts all that are told of; `more_stories` how many stories there
    were beside those listed. `part` counts from 1 where one moment has several.
    """

    subscription_id: str
    subscription_name: str
    query: str
    tags: tuple[str, ...] = ()
    why: DigestWhy
    since: datetime
    until: datetime
    part: int = 1
    alerts: int
    stories: tuple[DigestStory, ...]
    more_stories: int = 0


class NoticeType(StrEnum):
    """What a notice tells; the `type` of its webhook."""

    ENDPOINT_DISABLED = "endpoint.disabled"
    DELIVERY_EXHAUSTED = "delivery.exhausted"
    ENDPOINT_VERIFY = "endpoint.verify"
    ENDPOINT_TEST = "endpoint.test"


class Notice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something about an endpoint. Which fields are filled depends on `type`.

    `challenge` is what an `endpoint.verify` has to be answered with.
    """

    type: NoticeType
    endpoint_id: str
    endpoint_name: str = ""
    endpoint_url: str = ""
    reason: str = ""
    detail: str = ""
    failing_since: datetime | None = None
    delivery_id: str = ""
    alert_id: str = ""
    subscription_id: str = ""
    attempts: int = 0
    challenge: str = ""
    at: datetime


Telling = Alert | Digest | Notice
"""What a delivery has to tell."""
