"""What can be asked over HTTP: URLs, and headers beside our own. Pure.

Who stores an endpoint and who sends to it read both by the same rules.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address

from yarl import URL

MAX_URL_CHARS = 8_192
"""What servers and proxies commonly take of a request line."""
MAX_HEADERS = 100
MAX_HEADER_NAME_CHARS = 100
MAX_HEADER_CHARS = 8_190
"""Servers commonly refuse more."""
HOW_IT_IS_SENT = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"),
        *("te", "trailer", "expect", "proxy-authorization", "proxy-connection"),
    }
)
"""Headers that say how the request is sent, not what."""

HEADER_NAME = re.compile(rf"[!#$%&'*+.^_`|~0-9A-Za-z-]{{1,{MAX_HEADER_NAME_CHARS}}}")
"""A token (RFC 9110, 5.6.2)."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff\\]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class BadTarget(ValueError):
    """A URL or a header with which nothing can be asked; the message quotes nothing secret."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL and the host and port in it; `to` is how they are shown."""

    url: URL = field(repr=False)
    to: str


@lru_cache(maxsize=4_096)
def read_target(text: str) -> Target:
    """Return where `text` leads. Raises BadTarget if it is no address that can be asked."""
    if len(text) > MAX_URL_CHARS:
        raise BadTarget(f"the URL has {len(text)} characters, at most {MAX_URL_CHARS} are sent")
    if _NOT_IN_URL.search(text):
        raise BadTarget("the URL holds a space, a line break or another character not allowed")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise BadTarget(f"the URL cannot be read: {_mistake(text)}") from error
    if url.scheme not in {"http", "https"}:
        raise BadTarget("the URL begins with neither http:// nor https://")
    if url.raw_user is not None or url.raw_password is not None:
        raise BadTarget("the URL holds a user name or a password; a header may hold them instead")
    _check_host(host or "")
    if not port:
        raise BadTarget("port 0 cannot be asked")
    return Target(url.with_fragment(None), f"{_shown(host or '')}:{port}")


def _mistake(text: str) -> str:
    """Say what may be wrong with a URL; yarl's own words may repeat all of it."""
    authority = text.partition("//")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
    port = authority.rpartition(":")[2] if ":" in authority.rpartition("]")[2] else ""
    if port and not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65_536):
        return "its port is no number up to 65535"
    return "its host name is none"


def _check_host(host: str) -> None:
    if not host:
        raise BadTarget("the URL names no host")
    if ":" in host:
        if "%" in host:
            raise BadTarget("the URL's address has a zone, which only one machine can know")
        return
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        _check_literal(host)
    elif len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise BadTarget("the URL's host is no host name")


def _check_literal(host: str) -> None:
    """Accept one form of an IPv4 address alone, of the many that old programs read."""
    try:
        IPv4Address(host)
    except AddressValueError as error:
        raise BadTarget(
            "the URL's host is a number, but not an IPv4 address of four decimal parts"
        ) from error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise BadTarget if one of the headers cannot be sent or would change how we send."""
    _check_names(tuple(headers))
    values = "".join(headers.values())
    if len(values) <= MAX_HEADER_CHARS and not _CONTROL.search(values):
        return
    for name, value in headers.items():
        if _CONTROL.search(value):
            raise BadTarget(f"the header {name} holds a line break or another control")
        if len(value) > MAX_HEADER_CHARS:
            raise BadTarget(f"the header {name} has more than {MAX_HEADER_CHARS} characters")


@lru_cache(maxsize=1_024)
def _check_names(names: tuple[str, ...]) -> None:
    if len(names) > MAX_HEADERS:
        raise BadTarget(f"there are {len(names)} headers, at most {MAX_HEADERS} are sent")
    for name in names:
        if not HEADER_NAME.fullmatch(name):
            raise BadTarget("a header's name holds a character that is not allowed")
        if name.lower() in HOW_IT_IS_SENT:
            raise BadTarget(f"the header {name} is not for endpoints to set")


def resolve(here: Target, location: str) -> Target:
    """Return where `location`, said by `here`, leads. Raises BadTarget."""
    if len(location) > MAX_URL_CHARS or _NOT_IN_URL.search(location):
        raise BadTarget("where it leads is no URL")
    try:
        joined = str(here.url.join(URL(location)))
    except ValueError as error:
        raise BadTarget("where it leads is no URL") from error
    return read_target(joined)
