"""Which values a field may have. Pure.

Each check returns what is wrong with a value in a few words that follow the
field's name, or None.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from wirewatch.api.bodies import (
    FeedPatch,
    PaceBody,
    SubscriptionPatch,
)
from wirewatch.api.errors import FieldError, Invalid
from wirewatch.api.pace_checks import pace_mistakes
from wirewatch.entities.catalogue import Catalogue
from wirewatch.query.errors import QueryError
from wirewatch.query.parse import parse

MAX_URL_CHARS = 2_048
MAX_NAME_CHARS = 200
MAX_TAGS = 20
MAX_TAG_CHARS = 50
MAX_LANGUAGE_CHARS = 35
"""RFC 5646 section 4.4.1 advises buffers of at least this."""
MIN_INTERVAL_S = 1
MAX_INTERVAL_S = 86_400
MAX_ENDPOINTS = 16
"""Endpoints of one subscription: each gets its own record of every alert."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""The shape of a tag in RFC 5646 section 2.1, without grandfathered and private ones."""
INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
NOT_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff\\<>\"^`{|}]")

Check = Callable[[object], str | None]


def check_feed(feed: FeedPatch) -> None:
    """Raise Invalid if a field of `feed` has a value that is not allowed."""
    refuse_wrong(
        feed.given(),
        {
            "url": _url,
            "title": line(least=0),
            "language": nullable(_language),
            "tags": _tags,
            "interval_s": nullable(_interval),
            "country": nullable(_country),
        },
    )


def check_subscription(
    subscription: SubscriptionPatch, catalogue: Catalogue, now: datetime
) -> None:
    """Raise Invalid if a field has a value that is not allowed, or the query is wrong."""
    pace = subscription.pace
    refuse_wrong(
        subscription.given(),
        {
            "name": line(least=1),
            "query": lambda query: query_mistake(str(query), catalogue),
            "endpoint_ids": _endpoint_ids,
            "tags": _tags,
            "language": _language,
        },
        also=pace_mistakes(pace, now) if isinstance(pace, PaceBody) else (),
    )


def check_text(field: str, value: str) -> None:
    """Raise Invalid if `value` is no line of text."""
    refuse_wrong({field: value}, {field: line(least=1)})


def refuse_wrong(
    given: dict[str, object], checks: dict[str, Check], *, also: Iterable[FieldError] = ()
) -> None:
    """Raise Invalid if a field that is given does not pass its check; `also` is wrong beside it."""
    wrong = [
        FieldError(field, message)
        for field, check in checks.items()
        if field in given and (message := check(given[field])) is not None
    ]
    wrong += also
    if wrong:
        raise Invalid(wrong)


def query_mistake(query: str, catalogue: Catalogue) -> str | None:
    """Return what is wrong with `query` and where, in one line."""
    try:
        parse(query, catalogue)
    except QueryError as error:
        return error.in_words()
    return None


def nullable(check: Check) -> Check:
    """Return `check`, passed by None too."""
    return lambda value: None if value is None else check(value)


def line(least: int) -> Check:
    """Return a check that one line of text of at least so many characters passes."""

    def check(value: object) -> str | None:
        text = str(value)
        if len(text.strip()) < least:
            return "must not be empty"
        if len(text) > MAX_NAME_CHARS:
            return f"has {len(text)} characters, at most {MAX_NAME_CHARS} are allowed"
        return "must be one line without control characters" if INVISIBLE.search(text) else None

    return check


def _url(value: object) -> str | None:
    url = str(value)
    if len(url) > MAX_URL_CHARS:
        return f"has {len(url)} characters, at most {MAX_URL_CHARS} are allowed"
    if NOT_IN_URL.search(url):
        return "must not hold spaces or characters that a URL has to escape"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a URL: {error}"
    return _url_parts(parts.scheme, host, parts.netloc)


def _url_parts(scheme: str, host: str | None, authority: str) -> str | None:
    if scheme not in {"http", "https"}:
        return "must begin with http:// or https://"
    if not host:
        return "names no host"
    return "must not hold a user name or password" if "@" in authority else None


def _language(value: object) -> str | None:
    text = str(value)
    if len(text) > MAX_LANGUAGE_CHARS or not _LANGUAGE.fullmatch(text):
        return "is not a BCP 47 language tag, such as en, pt-BR or zh-Hant"
    return None


def _interval(value: object) -> str | None:
    if isinstance(value, int) and MIN_INTERVAL_S <= value <= MAX_INTERVAL_S:
        return None
    return f"must be {MIN_INTERVAL_S} to {MAX_INTERVAL_S} seconds"


def _country(value: object) -> str | None:
    if re.fullmatch("[A-Z]{2}", str(value)):
        return None
    return "is not an ISO 3166 code of two capital letters, such as DE or US"


def _tags(value: object) -> str | None:
    tags = _strings(value)
    if len(tags) > MAX_TAGS:
        return f"are {len(tags)}, at most {MAX_TAGS} are allowed"
    for tag in tags:
        if not tag.strip() or len(tag) > MAX_TAG_CHARS or INVISIBLE.search(tag):
            return f"must each have 1 to {MAX_TAG_CHARS} visible characters"
    return "must differ from one another" if len(set(tags)) < len(tags) else None


def _endpoint_ids(value: object) -> str | None:
    ids = _strings(value)
    if not ids:
        return "must name at least one endpoint: an alert without one tells nobody"
    if len(ids) > MAX_ENDPOINTS:
        return f"are {len(ids)}, at most {MAX_ENDPOINTS} are allowed"
    return "must differ from one another" if len(set(ids)) < len(ids) else None


def _strings(value: object) -> Sequence[str]:
    return value if isinstance(value, tuple) else ()
