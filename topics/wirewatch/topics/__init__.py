"""What travels between the services: fourteen topics, one file each.

`ALL` is the whole topology in one readable place.
"""

from typing import Any

from wirewatch.topics.alerts import ALERTS
from wirewatch.topics.articles import ARTICLES
from wirewatch.topics.attempts import ATTEMPTS
from wirewatch.topics.dead_letters import DEAD_LETTERS
from wirewatch.topics.deliveries import DELIVERIES
from wirewatch.topics.endpoint_states import ENDPOINT_STATES
from wirewatch.topics.endpoints import ENDPOINTS
from wirewatch.topics.entities import ENTITIES
from wirewatch.topics.feed_entries import FEED_ENTRIES
from wirewatch.topics.feed_states import FEED_STATES
from wirewatch.topics.feeds import FEEDS
from wirewatch.topics.pushes import PUSHES
from wirewatch.topics.spec import Topic
from wirewatch.topics.stories import STORIES
from wirewatch.topics.subscriptions import SUBSCRIPTIONS

ALL: tuple[Topic[Any], ...] = (
    FEEDS,
    FEED_STATES,
    FEED_ENTRIES,
    PUSHES,
    STORIES,
    ARTICLES,
    ENTITIES,
    SUBSCRIPTIONS,
    ENDPOINTS,
    ENDPOINT_STATES,
    ALERTS,
    DELIVERIES,
    ATTEMPTS,
    DEAD_LETTERS,
)

__all__ = [
    "ALERTS",
    "ALL",
    "ARTICLES",
    "ATTEMPTS",
    "DEAD_LETTERS",
    "DELIVERIES",
    "ENDPOINTS",
    "ENDPOINT_STATES",
    "ENTITIES",
    "FEEDS",
    "FEED_ENTRIES",
    "FEED_STATES",
    "PUSHES",
    "STORIES",
    "SUBSCRIPTIONS",
]
