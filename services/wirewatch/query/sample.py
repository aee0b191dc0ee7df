"""An article that somebody makes up to try a query on. Pure."""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from wirewatch.documents.language import detect
from wirewatch.topics.articles import (
    MAX_BODY_CHARS,
    MAX_LEAD_CHARS,
    MAX_TITLE_CHARS,
    Article,
)

MAX_NAME_CHARS = 200
MAX_URL_CHARS = 2_048
MAX_LISTED = 50
"""Authors, and categories."""
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the article; all of it may be left out.

    Without `language` it is guessed from the texts, without `source` it is the host of `url`.
    `feed` is the id or the title of a feed.
    """

    title: str = ""
    lead: str = ""
    body: str = ""
    language: str = ""
    source: str = ""
    url: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    country: str = ""
    feed: str = ""


def mistakes(sample: Sample) -> Iterator[tuple[str, str]]:
    """Yield each field that is longer than articles may be, and what is wrong with it."""
    limits = {
        "title": MAX_TITLE_CHARS,
        "lead": MAX_LEAD_CHARS,
        "body": MAX_BODY_CHARS,
        "url": MAX_URL_CHARS,
        **dict.fromkeys(("language", "source", "country", "feed"), MAX_NAME_CHARS),
    }
    for field, most in limits.items():
        if (size := len(getattr(sample, field))) > most:
            yield field, f"has {size} characters, at most {most} are allowed"
    for field, names in (("authors", sample.authors), ("categories", sample.categories)):
        if len(names) > MAX_LISTED:
            yield field, f"are {len(names)}, at most {MAX_LISTED} are allowed"
        if any(len(name) > MAX_NAME_CHARS for name in names):
            yield field, f"must each have at most {MAX_NAME_CHARS} characters"


def article_of(sample: Sample) -> Article:
    """Return `sample` as the article that queries are held against."""
    texts = f"{sample.title}\n{sample.lead}\n{sample.body}"
    return Article(
        id="art_sample",
        story_id="art_sample",
        feed_id=sample.feed,
        feed_title=sample.feed,
        url=sample.url,
        title=_nfc(sample.title),
        lead=_nfc(sample.lead),
        body=_nfc(sample.body),
        language=sample.language or detect(texts) or "und",
        language_is_guess=not sample.language,
        authors=tuple(map(_nfc, sample.authors)),
        categories=tuple(map(_nfc, sample.categories)),
        source=(sample.source or _host(sample.url)).lower().removeprefix("www."),
        source_country=sample.country.upper(),
        published_at=_NO_TIME,
        fetched_at=_NO_TIME,
    )


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
