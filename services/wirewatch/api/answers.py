"""From requests to types, and from views to answers. What every handler shares."""

import asyncio
import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Protocol, TypeVar

import msgspec
from aiohttp import web

from wirewatch.api.bodies import Body, read_body
from wirewatch.api.errors import (
    ApiError,
    BadRequest,
    BodyTimeout,
    Busy,
    FieldError,
    Invalid,
    NotFound,
    NotJson,
    TooLarge,
)
from wirewatch.api.store import Api, Collection
from wirewatch.api.views import Page
from wirewatch.topics.spec import Record

R = TypeVar("R", bound=Record)
B = TypeVar("B", bound=Body)
V = TypeVar("V")

API: web.AppKey[Api] = web.AppKey("api", Api)
"""Where a handler finds what it works with."""

MAX_BODY_BYTES = 64 * 1024
BODY_TIMEOUT_S = 10.0
"""A body has to be there after this long: a slow client holds no memory for longer."""
DEFAULT_LIMIT = 100
MAX_LIMIT = 500
JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"

_encoder = msgspec.json.Encoder()


def answer(view: object, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return `view` as JSON."""
    return web.Response(body=_encoder.encode(view), status=status, content_type=JSON_TYPE)


def problem_answer(error: ApiError) -> web.Response:
    """Return `error` as problem details (RFC 9457)."""
    body = _encoder.encode(error.view())
    response = web.Response(body=body, status=error.status, content_type=PROBLEM_TYPE)
    if isinstance(error, Busy):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


async def body_of(request: web.Request, body: type[B], *, most: int = MAX_BODY_BYTES) -> B:
    """Return the body of `request`, of `most` bytes.

    Raises the ApiError that says what is wrong with it.
    """
    if request.content_type != JSON_TYPE:
        raise NotJson(
            f"{request.method} {request.path} takes {JSON_TYPE}, not {request.content_type}: "
            "set the Content-Type header."
        )
    return read_body(await _read(request, most), body)


async def _read(request: web.Request, most: int) -> bytes:
    if most != MAX_BODY_BYTES:
        request = request.clone(client_max_size=most)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge(f"The body is larger than {most} bytes: send less.") from error
    except web.RequestPayloadError as error:
        raise BadRequest(
            "The body cannot be unpacked as its Content-Encoding says: send it as it is."
        ) from error
    except TimeoutError as error:
        raise BodyTimeout(f"The body did not arrive within {BODY_TIMEOUT_S:.0f} s.") from error


def found(collection: Collection[R], noun: str, request: web.Request) -> R:
    """Return the record that the path names. Raises NotFound."""
    key = request.match_info["id"]
    record = collection.get(key)
    if record is None:
        raise NotFound(f"There is no {noun} {key[:100]}: GET /v1/{noun}s lists them.")
    return record


def int_parameter(request: web.Request, name: str, default: int, most: int) -> int:
    """Return the query parameter `name`, 1 to `most`. Raises Invalid."""
    raw = request.query.get(name)
    if raw is None:
        return default
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 9 and 1 <= int(raw) <= most):
        raise Invalid([FieldError(name, f"must be a whole number from 1 to {most}")])
    return int(raw)


class Dated(Protocol):
    """What can be listed by age."""

    @property
    def id(self) -> str:
        """The id, which orders what was created at the same time."""

    @property
    def created_at(self) -> datetime:
        """When it was created."""


D = TypeVar("D", bound=Dated)


def paged(records: Iterable[D], request: web.Request) -> tuple[Sequence[D], str | None]:
    """Return the part of `records` that was asked for, oldest first, and the next cursor.

    The cursor names a place, not a record: it stays good when records are deleted.
    Raises Invalid for a wrong `limit`, BadRequest for a cursor that is not ours.
    """
    limit = int_parameter(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    raw = request.query.get("after")
    ordered = sorted(records, key=_place)
    if raw is not None:
        after = _read_cursor(raw)
        ordered = [record for record in ordered if _place(record) > after]
    part = ordered[:limit]
    return part, _cursor(part[-1]) if len(ordered) > limit else None


def _place(record: Dated) -> tuple[datetime, str]:
    return record.created_at, record.id


def _cursor(record: Dated) -> str:
    return _cursor_of(_place(record))


def _cursor_of(place: tuple[datetime, str]) -> str:
    return base64.urlsafe_b64encode(_encoder.encode(place)).decode().rstrip("=")


def _read_cursor(raw: str) -> tuple[datetime, str]:
    try:
        decoded = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))
        at, key = msgspec.json.decode(decoded, type=tuple[datetime, str])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise BadRequest("`after` is not a value that a list has given as `next`.") from error
    if at.tzinfo is None:
        raise BadRequest("`after` is not a value that a list has given as `next`.")
    return at, key


class Moving(Protocol):
    """What can be listed by when it last changed."""

    @property
    def id(self) -> str:
        """The id, which orders what changed at the same time."""

    @property
    def at(self) -> datetime:
        """When it last changed."""


M = TypeVar("M", bound=Moving)


def paged_newest(views: Iterable[M], request: web.Request) -> tuple[Sequence[M], str | None]:
    """Return the part of `views` that was asked for, newest first, and the next cursor.

    What changes between two pages moves to the front. Raises as `paged`.
    """
    limit = int_parameter(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    raw = request.query.get("after")
    ordered = sorted(views, key=lambda view: (view.at, view.id), reverse=True)
    if raw is not None:
        after = _read_cursor(raw)
        ordered = [view for view in ordered if (view.at, view.id) < after]
    part = ordered[:limit]
    more = len(ordered) > limit
    return part, _cursor_of((part[-1].at, part[-1].id)) if more else None


def time_parameter(request: web.Request, name: str) -> datetime | None:
    """Return the query parameter `name`, in UTC where it names no zone. Raises Invalid."""
    raw = request.query.get(name)
    if raw is None:
        return None
    try:
        at = datetime.fromisoformat(raw)
    except ValueError as error:
        said = "must be a time such as 2026-11-25T08:00:00Z (a plus sign is written %2B)"
        raise Invalid([FieldError(name, said)]) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def page(views: Iterable[V], following: str | None) -> web.Response:
    """Return part of a list."""
    return answer(Page(tuple(views), following))
