"""Ask Wikidata, as its rules for clients want it (www.mediawiki.org/wiki/API:Etiquette).

One request after the other, our name with a contact in each, `maxlag` so that we stand back
while its servers are behind, and Retry-After where it says when to come back: never before.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.unpack import unpack
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.errors import Problem
from wirewatch.topics.feed_states import FetchReason
from wirewatch.web.client import Document, Limits, WebClient
from wirewatch.web.errors import FetchProblem
from wirewatch.web.headers import clean

MAX_IDS = 50
"""Ids of one request, as the API allows them to clients without an account."""
MAX_LAG_S = 5
MAX_TRIES = 5
MAX_WORDS = 200
FIRST_WAIT_S = 5.0
MAX_WAIT_S = 60.0
"""Nobody is kept waiting for longer: who is asked to, is told to come back later."""
LIMITS = Limits(max_wire_bytes=32 * 1024 * 1024, timeout_s=60.0)
MAX_ANSWER_BYTES = 256 * 1024 * 1024
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
_FOR_GOOD = frozenset({FetchReason.ADDRESS, FetchReason.TLS})
_BUSY = frozenset({"maxlag", "ratelimited", "readonly"})
Sleep = Callable[[float], Awaitable[None]]


class Wikidata:
    """The API at `url`, asked through `client`.

    Every method raises Problem, in one sentence, when it cannot be asked or does not answer.
    """

    def __init__(self, client: WebClient, url: str, sleep: Sleep = asyncio.sleep) -> None:
        self._client = client
        self._url = url
        self._sleep = sleep

    async def items(self, ids: Sequence[str]) -> AsyncIterator[Any]:
        """Yield the answers of `wbgetentities` that together tell of `ids`."""
        for start in range(0, len(ids), MAX_IDS):
            some = ids[start : start + MAX_IDS]
            yield await self._ask(
                "entities",
                action="wbgetentities",
                ids="|".join(some),
                props="labels|aliases|claims",
            )

    async def search(self, text: str, language: str, limit: int) -> Any:
        """Return the answer of `wbsearchentities` for items called `text`."""
        return await self._ask(
            "search",
            action="wbsearchentities",
            search=text,
            language=language,
            uselang=language,
            type="item",
            limit=str(limit),
        )

    async def _ask(self, wanted: str, **parameters: str) -> Any:
        """Return the answer, an object in which `wanted` stands."""
        asked = parameters | {"format": "json", "maxlag": str(MAX_LAG_S)}
        query = urlencode(asked, errors="replace")
        why = ""
        for attempt in range(MAX_TRIES):
            try:
                answer = await self._get(f"{self._url}?{query}")
            except FetchProblem as problem:
                if not _may_pass(problem):
                    raise Problem(f"{self._url} cannot be asked: {problem.detail}.") from problem
                why, wait = problem.detail, problem.retry_after
                await self._wait(attempt, wait.total_seconds() if wait else None)
                continue
            code, words = _error_of(answer)
            if not code:
                if wanted not in answer:
                    raise self._no_wikidata()
                return answer
            why = words or code
            if code not in _BUSY:
                raise Problem(f"{self._url} refuses: {why}.")
            await self._wait(attempt, None)
        raise Problem(f"{self._url} does not answer after {MAX_TRIES} tries ({why}): try later.")

    async def _get(self, url: str) -> dict[str, Any]:
        document = await self._client.get(
            url, limits=LIMITS, accept="application/json", now=utc_now()
        )
        if not isinstance(document, Document):
            raise Problem(f"{self._url} answers that nothing has changed, unasked.")
        try:
            raw = unpack(document.body, document.codings, MAX_ANSWER_BYTES)
            return msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._no_wikidata() from error
        except DocumentProblem as problem:
            raise Problem(f"{self._url} cannot be read: {problem.detail}.") from problem

    def _no_wikidata(self) -> Problem:
        return Problem(
            f"What answers at {self._url} is not Wikidata's API: check WIREWATCH_WIKIDATA_URL."
        )

    async def _wait(self, attempt: int, asked_s: float | None) -> None:
        if asked_s is not None and asked_s > MAX_WAIT_S:
            raise Problem(f"{self._url} asks to come back in {asked_s:.0f} s: try again then.")
        if attempt < MAX_TRIES - 1:
            wait_s = min(FIRST_WAIT_S * 2**attempt, MAX_WAIT_S) if asked_s is None else asked_s
            await self._sleep(wait_s)


def _may_pass(problem: FetchProblem) -> bool:
    if problem.status is None:
        return problem.reason not in _FOR_GOOD
    return problem.status in _TRY_AGAIN


def _error_of(answer: dict[str, Any]) -> tuple[str, str]:
    """Return code and words of an error, which comes with status 200; empty where there is none."""
    error = answer.get("error")
    if not isinstance(error, dict):
        return "", ""
    code, words = error.get("code"), error.get("info")
    words = clean(words, MAX_WORDS).rstrip(".") if isinstance(words, str) else ""
    return (clean(code, MAX_WORDS) if isinstance(code, str) else "") or "error", words
