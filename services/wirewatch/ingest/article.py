"""An entry made clean and comparable. Pure."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from wirewatch.ingest.parse import Entry, ParsedFeed
from wirewatch.ingest.plain import plain_text
from wirewatch.topics.articles import MAX_BODY_CHARS, MAX_LEAD_CHARS, MAX_TITLE_CHARS, Article
from wirewatch.topics.feeds import Feed
from wirewatch.topics.ids import article_id

FUTURE_TOLERANCE = timedelta(minutes=5)
"""A publisher's clock may be so much ahead; what is later has no believable time."""
OLDEST = 1990
MAX_URL_CHARS = 4_096
MAX_NAME_CHARS = 200
UNKNOWN_LANGUAGE = "und"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")


def make_article(feed: Feed, parsed: ParsedFeed, entry: Entry, now: datetime) -> Article | None:
    """Return `entry` as an article; None if it has neither id, link nor title.

    The entry's own language counts first, then what the feed's subscriber said,
    then what the feed says of itself.
    """
    title = plain_text(entry.title, MAX_TITLE_CHARS)
    key = entry.id.strip() or entry.link.strip() or title
    if not key:
        return None
    published_at = _believable(entry.published_at, now) or _believable(entry.updated_at, now)
    link = entry.link if _is_web(entry.link) else entry.id if _is_web(entry.id) else ""
    identity = article_id(feed.id, key)
    return Article(
        id=identity,
        story_id=identity,
        feed_id=feed.id,
        feed_title=feed.title or plain_text(parsed.title, MAX_TITLE_CHARS),
        url=link[:MAX_URL_CHARS],
        title=title,
        lead=plain_text(entry.summary, MAX_LEAD_CHARS),
        body=plain_text(entry.content, MAX_BODY_CHARS),
        language=_first_language(entry.language, feed.language or "", parsed.language),
        authors=tuple(plain_text(name, MAX_NAME_CHARS) for name in entry.authors),
        categories=tuple(plain_text(name, MAX_NAME_CHARS) for name in entry.categories),
        source=source_of(link or feed.url),
        published_at=published_at or now,
        published_is_guess=published_at is None,
        updated_at=_believable(entry.updated_at, now),
        fetched_at=now,
    )


def _believable(at: datetime | None, now: datetime) -> datetime | None:
    if at is None or at > now + FUTURE_TOLERANCE or at.year < OLDEST:
        return None
    return at


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def source_of(url: str) -> str:
    """Return the host of `url` without `www.`, empty if it has none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _first_language(*tags: str) -> str:
    return next(filter(None, map(normal_language, tags)), UNKNOWN_LANGUAGE)


def normal_language(tag: str) -> str:
    """Return `tag` as BCP 47 writes it (`PT_br` → `pt-BR`); empty if it is no language."""
    tag = tag.strip().replace("_", "-")
    if not _LANGUAGE.fullmatch(tag):
        return ""
    primary, *rest = tag.split("-")
    primary = primary.lower()
    if primary in {"und", "mul", "zxx"}:
        return ""
    return "-".join([primary, *(part.upper() if len(part) == 2 else part for part in rest)])
