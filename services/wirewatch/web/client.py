"""Ask a web server for a document, politely and safely.

Polite: our name in every request, the server's own validators and nothing else to
know us by (no cookies, no Referer), connections used again. Safe: only public
addresses, each hop of a redirect included, and a limit on bytes, time, hops and headers.
Bodies are returned packed: unpacking costs time and may be a bomb, so it is done
elsewhere (`documents.unpack`), off the event loop.
"""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version

import aiohttp

from wirewatch.runtime.address import ForbiddenAddress, Guard
from wirewatch.runtime.names import NameProblem
from wirewatch.runtime.ports import DEFAULT_PORTS
from wirewatch.topics.feed_states import FetchReason
from wirewatch.web import headers
from wirewatch.web.connections import GuardedConnector
from wirewatch.web.errors import FetchProblem
from wirewatch.web.headers import Validators
from wirewatch.web.hops import Hop

__all__ = ["Document", "Limits", "Unchanged", "Validators", "WebClient", "user_agent"]

CONNECT_TIMEOUT_S = 10.0
DNS_CACHE_HOSTS = 10_000
MAX_HEADER_BYTES = 16_384
MAX_HEADERS = 200
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ACCEPT_ENCODING = "gzip, br, zstd"


@dataclass(frozen=True, slots=True)
class Unchanged:
    """304: nothing new. Validators the answer repeats have replaced the old ones."""

    validators: Validators
    fresh_for: timedelta | None


@dataclass(frozen=True, slots=True)
class Document:
    """A document read whole, with status 200 or 203; it may be empty.

    `codings` is how `body` is packed, in the order applied. `url` is where it was
    found in the end, without credentials. `moved_to` is the same address if all
    hops there were permanent (301, 308), else empty; it keeps the credentials
    that were sent there. `fresh_for` is None where the answer does not say it.
    `hubs` and `self_url` come from Link headers.
    """

    body: bytes
    codings: tuple[str, ...]
    content_type: str
    url: str
    validators: Validators
    fresh_for: timedelta | None
    moved_to: str
    hubs: tuple[str, ...]
    self_url: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one `get` may take, redirects included. `timeout_s` is from look-up to last byte."""

    max_wire_bytes: int
    timeout_s: float
    max_redirects: int = 5


def user_agent(contact: str) -> str:
    """Return our honest name, with where to complain if `contact` says it."""
    name = f"wirewatch/{version('wirewatch')}"
    return f"{name} (+{contact})" if contact else name


class WebClient:
    """Gets documents over shared connections, at most `connections` at once.

    Addresses that are not public are refused unless they are in one of the networks `allow`,
    and of the public ones all ports but `ports`.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow: Iterable[str],
        connections: int,
        ports: Iterable[str] = DEFAULT_PORTS,
        dns_cache_s: int = 60,
    ) -> None:
        self._user_agent = user_agent
        self._guard = Guard.of(allow, ports)
        self._connections = connections
        self._dns_cache_s = dns_cache_s
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            connector=GuardedConnector(
                self._guard,
                limit=self._connections,
                idle=self._connections,
                ttl_dns_cache=self._dns_cache_s,
                dns_cache_max_size=DNS_CACHE_HOSTS,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": ACCEPT_ENCODING},
            auto_decompress=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=MAX_HEADERS,
        )

    async def stop(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def get(
        self,
        url: str,
        *,
        validators: Validators = Validators(),  # noqa: B008 - frozen
        limits: Limits,
        accept: str,
        now: datetime,
    ) -> Document | Unchanged:
        """Return what stands at `url`, or that it has not changed since `validators` were given.

        The validators go along on every hop of a redirect, as with curl and
        Miniflux: they belong to the last one, and a server that redirects has to
        ignore them (RFC 9110 §13.2.1). Credentials in `url` go to its own host only.

        Raises FetchProblem with its reason for everything that hinders it. A body
        that breaks off or is too large is never returned in part.
        """
        asked = headers.conditional(validators) | {"Accept": accept}
        try:
            async with asyncio.timeout(limits.timeout_s):
                return await self._follow(Hop.first(url), asked, validators, limits, now)
        except aiohttp.ServerTimeoutError as error:
            raise FetchProblem(
                FetchReason.TIMEOUT, f"no connection in {CONNECT_TIMEOUT_S:g} s"
            ) from error
        except TimeoutError as error:
            raise FetchProblem(
                FetchReason.TIMEOUT, f"no whole answer in {limits.timeout_s:g} s"
            ) from error
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            raise _problem(error) from error

    async def _follow(
        self,
        hop: Hop,
        asked: dict[str, str],
        known: Validators,
        limits: Limits,
        now: datetime,
    ) -> Document | Unchanged:
        if self._session is None:
            raise RuntimeError("the client is not started")
        while True:
            async with self._session.get(
                hop.url,
                headers=asked | hop.auth.header if hop.auth else asked,
                allow_redirects=False,
            ) as answer:
                if answer.status not in REDIRECTS or "Location" not in answer.headers:
                    return await _read(answer, hop, known, limits, now)
                wait = headers.retry_after(answer.headers, now)
                location = answer.headers["Location"]
                hop = hop.next(location, answer.status, most=limits.max_redirects, retry_after=wait)


async def _read(
    answer: aiohttp.ClientResponse, hop: Hop, known: Validators, limits: Limits, now: datetime
) -> Document | Unchanged:
    said = answer.headers
    if answer.status == 304 and headers.conditional(known):
        return Unchanged(headers.validators(said, otherwise=known), headers.fresh_for(said, now))
    if answer.status not in {200, 203}:
        raise _bad_status(answer, now)
    hubs, self_url = headers.links(said, str(hop.url))
    return Document(
        body=await _body(answer, limits.max_wire_bytes),
        codings=headers.codings(said),
        content_type=headers.clean(said.get("Content-Type", "")),
        url=str(hop.url),
        validators=headers.validators(said, otherwise=Validators()),
        fresh_for=headers.fresh_for(said, now),
        moved_to=hop.moved_to,
        hubs=hubs,
        self_url=self_url,
    )


async def _body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    if (answer.content_length or 0) > limit:
        raise FetchProblem(FetchReason.TOO_LARGE, f"more than {limit} bytes", status=answer.status)
    pieces: list[bytes] = []
    size = 0
    while piece := await answer.content.readany():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise FetchProblem(
                FetchReason.TOO_LARGE, f"more than {limit} bytes", status=answer.status
            )
    return b"".join(pieces)


def _bad_status(answer: aiohttp.ClientResponse, now: datetime) -> FetchProblem:
    """Return the problem of an answer that is no document.

    Among them are 204 and 205 (no content), 206 (a part nobody asked for) and 304
    to a request that was not conditional: there is nothing that could be unchanged.
    """
    reasons = {304: FetchReason.BROKEN, 410: FetchReason.GONE}
    return FetchProblem(
        reasons.get(answer.status, FetchReason.HTTP_STATUS),
        headers.clean(f"{answer.status} {answer.reason or ''}"),
        status=answer.status,
        retry_after=headers.retry_after(answer.headers, now),
    )


def _problem(error: Exception) -> FetchProblem:
    words = headers.clean((str(error) or type(error).__name__).partition("\n")[0])
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return FetchProblem(FetchReason.TLS, words)
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, ForbiddenAddress):
            said = headers.clean(error.os_error.strerror or words)
            return FetchProblem(FetchReason.ADDRESS, said)
        if isinstance(error.os_error, NameProblem):
            return FetchProblem(FetchReason.CONNECT, headers.clean(str(error.os_error)))
        return FetchProblem(FetchReason.CONNECT, words)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return FetchProblem(FetchReason.ADDRESS, f"not a web address: {words}")
    return FetchProblem(FetchReason.BROKEN, _broken(error) or words)


def _broken(error: Exception) -> str:
    """Say in our own words what aiohttp's exceptions, made for developers, mean."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed before an answer came"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off before its end"
    if isinstance(error, aiohttp.ClientResponseError):
        said = error.message.partition("\n")[0].partition(": b'")[0].rstrip(":")
        return headers.clean(f"not an HTTP answer that can be read: {said}")
    return ""
