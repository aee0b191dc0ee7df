"""subscriptions: the standing queries."""

from datetime import datetime

from wirewatch.topics.spec import Cleanup, Record, Topic


class Subscription(Record, frozen=True, kw_only=True):
    """A standing query and the endpoints that are told when it matches.

    A paused subscription matches nothing; what appears meanwhile is not
    delivered later. `language` (BCP 47) is the subscriber's: alerts name entities in it.
    """

    id: str
    name: str
    query: str
    endpoint_ids: tuple[str, ...]
    tags: tuple[str, ...] = ()
    paused: bool = False
    language: str = "en"
    created_at: datetime
    updated_at: datetime


SUBSCRIPTIONS = Topic(
    name="subscriptions",
    record=Subscription,
    key=lambda subscription: subscription.id,
    key_means="subscription id",
    cleanup=Cleanup.COMPACT,
    written_by=("api",),
    read_by=("match", "api"),
)
