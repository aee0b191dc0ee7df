"""subscriptions: the standing queries."""

from datetime import datetime, timedelta

import msgspec

from wirewatch.topics.spec import Cleanup, Record, Topic

MAX_EVERY_MIN = 10_080
"""A week between two digests."""
MAX_SNOOZE = timedelta(days=90)


class QuietHours(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """From one time of the day (HH:MM) to another, over midnight where that is earlier.

    `days` are those on which it begins, 0 for Monday; empty for every day.
    """

    start: str
    end: str
    days: tuple[int, ...] = ()


class Pace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """When a subscriber is told. The default is at once, always.

    `every_min` and `at` (HH:MM) ask for digests, `most_per_hour` for one of what
    is more. In quiet hours and until `snoozed_until` alerts are held and then
    told in a digest; those of muted sources (hosts, with all below them) and
    stories are not told. Times of the day are those of `time_zone` (IANA).
    """

    every_min: int | None = None
    at: tuple[str, ...] = ()
    most_per_hour: int | None = None
    quiet: tuple[QuietHours, ...] = ()
    snoozed_until: datetime | None = None
    muted_sources: tuple[str, ...] = ()
    muted_stories: tuple[str, ...] = ()
    time_zone: str = "UTC"


class Subscription(Record, frozen=True, kw_only=True):
    """A standing query and the endpoints that are told when it matches.

    A paused subscription matches nothing; what appears meanwhile is not
    delivered later. `language` (BCP 47) is the subscriber's: alerts name entities in it.
    `pace` says when they are told.
    """

    id: str
    name: str
    query: str
    endpoint_ids: tuple[str, ...]
    tags: tuple[str, ...] = ()
    paused: bool = False
    language: str = "en"
    pace: Pace = Pace()
    created_at: datetime
    updated_at: datetime


SUBSCRIPTIONS = Topic(
    name="subscriptions",
    record=Subscription,
    key=lambda subscription: subscription.id,
    key_means="subscription id",
    cleanup=Cleanup.COMPACT,
    written_by=("api",),
    read_by=("match", "notify", "api"),
)
