"""What the headers of an answer say: validators, freshness, when to come back, links. Pure.

Headers are bytes from outside: what cannot be understood says nothing, and nothing raises.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

from multidict import CIMultiDictProxy

MAX_VALIDATOR_CHARS = 1_024
MAX_FRESH = timedelta(days=1)
"""An answer is believed fresh for no longer: some say a year, and mean their pictures."""
MAX_WAIT = timedelta(days=30)
MAX_CODINGS = 5
MAX_HUBS = 10
MAX_LINKS = 100

Headers = CIMultiDictProxy[str]

_LINK_TARGET = re.compile(r"[\s,]*<([^<>]*)>")
_LINK_PARAMETER = re.compile(r'\s*;\s*([^\s=;,"]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?')
_DIRECTIVE = re.compile(r'([^\s=,]+)\s*(?:=\s*"?([^",]*)"?)?')


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server gave to ask "has it changed" with (RFC 9110 §8.8), exactly as sent."""

    etag: str | None = None
    last_modified: str | None = None


def validators(headers: Headers, *, otherwise: Validators) -> Validators:
    """Return the validators of an answer; what it does not repeat is taken from `otherwise`."""
    return Validators(
        etag=_resendable(headers.get("ETag")) or otherwise.etag,
        last_modified=_resendable(headers.get("Last-Modified")) or otherwise.last_modified,
    )


def conditional(known: Validators) -> dict[str, str]:
    """Return the headers that ask for a document only if it differs from the one known."""
    sent = {
        "If-None-Match": _resendable(known.etag),
        "If-Modified-Since": _resendable(known.last_modified),
    }
    return {name: value for name, value in sent.items() if value}


def _resendable(value: str | None) -> str | None:
    """Return `value` if the same bytes can be sent again, else None.

    Bytes that are not UTF-8 arrive as lone surrogates, which can neither be sent nor
    stored; neither they nor control characters are printable.
    """
    if value and len(value) <= MAX_VALIDATOR_CHARS and value.replace("\t", " ").isprintable():
        return value
    return None


def codings(headers: Headers) -> tuple[str, ...]:
    """Return how the body is packed, in the order applied. More than a few are one unknown one."""
    named = (
        name.strip().lower()
        for value in headers.getall("Content-Encoding", ())
        for name in value.split(",")
    )
    found = tuple(clean(name, 40) for name in named if name not in {"", "identity"})
    return found if len(found) <= MAX_CODINGS else ("too-many",)


def fresh_for(headers: Headers, now: datetime) -> timedelta | None:
    """Return how much longer the answer is fresh, None if it does not say (RFC 9111 §4.2).

    Cache-Control goes before Expires. s-maxage is for shared caches, which we are
    not; no-cache and no-store say that the answer may be stale at once.
    """
    asked = _directives(headers.getall("Cache-Control", ()))
    if "no-cache" in asked or "no-store" in asked:
        return timedelta(0)
    if (lifetime := _seconds(asked.get("max-age"))) is not None:
        age = _seconds(headers.get("Age")) or timedelta(0)
        return _within(lifetime - age, MAX_FRESH)
    if (expires := headers.get("Expires")) is None:
        return None
    until = _http_date(expires)
    since = _http_date(headers.get("Date")) or now
    return timedelta(0) if until is None else _within(until - since, MAX_FRESH)


def _directives(values: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        for name, argument in _DIRECTIVE.findall(value):
            found.setdefault(name.lower(), argument)
    return found


def retry_after(headers: Headers, now: datetime) -> timedelta | None:
    """Return what a Retry-After header asks for (RFC 9110 §10.2.3), None if it says nothing."""
    value = headers.get("Retry-After")
    if (wait := _seconds(value)) is not None:
        return _within(wait, MAX_WAIT)
    at = _http_date(value)
    return None if at is None else _within(at - now, MAX_WAIT)


def _seconds(value: str | None) -> timedelta | None:
    text = (value or "").strip()
    if not text.isascii() or not text.isdecimal():
        return None
    return timedelta(seconds=int(text) if len(text) < 10 else 10**9)


def _http_date(value: str | None) -> datetime | None:
    if not value or len(value) > 100:
        return None
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _within(wait: timedelta, longest: timedelta) -> timedelta:
    return min(max(timedelta(0), wait), longest)


def links(headers: Headers, base: str) -> tuple[tuple[str, ...], str]:
    """Return the WebSub hubs and the self URL named by Link headers (RFC 8288), absolute."""
    hubs: dict[str, None] = {}
    itself = ""
    for target, parameters in _links(headers.getall("Link", ())):
        relations = parameters.get("rel", "").lower().split()
        if "anchor" in parameters or not {"hub", "self"} & set(relations):
            continue  # with an anchor it is a link of another document
        url = _web_url(target, base)
        if url and "hub" in relations and len(hubs) < MAX_HUBS:
            hubs[url] = None
        if url and "self" in relations:
            itself = itself or url
    return tuple(hubs), itself


def _links(values: Iterable[str]) -> Iterable[tuple[str, dict[str, str]]]:
    left = MAX_LINKS
    for value in values:
        at = 0
        while left and (target := _LINK_TARGET.match(value, at)):
            left -= 1
            at = target.end()
            parameters: dict[str, str] = {}
            while (one := _LINK_PARAMETER.match(value, at)) and one.end() > at:
                at = one.end()
                argument = re.sub(r"\\(.)", r"\1", one[2]) if one[2] is not None else one[3] or ""
                parameters.setdefault(one[1].lower(), argument)
            yield target[1].strip(), parameters


def _web_url(target: str, base: str) -> str:
    try:
        url = urljoin(base, target)
    except ValueError:
        return ""
    is_web = url.lower().startswith(("http://", "https://")) and url.isprintable()
    return url if is_web and " " not in url else ""


def clean(text: str, limit: int = 300) -> str:
    """Return words from outside as one line that can be printed and stored."""
    return "".join(char if char.isprintable() else "?" for char in text[:limit]).strip()
