"""Make one attempt: the HTTP request, bounded in every way. Alone here imports aiohttp."""

import asyncio
import errno
import ssl
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import aiohttp

from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.runtime.address import ForbiddenAddress, guarded_socket, parse_networks
from wirewatch.runtime.settings import Settings
from wirewatch.topics.attempts import MAX_RESPONSE_HEAD_BYTES, AttemptReason

MAX_READ_BYTES = 65_536
"""What is read of an answer, so that its connection can be used again; the rest is cut off."""
BODY_LIMIT_S = 2.0
"""How long an answer's body may take: its status has already decided."""
KEEPALIVE_S = 2.0
"""Shorter than the servers' usual 5 s and more: a connection that the receiver is just closing
would make an attempt fail for nothing."""
MAX_DETAIL_CHARS = 300
_NOT_A_URL = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)


def user_agent() -> str:
    """Return how we name ourselves to receivers."""
    try:
        return f"wirewatch/{version('wirewatch')}"
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "wirewatch/0"


class Sender:
    """Sends webhooks over one pool of connections. `close` when done.

    Refuses addresses that are neither public nor allowed by the settings, at
    the moment of connecting; follows no redirect, keeps no cookies, uses no proxy.
    """

    def __init__(self, settings: Settings) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                socket_factory=guarded_socket(parse_networks(settings.allow_networks)),
                limit=0,  # the dispatcher limits, over all and for each endpoint
                keepalive_timeout=KEEPALIVE_S,
            ),
            timeout=aiohttp.ClientTimeout(total=settings.notify_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Content-Type": "application/json",
                "User-Agent": user_agent(),
                "Accept-Encoding": "identity",
            },
            auto_decompress=False,
        )
        self._limit_s = settings.notify_timeout_s

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer | NoAnswer:
        """Send `body` to `url` and return what came of it; nothing is raised for the network."""
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Answer(
                    response.status,
                    response.headers.get("Retry-After"),
                    await self._head(response),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ValueError: a URL that is none, such as one with an impossible host name.
            return NoAnswer(_reason(error), self._detail(error))

    async def _head(self, response: aiohttp.ClientResponse) -> str:
        """Return the start of the body, as much of it as comes in time and unbroken."""
        head, size = b"", 0
        try:
            async with asyncio.timeout(BODY_LIMIT_S):
                while size < MAX_READ_BYTES:
                    piece = await response.content.read(MAX_READ_BYTES - size)
                    if not piece:
                        return _text(head)
                    size += len(piece)
                    head = (head + piece)[:MAX_RESPONSE_HEAD_BYTES]
        except (aiohttp.ClientError, OSError):
            pass  # the status counts; TimeoutError is an OSError
        response.close()
        return _text(head)

    def _detail(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self._limit_s:g} s"
        if isinstance(error, _NOT_A_URL):
            return "the endpoint's URL is none that can be asked"
        # Unlike `str()`, the message leaves out the URL, whose query may hold a token.
        said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
        return (" ".join(said.split()) or type(error).__name__)[:MAX_DETAIL_CHARS]


def _text(head: bytes) -> str:
    return head.decode("utf-8", "replace")


def _reason(error: Exception) -> AttemptReason:
    """Return the reason for an error of aiohttp or of the network below it."""
    if isinstance(error, TimeoutError):
        return AttemptReason.TIMEOUT
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return AttemptReason.TLS
    if _is_forbidden(error):
        return AttemptReason.ADDRESS
    if isinstance(error, (aiohttp.ClientConnectorError, *_NOT_A_URL)):
        return AttemptReason.CONNECT
    if isinstance(error, aiohttp.ClientError | ConnectionError):
        return AttemptReason.BROKEN
    return AttemptReason.CONNECT


def _is_forbidden(error: Exception) -> bool:
    """Say whether the guard refused; where a name has several addresses, whether it did so for all.

    aiohttp joins the errors of several addresses into one OSError that keeps their common errno.
    """
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ForbiddenAddress):
        return True
    return isinstance(cause, OSError) and cause.errno == errno.EACCES
