"""Which values a field may have. Pure.

Each check returns what is wrong with a value in a few words that follow the
field's name, or None.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from wirewatch.api.bodies import (
    EndpointPatch,
    FeedPatch,
    SubscriptionPatch,
)
from wirewatch.api.errors import FieldError, Invalid
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
MAX_RETRIES = 30
MAX_RETRY_WAIT_S = 7 * 86_400.0
SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with is no secret
MIN_SECRET_BYTES = 24
MAX_SECRET_BYTES = 64
"""Standard Webhooks: a symmetric secret has 24 to 64 bytes."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""The shape of a tag in RFC 5646 section 2.1, without grandfathered and private ones."""
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff\\<>\"^`{|}]")

Check = Callable[[object], str | None]


def check_feed(feed: FeedPatch) -> None:
    """Raise Invalid if a field of `feed` has a value that is not allowed."""
    _refuse_wrong(
        feed.given(),
        {
            "url": _url,
            "title": _line(least=0),
            "language": _nullable(_language),
            "tags": _tags,
            "interval_s": _nullable(_interval),
            "country": _nullable(_country),
        },
    )


def check_endpoint(endpoint: EndpointPatch) -> None:
    """Raise Invalid if a field of `endpoint` has a value that is not allowed."""
    _refuse_wrong(
        endpoint.given(),
        {
            "url": _url,
            "name": _line(least=0),
            "secret": _secret,
            "retry_schedule_s": _nullable(_retries),
        },
    )


def check_subscription(subscription: SubscriptionPatch, catalogue: Catalogue) -> None:
    """Raise Invalid if a field has a value that is not allowed, or the query is wrong."""
    _refuse_wrong(
        subscription.given(),
        {
            "name": _line(least=1),
            "query": lambda query: query_mistake(str(query), catalogue),
            "endpoint_ids": _endpoint_ids,
            "tags": _tags,
            "language": _language,
        },
    )


def check_text(field: str, value: str) -> None:
    """Raise Invalid if `value` is no line of text."""
    _refuse_wrong({field: value}, {field: _line(least=1)})


def _refuse_wrong(given: dict[str, object], checks: dict[str, Check]) -> None:
    wrong = [
        FieldError(field, message)
        for field, check in checks.items()
        if field in given and (message := check(given[field])) is not None
    ]
    if wrong:
        raise Invalid(wrong)


def query_mistake(query: str, catalogue: Catalogue) -> str | None:
    """Return what is wrong with `query` and where, in one line."""
    try:
        parse(query, catalogue)
    except QueryError as error:
        return error.in_words()
    return None


def _nullable(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _line(least: int) -> Check:
    def check(value: object) -> str | None:
        text = str(value)
        if len(text.strip()) < least:
            return "must not be empty"
        if len(text) > MAX_NAME_CHARS:
            return f"has {len(text)} characters, at most {MAX_NAME_CHARS} are allowed"
        return "must be one line without control characters" if _INVISIBLE.search(text) else None

    return check


def _url(value: object) -> str | None:
    url = str(value)
    if len(url) > MAX_URL_CHARS:
        return f"has {len(url)} characters, at most {MAX_URL_CHARS} are allowed"
    if _NOT_IN_URL.search(url):
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
        if not tag.strip() or len(tag) > MAX_TAG_CHARS or _INVISIBLE.search(tag):
            return f"must each have 1 to {MAX_TAG_CHARS} visible characters"
    return "must differ from one another" if len(set(tags)) < len(tags) else None


def _endpoint_ids(value: object) -> str | None:
    ids = _strings(value)
    if not ids:
        return "must name at least one endpoint: an alert without one tells nobody"
    if len(ids) > MAX_ENDPOINTS:
        return f"are {len(ids)}, at most {MAX_ENDPOINTS} are allowed"
    return "must differ from one another" if len(set(ids)) < len(ids) else None


def _retries(value: object) -> str | None:
    waits = value if isinstance(value, tuple) else ()
    if len(waits) > MAX_RETRIES:
        return f"has {len(waits)} waits, at most {MAX_RETRIES} are allowed"
    if any(not 0 < wait <= MAX_RETRY_WAIT_S for wait in waits):
        return f"must hold waits above 0 and up to {MAX_RETRY_WAIT_S:.0f} seconds"
    return None


def _secret(value: object) -> str | None:
    text = str(value)
    try:
        raw = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if text.startswith(SECRET_PREFIX) and MIN_SECRET_BYTES <= len(raw) <= MAX_SECRET_BYTES:
        return None
    return (
        f"must be {SECRET_PREFIX} and the base64 of "
        f"{MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} random bytes"
    )


def _strings(value: object) -> Sequence[str]:
    return value if isinstance(value, tuple) else ()
