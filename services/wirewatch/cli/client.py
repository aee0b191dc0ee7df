"""The REST API, as the command line uses it. Answers become the API's own views."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, overload
from urllib.parse import quote

import aiohttp
import msgspec

from wirewatch.api.errors import ProblemView
from wirewatch.api.views import Page
from wirewatch.runtime.errors import Problem
from wirewatch.runtime.settings import load_settings

V = TypeVar("V")
T = TypeVar("T")

TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
PAGE_LIMIT = 500
JSON_TYPE = "application/json"
ENTITIES = "/v1/entities"


class ApiProblem(Problem):
    """The API refused, with its reason; `status` is 0 where none came."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class ApiAway(ApiProblem):
    """The API does not answer."""

    def __init__(self, url: str) -> None:
        super().__init__(
            0,
            f"The API at {url} does not answer: start wirewatch with `make run`, "
            "or set WIREWATCH_API_URL.",
        )


@dataclass(frozen=True, slots=True)
class Created(Generic[V]):
    """The answer to a POST: what is there now, and whether it is new."""

    is_new: bool
    view: V


class ApiClient:
    """The API at `url`. With `async with` its requests share connections.

    Every method raises ApiAway if nothing answers and ApiProblem if the API refuses.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = _new_session()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @overload
    async def get(self, path: str) -> Any: ...

    @overload
    async def get(self, path: str, view: type[V], **parameters: str) -> V: ...

    async def get(self, path: str, view: Any = Any, **parameters: str) -> Any:
        """Return what stands at `path`, as plain values if no `view` is named."""
        _, raw = await self._request("GET", path, parameters=parameters)
        return self._decode(raw, view)

    async def items(self, path: str, view: type[V], **parameters: str) -> AsyncIterator[V]:
        """Yield the whole list at `path`, page by page."""
        asked = {"limit": str(PAGE_LIMIT)} | parameters
        while True:
            part = await self.get(path, Page[view], **asked)  # type: ignore[valid-type]
            for item in part.items:
                yield item
            if part.next is None:
                return
            asked["after"] = part.next

    @overload
    async def post(self, path: str, fields: Mapping[str, object]) -> Any: ...

    @overload
    async def post(self, path: str, fields: Mapping[str, object], view: type[V]) -> V: ...

    async def post(self, path: str, fields: Mapping[str, object], view: Any = Any) -> Any:
        """Send `fields` and return the answer, as plain values if no `view` is named."""
        return (await self.create(path, fields, view)).view

    async def create(self, path: str, fields: Mapping[str, object], view: type[V]) -> Created[V]:
        """Send `fields` and return the answer, and whether something new was made."""
        status, raw = await self._request("POST", path, fields=fields)
        return Created(status == HTTPStatus.CREATED, self._decode(raw, view))

    async def patch(self, path: str, fields: Mapping[str, object], view: type[V]) -> V:
        """Change what stands at `path` and return it."""
        _, raw = await self._request("PATCH", path, fields=fields)
        return self._decode(raw, view)

    async def put(self, path: str, fields: Mapping[str, object], view: type[V]) -> V:
        """Put `fields` at `path` and return what stands there then."""
        _, raw = await self._request("PUT", path, fields=fields)
        return self._decode(raw, view)

    async def delete(self, path: str) -> None:
        """Remove what stands at `path`."""
        await self._request("DELETE", path)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, object] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        body = None if fields is None else msgspec.json.encode(fields)
        headers = {} if body is None else {"Content-Type": JSON_TYPE}
        url = self._url + path
        try:
            async with (
                self._connected() as session,
                session.request(
                    method, url, data=body, headers=headers, params=parameters
                ) as answer,
            ):
                raw = await _read(answer)
        except UnicodeEncodeError:
            raise  # an argument that is no UTF-8: `main` says so
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ApiAway(self._url) from error
        if answer.status >= 400:
            raise self._problem(answer.status, raw)
        return answer.status, raw

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiohttp.ClientSession]:
        if self._session is not None:
            yield self._session
            return
        async with _new_session() as session:
            yield session

    def _problem(self, status: int, raw: bytes) -> ApiProblem:
        try:
            return ApiProblem(status, msgspec.json.decode(raw, type=ProblemView).detail)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ApiProblem(
                status,
                f"What answers at {self._url} is not wirewatch's API (status {status}): "
                "check WIREWATCH_API_URL.",
            )

    def _decode(self, raw: bytes, view: type[V]) -> V:
        try:
            return msgspec.json.decode(raw, type=view)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ApiProblem(
                200,
                f"The answer of {self._url} cannot be read: check WIREWATCH_API_URL, "
                "and that API and command line are of one version.",
            ) from error


def _new_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for chunk in answer.content.iter_any():
        raw += chunk
        if len(raw) > MAX_ANSWER_BYTES:
            raise ValueError("the answer is too large")
    return bytes(raw)


def segment(text: str) -> str:
    """Return `text` as one segment of a path."""
    return quote(text, safe="")


def client() -> ApiClient:
    """Return a client for the API that the settings name."""
    return ApiClient(load_settings().api_url)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end."""
    return asyncio.run(work)
