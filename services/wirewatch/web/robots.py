"""What robots.txt allows us (RFC 9309), remembered for each origin for up to a day."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from protego import Protego

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.unpack import unpack
from wirewatch.topics.feed_states import FetchReason
from wirewatch.web.client import Document, Limits, Validators, WebClient
from wirewatch.web.errors import FetchProblem

PRODUCT = "wirewatch"
MAX_BYTES = 512_000
"""As much of a robots.txt is read (RFC 9309 §2.5 asks for 500 KiB at least)."""
MAX_FETCHED_BYTES = 2_000_000
TIMEOUT_S = 10.0
LONGEST = timedelta(days=1)
SHORTEST = timedelta(hours=1)
AFTER_FAILURE = timedelta(minutes=10)
MAX_ORIGINS = 10_000
MAX_CHARS = 2_000_000
"""Rules remembered of all origins together; parsed they take up to 25 times as much memory."""
_LIMITS = Limits(max_wire_bytes=MAX_FETCHED_BYTES, timeout_s=TIMEOUT_S)
_ACCEPT = "text/plain, */*;q=0.1"
_AGENT = re.compile(r"user(?:-|\s+)?agent\s*:?\s*([A-Za-z_-]+|\*(?=\s|#|$))?", re.IGNORECASE)
_SITE_WIDE = ("sitemap", "site-map", "host")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one robots.txt says to us. Without a `parser` all is `allowed`, or nothing is."""

    until: datetime
    allowed: bool = True
    parser: Protego | None = None
    chars: int = 0
    known: bool = True
    """False if the robots.txt could not be had."""

    def allow(self, url: str) -> bool:
        """Say whether `url` may be fetched."""
        return self.allowed if self.parser is None else self.parser.can_fetch(url, PRODUCT)

    @property
    def delay(self) -> timedelta:
        """The wait asked for between two requests."""
        asked = (self.parser.crawl_delay(PRODUCT) if self.parser else None) or 0.0
        rate = self.parser.request_rate(PRODUCT) if self.parser else None
        between = min(rate.seconds, 10**9) / min(rate.requests, 10**9) if rate else 0.0
        return timedelta(seconds=min(max(asked, between), LONGEST.total_seconds()))


@dataclass(slots=True)
class _Origin:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Rules | None = None


class Robots:
    """Asks for robots.txt once a day and origin, and says what it allows.

    Of more than `max_origins` origins those not asked for the longest time are forgotten.
    """

    def __init__(self, client: WebClient, *, max_origins: int = MAX_ORIGINS) -> None:
        self._client = client
        self._max_origins = max_origins
        self._origins: OrderedDict[str, _Origin] = OrderedDict()
        self._chars = 0

    def __len__(self) -> int:
        return len(self._origins)

    async def allowed(self, url: str, now: datetime) -> bool:
        """Say whether robots.txt lets us fetch `url`. Requests at the same time ask once.

        No robots.txt (4xx) allows all. One that cannot be had allows nothing for
        some minutes, unless an older one is known, which then goes on to hold
        (RFC 9309 §2.3.1.4); so does 429, which is no word on what is allowed. What is
        no web address is left to the client to refuse.
        """
        name = _origin(url)
        if not name:
            return True
        origin = self._remember(name)
        if origin.rules is None or origin.rules.until <= now:
            async with origin.lock:
                if origin.rules is None or origin.rules.until <= now:
                    await self._renew(name, origin, now)
        return origin.rules is not None and origin.rules.allow(url)

    def delay(self, url: str) -> timedelta:
        """Return the wait that robots.txt asks for, as far as `allowed` has read it."""
        origin = self._origins.get(_origin(url))
        return origin.rules.delay if origin and origin.rules else timedelta(0)

    async def sitemaps(self, origin_url: str) -> str:
        """Return the text of the robots.txt of the origin of `origin_url`, which names sitemaps.

        Empty if there is none or it cannot be had. Asked for anew each time.
        """
        name = _origin(origin_url)
        try:
            return await self._text(await self._fetch(name, datetime.now(UTC))) if name else ""
        except (FetchProblem, DocumentProblem):
            return ""

    def _remember(self, name: str) -> _Origin:
        origin = self._origins.get(name)
        if origin is None:
            origin = self._origins[name] = _Origin()
        self._origins.move_to_end(name)
        while len(self._origins) > self._max_origins:
            self._forget_oldest()
        return origin

    def _forget_oldest(self) -> None:
        _, origin = self._origins.popitem(last=False)
        self._chars -= origin.rules.chars if origin.rules else 0

    async def _renew(self, name: str, origin: _Origin, now: datetime) -> None:
        rules = await self._read(name, now)
        if not rules.known and origin.rules is not None and origin.rules.known:
            old = origin.rules
            rules = Rules(rules.until, old.allowed, old.parser, old.chars)
        before = origin.rules.chars if origin.rules else 0
        origin.rules = rules
        if self._origins.get(name) is not origin:
            return  # forgotten while it was fetched
        self._chars += rules.chars - before
        while self._chars > MAX_CHARS and len(self._origins) > 1:
            self._forget_oldest()

    async def _read(self, name: str, now: datetime) -> Rules:
        try:
            document = await self._fetch(name, now)
            text = await self._text(document)
        except FetchProblem as problem:
            return _without(problem, now)
        except DocumentProblem:
            return Rules(now + AFTER_FAILURE, allowed=False, known=False)
        until = now + max(SHORTEST, min(document.fresh_for or LONGEST, LONGEST))
        ours = "\n".join(_our_lines(text))
        if not ours:
            return Rules(until)
        parser = await asyncio.to_thread(Protego.parse, ours)
        return Rules(until, parser=parser, chars=len(ours))

    async def _fetch(self, name: str, now: datetime) -> Document:
        found = await self._client.get(
            f"{name}/robots.txt", validators=Validators(), limits=_LIMITS, accept=_ACCEPT, now=now
        )
        if not isinstance(found, Document):
            raise FetchProblem(FetchReason.BROKEN, "304 to a request that was not conditional")
        return found

    @staticmethod
    async def _text(document: Document) -> str:
        body = document.body
        if document.codings:
            body = await asyncio.to_thread(unpack, body, document.codings, MAX_FETCHED_BYTES)
        if len(body) > MAX_BYTES:
            body = body[: body.rfind(b"\n", 0, MAX_BYTES) + 1]  # half a rule says something else
        return body.decode("utf-8-sig", "replace")


def _without(problem: FetchProblem, now: datetime) -> Rules:
    """Say what follows when there is no robots.txt to read (RFC 9309 §2.3.1.2 to 2.3.1.4)."""
    status = problem.status or 0
    none_there = 200 <= status < 500 and status != 429
    if problem.reason is FetchReason.REDIRECTS:
        return Rules(now + LONGEST)
    if problem.reason in {FetchReason.HTTP_STATUS, FetchReason.GONE} and none_there:
        return Rules(now + LONGEST)
    wait = min(max(problem.retry_after or AFTER_FAILURE, AFTER_FAILURE), LONGEST)
    return Rules(now + wait, allowed=False, known=False)


def _our_lines(text: str) -> Iterator[str]:
    """Yield the groups for us and for everyone.

    The parser would keep all rules of all agents, and take the product of both in time:
    minutes for half a megabyte made for it.
    """
    naming = ours = False
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#") or line.lower().startswith(_SITE_WIDE):
            continue
        if agent := _AGENT.match(line):
            ours = ours and naming
            naming = True
            token = (agent[1] or "").lower()
            if token in {PRODUCT, "*"}:
                ours = True
                yield f"User-agent: {token}"
            continue
        naming = False
        if ours:
            yield line


def _origin(url: str) -> str:
    """Return scheme, host and port of `url`, empty if it is no web address."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, default} else "")
