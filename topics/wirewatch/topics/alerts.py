"""alerts: what a subscriber is to be told, with the words that prove it."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from wirewatch.topics.entities import Kind
from wirewatch.topics.spec import Cleanup, Record, Topic

MAX_PROOFS = 64
"""Proofs kept in one alert. Each leaf of the query that was satisfied keeps at least one, as long
as there are no more satisfied leaves than this."""
MAX_SNIPPET_CHARS = 160
MAX_SUMMARY_CHARS = 500
MAX_ENTITIES = 20
"""Entities and themes told of in one alert: those that the article names most."""


class Field(StrEnum):
    """A field of an article that a query can ask for.

    The texts come first; LANG, SOURCE, FEED and COUNTRY are what is known beside them.
    """

    TITLE = "title"
    LEAD = "lead"
    BODY = "body"
    URL = "url"
    AUTHOR = "author"
    CATEGORY = "category"
    LANG = "lang"
    SOURCE = "source"
    FEED = "feed"
    COUNTRY = "country"


class Proof(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One place in the article that satisfies a leaf of the query.

    `leaf` is the leaf as the query language prints it. `start` and `end` count
    code points in the article's field, `text` is what stands there. `snippet`
    is the text around it, in which it stands from `mark_start` to `mark_end`.
    Authors and categories are fields of their own each; of SOURCE the field is the host.
    `beside` is the id of the entity that makes an ambiguous name count (Georgia beside Tbilisi);
    its own where the article also names it in another way.
    """

    leaf: str
    entity_id: str | None = None
    field: Field
    start: int
    end: int
    text: str
    snippet: str
    mark_start: int
    mark_end: int
    beside: str | None = None


class NamedEntity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entity or theme that the article names; `name` is in the subscriber's language."""

    id: str
    kind: Kind
    name: str


class ArticleDigest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an alert says of its article: enough to tell a person, small enough to travel."""

    id: str
    story_id: str
    revision: int
    url: str
    title: str
    summary: str
    language: str
    source: str
    feed_id: str
    feed_title: str
    authors: tuple[str, ...]
    published_at: datetime
    fetched_at: datetime
    image: str = ""


class Alert(Record, frozen=True, kw_only=True):
    """A subscription satisfied by an article, for one endpoint.

    `id` is derived from subscription and article, so a repeated match is the
    same alert. One record is published for each endpoint of the subscription.
    `resend_id` asks to deliver once more what was delivered or given up.
    """

    id: str
    endpoint_id: str
    subscription_id: str
    subscription_name: str
    query: str
    tags: tuple[str, ...] = ()
    article: ArticleDigest
    proofs: tuple[Proof, ...]
    entities: tuple[NamedEntity, ...] = ()
    found_at: datetime
    resend_id: str = ""


ALERTS = Topic(
    name="alerts",
    record=Alert,
    key=lambda alert: alert.endpoint_id,
    key_means="endpoint id",
    cleanup=Cleanup.DELETE,
    retention=timedelta(days=30),
    written_by=("match", "api"),
    read_by=("notify", "api"),
)
