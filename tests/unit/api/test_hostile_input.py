"""What a hostile client sends is refused in a sentence, and is no error of ours."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from aiohttp import web

from wirewatch.api.again import KEY_HEADER, request_key
from wirewatch.api.answers import MAX_BODY_BYTES, _read
from wirewatch.api.errors import BadRequest, Invalid
from wirewatch.api.replays import WRITTEN_LATER, _utc


@pytest.mark.parametrize(
    "at",
    [
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(1, 1, 1),  # noqa: DTZ001 - as a body may have it
    ],
)
def test_times_at_the_ends_of_the_calendar_are_times(at: datetime) -> None:
    assert _utc(at) + WRITTEN_LATER > _utc(at)


def test_a_key_that_is_no_text_is_refused() -> None:
    request = SimpleNamespace(headers={KEY_HEADER: "caf\udce9"})
    with pytest.raises(Invalid):
        request_key(request, "")


async def test_a_body_that_cannot_be_unpacked_is_refused() -> None:
    class Request:
        async def read(self) -> bytes:
            raise web.RequestPayloadError("gzip")

    with pytest.raises(BadRequest, match="Content-Encoding"):
        await _read(Request(), MAX_BODY_BYTES)
