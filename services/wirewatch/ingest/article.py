"""An entry made clean and comparable. Pure."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from wirewatch.documents.feed import ParsedFeed
from wirewatch.documents.language import detect, plausible
from wirewatch.documents.plain import plain_text
from wirewatch.ingest.identity import Identified
from wirewatch.topics.articles import (
    MAX_BODY_CHARS,
    MAX_LEAD_CHARS,
    MAX_TITLE_CHARS,
    Article,
    Enclosure,
)
from wirewatch.topics.feeds import Feed
from wirewatch.web.urls import domain_of, source_country

FUTURE_TOLERANCE = timedelta(minutes=5)
"""A publisher's clock may be so much ahead; what is later has no believable time."""
OLDEST = 1990
MAX_URL_CHARS = 2_048
MAX_NAME_CHARS = 200
MAX_LISTED = 50
DETECT_CHARS = 600
"""As much of an article is looked at to find its language."""
PLAUSIBLE_CHARS = 200
"""As much is looked at to see that it is in a script of the declared language."""
UNKNOWN_LANGUAGE = "und"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")


def make_article(feed: Feed, parsed: ParsedFeed, one: Identified, now: datetime) -> Article:
    """Return an entry as an article."""
    entry = one.entry
    title = plain_text(entry.title, MAX_TITLE_CHARS)
    lead, body = _lead_and_body(entry.summary, entry.content)
    name = plain_text(parsed.title, MAX_TITLE_CHARS)
    url = one.url if is_web(one.url) else entry.id if is_web(entry.id) else ""
    domain = domain_of(url or parsed.link or feed.url)
    language, is_guess = choose_language(
        (entry.language, feed.language or "", parsed.language),
        f"{title} {lead} {body[:DETECT_CHARS]}",
    )
    published_at = believable(entry.published_at, now) or believable(entry.updated_at, now)
    return Article(
        id=one.article_id,
        story_id=one.article_id,
        feed_id=feed.id,
        feed_title=feed.title or name,
        url=url[:MAX_URL_CHARS],
        title=title,
        lead=lead,
        body=body,
        language=language,
        language_is_guess=is_guess,
        authors=_names(entry.authors),
        categories=_names(entry.categories),
        source=domain,
        source_name=name or feed.title or domain,
        source_country=(feed.country or source_country(domain)).upper(),
        image=entry.image[:MAX_URL_CHARS],
        enclosures=tuple(
            Enclosure(one.url[:MAX_URL_CHARS], one.type[:MAX_NAME_CHARS], one.length)
            for one in entry.enclosures[:MAX_LISTED]
        ),
        published_at=published_at or now,
        published_is_guess=published_at is None,
        updated_at=believable(entry.updated_at, now),
        fetched_at=now,
    )


def _lead_and_body(summary: str, content: str) -> tuple[str, str]:
    """Return both as plain text; a summary that is the whole article is its body as well."""
    if content and content != summary:
        return plain_text(summary, MAX_LEAD_CHARS), plain_text(content, MAX_BODY_CHARS)
    whole = plain_text(summary or content, MAX_BODY_CHARS)
    if len(whole) > MAX_LEAD_CHARS:
        return whole[:MAX_LEAD_CHARS].rstrip(), whole
    return (whole, "") if summary else ("", whole)


def _names(values: tuple[str, ...]) -> tuple[str, ...]:
    names = (plain_text(value, MAX_NAME_CHARS) for value in values[:MAX_LISTED])
    return tuple(dict.fromkeys(filter(None, names)))


def believable(at: datetime | None, now: datetime) -> datetime | None:
    """Return `at`, None if it is ahead of the clock or older than the web."""
    if at is None or at > now + FUTURE_TOLERANCE or at.year < OLDEST:
        return None
    return at


def is_web(url: str) -> bool:
    """Say whether `url` is an http(s) address."""
    if not url.startswith(("http://", "https://")):
        return False
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def choose_language(declared: tuple[str, ...], text: str) -> tuple[str, bool]:
    """Return the language of `text` and whether it is a guess.

    The first of the `declared` tags that is one, unless the text's script says
    otherwise (many sites declare English and write something else); then what the
    text looks like.
    """
    text = text[:DETECT_CHARS]
    for tag in map(normal_language, declared):
        if tag and plausible(tag, text[:PLAUSIBLE_CHARS]):
            return tag, False
    return detect(text) or UNKNOWN_LANGUAGE, True


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
