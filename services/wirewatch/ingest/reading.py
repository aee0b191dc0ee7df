"""The work on one fetched document, from its packed bytes to what is to be published. Pure.

It runs in a worker process (`ingest/workers.py`), so that neither a huge nor a
hostile document holds up another feed.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b

import msgspec

from wirewatch.documents.feed import Entry, Format, Pace
from wirewatch.documents.page import PageText
from wirewatch.documents.plain import plain_text
from wirewatch.documents.read import read_feed
from wirewatch.documents.unpack import unpack
from wirewatch.ingest import schedule
from wirewatch.ingest.article import believable, choose_language
from wirewatch.ingest.change import Changes, Policy, find_changes
from wirewatch.ingest.signature import signature
from wirewatch.topics.articles import MAX_BODY_CHARS, MAX_TITLE_CHARS, Article
from wirewatch.topics.feeds import Feed

DIGEST_BYTES = 12
DATES_LOOKED_AT = 20
"""From so many newest entries it is learned how often a new feed changes."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A document to read.

    `packed` is what is remembered of its feed, and `first` says that the feed was
    never read. `body_digest` is that of the document that was read last, empty to
    read it in any case.
    """

    feed: Feed
    body: bytes
    codings: tuple[str, ...]
    content_type: str
    body_digest: str
    packed: bytes
    first: bool
    now: datetime
    policy: Policy
    max_bytes: int
    max_entries: int


class Publication(msgspec.Struct, frozen=True):
    """An article to publish and what tells its story."""

    article: Article
    signature: bytes


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a document said. `packed` is None where it is the same as last time."""

    body_digest: str
    is_whole: bool = True
    title: str = ""
    pace: Pace = Pace()
    gap_s: float | None = None
    hubs: tuple[str, ...] = ()
    self_url: str = ""
    sitemaps: tuple[str, ...] = ()
    publications: tuple[Publication, ...] = ()
    withheld: int = 0
    packed: bytes | None = None


def read_document(task: Task) -> Reading:
    """Return what `task`'s document says. Raises DocumentProblem."""
    body = unpack(task.body, task.codings, task.max_bytes)
    digest = blake2b(body, digest_size=DIGEST_BYTES).hexdigest()
    if digest == task.body_digest:
        return Reading(body_digest=digest)
    parsed = read_feed(
        body,
        content_type=task.content_type,
        # Not where redirects led today: what is made absolute must stay the same.
        url=task.feed.url,
        max_entries=task.max_entries,
    )
    if parsed.format is Format.SITEMAP_INDEX:
        return Reading(body_digest=digest, sitemaps=parsed.sitemaps)
    changes = find_changes(task.feed, parsed, task.packed, task.now, task.policy, first=task.first)
    return Reading(
        body_digest=digest,
        is_whole=parsed.is_whole,
        title=plain_text(parsed.title, MAX_TITLE_CHARS),
        pace=parsed.pace,
        gap_s=schedule.gap_of(newest_dates(parsed.entries, task.now)),
        hubs=parsed.hubs,
        self_url=parsed.self_url,
        publications=tuple(_publications(changes)),
        withheld=changes.withheld,
        packed=changes.packed,
    )


def _publications(changes: Changes) -> Iterable[Publication]:
    for article in (*changes.new, *changes.revised):
        yield Publication(article, signature(article.title, article.lead))


def newest_dates(entries: Iterable[Entry], now: datetime) -> list[datetime]:
    """Return the newest publication dates of a document, the newest first."""
    dates = (believable(entry.published_at or entry.updated_at, now) for entry in entries)
    return sorted((date for date in dates if date is not None), reverse=True)[:DATES_LOOKED_AT]


def with_page(article: Article, page: PageText, now: datetime) -> Article:
    """Return `article` with what its page says better: the body, and what the feed left out.

    A page with less text than the feed has is a teaser or a wall, and changes nothing.
    """
    body = page.body[:MAX_BODY_CHARS]
    if len(body) <= len(article.body):
        return article
    declared = (article.language,) if not article.language_is_guess else ()
    language, is_guess = choose_language((*declared, page.language), f"{article.title} {body}")
    published_at = believable(page.published_at, now) if article.published_is_guess else None
    return msgspec.structs.replace(
        article,
        title=article.title or page.title[:MAX_TITLE_CHARS],
        body=body,
        language=language,
        language_is_guess=is_guess,
        image=article.image or page.image,
        authors=article.authors or page.authors,
        published_at=published_at or article.published_at,
        published_is_guess=article.published_is_guess and published_at is None,
        full_text=True,
    )


def encode_task(task: Task) -> bytes:
    """Return `task` as it travels to a worker process."""
    return _encoder.encode(task)


def decode_task(raw: bytes) -> Task:
    """Return the task that `raw` holds."""
    return _task_decoder.decode(raw)


def encode_reading(reading: Reading) -> bytes:
    """Return `reading` as it travels back."""
    return _encoder.encode(reading)


def decode_reading(raw: bytes) -> Reading:
    """Return the reading that `raw` holds."""
    return _reading_decoder.decode(raw)


_encoder = msgspec.msgpack.Encoder()
_task_decoder = msgspec.msgpack.Decoder(Task)
_reading_decoder = msgspec.msgpack.Decoder(Reading)
