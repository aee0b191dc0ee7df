"""Fetch a feed over HTTP. The only module of ingest that touches the network."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import aiohttp

from wirewatch.ingest.errors import FeedProblem
from wirewatch.runtime.address import ForbiddenAddress, guarded_socket, parse_networks
from wirewatch.runtime.settings import Settings
from wirewatch.topics.feed_states import FetchReason

MAX_REDIRECTS = 5
PIECE_BYTES = 65_536
CONNECT_TIMEOUT_S = 10.0
DNS_CACHE_S = 60
MAX_HEADER_BYTES = 16_384
MAX_VALIDATOR_CHARS = 1_024
ACCEPT = (
    "application/rss+xml, application/atom+xml, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server gave to ask "has it changed" with (RFC 9110 §8.8), exactly as sent."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """304: nothing new. Validators the answer repeats replace the old ones."""

    validators: Validators


@dataclass(frozen=True, slots=True)
class Document:
    """A document read whole. `url` is where it was found in the end."""

    body: bytes
    content_type: str
    url: str
    validators: Validators


class Fetcher:
    """Fetches feeds over shared connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        contact = f" (+{settings.ingest_contact})" if settings.ingest_contact else ""
        self._user_agent = f"wirewatch/{version('wirewatch')}{contact}"
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._settings.ingest_concurrency,
                ttl_dns_cache=DNS_CACHE_S,
                socket_factory=guarded_socket(parse_networks(self._settings.allow_networks)),
            ),
            timeout=aiohttp.ClientTimeout(
                total=self._settings.ingest_timeout_s, sock_connect=CONNECT_TIMEOUT_S
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent, "Accept": ACCEPT},
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def stop(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str, validators: Validators, now: datetime) -> Document | Unchanged:
        """Return what stands at `url`.

        Raises FeedProblem with its reason for everything that hinders it. A
        body that breaks off or is too large is never returned in part.
        """
        try:
            return await self._get(url, validators, now)
        except TimeoutError as error:
            limit = self._settings.ingest_timeout_s
            raise FeedProblem(FetchReason.TIMEOUT, f"no whole answer in {limit:g} s") from error
        except aiohttp.TooManyRedirects as error:
            raise FeedProblem(FetchReason.REDIRECTS, f"more than {MAX_REDIRECTS}") from error
        except aiohttp.ClientSSLError as error:
            raise FeedProblem(FetchReason.TLS, _words(error)) from error
        except aiohttp.ClientConnectorError as error:
            raise _connect_problem(error) from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise FeedProblem(FetchReason.ADDRESS, f"not a web address: {_words(error)}") from error
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            raise FeedProblem(FetchReason.BROKEN, _words(error)) from error

    async def _get(self, url: str, validators: Validators, now: datetime) -> Document | Unchanged:
        if self._session is None:
            raise RuntimeError("the fetcher is not started")
        request = self._session.get(
            url, headers=_conditional(validators), max_redirects=MAX_REDIRECTS
        )
        async with request as answer:
            if answer.status == 304:
                return Unchanged(_validators(answer, otherwise=validators))
            if answer.status != 200:
                raise FeedProblem(
                    FetchReason.HTTP_STATUS,
                    f"{answer.status} {answer.reason or ''}".strip(),
                    retry_after=_retry_after(answer.headers.get("Retry-After"), now),
                )
            body = await self._body(answer)
            content_type = answer.headers.get("Content-Type", "")
            return Document(body, content_type, str(answer.url), _validators(answer))

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        """Read the body in pieces, so that neither an endless nor a packed one fills memory."""
        limit = self._settings.ingest_max_bytes
        body = bytearray()
        async for piece in answer.content.iter_chunked(PIECE_BYTES):
            body += piece
            if len(body) > limit:
                raise FeedProblem(FetchReason.TOO_LARGE, f"more than {limit} bytes")
            await asyncio.sleep(0)
        return bytes(body)


def _conditional(validators: Validators) -> dict[str, str]:
    headers = {
        "If-None-Match": validators.etag,
        "If-Modified-Since": validators.last_modified,
    }
    return {name: value for name, value in headers.items() if value}


def _validators(
    answer: aiohttp.ClientResponse, *, otherwise: Validators | None = None
) -> Validators:
    old = otherwise or Validators()
    return Validators(
        etag=_kept(answer.headers.get("ETag")) or old.etag,
        last_modified=_kept(answer.headers.get("Last-Modified")) or old.last_modified,
    )


def _kept(value: str | None) -> str | None:
    return value if value and len(value) <= MAX_VALIDATOR_CHARS else None


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return what a Retry-After header asks for (RFC 9110 §10.2.3), None if it says nothing."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return timedelta(seconds=min(int(value), 10**8))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(timedelta(0), at - now)


def _connect_problem(error: aiohttp.ClientConnectorError) -> FeedProblem:
    if isinstance(error.os_error, ForbiddenAddress) or "not a public address" in str(error):
        return FeedProblem(FetchReason.ADDRESS, str(error.os_error.strerror or error))
    return FeedProblem(FetchReason.CONNECT, _words(error))


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
