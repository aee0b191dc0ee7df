"""Addresses of endpoints: which are allowed, and how much of one may be shown. Pure."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from wirewatch.api.checks import MAX_URL_CHARS, NOT_IN_URL
from wirewatch.topics.endpoints import EndpointKind
from wirewatch.topics.ids import content_id
from wirewatch.web.target import BadTarget, read_target

MAX_HOST_CHARS = 253
"""RFC 1035 section 2.3.4, as text without the last dot."""
MAX_LOCAL_PART_CHARS = 64
MAX_MAILBOX_CHARS = 254
"""RFC 5321 section 4.5.3.1, and RFC 3696 erratum 1690."""
CUT = "…"

SECRET_KINDS = frozenset(
    {
        EndpointKind.SLACK,
        EndpointKind.TEAMS,
        EndpointKind.DISCORD,
        EndpointKind.MATTERMOST,
        EndpointKind.NTFY,
        EndpointKind.TEMPLATE,
    }
)
"""Kinds whose path is a secret: who knows it can post. A topic of ntfy is one too, and a
template is mostly for a chat that has no kind of its own. Of the others the query is cut."""

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*\.?")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$&'*+/=_~-]+(\.[A-Za-z0-9!#$&'*+/=_~-]+)*")
_NTFY_PATH = re.compile(r"(/[^/]*)*/[-_A-Za-z0-9]{1,64}")
_BOT_IN_PATH = re.compile(r"/bot\d*:?|/$")


def url_mistake(kind: EndpointKind, url: str) -> str | None:
    """Return what is wrong with the address of an endpoint of this kind, without quoting it."""
    if len(url) > MAX_URL_CHARS:
        return f"has {len(url)} characters, at most {MAX_URL_CHARS} are allowed"
    if NOT_IN_URL.search(url):
        return "must not hold spaces or characters that a URL has to escape"
    if kind is EndpointKind.EMAIL:
        return _mailto_mistake(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a URL: its host or its port cannot be read"
    return _web_mistake(parts, port) or _kind_mistake(kind, parts) or _unaskable(url)


def _unaskable(url: str) -> str | None:
    """Return why notify would not ask this URL: whatever it refuses is refused here."""
    try:
        read_target(url)
    except BadTarget as mistake:
        return f"cannot be asked: {mistake}"
    return None


def _web_mistake(parts: SplitResult, port: int | None) -> str | None:
    if parts.scheme not in {"http", "https"}:
        return "must begin with http:// or https://"
    if not parts.hostname:
        return "names no host"
    if "@" in parts.netloc:
        return "must not hold a user name or password: send them as a header"
    if port == 0:
        return "names port 0, which nobody can listen on"
    return _host_mistake(parts.hostname)


def _host_mistake(host: str) -> str | None:
    if ":" in host:
        return None if _is_ipv6(host) else "names a host that is no IPv6 address"
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return "names a host that is no international domain name"
    if len(ascii_host) > MAX_HOST_CHARS or any(len(label) > 63 for label in ascii_host.split(".")):
        return f"names a host that is too long: {MAX_HOST_CHARS} characters, 63 between two dots"
    return None if _NAME.fullmatch(ascii_host) else "names a host that is no domain name"


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _kind_mistake(kind: EndpointKind, parts: SplitResult) -> str | None:
    if kind is EndpointKind.NTFY and not _NTFY_PATH.fullmatch(parts.path):
        return "must end with the topic, as in https://ntfy.sh/my-topic"
    if kind is EndpointKind.TELEGRAM and (
        _BOT_IN_PATH.search(parts.path) or parts.query or parts.fragment
    ):
        return (
            "names the Bot API only, https://api.telegram.org without a slash at its end: "
            "the bot's token goes into `token`"
        )
    return None


def _mailto_mistake(url: str) -> str | None:
    scheme, _, mailbox = url.partition(":")
    if scheme != "mailto":
        return "must be mailto: and an address, as in mailto:desk@example.org"
    local, _, domain = mailbox.rpartition("@")
    if not _LOCAL_PART.fullmatch(local) or len(local) > MAX_LOCAL_PART_CHARS:
        return "must hold one plain mail address after mailto:, and nothing behind it"
    if len(mailbox) > MAX_MAILBOX_CHARS:
        return f"holds an address of more than {MAX_MAILBOX_CHARS} characters"
    return _host_mistake(domain) if domain and ":" not in domain else "names no mail server"


def shown_url(kind: EndpointKind, url: str) -> str:
    """Return as much of `url` as may be shown; what was cut is a `…` at the end."""
    if kind is EndpointKind.EMAIL:
        return url
    if kind in SECRET_KINDS:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}/{CUT}"
    before, question, _ = url.partition("?")
    return before + question + CUT if question else url


def url_id(kind: EndpointKind, url: str) -> str:
    """Return what tells this address from others where it is cut, empty where it is whole."""
    return "" if shown_url(kind, url) == url else content_id("url", url)
