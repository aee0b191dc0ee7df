"""Make one attempt: the HTTP request, bounded in every way.

Nothing of a receiver is believed. It may hang at any point, send without end or
nothing, or lead elsewhere: an attempt costs at most its time-out, a few hundred
kilobytes and one connection, and the others do not notice.
"""

import asyncio
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version

import aiohttp
from aiohttp.abc import AbstractResolver

from wirewatch.notify.failures import no_answer
from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.redirect import REDIRECTS, next_request
from wirewatch.notify.request import HttpRequest
from wirewatch.notify.tls import Contexts, TlsProblem
from wirewatch.runtime.address import Guard
from wirewatch.runtime.settings import Settings
from wirewatch.topics.attempts import MAX_RESPONSE_HEAD_BYTES, AttemptReason
from wirewatch.web.connections import GuardedConnector
from wirewatch.web.target import MAX_URL_CHARS, BadTarget, Target, check_headers, read_target

MAX_HEAD_BYTES = 32_768
"""What may come before an answer's head is complete: interim answers (1xx) and headers."""
MAX_READ_BYTES = 8_192
"""What is read of an answer's body, so that its connection can be used again; the rest is cut off.
It is not more because a body may come in chunks of one byte, which take long to read."""
BODY_LIMIT_S = 2.0
"""How long an answer's body may take: its status has already decided."""
CONNECT_LIMIT_S = 10.0
"""How long one address may take for connection and TLS; less where the attempt has less."""
LEAST_S = 0.001
"""What is left of a time-out that is over, so that it is one of aiohttp's own."""
KEEPALIVE_S = 2.0
"""Shorter than the servers' usual 5 s and more: a connection that the receiver is just closing
would make an attempt fail for nothing."""
DNS_CACHE_S = 10
DNS_CACHE_HOSTS = 10_000
MAX_ANSWER_HEADERS = 64
MAX_ANSWER_HEADER_CHARS = 1_024
"""What is kept of each header of an answer but Location; they may be longer."""
NOT_KEPT = frozenset({"set-cookie"})
"""A receiver's secrets, which nobody here needs."""


@cache
def user_agent() -> str:
    """Return how we name ourselves to receivers."""
    try:
        return f"wirewatch/{version('wirewatch')}"
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "wirewatch/0"


class Sender:
    """Sends requests over one pool of connections. Made in the running loop; `close` when done.

    Refuses addresses and ports that are neither public nor allowed by the settings, at
    the moment of connecting; keeps no cookies and uses no proxy.
    """

    def __init__(self, settings: Settings, *, resolver: AbstractResolver | None = None) -> None:
        self._contexts = Contexts()
        self._session = aiohttp.ClientSession(
            connector=GuardedConnector(
                Guard.of(settings.allow_networks, settings.allow_ports),
                limit=0,  # the dispatcher limits, over all and for each endpoint
                idle=settings.notify_idle_connections,
                most_head=MAX_HEAD_BYTES,
                most_body=MAX_READ_BYTES,
                resolver=resolver,
                keepalive_timeout=KEEPALIVE_S,
                ttl_dns_cache=DNS_CACHE_S,
                dns_cache_max_size=DNS_CACHE_HOSTS,
                ssl=self._contexts.common,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent(), "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )
        self._limit_s = settings.notify_timeout_s

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def send(self, request: HttpRequest) -> Answer | NoAnswer:
        """Make the request and return what came of it; nothing is raised for the network.

        As many redirects as it allows are followed, all within its time-out; the one
        after them is the answer.
        """
        try:
            check_headers(request.headers)
            target = read_target(request.url)
        except BadTarget as problem:
            return NoAnswer(AttemptReason.URL, str(problem))
        limit_s = self._limit_s if request.timeout_s is None else request.timeout_s
        if request.redirects:
            return await self._follow(request, target, limit_s)
        return await self._ask(request, target, limit_s, limit_s)

    async def _follow(
        self, request: HttpRequest, target: Target, limit_s: float
    ) -> Answer | NoAnswer:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + limit_s
        while True:
            left_s = max(ends_at - loop.time(), LEAST_S)
            answer = await self._ask(request, target, limit_s, left_s)
            if not (request.redirects and isinstance(answer, Answer) and leads_on(answer)):
                return answer
            try:
                request = next_request(request, target, answer.headers["location"])
                target = read_target(request.url)
            except BadTarget as problem:
                words = f"the receiver answered {answer.status}, which is not followed: {problem}"
                return NoAnswer(AttemptReason.REDIRECT, words, target.to)

    async def _ask(
        self, request: HttpRequest, target: Target, limit_s: float, left_s: float
    ) -> Answer | NoAnswer:
        """Make one request within `left_s`; `limit_s` is what the time-out is called."""
        try:
            response = await self._session.request(
                request.method,
                target.url,
                data=request.body or None,
                headers=request.headers,
                allow_redirects=False,
                timeout=_timeout(left_s),
                ssl=True if request.tls is None else await self._contexts.of(request.tls),
            )
        except TlsProblem as problem:
            return NoAnswer(AttemptReason.TLS, str(problem), target.to)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            is_tls = target.url.scheme == "https"
            return no_answer(error, to=target.to, is_tls=is_tls, limit_s=limit_s)
        # Mostly the body came with the headers, and the connection is back already.
        content = response.content
        is_whole = content.is_eof() and content.exception() is None
        head, size = _start(content.read_nowait()) if is_whole else await _head(response)
        kept = _kept(response.raw_headers)
        return Answer(response.status, kept.get("retry-after"), head, size, target.to, kept)


@lru_cache(maxsize=256)
def _timeout(total_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s, sock_connect=min(total_s, CONNECT_LIMIT_S))


def leads_on(answer: Answer) -> bool:
    """Say whether `answer` is a redirect that can be followed."""
    return answer.status in REDIRECTS and "location" in answer.headers


async def _head(response: aiohttp.ClientResponse) -> tuple[str, int]:
    """Return the start of the body and how much was read, what comes in time and unbroken."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            while len(body) < MAX_READ_BYTES and (piece := await response.content.readany()):
                body += piece
    except (aiohttp.ClientError, OSError):
        pass  # the status counts; TimeoutError is an OSError
    finally:
        response.close()
    return _start(body)


def _start(body: bytes | bytearray) -> tuple[str, int]:
    return body[:MAX_RESPONSE_HEAD_BYTES].decode("utf-8", "replace"), len(body)


def _kept(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return what is kept of an answer's headers; of several with one name the first."""
    kept: dict[str, str] = {}
    for raw_name, value in headers[:MAX_ANSWER_HEADERS]:
        name = _lower(raw_name)
        most = MAX_URL_CHARS if name == "location" else MAX_ANSWER_HEADER_CHARS
        if name not in kept and name not in NOT_KEPT:
            kept[name] = value[:most].decode("utf-8", "replace")
    return kept


@lru_cache(maxsize=1_024)
def _lower(raw_name: bytes) -> str:
    return raw_name.decode("latin-1").lower()
